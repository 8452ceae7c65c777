"""Files of containers over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.rights import Right
from api.auth import needs
from hosts.access import get_container
from hosts.actions import files, looks
from hosts.engine.paths import is_plain, shown

router = Router(tags=["files"])


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
