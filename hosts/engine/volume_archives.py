"""All that is in a volume, read and written through a helper container that holds it at PLACE.

Docker gives and takes archives of a container that was only made: with owners, modes, times, links, hard links, devices,
pipes and file capabilities, without other extended attributes and sockets; the holes of sparse files are zeros in them.
Podman's archives say that all files are root's, and leave out devices, so there the helper's own `tar` reads, without
capabilities; what Podman takes keeps its owners.
"""

from collections.abc import Callable, Generator, Iterable, Iterator

from hosts.engine import execs
from hosts.engine.answers import Answered, Conflict, EngineFailed
from hosts.engine.archives import Recast
from hosts.engine.calls import Call
from hosts.engine.errors import NotAnEngine, PathRefused, gettext_noop
from hosts.engine.targets import Target
from hosts.engine.volume_helpers import PLACE

FIRST_SECONDS = 120.0
SILENCE_SECONDS = 300.0
EMPTY_SECONDS = 3600.0
SHORT_SECONDS = 30.0
# what GNU tar says, and ends with 1, of files that somebody writes to meanwhile
HARMLESS = (b"file changed as we read it", b"File removed before we read it")
NO_TAR = gettext_noop(
    "Podman's archives lose the owners of files, so they are read by a helper's own tar, and no image of this host has one. "
    "Pull a small image like busybox."
)
NO_FIND = gettext_noop(
    "A volume is emptied by a helper's own find, and no image of this host has one that runs. Pull a small image like busybox."
)

Opener = Callable[[], Call]  # a new call, which whoever cancels can end


def read(open_call: Opener, target: Target, recast: Recast, *, by_program: bool) -> Generator[bytes]:
    """The volume as a tar in its plain form. Raises EngineError, also when it was cut."""
    raw = _by_program(open_call, target) if by_program else _by_archive(open_call, target)
    try:
        yield from recast.cast(raw)
    except ValueError as error:
        raise NotAnEngine(f"a broken archive: {error}", where=target.endpoint.address) from error


def _by_archive(open_call: Opener, target: Target) -> Iterator[bytes]:
    with open_call() as call:
        params = {"path": f"{PLACE}/."}
        call.open(
            "GET",
            f"/containers/{target.container_id}/archive",
            params,
            version=target.version,
            seconds=FIRST_SECONDS,
        )
        while block := call.read(SILENCE_SECONDS):
            yield block


def _by_program(open_call: Opener, target: Target) -> Iterator[bytes]:
    ran = execs.Running(open_call, target, ["tar", "-C", PLACE, "-cf", "-", "."], SILENCE_SECONDS)
    try:
        yield from ran.output()
    except Conflict as error:
        raise PathRefused(NO_TAR, PLACE) from error
    if ran.code in execs.NO_PROGRAM:
        raise PathRefused(NO_TAR, PLACE)
    if ran.code and not (ran.code == 1 and all(line.endswith(HARMLESS) for line in ran.err.splitlines())):
        raise EngineFailed(ran.err.decode("utf-8", "replace"), where=target.endpoint.address)


def write_place(*, podman: bool) -> tuple[str, str]:
    """Where a tar is put, and what is before each name in it. Put into the volume's own folder, Docker 20.10 leaves the
    owner and mode of that, and takes the setuid bit from files with hard links. Podman writes into the volume only when it
    is told that folder."""
    return (PLACE, "./") if podman else ("/", f"{PLACE.strip('/')}/")


def write(open_call: Opener, target: Target, blocks: Iterable[bytes], *, podman: bool) -> None:
    """Puts a tar whose names begin as `write_place` says into the volume. Raises EngineError, and what `blocks` raises."""
    with open_call() as call:
        call.open(
            "PUT",
            f"/containers/{target.container_id}/archive",
            {"path": write_place(podman=podman)[0]},
            version=target.version,
            blocks=blocks,
            seconds=SILENCE_SECONDS,
        )


def empty(open_call: Opener, target: Target) -> None:
    """Deletes all that is in the volume; the helper has to run. Raises EngineError."""
    words = ["find", PLACE, "-mindepth", "1", "-maxdepth", "1", "-exec", "rm", "-rf", "{}", "+"]
    ran = execs.Running(open_call, target, words, EMPTY_SECONDS)
    try:
        for _block in ran.output():
            pass
    except Answered as error:
        raise PathRefused(NO_FIND, PLACE) from error
    if ran.code in execs.NO_PROGRAM:
        raise PathRefused(NO_FIND, PLACE)
    if ran.code:
        raise EngineFailed(ran.err.decode("utf-8", "replace"), where=target.endpoint.address)


def has_programs(target: Target) -> bool:
    """Whether what a helper that runs needs is in its image. Raises EngineError."""
    return execs.run(target, ["sh", "-c", "command -v tar"], seconds=SHORT_SECONDS).code == 0
