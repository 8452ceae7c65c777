"""What is in a volume, summed up: told apart from what is not the same, whatever the order of an engine."""

import hashlib
from typing import NamedTuple

from hosts.engine.tars import CAPABILITIES, Member

ROUND = 1 << 256


class _Part(NamedTuple):
    """What one entry is, whatever its name."""

    whole: bytes
    capabilities: str = ""

    def sums(self, key: bytes) -> tuple[int, int]:
        """What it adds to the sum of all, and to that of capabilities, under the name with this key."""
        has = (
            _number(b"capabilities", key, self.capabilities.encode("utf-8", "surrogateescape"))
            if self.capabilities
            else 0
        )
        return _number(b"entry", key, self.whole), has


class ContentSum:
    """Names, kinds, sizes, modes, owners, links, hard links, extended attributes, contents, numbers of devices, and times
    of files; not those of folders and links, which change when they are made.

    Memory stays flat: entries are added up, and only the names of hard links are kept. The first name of several is the
    file in a tar, and another engine may come to another one first: a sum that is to be compared with `before`, which was
    made before, keeps what it needs for that.
    """

    def __init__(self, before: "ContentSum | None" = None) -> None:
        self.capabilities = 0  # files that have some
        self.has_top = False  # whether owner and mode of the volume itself are told
        self._sum = self._top = self._capabilities = 0
        self._links: dict[bytes, bytes] = {}  # key of a hard link -> that of its file
        self._several = {*before._links, *before._links.values()} if before else set()
        self._kept: dict[bytes, _Part] = {}  # files that are called by several names
        self._key = b""  # of the entry that has begun
        self._member: Member | None = None
        self._about = b""
        self._content = hashlib.sha256()

    def begin(self, name: str, member: Member, link: str) -> None:
        """An entry begins, the one before has ended: both names from the volume's top, "" for that itself."""
        self.close()
        key = key_of(name)
        if member.kind == "hard link":
            target = key_of(link)
            self._links[key] = self._links.get(target, target)
            return
        mode = 0 if member.kind == "link" else member.mode
        mtime = max(0, int(member.mtime)) if member.kind == "file" else 0
        extra = tuple(pair for pair in member.extra if pair[0] != CAPABILITIES)
        told = (member.kind, member.size, mode, member.uid, member.gid, mtime, link, member.device, extra)
        self._key, self._member = key if name else b"", member
        self._about = repr(told).encode("utf-8", "surrogateescape")
        self._content = hashlib.sha256()

    def feed(self, block: bytes) -> None:
        """The next bytes of the file that has begun."""
        self._content.update(block)

    def close(self) -> None:
        """The last entry has ended; harmless twice."""
        member, key = self._member, self._key
        if member is None:
            return
        self._member = None
        part = _Part(hashlib.sha256(self._about + self._content.digest()).digest(), member.capabilities)
        entry, capabilities = part.sums(key)
        if not key:
            self._top, self.has_top = entry, True
            return
        self._sum += entry
        self._capabilities += capabilities
        self.capabilities += bool(member.capabilities)
        if key in self._several:
            self._kept[key] = part

    def digest(self) -> str:
        """64 hexadecimal digits: the same for the same tar, in whatever order its entries come."""
        self.close()
        links = sum(_number(b"link", key, target) for key, target in self._links.items())
        return f"{(self._sum + self._top + self._capabilities + links) % ROUND:064x}"

    def is_same(self, before: "ContentSum", *, capabilities: bool = True) -> bool:
        """Whether it is what `before` was, with which it was made; owner and mode of the volume itself count where that
        told them."""
        self.close()
        before.close()
        if _groups(self._links) != _groups(before._links) or (before.has_top and self._top != before._top):
            return False
        entries, having = self._sum, self._capabilities
        firsts = {key: file for file, keys in _named(before._links).items() for key in (file, *keys)}
        for file in set(self._links.values()) & self._kept.keys():
            ours, theirs = self._kept[file].sums(file), self._kept[file].sums(firsts[file])
            entries, having = entries - ours[0] + theirs[0], having - ours[1] + theirs[1]
        return entries == before._sum and (not capabilities or having == before._capabilities)


def key_of(name: str) -> bytes:
    """A name in little memory."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()[:16]


def _number(kind: bytes, key: bytes, told: bytes) -> int:
    return int.from_bytes(hashlib.sha256(kind + b"\0" + key + b"\0" + told).digest(), "big")


def _named(links: dict[bytes, bytes]) -> dict[bytes, set[bytes]]:
    found: dict[bytes, set[bytes]] = {}
    for key, file in links.items():
        found.setdefault(file, set()).add(key)
    return found


def _groups(links: dict[bytes, bytes]) -> set[frozenset[bytes]]:
    return {frozenset((file, *keys)) for file, keys in _named(links).items()}
