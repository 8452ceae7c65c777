"""Tar archives as they come over the wire: taken apart block by block, and made of parts that lie on a disk."""

import stat
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import IO

BLOCK = 512
EXTENDED_AT_MOST = 1024 * 1024  # bytes of one long name or one set of extended attributes
KINDS = {
    tarfile.REGTYPE: "file",
    tarfile.AREGTYPE: "file",
    tarfile.CONTTYPE: "file",
    tarfile.LNKTYPE: "hard link",
    tarfile.SYMTYPE: "link",
    tarfile.DIRTYPE: "folder",
    tarfile.CHRTYPE: "device",
    tarfile.BLKTYPE: "device",
    tarfile.FIFOTYPE: "pipe",
}
CAPABILITIES = "SCHILY.xattr.security.capability"
XATTR, SPARSE = "SCHILY.xattr.", "GNU.sparse."
EXTRA = (XATTR, SPARSE)
TOLD = {"path", "linkpath", "size", "mtime", "uid", "gid", CAPABILITIES}  # of an entry's extended attributes
LONG_NAMES = {tarfile.GNUTYPE_LONGNAME: "path", tarfile.GNUTYPE_LONGLINK: "linkpath"}


@dataclass(frozen=True)
class Member:
    """One entry of a tar. `kind`: file, folder, link, hard link, device, pipe or other; `mode` are its twelve bits,
    `capabilities` a file's, as the kernel writes them (setcap); `device` a device's type in a tar, major and minor number;
    `extra` are extended attributes, and marks of sparse files, by the names that a tar gives them."""

    name: str
    kind: str
    size: int
    mode: int
    mtime: float
    uid: int
    gid: int
    link: str = ""
    capabilities: str = ""
    device: tuple[bytes, int, int] | None = None
    extra: tuple[tuple[str, str], ...] = ()


class TarReader:
    """Takes a tar apart from its bytes as they come: a Member for each entry, then its content in pieces."""

    def __init__(self) -> None:
        self.ended = False  # at the tar's own end
        self._kept = b""
        self._content = 0  # bytes of the entry begun that are still to come
        self._padding = 0
        self._kind = b""  # of extended information that is being gathered
        self._gathered = b""
        self._extended: dict[str, str] = {}

    def feed(self, block: bytes) -> Iterator[Member | bytes]:
        """What is in `block`. Raises ValueError for what is no tar."""
        data, position, self._kept = self._kept + block, 0, b""
        while position < len(data) and not self.ended:
            if self._content:
                piece = data[position : position + self._content]
                position += len(piece)
                self._content -= len(piece)
                if not self._kind:
                    yield piece
                else:
                    self._gather(piece)
            elif self._padding:
                step = min(self._padding, len(data) - position)
                position += step
                self._padding -= step
            elif len(data) - position < BLOCK:
                self._kept = data[position:]
                break
            else:
                member = self._header(data[position : position + BLOCK])
                position += BLOCK
                if member is not None:
                    yield member

    @property
    def whole(self) -> bool:
        """Whether all entries that began have come."""
        return self.ended or not (self._content or self._kept)

    def _gather(self, piece: bytes) -> None:
        self._gathered += piece
        if self._content:
            return
        if self._kind in LONG_NAMES:
            self._extended[LONG_NAMES[self._kind]] = _text(self._gathered.rstrip(b"\0"))
        elif self._kind == tarfile.XHDTYPE:
            self._extended |= _records(self._gathered)
        self._kind, self._gathered = b"", b""

    def _header(self, block: bytes) -> Member | None:
        if not any(block):
            self.ended = True
            return None
        try:
            info = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise ValueError(f"no tar header: {error}") from error
        if info.type in {*LONG_NAMES, tarfile.XHDTYPE, tarfile.XGLTYPE}:
            if not 0 < info.size <= EXTENDED_AT_MOST:
                raise ValueError(f"{info.size} bytes of extended information")
            self._kind, self._content, self._padding = info.type, info.size, -info.size % BLOCK
            return None
        return self._member(info)

    def _member(self, info: tarfile.TarInfo) -> Member:
        more, self._extended = self._extended, {}
        kind = KINDS.get(info.type, "other")
        size = int(more.get("size", info.size)) if kind in {"file", "other"} else 0
        if size < 0:
            raise ValueError("an entry of less than nothing")
        self._content, self._padding = size, -size % BLOCK
        return Member(
            more.get("path", info.name),
            kind,
            size,
            stat.S_IMODE(info.mode),
            float(more.get("mtime", info.mtime)),
            int(more.get("uid", info.uid)),
            int(more.get("gid", info.gid)),
            more.get("linkpath", info.linkname),
            more.get(CAPABILITIES, ""),
            (info.type, info.devmajor, info.devminor) if kind == "device" else None,
            tuple(sorted((key, value) for key, value in more.items() if key.startswith(EXTRA))),
        )


def _records(data: bytes) -> dict[str, str]:
    """Extended attributes: `LENGTH KEY=VALUE\\n`, one after the other."""
    found, position = {}, 0
    while position < len(data):
        length, _, _ = data[position:].partition(b" ")
        size = int(length)
        if not len(length) + 1 < size <= len(data) - position:
            raise ValueError("a broken extended attribute")
        record = data[position + len(length) + 1 : position + size]
        key, _, value = record[:-1].partition(b"=")
        if _text(key) in TOLD or _text(key).startswith(EXTRA):
            found[_text(key)] = _text(value)
        position += size
    return found


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


# ---------------------------------------------------------------- making one
@dataclass(frozen=True)
class Part:
    """An entry to be sent: a folder, a link to `link`, a hard link to the entry `link`, or a file whose content `open`
    gives."""

    name: str
    kind: str = "file"
    size: int = 0
    mode: int = 0o644
    mtime: float = 0
    uid: int = 0
    gid: int = 0
    link: str = ""
    open: Callable[[], IO[bytes]] | None = None

    @property
    def head(self) -> bytes:
        """Its header as it goes over the wire."""
        info = tarfile.TarInfo(self.name)
        info.type, info.linkname = TYPES[self.kind], self.link
        info.size = self.size if self.kind == "file" else 0
        # a time with a fraction costs an extended header
        info.mode, info.mtime, info.uid, info.gid = self.mode, self.mtime, self.uid, self.gid
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


TYPES = {
    "file": tarfile.REGTYPE,
    "folder": tarfile.DIRTYPE,
    "link": tarfile.SYMTYPE,
    "hard link": tarfile.LNKTYPE,
}
END = bytes(2 * BLOCK)
READ = 256 * 1024


def length_of(parts: Iterable[Part]) -> int:
    """Bytes of the tar that `blocks_of` makes of them."""
    return len(END) + sum(
        len(part.head) + (part.size + -part.size % BLOCK if part.kind == "file" else 0) for part in parts
    )


def blocks_of(parts: Iterable[Part]) -> Iterator[bytes]:
    """A tar, a block at a time. Raises EOFError for a file that is shorter than it was said to be."""
    for part in parts:
        yield part.head
        if part.kind == "file" and part.open is not None:
            yield from _content(part)
    yield END


def _content(part: Part) -> Iterator[bytes]:
    left = part.size
    assert part.open is not None
    with part.open() as file:
        while left:
            block = file.read(min(READ, left))
            if not block:
                raise EOFError(part.name)
            left -= len(block)
            yield block
    if padding := -part.size % BLOCK:
        yield bytes(padding)
