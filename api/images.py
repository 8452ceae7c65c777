"""Images over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import File, Form, Query, Router, Schema, UploadedFile

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from hosts import filters
from hosts.access import get_host, get_image
from hosts.actions.images import (
    image_builds,
    image_copies,
    image_files,
    image_looks,
    image_names,
    image_prune,
    image_pushes,
    images,
)
from hosts.actions.removals import AT_ONCE
from hosts.actions.short import soon
from hosts.models import Image

router = Router(tags=["images"])


class Pull(Schema):
    """Which image: name, name:tag or name@digest; with `all_tags` the name of a repository. `account`: an account's id,
    0 for no login, the default account of the image's registry unless given. `platform`: linux/arm64."""

    image: str
    account: int | None = None
    platform: str = ""
    all_tags: bool = False


class Push(Schema):
    """`image`: a name of it, which is the one that is pushed, or its id; `new_name` gives it another name first, and
    `untag` takes that away again; `all_tags`: all tags that the repository has on the host. `account`: as for a pull."""

    image: str
    account: int | None = None
    new_name: str = ""
    untag: bool = False
    all_tags: bool = False


class Prune(Schema):
    """`all`: not only dangling ones, but all that no container uses. `images`: exactly these ids, as `dry_run` lists
    them, as far as they are still unused and called the same."""

    all: bool = False
    dry_run: bool = False
    images: list[str] | None = None


class Name(Schema):
    """A name that an image gets or loses: name:tag."""

    name: str


class Build(Schema):
    """`source` is dockerfile (its text in `dockerfile`), tar (one file) or git (`remote`). `path` is the Dockerfile's in
    a tar or repository. `args`, `secret_args` and `labels` are NAME=value lines; `cache_from` names of images. For RUN
    steps: `network` (none, host, container:NAME or a network), `extra_hosts` (name:address lines), `shm_size` (256m). `login`:
    with the default accounts of the registries that the Dockerfile names, or with these `accounts` (ids)."""

    name: str
    source: str = "dockerfile"
    dockerfile: str = ""
    remote: str = ""
    path: str = "Dockerfile"
    args: str = ""
    secret_args: str = ""
    labels: str = ""
    target: str = ""
    cache_from: str = ""
    platform: str = ""
    network: str = ""
    extra_hosts: str = ""
    shm_size: str = ""
    no_cache: bool = False
    pull: bool = False
    login: bool = True
    accounts: list[int] = []


class Copy(Schema):
    """`to`: the name of the other host."""

    to: str


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
    job = images.start_pull(
        request.user,
        get_host(request.user, host),
        body.image,
        account=body.account,
        platform=body.platform,
        all_tags=body.all_tags,
    )
    return 202, {"job": job.pk}


@router.post("/{host}/push", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_push(request: HttpRequest, host: str, body: Push) -> Any:
    """Starts a push; answers with its job, whose result has the digest."""
    found = get_image(request.user, host, body.image, Right.IMAGES_MANAGE)
    job = image_pushes.start_push(
        request.user,
        found,
        next((name for name in found.tags if name in {body.image, f"{body.image}:latest"}), ""),
        account=body.account,
        all_tags=body.all_tags,
        new_name=body.new_name,
        untag=body.untag,
    )
    return 202, {"job": job.pk}


@router.post("/{host}/prune", response={200: dict, 202: dict})
@needs(Right.IMAGES_MANAGE)
def image_prune_run(request: HttpRequest, host: str, body: Prune | None = None) -> Any:
    """Starts a job that removes images that no container uses; with `dry_run` only lists them."""
    body, on = body or Prune(), get_host(request.user, host)
    every = Image.objects.visible_to(request.user).select_related("host").filter(host=on)
    rows = filters.unused_images(every, everything=body.all or body.images is not None).order_by("-size", "name", "pk")
    if body.images is not None:
        rows = rows.filter(engine_id__in=[filters.storable(ref) for ref in body.images[: AT_ONCE + 1]])
    if body.dry_run:
        found = list(rows[:AT_ONCE])
        size = sum(image.size for image in found)
        return 200, {"items": [show(image) for image in found], "count": rows.count(), "size": size}
    if body.images is not None:
        return 202, {"job": image_prune.start_prune_of(request.user, on, list(rows), {}).pk}
    return 202, {"job": images.start_prune(request.user, on, everything=body.all).pk}


# ---------------------------------------------------------------- build
@router.post("/{host}/build", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_build(request: HttpRequest, host: str, form: Form[Build], files: File[list[UploadedFile]] = []) -> Any:  # noqa: B006
    """Starts a job that builds `name`; answers with the job. `files` stand beside the Dockerfile, or are the one tar of a
    folder; a Git repository is fetched by the engine."""
    wanted = image_builds.Wanted(**form.dict(), files=files)
    return 202, {"job": image_builds.start_build(request.user, get_host(request.user, host), wanted).pk}


# ---------------------------------------------------------------- files
@router.post("/{host}/load", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_load(request: HttpRequest, host: str, file: File[UploadedFile]) -> Any:
    """Starts a job that loads a tar as `docker save` writes it; answers with the job."""
    return 202, {"job": image_files.start_load(request.user, get_host(request.user, host), file).pk}


@router.post("/{host}/import", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_import(
    request: HttpRequest,
    host: str,
    file: File[UploadedFile],
    name: Form[str],
    message: Form[str] = "",
    changes: Form[str] = "",
) -> Any:
    """Starts a job that makes the image `name` of a tar of a root file system; `changes` are lines of a Dockerfile."""
    on = get_host(request.user, host)
    job = image_files.start_import(request.user, on, file, name=name, message=message, changes=changes)
    return 202, {"job": job.pk}


@router.get("/{host}/save")
@needs(Right.IMAGES_MANAGE)
def images_save(request: HttpRequest, host: str, image: Query[list[str]]) -> Any:
    """Several images as one tar, streamed: `image` is repeated."""
    found = [get_image(request.user, host, name, Right.IMAGES_MANAGE) for name in image[: image_files.AT_ONCE + 1]]
    return image_files.save(request.user, get_host(request.user, host), found)


@router.get("/{host}/{path:image}/save")
@needs(Right.IMAGES_MANAGE)
def image_save(request: HttpRequest, host: str, image: str) -> Any:
    """The image with its names as a tar, streamed."""
    found = get_image(request.user, host, image, Right.IMAGES_MANAGE)
    return image_files.save(request.user, found.host, [found])


@router.post("/{host}/{path:image}/copy", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def image_copy(request: HttpRequest, host: str, image: str, body: Copy) -> Any:
    """Starts a job that puts it on the host `to` without a registry; answers with the job."""
    found = get_image(request.user, host, image, Right.IMAGES_MANAGE)
    return 202, {"job": image_copies.start_copy(request.user, found, get_host(request.user, body.to)).pk}


# ---------------------------------------------------------------- one image: by name, id or unique prefix of its id
@router.get("/{host}/{path:image}/history", response=dict)
@needs(Right.IMAGES_VIEW)
def image_history(request: HttpRequest, host: str, image: str) -> Any:
    """What it is made of: `configuration` and `layers`, newest first. Values of variables are hidden."""
    return image_looks.describe(request.user, get_image(request.user, host, image))


@router.post("/{host}/{path:image}/tag", response={200: dict, 202: Started})
@needs(Right.IMAGES_MANAGE)
def image_tag(request: HttpRequest, host: str, image: str, body: Name) -> Any:
    """Gives it another name."""
    found = get_image(request.user, host, image, Right.IMAGES_MANAGE)
    return {"name": soon(image_names.tag, request.user, found, body.name)}


@router.post("/{host}/{path:image}/untag", response={200: dict, 202: Started})
@needs(Right.IMAGES_MANAGE)
def image_untag(request: HttpRequest, host: str, image: str, body: Name) -> Any:
    """Takes one of several names away."""
    soon(image_names.untag, request.user, get_image(request.user, host, image, Right.IMAGES_MANAGE), body.name)
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
