"""Images over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_host, get_image
from hosts.actions import image_looks, image_names, images
from hosts.models import Image

router = Router(tags=["images"])


class Pull(Schema):
    """Which image: name, name:tag or name@digest."""

    image: str


class Prune(Schema):
    """`all`: not only dangling ones, but all that no container uses."""

    all: bool = False


class Name(Schema):
    """A name that an image gets or loses: name:tag."""

    name: str


class Remove(Schema):
    """`force`: also when containers that do not run use it."""

    force: bool = False


def show(image: Image) -> dict[str, Any]:
    """An image as JSON."""
    return {
        "host": image.host.name,
        "id": image.engine_id,
        "tags": image.tags,
        "digests": image.digests,
        "size": image.size,
        "created": image.created,
        "labels": image.labels,
        "dangling": image.dangling,
    }


@router.get("", response=Many)
@needs(Right.IMAGES_VIEW)
def image_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All images; the same filters as the page: search, host, use (in use, unused, dangling), label."""
    rows = filters.images_with_use(Image.objects.visible_to(request.user).select_related("host"))
    rows, _ = filters.IMAGES.ordered(filters.IMAGES.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("/{host}/pull", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_pull(request: HttpRequest, host: str, body: Pull) -> Any:
    """Starts a pull; answers with its job."""
    return 202, {"job": images.start_pull(request.user, get_host(request.user, host), body.image).pk}


@router.post("/{host}/prune", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_prune(request: HttpRequest, host: str, body: Prune | None = None) -> Any:
    """Starts a prune; answers with its job."""
    everything = body.all if body else False
    return 202, {"job": images.start_prune(request.user, get_host(request.user, host), everything=everything).pk}


# ---------------------------------------------------------------- one image: by name, id or unique prefix of its id
@router.get("/{host}/{path:image}/history", response=dict)
@needs(Right.IMAGES_VIEW)
def image_history(request: HttpRequest, host: str, image: str) -> Any:
    """What it is made of: `configuration` and `layers`, newest first. Values of variables are hidden."""
    return image_looks.describe(request.user, get_image(request.user, host, image))


@router.post("/{host}/{path:image}/tag", response=dict)
@needs(Right.IMAGES_MANAGE)
def image_tag(request: HttpRequest, host: str, image: str, body: Name) -> Any:
    """Gives it another name."""
    found = get_image(request.user, host, image, Right.IMAGES_MANAGE)
    return {"name": image_names.tag(request.user, found, body.name)}


@router.post("/{host}/{path:image}/untag", response=dict)
@needs(Right.IMAGES_MANAGE)
def image_untag(request: HttpRequest, host: str, image: str, body: Name) -> Any:
    """Takes one of several names away."""
    image_names.untag(request.user, get_image(request.user, host, image, Right.IMAGES_MANAGE), body.name)
    return {"done": "untag"}


@router.post("/{host}/{path:image}/remove", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_remove(request: HttpRequest, host: str, image: str, body: Remove | None = None) -> Any:
    """Starts a job that removes it with all its names; answers with the job."""
    found = get_image(request.user, host, image, Right.IMAGES_MANAGE)
    return 202, {"job": image_names.start_remove(request.user, found, force=bool(body and body.force)).pk}


@router.get("/{host}/{path:image}", response=dict)
@needs(Right.IMAGES_VIEW)
def image_get(request: HttpRequest, host: str, image: str) -> Any:
    """One image."""
    return show(get_image(request.user, host, image))
