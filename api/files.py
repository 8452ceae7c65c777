"""Files of containers over REST."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, UploadedFile

from accounts.rights import Right
from api.auth import needs
from api.lists import Started
from hosts.access import get_container
from hosts.actions.containers import file_uploads, files, looks
from hosts.actions.short import soon
from hosts.engine.paths import is_plain, shown

router = Router(tags=["files"])


class Text(Schema):
    """A file's new `text`; `stamp` is what `files/stat` told of the file that it replaces."""

    text: str
    stamp: str


class Path(Schema):
    """What is meant."""

    path: str


class New(Path):
    """A new entry: `kind` is folder or file."""

    kind: Literal["folder", "file"] = "folder"


class Rename(Path):
    """`new` is a name, or with a slash in it a path."""

    new: str


class Mode(Path):
    """`mode` in octal: 644, 4755."""

    mode: str


class Upload(Schema):
    """`unpack`: the one file is a tar; `owners`: what it holds keeps the owners that it names."""

    unpack: bool = False
    owners: bool = False


def show(entry: Any) -> dict[str, Any]:
    """An entry of a folder as JSON. A name that is no UTF-8 is written with \\x.., and `plain` is false."""
    return {
        "name": shown(entry.name) if not is_plain(entry.name) else entry.name,
        "plain": is_plain(entry.name),
        "kind": entry.kind,
        "size": entry.size if entry.size >= 0 else None,
        "mode": f"{entry.mode:04o}",
        "mtime": entry.mtime,
        "uid": entry.uid,
        "gid": entry.gid,
        "link": entry.link if is_plain(entry.link) else shown(entry.link),
    }


@router.get("/{host}/{container}/files", response=dict)
@needs(Right.CONTAINERS_FILES)
def files_list(request: HttpRequest, host: str, container: str, path: str = "/") -> Any:
    """What is in the folder `path`. `cut` is "" for all of it, else "many" or "large"."""
    found = looks.folder(request.user, get_container(request.user, host, container), path)
    items = [show(entry) for entry in found.entries]
    return {"path": found.path, "cut": found.cut, "items": items, "count": len(items)}


@router.get("/{host}/{container}/files/content")
@needs(Right.CONTAINERS_FILES)
def files_content(request: HttpRequest, host: str, container: str, path: str = "/") -> Any:
    """The file `path` as it is, or the folder `path` as a tar."""
    return files.download(request.user, get_container(request.user, host, container), path)


@router.get("/{host}/{container}/files/stat", response=dict)
@needs(Right.CONTAINERS_FILES)
def files_stat(request: HttpRequest, host: str, container: str, path: str = "/") -> Any:
    """What is at `path`, at the end of its links."""
    found = looks.path_facts(request.user, get_container(request.user, host, container), path)
    return {
        "path": found.path,
        "kind": found.kind,
        "size": found.size,
        "mode": f"{found.mode:04o}",
        "mtime": found.changed,
        "stamp": found.stamp,
    }


@router.put("/{host}/{container}/files/content", response={200: dict, 202: Started})
@needs(Right.CONTAINERS_FILES)
def files_write(request: HttpRequest, host: str, container: str, path: str, body: Text) -> Any:
    """Replaces the text of the file `path`, unless it was changed since `stamp` was told."""
    soon(files.save, request.user, get_container(request.user, host, container), path, body.text, body.stamp, ends="")
    return {"done": "write"}


@router.post("/{host}/{container}/files/make", response={200: dict, 202: Started})
@needs(Right.CONTAINERS_FILES)
def files_make(request: HttpRequest, host: str, container: str, body: New) -> Any:
    """A new empty folder or file."""
    folder, _, name = body.path.rstrip("/").rpartition("/")
    made = soon(files.make, request.user, get_container(request.user, host, container), folder, name, body.kind)
    return {"done": "make", "path": made}


@router.post("/{host}/{container}/files/rename", response={200: dict, 202: Started})
@needs(Right.CONTAINERS_FILES)
def files_rename(request: HttpRequest, host: str, container: str, body: Rename) -> Any:
    """Another name or path."""
    now = soon(files.rename, request.user, get_container(request.user, host, container), body.path, body.new)
    return {"done": "rename", "path": now}


@router.post("/{host}/{container}/files/chmod", response={200: dict, 202: Started})
@needs(Right.CONTAINERS_FILES)
def files_chmod(request: HttpRequest, host: str, container: str, body: Mode) -> Any:
    """Another mode."""
    soon(files.change_mode, request.user, get_container(request.user, host, container), body.path, body.mode)
    return {"done": "chmod"}


@router.post("/{host}/{container}/files/delete", response={200: dict, 202: Started})
@needs(Right.CONTAINERS_FILES)
def files_delete(request: HttpRequest, host: str, container: str, body: Path) -> Any:
    """Takes a file away, or a folder with all that is in it."""
    soon(files.delete, request.user, get_container(request.user, host, container), body.path)
    return {"done": "delete"}


@router.post("/{host}/{container}/files/upload", response={202: dict})
@needs(Right.CONTAINERS_FILES)
def files_upload(
    request: HttpRequest,
    host: str,
    container: str,
    files: File[list[UploadedFile]],
    options: Form[Upload],
    path: str = "/",
) -> Any:
    """Puts files into the folder `path`, or unpacks a tar there; answers with its job."""
    found = get_container(request.user, host, container)
    job = file_uploads.start_upload(request.user, found, path, files, unpack=options.unpack, owners=options.owners)
    return 202, {"job": job.pk}
