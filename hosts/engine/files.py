"""Files in a container, also in one that does not run: by the engine's archive, which needs nothing in the image, and
for listing a running one by its own programs where it has them (docs/decisions/0005-files-in-containers.md)."""

import base64
import json
import re
import stat
import time
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from common.connections import Deadline
from hosts.engine import execs, paths
from hosts.engine.answers import Answered, EngineFailed, NotFound
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError, NoPath, NotAnEngine, PathRefused, gettext_noop
from hosts.engine.parse.values import time_of
from hosts.engine.streams import open_stream
from hosts.engine.targets import Target
from hosts.engine.tars import Member, TarReader

LOOK_SECONDS = 5.0  # for all that a page waits for
IDLE_SECONDS = 60.0  # a download's engine may say nothing for so long
ENTRIES_AT_MOST = 5000
READ_AT_MOST = 1024 * 1024 * 1024  # bytes of an archive that are read to list one folder
LINKS_AT_MOST = 8
UNKNOWN = -1  # a size that is not told
# Go's os.FileMode: the kind is in the high bits, and so are setuid, setgid and sticky
GO_KINDS = {31: "folder", 27: "link", 26: "device", 25: "pipe", 24: "socket", 21: "device", 19: "other"}
GO_BITS = {23: stat.S_ISUID, 22: stat.S_ISGID, 20: stat.S_ISVTX}
KINDS = {
    stat.S_IFDIR: "folder",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "link",
    stat.S_IFCHR: "device",
    stat.S_IFBLK: "device",
    stat.S_IFIFO: "pipe",
    stat.S_IFSOCK: "socket",
}
# A name holds no slash, so it ends at the one after it, whatever else is in it. A second list says where links lead:
# a process for each, therefore not for all of a folder full of them.
LIST = """
cd "$1" || exit 3
find . -mindepth 1 -maxdepth 1 -exec stat -c '%n/ %f %s %Y %u %g' {} + || exit 4
printf '\\0'
find . -mindepth 1 -maxdepth 1 -type l -exec sh -c '
  n=0; for f; do [ $((n=n+1)) -gt 100 ] && break; printf "%s/ " "$f"; readlink "$f"; printf "\\0"; done' sh {} +
"""
LISTED = re.compile(rb"\./([^/]*)/ ([0-9a-f]{1,8}) (\d{1,19}) (-?\d{1,19}) (\d{1,10}) (\d{1,10})\n")
LINKED = re.compile(rb"\./([^/]*)/ ([^\0]*)\n\0")


@dataclass(frozen=True)
class Entry:
    """One name in a folder. `kind`: folder, file, link, device, pipe, socket, other."""

    name: str
    kind: str
    size: int
    mode: int
    mtime: float
    uid: int
    gid: int
    link: str = ""


@dataclass(frozen=True)
class Listing:
    """A folder. `cut` says why not all of it is there: "many" entries, or too "large" to be read through."""

    path: str
    entries: list[Entry]
    cut: str = ""


@dataclass(frozen=True)
class Stat:
    """What the engine says of one path. `stamp` changes whenever the file is written."""

    path: str
    kind: str
    size: int
    mode: int
    changed: datetime | None
    stamp: str
    link: str = ""


# ---------------------------------------------------------------- one path
def look_at(target: Target, path: str, seconds: float = LOOK_SECONDS) -> Stat:
    """What is at `path`, a link itself not followed. Raises EngineError; NoPath when there is nothing."""
    deadline = Deadline(seconds)
    with Call(target.endpoint) as call:
        try:
            call.open("HEAD", _archive(target), {"path": path}, version=target.version, seconds=deadline.left())
        except NotFound as error:
            raise NoPath(path) from error
        except EngineFailed as error:  # without a word: an answer to HEAD has no body
            raise _why(target, path, deadline, error) from error
    found = _told(call)
    mode = found.get("mode")
    if not isinstance(mode, int):
        raise NotAnEngine("no mode of a path", where=target.endpoint.address)
    kind = next((name for bit, name in GO_KINDS.items() if mode >> bit & 1), "file")
    bits = sum(here for there, here in GO_BITS.items() if mode >> there & 1)
    size, changed = found.get("size"), str(found.get("mtime", ""))[:40]
    size = size if isinstance(size, int) and kind == "file" else 0
    link = str(found.get("linkTarget") or "")[: paths.PATH_AT_MOST]
    return Stat(path, kind, size, mode & 0o777 | bits, time_of(changed), f"{changed} {size}", link)


def follow(target: Target, path: str, seconds: float = LOOK_SECONDS) -> Stat:
    """The same, at the end of its links. Raises NoPath also for a link that leads nowhere."""
    found = look_at(target, path, seconds)
    for _ in range(LINKS_AT_MOST):
        if found.kind != "link":
            return found
        found = look_at(target, paths.absolute(found.link), seconds)
    raise PathRefused(gettext_noop("%(path)s is a link that leads in a circle."), path)


def _archive(target: Target) -> str:
    return f"/containers/{target.container_id}/archive"


def _told(call: Call) -> dict[str, Any]:
    try:
        found = json.loads(base64.b64decode(call.headers["x-docker-container-path-stat"]))
    except (KeyError, ValueError) as error:
        raise NotAnEngine("no description of a path", where=call.endpoint.address) from error
    return found if isinstance(found, dict) else {}


def _why(target: Target, path: str, deadline: Deadline, otherwise: EngineError) -> EngineError:
    try:
        with Call(target.endpoint) as call:
            call.open("GET", _archive(target), {"path": path}, version=target.version, seconds=deadline.left())
    except Answered as error:
        return NoPath(path) if "not a directory" in error.detail.lower() else error
    except (EngineError, TimeoutError):
        pass
    return otherwise


# ---------------------------------------------------------------- a folder
def list_folder(target: Target, path: str, *, running: bool) -> Listing:
    """What is in the folder, links on the way followed. Raises EngineError."""
    found = follow(target, path)
    if found.kind != "folder":
        raise PathRefused(gettext_noop("%(path)s is no folder."), path)
    listing = _by_programs(target, found.path) if running else None
    return listing or _by_archive(target, found.path)


def _by_programs(target: Target, path: str) -> Listing | None:
    """None when the container does not run after all, or lacks what it takes: a shell, find and stat."""
    try:
        ran = execs.run(target, ["sh", "-c", LIST, "sh", path], seconds=LOOK_SECONDS)
    except Answered:
        return None
    listed, _, linked = ran.out.partition(b"\0")
    entries = _entries(listed)
    if ran.code or ran.cut or entries is None:
        return None
    links = {name: link for name, link in LINKED.findall(linked)}
    found = [
        replace(entry, link=links[raw].decode("utf-8", "surrogateescape")) if raw in links else entry
        for raw, entry in entries
    ]
    return Listing(path, found[:ENTRIES_AT_MOST], "many" if len(found) > ENTRIES_AT_MOST else "")


def _entries(listed: bytes) -> list[tuple[bytes, Entry]] | None:
    """None for what `stat` does not write."""
    found, position = [], 0
    for match in LISTED.finditer(listed):
        if match.start() != position:
            return None
        position = match.end()
        name, mode = match[1], int(match[2], 16)
        size, mtime, uid, gid = (int(number) for number in match.groups()[2:])
        kind = KINDS.get(stat.S_IFMT(mode), "other")
        shown = name.decode("utf-8", "surrogateescape")
        entry = Entry(shown, kind, size if kind == "file" else 0, stat.S_IMODE(mode), mtime, uid, gid)
        found.append((name, entry))
    return found if position == len(listed) else None


def _by_archive(target: Target, path: str) -> Listing:
    """Reads all that is below the folder, up to a limit: an archive has no other order."""
    end, entries, reader = time.monotonic() + LOOK_SECONDS, [], TarReader()
    read, top = 0, None
    with Call(target.endpoint) as call:
        call.open("GET", _archive(target), {"path": path}, version=target.version, seconds=LOOK_SECONDS)
        while block := call.read(LOOK_SECONDS):
            for member in _members(reader, block, target):
                if top is None:
                    top = member.name.strip("/")
                elif name := _below(member.name, top):
                    entries.append(_entry(member, name))
            read += len(block)
            if len(entries) > ENTRIES_AT_MOST:
                return Listing(path, entries[:ENTRIES_AT_MOST], "many")
            if read > READ_AT_MOST or time.monotonic() > end:
                return Listing(path, entries, "" if reader.ended else "large")
    if not reader.ended:
        raise NotAnEngine("an archive that was cut", where=target.endpoint.address)
    return Listing(path, entries)


def _members(reader: TarReader, block: bytes, target: Target) -> Iterator[Member]:
    try:
        for part in reader.feed(block):
            if isinstance(part, Member):
                yield part
    except ValueError as error:
        raise NotAnEngine(f"a broken archive: {error}", where=target.endpoint.address) from error


def _below(name: str, top: str) -> str:
    """The name of what is in the folder itself; "" for what is deeper."""
    rest = name.strip("/").removeprefix(top).strip("/")
    return "" if "/" in rest else rest


def _entry(member: Member, name: str) -> Entry:
    owner = (member.mode, member.mtime, member.uid, member.gid)
    if member.kind == "hard link":  # another name of a file that came before, whose size it does not repeat
        return Entry(name, "file", UNKNOWN, *owner)
    return Entry(name, member.kind, member.size, *owner, member.link)


# ---------------------------------------------------------------- content
def read_file(target: Target, path: str, at_most: int) -> tuple[Member, bytes]:
    """A regular file of up to `at_most` bytes, with its owner and mode. Raises EngineError."""
    deadline, reader, member, content = Deadline(LOOK_SECONDS), TarReader(), None, bytearray()
    with Call(target.endpoint) as call:
        call.open("GET", _archive(target), {"path": path}, version=target.version, seconds=deadline.left())
        while not reader.ended and (block := call.read(LOOK_SECONDS)):
            try:
                for part in reader.feed(block):
                    if isinstance(part, bytes):
                        content += part
                    else:
                        member = _one_file(part, path, member)
            except ValueError as error:
                raise NotAnEngine(f"a broken archive: {error}", where=target.endpoint.address) from error
            if len(content) > at_most:
                raise PathRefused(gettext_noop("%(path)s has more than %(most)s bytes."), path, most=at_most)
    if member is None or len(content) != member.size:
        raise NotAnEngine("an archive without its file", where=target.endpoint.address)
    return member, bytes(content)


def _one_file(member: Member, path: str, before: Member | None) -> Member:
    if member.kind != "file" or before is not None:
        raise PathRefused(gettext_noop("%(path)s is no file any more."), path)
    return member


async def iter_file(target: Target, path: str) -> AsyncGenerator[bytes]:
    """The content of one file, a block at a time. Raises EngineError, before the first block when there is none."""
    reader, left, member = TarReader(), 0, None
    stream = await open_stream(target.endpoint, _archive(target), {"path": path}, api_version=target.version)
    try:
        while not reader.ended and (block := await stream.read(timeout=IDLE_SECONDS)):
            for part in reader.feed(block):
                if isinstance(part, bytes):
                    left -= len(part)
                    yield part
                else:
                    member = _one_file(part, path, member)
                    left = member.size
        if member is None or left:
            raise NotAnEngine("an archive that was cut", where=target.endpoint.address)
    except ValueError as error:
        raise NotAnEngine(f"a broken archive: {error}", where=target.endpoint.address) from error
    finally:
        stream.close()


async def iter_tar(target: Target, path: str) -> AsyncGenerator[bytes]:
    """What is at `path` and below it as a tar, as the engine makes it, a block at a time. Raises EngineError; also when
    it was cut, which nothing but the missing end of the tar tells."""
    reader = TarReader()
    stream = await open_stream(target.endpoint, _archive(target), {"path": path}, api_version=target.version)
    try:
        while block := await stream.read(timeout=IDLE_SECONDS):
            for _part in reader.feed(block):
                pass
            yield block
        if not reader.ended:
            raise NotAnEngine("an archive that was cut", where=target.endpoint.address)
    except ValueError as error:
        raise NotAnEngine(f"a broken archive: {error}", where=target.endpoint.address) from error
    finally:
        stream.close()
