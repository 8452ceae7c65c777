"""Files that people send into a container: kept on disk first, then streamed to the engine by a job."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Invalid
from common.templatetags.ui import filesize_iec
from hosts import options
from hosts.access import get_container
from hosts.actions import policing
from hosts.actions.act import demand, recorded, target_of
from hosts.actions.asking import Asking
from hosts.engine import changing, paths
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError, PathRefused
from hosts.engine.tars import Part
from hosts.engine.unpacking import unpacking
from hosts.models import Container
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

FILES_AT_MOST = 100  # of one request: each holds a file open; more are sent as one tar


def start_upload(
    actor: Any,
    container: Container,
    folder: str,
    files: Sequence["UploadedFile[Any]"],
    *,
    unpack: bool = False,
    owners: bool = False,
) -> Job:
    """Starts a job that puts `files` into a folder, replacing what has the same name; with `unpack` the one file is a
    tar that is unpacked there. They belong to whom the folder belongs, or with `owners` to whom the tar says."""
    demand(actor, Right.CONTAINERS_FILES, container)
    folder = options.path(folder)
    if not files:
        raise Invalid("files", gettext_noop("Choose at least one file."))
    if unpack and len(files) > 1:
        raise Invalid("files", gettext_noop("Send one tar at a time to be unpacked."))
    if len(files) > FILES_AT_MOST:
        raise Invalid(
            "files", gettext_noop("At most %(most)s files at once. Put more into a tar."), {"most": FILES_AT_MOST}
        )
    names = [options.file_name(file.name or "", "files") for file in files]
    kept = [[uploads.keep(file), name, file.size or 0] for file, name in zip(files, names, strict=True)]
    return queue.start(
        actor,
        "files.upload",
        host=container.host.name,
        team=container.owner_id,
        target=f"{container.name}:{paths.shown(folder)}",
        params={
            "host": container.host.name,
            "container": container.engine_id,
            "folder": folder,
            "files": kept,
            "unpack": unpack,
            "owners": owners,
        },
        locks=[lock(container.host.name, "files", container.engine_id)],
    )


def run_upload(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: reports bytes that the engine has taken."""
    params, actor = context.params, context.job.by
    container = get_container(actor, params["host"], params["container"], Right.CONTAINERS_FILES)
    detail = {"id": container.engine_id[:12], "path": paths.shown(params["folder"])[:1000]}
    with recorded(actor, Right.CONTAINERS_FILES, container, "container.file.upload", container.name, detail=detail):
        try:
            policing.allow_inside(actor, container, Asking(container.host, context))
            result = _upload(context, container)
        except PathRefused:
            _drop(context)  # a bad tar stays one
            raise
        except EngineError:
            context.check_cancelled()  # what was cut off by us did not fail
            raise
    _drop(context)
    return result


def _upload(context: JobContext, container: Container) -> dict[str, Any]:
    target = target_of(container)
    folder = changing.folder_at(target, context.params["folder"]).path
    member = changing.member_at(target, folder)
    # a tar is looked through before any of it is sent: a bad one must not be found when half is done
    with _entries(context, (member.uid, member.gid)) as parts:
        context.check_cancelled()
        with Call(target.endpoint) as call, _saying_what_stays(context, container, folder):
            context.on_cancel(call.end)
            changing.send(call, target, folder, parts, partial(_report, context))
        result = {
            "files": sum(part.kind != "folder" for part in parts),
            "bytes": sum(part.size for part in parts),
        }
    context.log(_("%(n)s files, %(size)s") % {"n": result["files"], "size": filesize_iec(result["bytes"])})
    return result


@contextmanager
def _entries(context: JobContext, owner: tuple[int, int]) -> Iterator[list[Part]]:
    files = [(uploads.place_of(key), name, size) for key, name, size in context.params["files"]]
    if context.params["unpack"]:
        with unpacking(files[0][0], owner=None if context.params["owners"] else owner) as parts:
            yield parts
        return
    now = int(time.time())
    yield [Part(name, "file", size, 0o644, now, *owner, open=partial(_open, place)) for place, name, size in files]


@contextmanager
def _saying_what_stays(context: JobContext, container: Container, folder: str) -> Iterator[None]:
    try:
        yield
    except (EngineError, Cancelled, OSError):
        context.leaves(
            _("In %(folder)s of %(name)s: the files that had arrived; the one on its way may be there in part.")
            % {"folder": paths.shown(folder), "name": container.name}
        )
        raise


def _open(place: Path) -> IO[bytes]:
    return place.open("rb")


def _report(context: JobContext, sent: int, total: int) -> None:
    words = _("%(done)s of %(all)s") % {"done": filesize_iec(sent), "all": filesize_iec(total)}
    context.progress(sent / total, words)


def _drop(context: JobContext) -> None:
    for key, _name, _size in context.params["files"]:
        with suppress(OSError):
            uploads.drop(key)
