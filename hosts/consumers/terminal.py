"""/ws/terminal: a shell or command in a container, or its first process: binary both ways, JSON text for the rest."""

import asyncio
import contextlib
import shlex
import time
from collections import deque
from collections.abc import Coroutine
from typing import Any

import orjson
from channels.db import database_sync_to_async

from accounts.audit import record
from accounts.rights import Right
from accounts.sockets import TOO_SLOW
from common.errors import PolicyRefused
from hosts.actions import policing
from hosts.actions.asking import Asking
from hosts.consumers.base import BAD_QUERY, ContainerConsumer, Refusal, encode, target_of
from hosts.engine.errors import EngineError
from hosts.engine.terminal import Command, Terminal, open_attach, open_exec
from hosts.models import Container
from hosts.recordings import NotRecorded, Recorder, is_recorded

INPUT_AT_MOST = 8 * 1024 * 1024  # bytes of input that wait for the process
SIZE_SECONDS = 2.0  # for an engine to be told the first size; then input goes on without
INPUT_SECONDS = 60.0  # for the process to make room for more
CELLS_AT_MOST = 1000

# what still has to be done when a socket is gone: hanging up, and the audit row
_closing: set["asyncio.Task[None]"] = set()


class TerminalConsumer(ContainerConsumer):
    """`target`, `mode` exec or attach, `cmd`, `user`, `cols`, `rows`: see docs/sockets.md."""

    rule = Right.CONTAINERS_TERMINAL

    async def start(self, query: dict[str, list[str]]) -> None:
        """Opens the terminal and passes bytes both ways until one side ends."""
        self._input: deque[bytes] = deque()
        self._waiting = 0
        self._arrived, self._room = asyncio.Event(), asyncio.Event()
        self._size = _size(query)
        self._sized, self._told = asyncio.Event(), asyncio.Event()
        mode = query.get("mode", ["exec"])[-1]
        if mode not in {"exec", "attach"}:
            raise Refusal(BAD_QUERY, "mode must be exec or attach.")
        command = _command(query)
        container, *more = await self.containers(query.get("target", []))
        if more:
            raise Refusal(BAD_QUERY, "A terminal has one target.")
        if not container.host.enabled:
            return await self._fail("disabled", "The host of this container is disabled. Enable it first.")
        self.recorder: Recorder | None = None
        self.spawn(self._live(container, mode, command))

    async def _live(self, container: Container, mode: str, command: Command) -> None:
        detail: dict[str, Any] = {"mode": mode, "command": shlex.join(command.words), "user": command.user}
        try:
            await database_sync_to_async(_allow)(self.user, container)
            target = await target_of(container).negotiated()
            if is_recorded(container.host):  # before there is a process: what cannot be recorded does not begin
                about = {"mode": mode, "command": "" if mode == "attach" else detail["command"]}
                names = container.host.name, container.name
                self.recorder = await Recorder.begin(self.user, *names, self._size, **about)
                detail["recording"] = self.recorder.recording.pk
            terminal = await (open_attach(target) if mode == "attach" else open_exec(target, command))
        except NotRecorded as error:
            await self._audit("terminal.open", container, "refused", detail | {"reason": "not_recorded"})
            return await self._fail("not_recorded", str(error))
        except EngineError as error:
            await self._end_recording()
            await self._audit("terminal.open", container, "failed", detail | {"code": error.code})
            return await self._fail(error.code, str(error))
        except PolicyRefused as error:
            await self._audit("terminal.open", container, "refused", detail | {"reason": error.code})
            return await self._fail(error.code, str(error))
        except asyncio.CancelledError:  # the browser is gone before there was anything
            _keep(self._end_recording())
            raise
        await self._audit("terminal.open", container, "done", detail)
        began, code = time.monotonic(), None
        try:
            recorded = self.recorder is not None
            await self.send(text_data=encode({"t": "ready", "mode": mode, "tty": terminal.tty, "recorded": recorded}))
            code = await self._pass(terminal)
        finally:
            after = detail | {"exit_code": code, "seconds": round(time.monotonic() - began)}
            _keep(self._end(terminal, container, after))
        await self.send(text_data=encode({"t": "exit", "code": code}))
        await self.leave()

    async def _pass(self, terminal: Terminal) -> int | None:
        work = [self.spawn(self._write(terminal)), self.spawn(self._resize(terminal))]
        if self.recorder:
            work.append(self.spawn(self._keep_recording(self.recorder)))
        try:
            while block := await terminal.read():
                if self.recorder:
                    await self.recorder.output(block)
                await self.send(bytes_data=block)
        except NotRecorded as error:
            await self._fail("not_recorded", str(error))
        except EngineError as error:
            await self._fail(error.code, str(error))
        finally:
            for task in work:
                task.cancel()
        with contextlib.suppress(EngineError):
            return await terminal.exit_code()
        return None

    async def _keep_recording(self, recorder: Recorder) -> None:
        await recorder.keep_writing()  # ends when it cannot
        await self._fail("not_recorded", recorder.failed)

    async def _write(self, terminal: Terminal) -> None:
        # what is typed first, or pasted, may ask for the size of the window: the engine is told that first
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), SIZE_SECONDS)
        with contextlib.suppress(EngineError):  # the reader says what happened
            while True:
                await self._arrived.wait()
                while self._input:
                    await terminal.write(self._input[0])
                    self._waiting -= len(self._input.popleft())
                    self._room.set()
                self._arrived.clear()

    async def _resize(self, terminal: Terminal) -> None:
        while True:
            self._sized.clear()  # before the look: what comes while the engine is told must wake it again
            if self._size:
                (columns, rows), self._size = self._size, None
                if self.recorder:
                    self.recorder.resized(columns, rows)
                with contextlib.suppress(EngineError):  # ended meanwhile
                    await terminal.resize(columns, rows)
            else:
                self._told.set()
                await self._sized.wait()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Input in binary; {"t": "resize", "cols", "rows"} in text. Nothing is dropped: when the process does not
        read, we do not read either."""
        if not hasattr(self, "_input"):
            return
        if bytes_data is not None:
            self._input.append(bytes_data)
            self._waiting += len(bytes_data)
            self._arrived.set()
            try:
                async with asyncio.timeout(INPUT_SECONDS):
                    while self._waiting > INPUT_AT_MOST:
                        self._room.clear()
                        await self._room.wait()
            except TimeoutError:
                await self.leave(TOO_SLOW, "The process does not read its input.")
        elif text_data:
            self._size = _size_of(text_data) or self._size
            self._sized.set()

    async def _fail(self, code: str, reason: str) -> None:
        with contextlib.suppress(Exception):  # the browser may be gone
            await self.send(text_data=encode({"t": "error", "code": code, "reason": reason}))
        await self.leave()

    async def _end(self, terminal: Terminal, container: Container, detail: dict[str, Any]) -> None:
        await terminal.hang_up()
        await self._end_recording()
        await self._audit("terminal.close", container, "done", detail)

    async def _end_recording(self) -> None:
        if self.recorder:
            await self.recorder.end()

    async def _audit(self, action: str, container: Container, outcome: str, detail: dict[str, Any]) -> None:
        await database_sync_to_async(record)(
            self.user, action, container.name, host=container.host.name, outcome=outcome, detail=detail
        )


def _keep(work: Coroutine[Any, Any, None]) -> None:
    """Does it to its end, though the socket is gone."""
    closing = asyncio.create_task(work)
    _closing.add(closing)
    closing.add_done_callback(_closing.discard)


def _command(query: dict[str, list[str]]) -> Command:
    try:
        words = tuple(shlex.split(query.get("cmd", [""])[-1]))
    except ValueError as error:
        raise Refusal(BAD_QUERY, f"cmd cannot be read as a command: {error}.") from error
    return Command(words, query.get("user", [""])[-1].strip())


def _allow(actor: Any, container: Container) -> None:
    """Raises PolicyRefused, and EngineError."""
    policing.allow_inside(actor, container, Asking(container.host))


def _size(query: dict[str, list[str]]) -> tuple[int, int] | None:
    columns, rows = query.get("cols", [""])[-1], query.get("rows", [""])[-1]
    known = all(text.isdecimal() and len(text) < 10 for text in (columns, rows))
    return _bounded(int(columns), int(rows)) if known else None


def _size_of(text: str) -> tuple[int, int] | None:
    try:
        message = orjson.loads(text)
        return _bounded(int(message["cols"]), int(message["rows"])) if message["t"] == "resize" else None
    except (ValueError, KeyError, TypeError, OverflowError):
        return None


def _bounded(columns: int, rows: int) -> tuple[int, int]:
    return max(1, min(columns, CELLS_AT_MOST)), max(1, min(rows, CELLS_AT_MOST))
