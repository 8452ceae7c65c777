"""The log of one container or task: asked for and read in paced blocks, followed or downloaded."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import orjson

from hosts.engine.answers import LogDriverUnreadable, from_answer
from hosts.engine.frames import Line, Payloads, Splitter, engine_time, splitter
from hosts.engine.streams import EngineStream, open_stream
from hosts.engine.targets import Target, TaskTarget, reach
from hosts.engine.task_logs import TaskSplitter

# seconds between two reads of a replay: the daemon writes a line at a time, and both sides run twice as fast when the
# reader lets some tens of kilobytes gather; more than that do not fit into a UNIX socket when lines are short
SHORTEST_PACE, FIRST_PACE, LONGEST_PACE = 0.0002, 0.0005, 0.004
GATHER = 32 * 1024  # bytes that a read of a replay should find
BURST = 384 * 1024  # bytes of a replay that are read, split and sent in one go
BURST_SECONDS = 0.1  # a slow engine's lines are shown while the rest is still to come
SILENCE = 30.0  # seconds without a byte after which a replay is given up
PATIENCE = 1.0  # seconds for the head of a followed log
REFUSAL_AT_MOST = 64 * 1024  # bytes
RESUME_TAIL = 5000  # lines that a resumed stream reads backwards first: asking by time alone reads the whole log
Encode = Callable[[Iterable[list[Line]]], str]  # makes a message of the blocks of a burst
_replaying = ThreadPoolExecutor(16, thread_name_prefix="replay")


@dataclass(frozen=True)
class LogQuery:
    """Which part of a log. `tail` a number as text or "all"; `since`, `until` timestamps as in a Line, or ""."""

    tail: str = "all"
    since: str = ""
    until: str = ""
    stdout: bool = True
    stderr: bool = True

    def params(self, *, follow: bool = False, timestamps: bool = True) -> dict[str, str]:
        """As the engine's query parameters."""
        found = {
            "stdout": "1" if self.stdout else "0",
            "stderr": "1" if self.stderr else "0",
            "timestamps": "1" if timestamps else "0",
            "follow": "1" if follow else "0",
            "tail": self.tail,
        }
        if self.since:
            found["since"] = engine_time(self.since)
        if self.until:
            found["until"] = engine_time(self.until)
        return found


async def open_log(target: Target, query: LogQuery, *, follow: bool = False, timestamps: bool = True) -> EngineStream:
    """The log's bytes. Raises EngineError; LogDriverUnreadable when the driver keeps nothing to read."""
    stream = await open_stream(
        target.endpoint,
        f"{target.path}/logs",
        query.params(follow=follow, timestamps=timestamps),
        api_version=target.version,
        patience=PATIENCE if follow else None,
    )
    if stream.headers.get("content-type", "").startswith("text/plain") and stream.body.left <= REFUSAL_AT_MOST:
        await _refuse(stream)
    return stream


async def _refuse(stream: EngineStream) -> None:
    """Raises what Podman says, with status 200, when it cannot read a log: {"cause", "message", "response": 500}. A
    short log of a terminal has the same head: it is put back."""
    answer = await stream.read_all(REFUSAL_AT_MOST, timeout=SILENCE)
    try:
        said = orjson.loads(answer)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict) or said.keys() != {"cause", "message", "response"}:
        return stream.put_back(answer)
    stream.close()
    raise from_answer(500, said["message"], stream.endpoint.address)


def unreadable(target: Target) -> LogDriverUnreadable:
    """The error for the log driver `none`, which some engines answer with an empty log."""
    return LogDriverUnreadable("configured logging driver does not support reading", where=target.endpoint.address)


@dataclass
class Burst:
    """What one go of a replay found. `size` in bytes; `ended` at the end of the log."""

    lines: list[Line] = field(default_factory=list)
    size: int = 0
    ended: bool = False
    text: str = ""  # the encoded message, when the reader was asked to encode


class Replay:
    """A part of a log that has an end, read in bursts by a thread while the caller sends the burst before."""

    def __init__(self, stream: EngineStream, split: Splitter, encode: Encode | None, *, keep: bool) -> None:
        self._stream = stream
        self._split = split
        self._encode = encode or _exhaust
        self._keep = keep
        self._next: asyncio.Future[Burst] | None = None
        self._pace = FIRST_PACE
        self._due = 0.0  # when the next read is

    async def __aiter__(self) -> AsyncIterator[Burst]:
        """Bursts until the end. Raises EngineError."""
        loop = asyncio.get_running_loop()
        silent = time.monotonic()
        self._next = loop.run_in_executor(_replaying, self._burst)
        try:
            while True:
                burst = await asyncio.shield(self._next)
                if burst.size:
                    silent = time.monotonic()
                elif not burst.ended:
                    if time.monotonic() - silent > SILENCE:
                        raise TimeoutError
                    await asyncio.sleep(0.02)
                if not burst.ended:
                    self._next = loop.run_in_executor(_replaying, self._burst)
                if burst.size or burst.ended:
                    yield burst
                if burst.ended:
                    return
        except TimeoutError as error:
            from hosts.engine.errors import translate

            raise translate(error, self._stream.endpoint, seconds=SILENCE) from error
        finally:
            self.close()

    def close(self) -> None:
        """Ends the reading; a burst under way ends by itself within a moment."""
        self._stream.close()
        if self._next is not None:
            self._next.add_done_callback(lambda future: future.cancelled() or future.exception())

    def _burst(self) -> Burst:
        burst = Burst()
        burst.text = self._encode(self._blocks(burst))
        return burst

    def _blocks(self, burst: Burst) -> Iterator[list[Line]]:
        """The lines of each read, up to a burst. What is done with them takes the place of waiting: the engine fills its
        socket meanwhile."""
        now = time.monotonic()
        until = now + BURST_SECONDS
        while burst.size < BURST and not burst.ended and now < until:
            if now < self._due:
                time.sleep(self._due - now)
            block, burst.ended = self._stream.drain(BURST)
            self._due = time.monotonic() + self._pace
            if block:
                burst.size += len(block)
                self._pace = min(LONGEST_PACE, max(SHORTEST_PACE, self._pace * (0.8 if len(block) > GATHER else 1.25)))
                yield self._kept(burst, self._split.feed(block))
            now = time.monotonic()
        if burst.ended:
            yield self._kept(burst, self._split.end())
            if self._split.error:
                raise self._split.error

    def _kept(self, burst: Burst, lines: list[Line]) -> list[Line]:
        if self._keep:
            burst.lines += lines
        return lines


def _exhaust(blocks: Iterable[list[Line]]) -> str:
    for _ in blocks:
        pass
    return ""


async def replay(
    target: Target, query: LogQuery, tty: bool, place: int = 0, encode: Encode | None = None, *, keep: bool = True
) -> Replay:
    """Opens a bounded read of a log. `encode` makes the texts of bursts, in the reader's thread; unless `keep` these are
    all that there is of them: lines that are let go at once cost far less. Raises EngineError."""
    stream = await open_log(target, query)
    return Replay(stream, splitter_for(target, query, tty, place), encode, keep=keep)


def splitter_for(target: Target, query: LogQuery, tty: bool, place: int = 0) -> Splitter:
    """The splitter for the answer to `query`."""
    made = splitter(tty, place)
    return TaskSplitter(made, query.until, target.endpoint.address) if isinstance(target, TaskTarget) else made


# ---------------------------------------------------------------- download
async def iter_log_download(
    target: Target, query: LogQuery | None = None, *, timestamps: bool = False, ndjson: bool = False
) -> AsyncGenerator[bytes]:
    """A log as the bytes that `docker logs` prints, stdout and stderr as they come; a block at a time.

    `ndjson` gives a JSON object a line instead: {"stream": "stdout"|"stderr", "time": RFC 3339, "text": str}.
    The next block is read when the caller asks for it. Raises EngineError, before the first block when nothing can be
    read.
    """
    query = query or LogQuery()
    target, condition = await reach(target)
    split: Splitter | None = None
    if ndjson or isinstance(target, TaskTarget):
        split = splitter_for(target, query, condition.tty)
    show = _ndjson if ndjson else _stamped if timestamps else _plain
    stream = await open_log(target, query, timestamps=timestamps or split is not None)
    payloads = None if split or condition.tty else Payloads()
    try:
        while block := await _paced(stream):
            if split:
                block = show(split.feed(block))
            elif payloads:
                block = payloads.feed(block)
            if block:
                yield block
        if split and (rest := show(split.end())):
            yield rest
        for reader in (split, payloads):
            if reader is not None and reader.error is not None:
                raise reader.error
    finally:
        stream.close()


async def _paced(stream: EngineStream) -> bytes:
    """The next block, after a moment in which more of it may come."""
    block = await stream.read(timeout=SILENCE)
    if not block:
        return block
    found, size = [block], len(block)
    while size < BURST:
        await asyncio.sleep(0)
        more = stream.read_available()
        if not more:
            break
        found.append(more)
        size += len(more)
    return b"".join(found)


def _ndjson(lines: list[Line]) -> bytes:
    names = {1: "stdout", 2: "stderr"}
    return b"".join(
        orjson.dumps({"stream": names[stream], "time": stamp, "text": text}, option=orjson.OPT_APPEND_NEWLINE)
        for _, stream, stamp, text in lines
    )


def _plain(lines: list[Line]) -> bytes:
    return "".join(f"{line[3]}\n" for line in lines).encode("utf-8", "replace")


def _stamped(lines: list[Line]) -> bytes:
    return "".join(f"{line[2]} {line[3]}\n" for line in lines).encode("utf-8", "replace")
