"""Images as files: saved to a download, loaded and imported from what was sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Invalid
from common.templatetags.ui import filesize_iec
from hosts import options
from hosts.actions import policing
from hosts.actions.act import calling, demand, host_of, may_go_on, recorded, streamed
from hosts.engine import image_files as files
from hosts.models import Host, Image
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

BLOCK = 256 * 1024
AT_ONCE = 50  # images of one file
MESSAGE_AT_MOST = 500
READ_SHARE = 0.9  # of a job's progress: the file is sent; the rest is the engine's unpacking


# ---------------------------------------------------------------- save
def save(actor: Any, host: Host, images: list[Image]) -> StreamingHttpResponse:
    """These images of one host as a tar, streamed. Whatever is in them is in the file: who took it is audited."""
    if not images:
        raise Invalid("image", gettext_noop("Name at least one image."))
    if len(images) > AT_ONCE:
        raise Invalid("image", gettext_noop("At most %(most)s images at once."), {"most": AT_ONCE})
    names = [name for image in images for name in image.tags or [image.engine_id]]
    with recorded(actor, Right.IMAGES_MANAGE, host, "image.save", ", ".join(names)):
        blocks = files.iter_save(host.endpoint(), names, version=host.api_version)
        file = (
            str(images[0]).removeprefix("sha256:").replace("/", "_").replace(":", "_") if len(images) == 1 else "images"
        )
        return streamed(blocks, f"{file}.tar")


# ---------------------------------------------------------------- load and import
def start_load(actor: Any, host: Host, upload: "UploadedFile[Any] | None") -> Job:
    """Starts a job that loads the images of a tar that was sent."""
    demand(actor, Right.IMAGES_MANAGE, host)
    upload = _there(upload)
    name = _name_of(upload)
    params = {"host": host.name, "upload": uploads.keep(upload), "size": upload.size}
    return queue.start(actor, "image.load", host=host.name, target=name, params=params)


def start_import(
    actor: Any, host: Host, upload: "UploadedFile[Any] | None", *, name: str, message: str = "", changes: str = ""
) -> Job:
    """Starts a job that makes the image `name` of a tar of a root file system; `changes` are lines of a Dockerfile."""
    demand(actor, Right.IMAGES_MANAGE, host)
    repo, tag = options.image_name("name", name)
    if len(message) > MESSAGE_AT_MOST or not message.isprintable():
        raise Invalid(
            "message", gettext_noop("Write one line of at most %(most)s characters."), {"most": MESSAGE_AT_MOST}
        )
    lines = options.changes(changes)
    upload = _there(upload)
    return queue.start(
        actor,
        "image.import",
        host=host.name,
        target=f"{repo}:{tag}",
        params={
            "host": host.name,
            "upload": uploads.keep(upload),
            "size": upload.size,
            "repo": repo,
            "tag": tag,
            "message": message.strip(),
        },
        sealed={"changes": lines},  # an ENV may be a password
        locks=[lock(host.name, "image", f"{repo}:{tag}")],
    )


def _there(upload: "UploadedFile[Any] | None") -> "UploadedFile[Any]":
    if upload is None or not upload.size:
        raise Invalid("file", gettext_noop("Choose a file that is not empty."))
    return upload


def _name_of(upload: "UploadedFile[Any]") -> str:
    return "".join(letter if letter.isprintable() else "_" for letter in str(upload.name or "file"))[:200]


def run_load(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; the file is dropped whatever becomes of it."""
    host = host_of(context)
    with (
        _upload(context) as place,
        _saying_what_may_come(context),
        calling(context, Right.IMAGES_MANAGE, host, "image.load") as call,
    ):
        policing.allow_made_image(context.job.by, host)
        found = files.load(call, _blocks(context, place), version=host.spoken_version)
        for name in found:
            context.log(name)
    return {"images": ", ".join(found)[:1000]}


def run_import(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; the file is dropped whatever becomes of it."""
    host, params = host_of(context), context.params
    with (
        _upload(context) as place,
        _saying_what_may_come(context),
        calling(context, Right.IMAGES_MANAGE, host, "image.import") as call,
    ):
        policing.allow_made_image(context.job.by, host)
        image = files.import_(
            call,
            _blocks(context, place),
            repo=params["repo"],
            tag=params["tag"],
            message=params["message"],
            changes=[line for line in context.sealed["changes"].split("\n") if line],
            version=host.spoken_version,
        )
    return {"id": image[:100]}


@contextmanager
def _upload(context: JobContext) -> Iterator[Path]:
    key = context.params["upload"]
    try:
        yield uploads.place_of(key)
    finally:
        uploads.drop(key)


@contextmanager
def _saying_what_may_come(context: JobContext) -> Iterator[None]:
    try:
        yield
    except Cancelled:
        if context.job.progress >= READ_SHARE:  # the engine has the whole file
            may_go_on(context, context.job.target)
        raise


def _blocks(context: JobContext, place: Path) -> Iterator[bytes]:
    size, sent = place.stat().st_size, 0
    whole = filesize_iec(size)
    with place.open("rb") as file:
        while block := file.read(BLOCK):
            yield block
            sent += len(block)
            words = _("%(sent)s of %(size)s sent") % {"sent": filesize_iec(sent), "size": whole}
            context.progress(READ_SHARE * sent / size, words)
    context.progress(READ_SHARE, _("The engine unpacks %(size)s.") % {"size": whole}, now=True)
