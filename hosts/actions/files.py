"""What can be done with files in a container, whether it runs or not."""

from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict
from hosts import options
from hosts.actions.act import recorded, streamed, target_of
from hosts.engine import files, paths
from hosts.models import Container

TEXT_AT_MOST = 1024 * 1024  # bytes that a page shows and takes


@dataclass(frozen=True)
class Shown:
    """One file. `text` is None when it cannot be shown; `why` says why, as a template with `most`. `ends` are the line
    ends to be written: a browser knows one kind only."""

    stat: files.Stat
    text: str | None = None
    why: str = ""
    ends: str = "\n"


def show(actor: Any, container: Container, path: str) -> Shown:
    """A file and, when it is a text that a page can show whole, its text. Links are followed."""
    path = options.path(path)
    with _recorded(actor, container, "file.read", path):
        found = files.follow(target_of(container), path)
        if found.kind != "file":
            return Shown(found)
        if found.size > TEXT_AT_MOST:
            return Shown(found, why=gettext_noop("It is larger than what a page shows."))
        _member, content = files.read_file(target_of(container), found.path, TEXT_AT_MOST)
        return _text_of(found, content)


def _text_of(found: files.Stat, content: bytes) -> Shown:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return Shown(found, why=gettext_noop("It is no text in UTF-8."))
    if "\0" in text:
        return Shown(found, why=gettext_noop("It is no text in UTF-8."))
    ends = "\r\n" if "\r\n" in text else "\n"
    if text.replace("\r\n", "").count("\r") or (ends == "\r\n" and text.count("\n") != text.count("\r\n")):
        return Shown(found, why=gettext_noop("Its line ends are of several kinds: a browser would make them one."))
    return Shown(found, text, "", ends)


def download(actor: Any, container: Container, path: str) -> StreamingHttpResponse:
    """A file as it is, or a folder as a tar, streamed. Links are followed to what is downloaded, and are data in it."""
    path = options.path(path)
    with _recorded(actor, container, "file.download", path):
        target = target_of(container)
        found = files.follow(target, path)
        name = paths.base(found.path) or container.name
        if found.kind == "file":
            return streamed(files.iter_file(target, found.path), name)
        if found.kind == "folder":
            return streamed(files.iter_tar(target, found.path), f"{name}.tar")
        raise Conflict(
            gettext_noop("%(path)s is neither a file nor a folder: there is nothing to download."),
            {"path": paths.shown(path)},
        )


def _recorded(actor: Any, container: Container, verb: str, path: str, **detail: Any) -> Any:
    return recorded(
        actor,
        Right.CONTAINERS_FILES,
        container.host,
        f"container.{verb}",
        container.name,
        detail={"id": container.engine_id[:12], "path": paths.shown(path)[:1000], **detail},
    )
