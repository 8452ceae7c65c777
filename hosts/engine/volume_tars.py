"""All that is in a volume as a tar, through a helper container: read, written, told apart.

Docker's archives hold owners, modes, times, links, hard links, devices, pipes and file capabilities. They hold no other
extended attributes and no sockets, and the holes of sparse files are zeros in them. Podman's archives give every file to
root and leave out devices, so there the files are read by the `tar` of a helper that runs, without capabilities.

Names in a tar for Docker begin with the folder `volume`, and it is put into the helper's root: put into the folder itself,
Docker 20.10 leaves its owner and mode, and takes the setuid bit from files with hard links. Podman does not find the volume
in its helper's root: there names begin with `./`.
"""

import hashlib
from collections.abc import Iterable, Iterator

from hosts.engine import execs
from hosts.engine.calls import Call
from hosts.engine.errors import EngineFailed, NotAnEngine
from hosts.engine.targets import Target
from hosts.engine.tars import Member, TarReader
from hosts.engine.volume_helpers import PLACE, Helper

FIRST_SECONDS = 120.0
SILENCE_SECONDS = 300.0
SHORT_SECONDS = 30.0
ROUND = 1 << 256
TOP = PLACE.strip("/")


class Content:
    """What a tar holds, in an order that does not matter: names, kinds, sizes, modes, owners, links, hard links, content,
    capabilities, and times of files; not those of folders, which change when they are filled.

    Memory stays flat: entries are summed up, and only the names of hard links are kept. The first name of several is the
    file in a tar, and another engine may come to another one first: a content that is to be compared with `other`, which
    was read before, keeps what it needs for that.
    """

    def __init__(self, other: "Content | None" = None) -> None:
        self.entries = 0
        self.bytes = 0  # of the tar
        self.root: Member | None = None  # the volume's own folder
        self.top = TOP  # the folder with which names begin, "." for none
        self.capabilities = 0  # files that have some
        self._reader = TarReader()
        self._sum = 0
        self._capabilities = 0
        self._links: dict[str, str] = {}  # name of a hard link -> that of its file
        self._kept: dict[str, Member] = {}  # files that are called by several names, with what is in them
        self._digests: dict[str, bytes] = {}
        self._several: set[str] = set()
        self._now: Member | None = None
        self._hash = hashlib.sha256()
        if other:
            other.close()
            self._several = {*other._links, *other._links.values()}

    def feed(self, block: bytes) -> None:
        """The next bytes of the tar. Raises ValueError for what is no tar."""
        self.bytes += len(block)
        for part in self._reader.feed(block):
            if isinstance(part, Member):
                self.close()
                self._now = part
            else:
                self._hash.update(part)

    @property
    def is_whole(self) -> bool:
        """Whether the tar's own end has come."""
        return self._reader.ended

    def close(self) -> None:
        """The last entry counts; harmless twice."""
        member, digest = self._now, self._hash.digest()
        self._now, self._hash = None, hashlib.sha256()
        if member is None:
            return
        self.entries += 1
        name = self._plain(member.name)
        if not name:
            self.root = member
        if member.kind == "hard link":
            self._links[name] = self._plain(member.link)
            return
        self._sum = (self._sum + _number(name, member, digest)) % ROUND
        if member.capabilities:
            self.capabilities += 1
            told = hashlib.sha256(f"{name}\0{member.capabilities}".encode("utf-8", "surrogateescape")).digest()
            self._capabilities = (self._capabilities + int.from_bytes(told, "big")) % ROUND
        if name in self._several:
            self._kept[name], self._digests[name] = member, digest

    def _plain(self, name: str) -> str:
        """Where it is in the volume; "" for the volume's own folder."""
        name = name.strip("/")
        return "" if name == self.top else name.removeprefix(f"{self.top}/")

    def is_same(self, before: "Content", *, capabilities: bool = True) -> bool:
        """Whether it is what `before` was, with which it was made, once both have ended."""
        self.close()
        before.close()
        if _groups(self._links) != _groups(before._links):
            return False
        found = self._sum
        firsts = {name: file for file, names in _named(before._links).items() for name in (file, *names)}
        for file in set(self._links.values()):
            first = firsts[file]
            if first != file and file in self._kept:
                member, digest = self._kept[file], self._digests[file]
                found = (found - _number(file, member, digest) + _number(first, member, digest)) % ROUND
        same = (found, self.entries) == (before._sum, before.entries)
        return same and (not capabilities or self._capabilities == before._capabilities)


def _number(name: str, member: Member, digest: bytes) -> int:
    mtime = int(member.mtime) if member.kind == "file" else 0
    told = (name, member.kind, member.size, member.mode, member.uid, member.gid, mtime, member.link)
    whole = hashlib.sha256(repr(told).encode("utf-8", "surrogateescape") + digest).digest()
    return int.from_bytes(whole, "big")


def _named(links: dict[str, str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name, file in links.items():
        found.setdefault(file, set()).add(name)
    return found


def _groups(links: dict[str, str]) -> set[frozenset[str]]:
    return {frozenset((file, *names)) for file, names in _named(links).items()}


# ---------------------------------------------------------------- on an engine
def read(call: Call, helper: Helper, content: Content, *, to: Helper | None = None) -> Iterator[bytes]:
    """The volume's files as a tar, to be put into that of `to`; `content` hears all of it. Raises EngineError, also when
    it was cut."""
    where = helper.target.endpoint.address
    content.top = "." if (to or helper).runs else TOP
    try:
        for block in _blocks(call, helper, content.top):
            content.feed(block)
            yield block
    except ValueError as error:
        raise NotAnEngine(f"a broken archive: {error}", where=where) from error
    if not content.is_whole:
        raise NotAnEngine("an archive that was cut", where=where)


def _blocks(call: Call, helper: Helper, top: str) -> Iterator[bytes]:
    target = helper.target
    if helper.runs:
        words = ["tar", "-c", "-f", "-", "-C", PLACE if top == "." else "/", top]
        yield from execs.stream(call, target, words, first=FIRST_SECONDS, silence=SILENCE_SECONDS)
        return
    path, params = f"/containers/{target.container_id}/archive", {"path": f"{PLACE}/." if top == "." else PLACE}
    call.open("GET", path, params, version=target.version, seconds=FIRST_SECONDS)
    while block := call.read(SILENCE_SECONDS):
        yield block


def write(call: Call, helper: Helper, blocks: Iterable[bytes], content: Content) -> None:
    """Puts what `read` gave, and `content` heard, into a volume, which should be empty. Raises EngineError, and what
    `blocks` raises."""
    target = helper.target
    path, params = f"/containers/{target.container_id}/archive", {"path": PLACE if helper.runs else "/"}
    call.open("PUT", path, params, version=target.version, blocks=blocks, seconds=SILENCE_SECONDS)
    content.close()
    if helper.runs and content.root is not None:  # Podman leaves the owner of the volume's own folder as it is
        root = content.root
        for words in (["chown", f"{root.uid}:{root.gid}", PLACE], ["chmod", f"{root.mode:04o}", PLACE]):
            ran = execs.run(target, words, seconds=SHORT_SECONDS)
            if ran.code:
                raise EngineFailed(f"{words[0]}: {ran.words or ran.code}", where=target.endpoint.address)


def has_programs(target: Target) -> bool:
    """Whether what a helper that runs needs is in its image. Raises EngineError."""
    ran = execs.run(
        target, ["sh", "-c", "command -v tar && command -v chown && command -v chmod"], seconds=SHORT_SECONDS
    )
    return ran.code == 0
