"""Files of a container: its folders as tables, a file as text, downloads."""

import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Failure
from common.htmx import go
from hosts import options
from hosts.access import get_container
from hosts.actions.containers import files, looks
from hosts.engine.paths import child, is_plain, shown
from hosts.models import Container
from hosts.views.containers.replaced import leads_on, place_of

ICONS = {"folder": "folder", "file": "file-text", "link": "link"}
KIND_BITS = {
    "folder": stat.S_IFDIR,
    "file": stat.S_IFREG,
    "link": stat.S_IFLNK,
    "device": stat.S_IFCHR,
    "pipe": stat.S_IFIFO,
    "socket": stat.S_IFSOCK,
}
ORDER = {"folder": 0}
ENDS = {"\n": "lf", "\r\n": "crlf"}


@dataclass(frozen=True)
class Row:
    """An entry of a folder as the table shows it. `query` is its address' end; "" for a name that has none."""

    name: str
    kind: str
    icon: str
    size: int | None
    mode: str
    octal: str
    owner: str
    changed: datetime | None
    link: str
    query: str


def _row(folder: str, entry: Any) -> Row:
    plain = is_plain(entry.name)
    return Row(
        shown(entry.name),
        entry.kind,
        ICONS.get(entry.kind, "circle-dashed"),
        entry.size if entry.kind == "file" else None,
        stat.filemode(KIND_BITS.get(entry.kind, 0) | entry.mode),
        f"{entry.mode:04o}",
        f"{entry.uid}:{entry.gid}",
        moment(entry.mtime),
        shown(entry.link),
        urlencode({"path": child(folder, entry.name)}) if plain else "",
    )


def moment(seconds: float) -> datetime | None:
    """A file's time; None for one that no calendar has."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _crumbs(path: str) -> list[tuple[str, str]]:
    """(name, query) of each folder on the way, the root first."""
    parts = [part for part in path.split("/") if part]
    places = ["/", *("/" + "/".join(parts[: n + 1]) for n in range(len(parts)))]
    return [(shown(name), urlencode({"path": place})) for name, place in zip(["/", *parts], places, strict=True)]


def file_context(container: Container, path: str) -> dict[str, Any]:
    """What the frame of a folder's or file's page needs."""
    return {
        "container": container,
        "tab": "files",
        "path": path,
        "shown_path": shown(path),
        "query": urlencode({"path": path}),
        "crumbs": _crumbs(path),
    }


class Elsewhere(Exception):
    """What is there has another page."""

    def __init__(self, view: str, path: str) -> None:
        self.view, self.path = view, path


def _page(request: HttpRequest, host: str, ref: str, page: str, ask: Callable[[Container, str], Any]) -> HttpResponse:
    """The page comes at once; its part, for which the engine is asked, comes then."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_FILES)
    path = options.path(request.GET.get("path", "/"))
    context = {**file_context(container, path), **place_of(container, ref)}
    if "part" not in request.GET:
        return render(request, f"containers/{page}.html", context)
    try:
        context |= ask(container, path)
    except Elsewhere as other:
        return go(request, f"{reverse(other.view, args=[host, ref])}?{urlencode({'path': other.path})}")
    except DermagaError as error:
        context |= {"sentence": str(error), "detail": error.unsaid}
    return render(request, f"containers/_{page}.html", context)


@guard(Right.CONTAINERS_FILES)
@require_GET
@leads_on
def container_files(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """A folder: `path`."""

    def ask(container: Container, path: str) -> dict[str, Any]:
        try:
            listing = looks.folder(request.user, container, path)
        except Failure as error:
            if error.code != "path_refused":
                raise
            raise Elsewhere("container_file", path) from error  # no folder: its page says what it is
        rows = sorted(
            (_row(listing.path, entry) for entry in listing.entries),
            key=lambda row: (ORDER.get(row.kind, 1), row.name.lower(), row.name),
        )
        return {"rows": rows, "cut": listing.cut, "real": shown(listing.path)}

    return _page(request, host, ref, "files", ask)


@guard(Right.CONTAINERS_FILES)
@require_GET
def container_file(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """A file, as text where it is one: `path`."""

    def ask(container: Container, path: str) -> dict[str, Any]:
        found = files.show(request.user, container, path)
        if found.stat.kind == "folder":
            raise Elsewhere("container_files", found.stat.path)
        mode = stat.filemode(KIND_BITS.get(found.stat.kind, 0) | found.stat.mode)
        return {"file": found, "mode": mode, "real": shown(found.stat.path), "ends": ENDS[found.ends]}

    return _page(request, host, ref, "file", ask)


@guard(Right.CONTAINERS_FILES)
@require_GET
def container_file_download(request: HttpRequest, host: str, ref: str) -> StreamingHttpResponse:
    """A file, or a folder as a tar: `path`."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_FILES)
    return files.download(request.user, container, request.GET.get("path", "/"))
