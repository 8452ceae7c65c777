"""What can be done with files in a container, whether it runs or not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Invalid
from hosts import options
from hosts.actions import policing
from hosts.actions.act import recorded, streamed, target_of
from hosts.actions.asking import Asking
from hosts.engine import changing, files, paths
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


# ---------------------------------------------------------------- changes
def save(actor: Any, container: Container, path: str, text: str, stamp: str, ends: str = "\n") -> None:
    """Replaces a text, unless somebody has changed it since `stamp` (`Shown.stat.stamp`). A browser sends line ends of
    its own, which become `ends`; "" leaves them as they are."""
    if ends:
        text = text.replace("\r\n", "\n").replace("\n", ends)
    content = text.encode("utf-8", "surrogatepass")
    if len(content) > TEXT_AT_MOST:
        raise Invalid(
            "text", gettext_noop("A text of up to %(most)s bytes can be stored here."), {"most": TEXT_AT_MOST}
        )
    path = options.path(path)
    with _recorded(actor, container, "file.write", path, bytes=len(content)):
        changing.write(target_of(container), path, content, stamp)


def make(actor: Any, container: Container, folder: str, name: str, kind: str = "folder") -> str:
    """Makes an empty `kind` (folder or file) in a folder; gives its path. It belongs to whom the folder belongs."""
    name = options.file_name(name)
    path = paths.child(options.path(folder), name)
    with _recorded(actor, container, f"file.make_{kind}", path):
        return changing.make(target_of(container), options.path(folder), name, kind)


def rename(actor: Any, container: Container, path: str, new: str) -> str:
    """Gives it another name, or (with a slash in it) another path; gives that."""
    path = options.path(path)
    if "/" in new:
        wanted = options.path(new if new.startswith("/") else paths.child(paths.parent(path), new), "new")
    else:
        wanted = paths.child(paths.parent(path), options.file_name(new, "new"))
    _is_not_root(path)
    if wanted == path or wanted.startswith(f"{path}/"):
        raise Invalid("new", gettext_noop("Write another path than the one it has; it cannot go into itself."))
    with _recorded(actor, container, "file.rename", path, to=paths.shown(wanted)[:1000]):
        changing.rename(target_of(container), path, wanted)
    return wanted


def change_mode(actor: Any, container: Container, path: str, mode: str) -> None:
    """Sets the mode, in octal."""
    bits = options.mode(mode)
    path = options.path(path)
    with _recorded(actor, container, "file.chmod", path, mode=f"{bits:04o}"):
        changing.change_mode(target_of(container), path, bits)


def delete(actor: Any, container: Container, path: str) -> None:
    """Takes a file away, or a folder with all that is in it."""
    path = options.path(path)
    _is_not_root(path)
    with _recorded(actor, container, "file.delete", path):
        changing.delete(target_of(container), path)


def _is_not_root(path: str) -> None:
    if path == "/":
        raise Invalid("path", gettext_noop("The root of a container can be neither renamed nor deleted."))


@contextmanager
def _recorded(actor: Any, container: Container, verb: str, path: str, **detail: Any) -> Iterator[None]:
    with recorded(
        actor,
        Right.CONTAINERS_FILES,
        container,
        f"container.{verb}",
        container.name,
        detail={"id": container.engine_id[:12], "path": paths.shown(path)[:1000], **detail},
    ):
        policing.allow_inside(actor, container, Asking(container.host))
        yield
