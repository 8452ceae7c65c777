"""A command in a running container, to its end: what it wrote and how it ended."""

import struct
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from hosts.engine.calls import Call
from hosts.engine.errors import Answered, BadRequest, ConnectionLost, EngineFailed, TimedOut
from hosts.engine.targets import Target
from hosts.engine.transport import Deadline

OUTPUT_AT_MOST = 4 * 1024 * 1024  # bytes
ROOT = "0"  # by number: an image need not name its users
HEADER = 8
OUT, ERR = 1, 2
NO_PROGRAM = (126, 127)
FRAME_AT_MOST = 1024 * 1024
ERR_AT_MOST = 16 * 1024  # bytes of what a long command complains of
STARTED_SECONDS = 60.0
WORDS_AT_MOST = 1000  # bytes of what a failing command said last


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
    deadline = Deadline(seconds)
    try:
        exec_id = _create(target, words, user, deadline)
        try:
            ran = _start(target, exec_id, deadline)
        except BadRequest as error:  # newer engines say so before they answer, older ones in the output
            if "executable file not found" in error.detail or "no such file" in error.detail:
                return Ran(NO_PROGRAM[1], b"", error.detail.encode())
            raise
        return Ran(_exit_code(target, exec_id, deadline), *ran)
    except TimeoutError as error:
        raise TimedOut(error, where=target.endpoint.address, seconds=seconds) from error


def stream(
    call: Call, target: Target, words: Sequence[str], *, first: float, silence: float, user: str = ROOT
) -> Iterator[bytes]:
    """What a command writes, as it comes, read by `call`: `first` seconds for the first byte, `silence` between two.
    Raises EngineError; Answered with what it said when it failed."""
    exec_id = _create(target, words, user, Deadline(first))
    body = {"Detach": False, "Tty": False}
    call.open("POST", f"/exec/{exec_id}/start", version=target.version, body=body, seconds=first)
    said = b""
    for kind, payload in _frames(call, lambda: silence):
        if kind == OUT:
            yield payload
        else:
            said = (said + payload)[-WORDS_AT_MOST:]
    ran = Ran(_exit_code(target, exec_id, Deadline(first)), b"", said)
    if ran.code:
        raise EngineFailed(f"{words[0]}: {ran.words or ran.code}", where=target.endpoint.address)


def _create(target: Target, words: Sequence[str], user: str, deadline: Deadline) -> str:
    body = {"Cmd": list(words), "AttachStdout": True, "AttachStderr": True, "User": user}
    with Call(target.endpoint) as call:
        path = f"/containers/{target.container_id}/exec"
        call.open("POST", path, version=target.version, body=body, seconds=deadline.left())
        return str((call.read_json(deadline.left()) or {}).get("Id", ""))


class Running:
    """A command of any length, as root: `output` gives what it writes as it comes; then `code` and `err` are there.

    `open_call` makes the calls, so that whoever cancels can end them; `seconds` may pass between two blocks.
    """

    def __init__(
        self, open_call: Callable[[], Call], target: Target, words: Sequence[str], seconds: float, user: str = ROOT
    ) -> None:
        self.code, self.err = -1, b""
        self._open, self._target, self._seconds = open_call, target, seconds
        self._body = {"Cmd": list(words), "AttachStdout": True, "AttachStderr": True, "User": user}

    def output(self) -> Iterator[bytes]:
        """Starts it. Raises EngineError: Conflict for a container that does not run."""
        where, version = self._target.endpoint.address, self._target.version
        with self._open() as call:
            path = f"/containers/{self._target.container_id}/exec"
            call.open("POST", path, version=version, body=self._body, seconds=STARTED_SECONDS)
            exec_id = str((call.read_json(STARTED_SECONDS) or {}).get("Id", ""))
        with self._open() as call:
            body = {"Detach": False, "Tty": False}
            try:
                call.open("POST", f"/exec/{exec_id}/start", version=version, body=body, seconds=self._seconds)
            except BadRequest as error:  # newer engines say so before they answer, older ones in the output
                if "executable file not found" not in error.detail and "no such file" not in error.detail:
                    raise
                self.code = NO_PROGRAM[1]
                return
            for stream, payload in _frames(call, lambda: self._seconds):
                if stream == OUT:
                    yield payload
                else:
                    self.err = (self.err + payload)[:ERR_AT_MOST]
        try:
            self.code = _exit_code(self._target, exec_id, Deadline(STARTED_SECONDS))
        except TimeoutError as error:
            raise TimedOut(error, where=where, seconds=STARTED_SECONDS) from error


def _start(target: Target, exec_id: str, deadline: Deadline) -> tuple[bytes, bytes, bool]:
    with Call(target.endpoint) as call:
        body = {"Detach": False, "Tty": False}
        call.open("POST", f"/exec/{exec_id}/start", version=target.version, body=body, seconds=deadline.left())
        found = {OUT: bytearray(), ERR: bytearray()}
        for kind, payload in _frames(call, deadline.left):
            if kind in found:
                found[kind] += payload
            if sum(map(len, found.values())) > OUTPUT_AT_MOST:
                return bytes(found[OUT]), bytes(found[ERR]), True
    return bytes(found[OUT]), bytes(found[ERR]), False


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
