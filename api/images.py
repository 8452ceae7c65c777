"""Images over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_host
from hosts.actions import images
from hosts.models import Image

router = Router(tags=["images"])


class Pull(Schema):
    """Which image: name, name:tag or name@digest."""

    image: str


class Prune(Schema):
    """`all`: not only dangling ones, but all that no container uses."""

    all: bool = False


def show(image: Image) -> dict[str, Any]:
    """An image as JSON."""
    return {
        "host": image.host.name,
        "id": image.engine_id,
        "tags": image.tags,
        "digests": image.digests,
        "size": image.size,
        "created": image.created,
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
