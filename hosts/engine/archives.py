"""What is in a volume as a tar of a plain form: names from its top, nothing that leads out, each entry written by us.

A tar that an engine or a person gives is taken apart and made anew as it comes: two programs that read one tar differently
could not see two things, and what an engine says in its own way (types in modes, other names of the top) is gone.
"""

import posixpath
import tarfile
from collections.abc import Iterable, Iterator
from typing import Literal

from hosts.engine.contents import ContentSum, key_of
from hosts.engine.errors import PathRefused, gettext_noop
from hosts.engine.paths import is_name
from hosts.engine.tars import BLOCK, END, SPARSE, TYPES, Member, TarReader

LINKS_AT_MOST = 1_000_000  # that are remembered, so that nothing is written through one
SKIPPED_SHOWN = 20
ENTRIES_AT_MOST = 1_000_000  # of a tar that somebody sent: their names are remembered
GIB = 1024**3
FIFO = {**TYPES, "pipe": tarfile.FIFOTYPE}

Devices = Literal["skipped", "refused", "kept"]


class Recast:
    """Makes a tar anew, and tells what is in it: `entries` (but for the volume itself), `size` (bytes of files), `skipped`
    (names of devices, which mean nothing on another machine), and `sum`, which is compared with `before`."""

    def __init__(
        self, *, top: str = "./", devices: Devices = "skipped", at_most: int = 0, before: ContentSum | None = None
    ) -> None:
        """`top` is put before each name. `at_most` bytes of files are taken (0: any number)."""
        self.entries, self.size = 0, 0
        self.skipped: list[str] = []
        self.sum = ContentSum(before)
        self._top, self._devices, self._at_most = top, devices, at_most
        self._reader = TarReader()
        self._links: set[str] = set()
        self._left = self._padding = 0
        self._drops = False

    # ---------------------------------------------------------------- the stream
    def cast(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """The tar of `blocks` in its plain form, to its end. Raises PathRefused for what must not be unpacked, ValueError
        for what is no tar or was cut."""
        for block in blocks:
            yield from self.feed(block)
        if not self._reader.ended:
            raise ValueError("it was cut off before its end")
        self.sum.close()
        yield END

    def feed(self, block: bytes) -> Iterator[bytes]:
        """The plain form of the next bytes."""
        for part in self._reader.feed(block):
            if isinstance(part, Member):
                head = self._take(part)
                if head:
                    yield head
            elif not self._drops:
                self._left -= len(part)
                self.sum.feed(part)
                yield part + bytes(self._padding) if not self._left else part

    # ---------------------------------------------------------------- one entry
    def _take(self, member: Member) -> bytes:
        name = inside(member.name)
        self._check(name, member)
        if member.kind == "device" and self._devices != "kept":
            if self._devices == "refused":
                raise PathRefused(gettext_noop("%(path)s is a device: such files are not restored."), name)
            self.skipped = [*self.skipped, name][:SKIPPED_SHOWN]
            self._drops = True
            return b""
        self._drops = False
        self.entries += bool(name)
        self.size += member.size
        if self._at_most and self.size > self._at_most:
            words = gettext_noop("It would fill more than %(most)s GiB, the most that may be restored from a file.")
            raise PathRefused(words, name, most=self._at_most // GIB)
        link = inside(member.link) if member.kind == "hard link" else member.link
        self._left, self._padding = member.size, -member.size % BLOCK
        self.sum.begin(name, member, link)
        return self._head(name, member, link)

    def _check(self, name: str, member: Member) -> None:
        if member.kind == "other" or any(key.startswith(SPARSE) for key, _value in member.extra):
            raise PathRefused(gettext_noop("%(path)s is of a kind that is not known, or a sparse file."), member.name)
        if not name and member.kind != "folder":
            raise PathRefused(gettext_noop("%(path)s is not a folder, where the volume itself should be."), member.name)
        self._check_way(name)
        if member.kind == "hard link":
            self._check_way(inside(member.link))
            if not inside(member.link):
                raise PathRefused(gettext_noop("%(path)s is a hard link to a folder."), name)
        if member.kind == "link":
            if len(self._links) >= LINKS_AT_MOST:
                raise PathRefused(gettext_noop("There are more than %(most)s links in it."), name, most=LINKS_AT_MOST)
            self._links.add(name)
        else:
            self._links.discard(name)

    def _check_way(self, name: str) -> None:
        parts = name.split("/") if name else []
        if not all(is_name(part) for part in parts):
            raise PathRefused(gettext_noop("%(path)s has a part of more than 255 bytes."), name)
        for n in range(1, len(parts)):
            if self._links and "/".join(parts[:n]) in self._links:
                raise PathRefused(gettext_noop("%(path)s would be written through a link."), name)

    def _head(self, name: str, member: Member, link: str) -> bytes:
        info = tarfile.TarInfo(f"{self._top}{name}" if name else self._top)
        if member.device:
            info.type, info.devmajor, info.devminor = member.device
        else:
            info.type = FIFO[member.kind]
        info.linkname = f"{self._top}{link}" if member.kind == "hard link" else link
        info.size, info.mode, info.mtime = member.size, member.mode, max(0, int(member.mtime))
        info.uid, info.gid = max(0, member.uid), max(0, member.gid)
        info.pax_headers = dict(member.extra)
        return info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")


class Foreign(Recast):
    """Of a tar that somebody sent: devices, entries that come twice, and more than a bounded number of them are refused;
    folders that are not told of are made, as those who unpack it would."""

    def __init__(self, *, top: str = "./", at_most: int) -> None:
        super().__init__(top=top, devices="refused", at_most=at_most)
        self._seen: set[bytes] = set()

    def _take(self, member: Member) -> bytes:
        name = inside(member.name)
        made = b""
        parts = name.split("/")[:-1] if name else []
        for n in range(1, len(parts) + 1):
            folder = "/".join(parts[:n])
            if key_of(folder) not in self._seen:
                made += self._new(Member(folder, "folder", 0, 0o755, 0, 0, 0))
        return made + self._new(member)

    def _new(self, member: Member) -> bytes:
        key = key_of(inside(member.name))
        if key in self._seen:
            raise PathRefused(gettext_noop("%(path)s is in it twice, or its folder comes after it."), member.name)
        if len(self._seen) >= ENTRIES_AT_MOST:
            raise PathRefused(
                gettext_noop("There are more than %(most)s entries in it."), member.name, most=ENTRIES_AT_MOST
            )
        self._seen.add(key)
        return super()._take(member)


def inside(name: str) -> str:
    """The name without `.`; "" for the folder itself. Raises PathRefused when it leads out."""
    if name.startswith("/") or ".." in name.split("/"):
        raise PathRefused(gettext_noop("%(path)s leads out of the folder that it is unpacked into."), name)
    found = posixpath.normpath(name) if name else "."
    return "" if found == "." else found
