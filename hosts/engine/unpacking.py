"""A tar that somebody sent: looked through before an engine hears of it, and made anew of what it may hold.

What is sent on is written by us, entry by entry: two programs that read one tar differently could not see two things.
"""

import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from hosts.engine.archives import inside
from hosts.engine.errors import PathRefused, gettext_noop
from hosts.engine.paths import is_name
from hosts.engine.sent_tars import UNPACKED_AT_MOST, open_tar
from hosts.engine.tars import Part

MEMBERS_AT_MOST = 200_000


@contextmanager
def unpacking(place: Path, *, owner: tuple[int, int] | None) -> Iterator[list[Part]]:
    """The entries of the tar (also one packed by gzip, bzip2 or xz) at `place`, readable inside the block only.

    `owner` (user, group) becomes everybody's; None keeps the tar's. Raises PathRefused, which names the entry.
    """
    try:
        with open_tar(place) as tar:
            yield _parts(tar, owner)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise PathRefused(gettext_noop("This is no tar that can be read: %(why)s."), "", why=str(error)) from error


def _parts(tar: tarfile.TarFile, owner: tuple[int, int] | None) -> list[Part]:
    parts: list[Part] = []
    size = 0
    kinds: dict[str, str] = {}  # name -> kind, of what came before
    for member in tar:
        name = inside(member.name)
        if not name:
            continue  # the folder itself
        _check(name, kinds)
        part = _part(tar, member, name, kinds, owner)
        size += part.size
        if size > UNPACKED_AT_MOST:  # holes take no room in the tar
            raise PathRefused(gettext_noop("A tar may unpack to up to %(most)s GiB."), "", most=UNPACKED_AT_MOST >> 30)
        kinds[name] = part.kind
        parts.append(part)
        if len(parts) > MEMBERS_AT_MOST:
            raise PathRefused(gettext_noop("A tar may hold up to %(most)s entries."), "", most=MEMBERS_AT_MOST)
    return parts


def _part(
    tar: tarfile.TarFile, member: tarfile.TarInfo, name: str, kinds: dict[str, str], owner: tuple[int, int] | None
) -> Part:
    uid, gid = owner or (member.uid, member.gid)
    mode, mtime = member.mode & 0o7777, max(0, member.mtime)
    if member.isdir():
        return Part(name, "folder", 0, mode, mtime, uid, gid)
    if member.issym():
        return Part(name, "link", 0, mode, mtime, uid, gid, member.linkname)
    if member.islnk():
        other = inside(member.linkname)
        if kinds.get(other) not in {"file", "hard link"}:
            raise PathRefused(gettext_noop("%(path)s is a hard link to something outside of the tar."), name)
        return Part(name, "hard link", 0, mode, mtime, uid, gid, other)
    if not member.isreg():
        raise PathRefused(gettext_noop("%(path)s is a device or another special file."), name)
    return Part(name, "file", member.size, mode, mtime, uid, gid, open=_opener(tar, member))


def _opener(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[], IO[bytes]]:
    def opened() -> IO[bytes]:
        file = tar.extractfile(member)
        assert file is not None
        return file

    return opened


def _check(name: str, kinds: dict[str, str]) -> None:
    parts = name.split("/")
    if not all(is_name(part) for part in parts):
        raise PathRefused(gettext_noop("%(path)s has a part of more than 255 bytes."), name)
    for n in range(1, len(parts)):
        if kinds.get("/".join(parts[:n]), "folder") != "folder":
            raise PathRefused(gettext_noop("%(path)s would be written through a link."), name)
