"""Changes of files in a container: what an archive can say works everywhere, the rest by the container's own programs.

An archive adds and replaces. It cannot take away: deleting and renaming need a container that runs, with `rm` and `mv`.
"""

import io
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from common.connections import Deadline
from hosts.engine import execs, files, paths
from hosts.engine.answers import Answered, Conflict
from hosts.engine.calls import Call
from hosts.engine.errors import NoPath, NotAnEngine, PathRefused, gettext_noop
from hosts.engine.targets import Target
from hosts.engine.tars import Member, Part, TarReader, blocks_of, length_of

SHORT = 30.0  # seconds for a change that a page waits for
SILENCE = 120.0  # seconds that an engine may take nothing, or think about what it got
NOT_RUNNING = gettext_noop(
    "%(path)s stays as it is: an engine can only add and replace files itself. For this the container's own program "
    "%(program)s is needed, and the container does not run. Start it first."
)
NO_PROGRAM = gettext_noop(
    "%(path)s stays as it is: an engine can only add and replace files itself. For this the container's own program "
    "%(program)s is needed, and this image has none."
)
REWRITTEN_AT_MOST = 16 * 1024 * 1024  # bytes of a file that is written anew to change its mode


def send(
    call: Call, target: Target, folder: str, parts: Sequence[Part], report: Callable[[int, int], None] | None = None
) -> None:
    """Puts `parts` into a folder; `report` hears of bytes sent and of all. Raises EngineError; what came before a cut
    stays. A folder does not replace a file, nor a file a folder."""
    total = length_of(parts)
    blocks = blocks_of(parts)
    call.open(
        "PUT",
        f"/containers/{target.container_id}/archive",
        {"path": folder, "noOverwriteDirNonDir": "1"},
        version=target.version,
        blocks=_reported(blocks, total, report) if report else blocks,
        length=total,
        seconds=SILENCE,
    )


def _reported(blocks: Iterable[bytes], total: int, report: Callable[[int, int], None]) -> Iterator[bytes]:
    sent = 0
    for block in blocks:
        yield block
        sent += len(block)
        report(sent, total)


def _send_now(target: Target, folder: str, part: Part) -> None:
    with Call(target.endpoint) as call:
        send(call, target, folder, [part])


def member_at(target: Target, path: str) -> Member:
    """Owner, mode and time of what is at `path`, from the first header of its archive. Raises EngineError."""
    deadline, reader = Deadline(files.LOOK_SECONDS), TarReader()
    with Call(target.endpoint) as call:
        archive = f"/containers/{target.container_id}/archive"
        call.open("GET", archive, {"path": path}, version=target.version, seconds=deadline.left())
        while block := call.read(files.LOOK_SECONDS):
            try:
                for part in reader.feed(block):
                    if isinstance(part, Member):
                        return part
            except ValueError as error:
                raise NotAnEngine(f"a broken archive: {error}", where=target.endpoint.address) from error
    raise NotAnEngine("an empty archive", where=target.endpoint.address)


def folder_at(target: Target, path: str) -> files.Stat:
    """The folder at `path`, links followed. Raises PathRefused for anything else."""
    found = files.follow(target, path)
    if found.kind != "folder":
        raise PathRefused(gettext_noop("%(path)s is no folder."), path)
    return found


def _is_free(target: Target, path: str) -> None:
    try:
        files.look_at(target, path)
    except NoPath:
        return
    raise PathRefused(gettext_noop("%(path)s is there already."), path)


# ---------------------------------------------------------------- by archive
def make(target: Target, folder: str, name: str, kind: str) -> str:
    """A new empty file or folder, which belongs to whom its folder belongs; gives its path. Raises EngineError."""
    place = folder_at(target, folder).path
    path = paths.child(place, name)
    _is_free(target, path)
    owner = member_at(target, place)
    mode = 0o755 if kind == "folder" else 0o644
    part = Part(name, kind, 0, mode, time.time(), owner.uid, owner.gid, open=lambda: io.BytesIO())
    _send_now(target, place, part)
    return path


def write(target: Target, path: str, content: bytes, stamp: str) -> None:
    """Replaces a file's content unless it is another than the one that `stamp` was told of. Owner and mode stay.
    Raises EngineError; PathRefused when somebody else has changed it."""
    found = files.follow(target, path)
    if found.kind != "file":
        raise PathRefused(gettext_noop("%(path)s is no file any more."), path)
    if found.stamp != stamp:
        raise PathRefused(gettext_noop("%(path)s was changed by somebody else since it was opened here."), path)
    _rewrite(target, found.path, content, time.time())


def _rewrite(target: Target, path: str, content: bytes, mtime: float | None = None, mode: int | None = None) -> None:
    was = member_at(target, path)
    part = Part(
        paths.base(path),
        "file",
        len(content),
        was.mode if mode is None else mode,
        was.mtime if mtime is None else mtime,
        was.uid,
        was.gid,
        open=lambda: io.BytesIO(content),
    )
    _send_now(target, paths.parent(path), part)


# ---------------------------------------------------------------- by the container's programs
def change_mode(target: Target, path: str, mode: int) -> None:
    """Sets the twelve bits of a file or folder. Raises EngineError."""
    found = files.follow(target, path)
    if _try(target, ["chmod", f"{mode:04o}", found.path]) is None:
        return
    if found.kind == "folder" and found.path != "/":
        was = member_at(target, found.path)
        part = Part(paths.base(found.path), "folder", 0, mode, was.mtime, was.uid, was.gid)
        return _send_now(target, paths.parent(found.path), part)
    if found.kind != "file" or found.size > REWRITTEN_AT_MOST:
        raise PathRefused(
            gettext_noop(
                "The mode of %(path)s cannot be changed while the container does not run or has no chmod: "
                "it would have to be written anew, and it is no file or too large for that."
            ),
            path,
        )
    was, content = files.read_file(target, found.path, REWRITTEN_AT_MOST)
    _rewrite(target, found.path, content, mode=mode)


def rename(target: Target, path: str, new: str) -> None:
    """Gives it another path, where nothing may be yet. Raises EngineError."""
    files.look_at(target, path)
    folder_at(target, paths.parent(new))
    _is_free(target, new)
    _by_program(target, ["mv", path, new], path)


def delete(target: Target, path: str) -> None:
    """Takes it away with all that is in it; a link, not what it leads to. Raises EngineError."""
    files.look_at(target, path)
    _by_program(target, ["rm", "-rf", path], path)


def _by_program(target: Target, words: list[str], path: str) -> None:
    why = _try(target, words)
    if why is not None:
        raise PathRefused(why, path, program=words[0])


def _try(target: Target, words: list[str]) -> str | None:
    """Runs a program; a template of why it could not be run, None when all went well. Raises PathRefused with what it
    said when it failed."""
    try:
        ran = execs.run(target, words, seconds=SHORT)
    except Answered as error:
        if isinstance(error, Conflict) or "container state improper" in error.detail:  # the latter is Podman's
            return NOT_RUNNING
        raise
    if ran.lacks_program:
        return NO_PROGRAM
    if ran.code:
        raise PathRefused(gettext_noop("The container's own program said: %(message)s"), words[-1], message=ran.words)
    return None
