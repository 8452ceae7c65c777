"""A command in a running container, to its end: what it wrote and how it ended."""

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from common.connections import Deadline
from hosts.engine.answers import Answered, BadRequest
from hosts.engine.calls import Call
from hosts.engine.errors import ConnectionLost, TimedOut
from hosts.engine.targets import Target

OUTPUT_AT_MOST = 4 * 1024 * 1024  # bytes
ROOT = "0"  # by number: an image need not name its users
HEADER = 8
OUT, ERR = 1, 2
NO_PROGRAM = (126, 127)
FRAME_AT_MOST = 1024 * 1024
ERR_AT_MOST = 16 * 1024  # bytes of what a long command complains of
STARTED_SECONDS = 60.0


@dataclass(frozen=True)
class Ran:
    """How a command ended. `cut`: it wrote more than was kept."""

    code: int
    out: bytes
    err: bytes
    cut: bool = False

    @property
    def lacks_program(self) -> bool:
        """Whether the image does not have the program at all."""
        return self.code in NO_PROGRAM

    @property
    def words(self) -> str:
        """What it said of why it failed."""
        return (self.err or self.out).decode("utf-8", "replace").strip()


def run(target: Target, words: Sequence[str], *, seconds: float, user: str = ROOT) -> Ran:
    """Runs `words` (a program and its arguments, no shell) as root within `seconds` in all. Raises EngineError: Conflict
    for a container that does not run."""
    deadline, found, cut = Deadline(seconds), {OUT: bytearray(), ERR: bytearray()}, False
    try:
        with _started(partial(Call, target.endpoint), target, words, user, deadline.left) as (exec_id, frames):
            for kind, payload in frames:
                if kind in found:
                    found[kind] += payload
                if cut := sum(map(len, found.values())) > OUTPUT_AT_MOST:
                    break
        return Ran(_exit_code(target, exec_id, deadline), bytes(found[OUT]), bytes(found[ERR]), cut)
    except _NoProgramError as error:
        return Ran(NO_PROGRAM[1], b"", str(error).encode())
    except TimeoutError as error:
        raise TimedOut(error, where=target.endpoint.address, seconds=seconds) from error


class Running:
    """A command of any length, as root: `output` gives what it writes as it comes; then `code` and `err` are there.

    `open_call` makes the calls, so that whoever cancels can end them; `seconds` may pass between two blocks.
    """

    def __init__(
        self, open_call: Callable[[], Call], target: Target, words: Sequence[str], seconds: float, user: str = ROOT
    ) -> None:
        self.code, self.err = -1, b""
        self._open, self._target, self._words, self._user, self._seconds = open_call, target, words, user, seconds

    def output(self) -> Iterator[bytes]:
        """Starts it. Raises EngineError: Conflict for a container that does not run."""
        try:
            with _started(self._open, self._target, self._words, self._user, lambda: self._seconds) as (
                exec_id,
                frames,
            ):
                for kind, payload in frames:
                    if kind == OUT:
                        yield payload
                    else:
                        self.err = (self.err + payload)[:ERR_AT_MOST]
            self.code = _exit_code(self._target, exec_id, Deadline(STARTED_SECONDS))
        except _NoProgramError:
            self.code = NO_PROGRAM[1]
        except TimeoutError as error:
            raise TimedOut(error, where=self._target.endpoint.address, seconds=STARTED_SECONDS) from error


class _NoProgramError(Exception):
    """The image does not have the program."""


@contextmanager
def _started(
    open_call: Callable[[], Call], target: Target, words: Sequence[str], user: str, left: Callable[[], float]
) -> Iterator[tuple[str, Iterator[tuple[int, bytes]]]]:
    """The id and the frames of a command that begins; `left` seconds for each answer."""
    made = {"Cmd": list(words), "AttachStdout": True, "AttachStderr": True, "User": user}
    with open_call() as call:
        path = f"/containers/{target.container_id}/exec"
        call.open("POST", path, version=target.version, body=made, seconds=min(STARTED_SECONDS, left()))
        exec_id = str((call.read_json(min(STARTED_SECONDS, left())) or {}).get("Id", ""))
    with open_call() as call:
        body = {"Detach": False, "Tty": False}
        try:
            call.open("POST", f"/exec/{exec_id}/start", version=target.version, body=body, seconds=left())
        except BadRequest as error:  # newer engines say so before they answer, older ones in the output
            if "executable file not found" in error.detail or "no such file" in error.detail:
                raise _NoProgramError(error.detail) from error
            raise
        yield exec_id, _frames(call, left)


def _frames(call: Call, left: Callable[[], float]) -> Iterator[tuple[int, bytes]]:
    data = b""
    while block := call.read(left()):
        data += block
        while len(data) >= HEADER:
            size = struct.unpack_from(">I", data, 4)[0]
            if size > FRAME_AT_MOST:
                raise Answered("a broken frame", where=call.endpoint.address)
            if len(data) < HEADER + size:
                break
            yield data[0], data[HEADER : HEADER + size]
            data = data[HEADER + size :]


def _exit_code(target: Target, exec_id: str, deadline: Deadline) -> int:
    while True:
        with Call(target.endpoint) as call:
            call.open("GET", f"/exec/{exec_id}/json", version=target.version, seconds=deadline.left())
            answer = call.read_json(deadline.left()) or {}
        if not answer.get("Running"):
            if answer.get("ExitCode") is None:
                raise ConnectionLost("the command was cut off", where=target.endpoint.address)
            return int(answer["ExitCode"])
        time.sleep(min(0.05, deadline.left()))  # the stream ends a moment before the engine has noted the exit
