"""A terminal in a container: exec or attach, as bytes both ways.

An engine does not end an exec'd process when its stream is closed, and the process' id that the engine tells is one of
the engine's machine. So the command is started through a shell that says its id in the container first; at the end
a second exec hangs up on that session, as a closed terminal window does.
"""

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field
from typing import Any

from hosts.engine.errors import ConnectionLost, EngineError
from hosts.engine.frames import Payloads
from hosts.engine.streams import EngineStream, fetch, open_stream
from hosts.engine.targets import Target, look

MARK_SECONDS = 5.0  # for the shell to say its id
GRACE_SECONDS = 2.0  # between hanging up and killing
START = 'printf "%s:%d;" "$1" "$$"; shift; exec "$@"'
START_SHELL = 'printf "%s:%d;" "$1" "$$"; command -v bash >/dev/null 2>&1 && exec bash; exec sh'
# Fields of /proc/PID/stat after the name: 1 state, 2 parent, 3 group, 4 session, 5 terminal, 6 foreground group.
# A job that was sent to the background with nohup lives on, as it does when a terminal window is closed.
HANG_UP = """
read -r l < /proc/SESSION/stat; set -- ${l##*) }; foreground=$6
each() {
  for d in /proc/[0-9]*; do
    read -r l < $d/stat || continue
    set -- ${l##*) } ${d#/proc/}
    eval "pid=\\${$#}"
    [ "$4" = SESSION ] && { [ $signal = HUP ] || [ "$3" = "$foreground" ]; } && kill -$signal $pid
  done
}
{
  signal=HUP; each
  i=0; while [ -d /proc/SESSION ] && [ $i -lt GRACE ]; do sleep 1; i=$((i+1)); done
  signal=KILL; each; kill -KILL SESSION
} 2>/dev/null
true
"""


@dataclass(frozen=True)
class Command:
    """What to run: `words` empty for a shell (bash if there is one), as `user` ("" the container's own)."""

    words: tuple[str, ...] = ()
    user: str = ""


@dataclass
class Terminal:
    """An open terminal. `read` gives b"" at the end; then `exit_code` says how it ended."""

    target: Target
    stream: EngineStream
    tty: bool
    exec_id: str = ""
    session: int = 0  # the process' id in the container, 0 when it is not known
    user: str = ""
    _payloads: Payloads | None = None
    _first: bytes = field(default=b"", repr=False)

    async def read(self) -> bytes:
        """The next output. Raises EngineError."""
        while True:
            block, self._first = self._first, b""
            if not block and not (block := await self.stream.read()):
                return b""
            if self._payloads is not None:
                block = self._payloads.feed(block)
            if block:
                return block

    async def write(self, data: bytes) -> None:
        """Sends input, waiting while the process does not read. Raises EngineError."""
        await self.stream.write(data)

    async def resize(self, columns: int, rows: int) -> None:
        """Tells the size of the window. Raises EngineError."""
        if self.tty:
            place = f"exec/{self.exec_id}" if self.exec_id else f"containers/{self.target.container_id}"
            await self._ask("POST", f"/{place}/resize", {"w": str(columns), "h": str(rows)})

    async def exit_code(self) -> int | None:
        """How the process ended; None while it runs. Raises EngineError."""
        for _ in range(20):  # the stream ends a moment before the engine has noted the exit
            code = await self._exit_code()
            if code is not None:
                return code
            await asyncio.sleep(0.05)
        return None

    async def _exit_code(self) -> int | None:
        if not self.exec_id:
            now = await look(self.target)
            return None if now.running else now.exit_code
        answer = await self._ask("GET", f"/exec/{self.exec_id}/json")
        return None if answer["Running"] else int(answer["ExitCode"] or 0)

    async def hang_up(self) -> None:
        """Closes the terminal; an exec'd process gets SIGHUP and, when that does not end it, SIGKILL."""
        if self.exec_id and not self.session:
            # no shell in the image: all that is left is what a person would type, interrupt and end of input
            with contextlib.suppress(EngineError, TimeoutError):
                await asyncio.wait_for(self.stream.write(b"\x03\x04"), 1)
        self.stream.close()
        if not self.session:
            return
        script = HANG_UP.replace("SESSION", str(self.session)).replace("GRACE", str(round(GRACE_SECONDS)))
        try:
            if (await self._ask("GET", f"/exec/{self.exec_id}/json"))["Running"]:
                await _run_detached(self.target, ["sh", "-c", script], self.user)
        except EngineError:
            pass  # the container or its engine is gone, and the process with it

    async def _ask(self, method: str, path: str, params: dict[str, str] | None = None) -> Any:
        return await fetch(self.target.endpoint, path, params, api_version=self.target.version, method=method)


async def open_exec(target: Target, command: Command) -> Terminal:
    """Starts a command with a TTY. Raises EngineError."""
    mark = f"\x1e{secrets.token_hex(8)}"
    start = ["sh", "-c", START if command.words else START_SHELL, "sh", mark, *command.words]
    terminal = await _start(target, start, command.user)
    if await _find_session(terminal, mark.encode()) or not command.words:
        return terminal
    if await terminal.exit_code() in {126, 127} and b"sh" in terminal._first:
        terminal.stream.close()
        return await _start(target, list(command.words), command.user)  # an image without a shell
    return terminal


async def _start(target: Target, words: list[str], user: str) -> Terminal:
    body: dict[str, Any] = {
        "AttachStdin": True, "AttachStdout": True, "AttachStderr": True,
        "Tty": True, "Cmd": words, "Env": ["TERM=xterm-256color"],
    }  # fmt: skip
    if user:
        body["User"] = user
    exec_id = await _create(target, body)
    stream = await open_stream(
        target.endpoint,
        f"/exec/{exec_id}/start",
        api_version=target.version,
        method="POST",
        body={"Detach": False, "Tty": True},
        upgrade=True,
    )
    return Terminal(target, stream, True, exec_id, user=user)


async def _create(target: Target, body: dict[str, Any]) -> str:
    path = f"/containers/{target.container_id}/exec"
    answer = await fetch(target.endpoint, path, api_version=target.version, method="POST", body=body)
    return str(answer["Id"])


async def _find_session(terminal: Terminal, mark: bytes) -> bool:
    """Reads up to the mark, keeps what follows for the viewer; False when something else came first."""
    seen = b""
    try:
        while b";" not in seen and len(seen) < 64 and (seen + mark).startswith(mark[: len(seen)] or mark):
            block = await terminal.stream.read(timeout=MARK_SECONDS)
            if not block:
                break
            seen += block
    except EngineError:
        if isinstance(terminal.stream, EngineStream) and terminal.stream.closed:
            raise
    head, found, rest = seen.partition(b";")
    name, _, number = head.rpartition(b":")
    if found and name == mark and number.isdigit():
        terminal.session, terminal._first = int(number), rest
        return True
    terminal._first = seen
    return False


async def _run_detached(target: Target, words: list[str], user: str) -> None:
    body: dict[str, Any] = {"Cmd": words}
    if user:
        body["User"] = user
    exec_id = await _create(target, body)
    path = f"/exec/{exec_id}/start"
    await fetch(target.endpoint, path, api_version=target.version, method="POST", body={"Detach": True})


async def open_attach(target: Target) -> Terminal:
    """The container's own first process. Raises EngineError; ConnectionLost when it does not run."""
    condition = await look(target)
    if not condition.running:
        raise ConnectionLost("the container does not run", where=target.endpoint.address)
    stream = await open_stream(
        target.endpoint,
        f"/containers/{target.container_id}/attach",
        {"stream": "1", "stdin": "1", "stdout": "1", "stderr": "1", "logs": "0"},
        api_version=target.version,
        method="POST",
        upgrade=True,
    )
    return Terminal(target, stream, condition.tty, _payloads=None if condition.tty else Payloads())
