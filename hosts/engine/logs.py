"""The log of one container: asked for, read in paced blocks, taken up again without loss or repetition."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import orjson

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import LogDriverUnreadable, from_answer
from hosts.engine.frames import Line, Payloads, Splitter, engine_time, nanoseconds, splitter, stamp_of
from hosts.engine.streams import EngineStream, open_stream
from hosts.engine.targets import Target, look

# seconds between two reads of a replay: the daemon writes a line at a time, and both sides run twice as fast when the
# reader lets some tens of kilobytes gather; more than that do not fit into a UNIX socket when lines are short
SHORTEST_PACE, FIRST_PACE, LONGEST_PACE = 0.0002, 0.0005, 0.004
GATHER = 32 * 1024  # bytes that a read of a replay should find
BURST = 384 * 1024  # bytes of a replay that are read, split and sent in one go
BURST_SECONDS = 0.1  # a slow engine's lines are shown while the rest is still to come
SILENCE = 30.0  # seconds without a byte after which a replay is given up
OVERLAP = 2_000_000_000  # nanoseconds that a resumed stream is asked to repeat: two writers stamp out of order
REMEMBER = 1024 * 1024  # bytes of lines that are remembered for it at most
PATIENCE = 1.0  # seconds for the head of a followed log
REFUSAL_AT_MOST = 64 * 1024  # bytes
RESUME_TAIL = 5000  # lines that a resumed stream reads backwards first: asking by time alone reads the whole log
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
        f"/containers/{target.container_id}/logs",
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


class Cursor:
    """How far a log has been read: the newest timestamp, and the lines of the last moments to tell a repetition."""

    def __init__(self) -> None:
        self.newest = ""
        self.piece: Line | None = None  # a first line that may be the last piece of a longer one
        self._floor = ""  # every line up to here has been read; below it no line is compared
        self._at_floor = 0  # lines with just that timestamp that are remembered no more, where timestamps are coarse
        self._recent: deque[tuple[list[Line], int]] = deque()
        self._bytes = 0

    def add(self, lines: list[Line], size: int) -> None:
        """`lines` were read, about `size` bytes of them."""
        if not lines:
            return
        self.newest = max(self.newest, lines[-1][2])
        self._recent.append((lines, size))
        self._bytes += size
        while len(self._recent) > 1 and (self._bytes > REMEMBER or self._is_old(self._recent[0][0])):
            old, gone = self._recent.popleft()
            self._bytes -= gone
            # only neighbours are ever out of order: the last lines tell how far the dropped ones went
            floor = max(self._floor, *(line[2] for line in old[-50:]))
            if is_coarse(floor):
                before = self._at_floor if floor == self._floor else 0
                self._at_floor = before + sum(line[2] == floor for line in old)
            self._floor = floor

    def _is_old(self, lines: list[Line]) -> bool:
        last = lines[-1][2]
        if last[:17] == self.newest[:17]:  # the same minute: far cheaper than arithmetic for each batch
            return int(self.newest[17:19] or 0) - int(last[17:19] or 0) > 2
        return not last or nanoseconds(self.newest) - nanoseconds(last) > OVERLAP + 1_000_000_000

    @property
    def is_coarse(self) -> bool:
        """Whether the timestamps cannot tell lines apart: then the end of a log does not tell where it was read to."""
        return is_coarse(self.newest)

    @property
    def since(self) -> str:
        """From where a resumed stream is to be asked; "" for the beginning."""
        if not self.newest:
            return ""
        overlap = stamp_of(max(0, nanoseconds(self.newest) - OVERLAP))
        return max(overlap, self._floor)

    def mark(self) -> "Mark":
        """Where a stream is now, for `behind`."""
        return Mark([lines for lines, _ in self._recent], self._floor)

    def _known(self, since: str) -> Counter[tuple[int, str, str]]:
        return Counter(_key(line) for lines, _ in self._recent for line in lines if line[2] >= since)

    def resume(self) -> "Resume":
        """What tells old lines from new ones in a stream opened with `since`."""
        since, skip = self.since, 0
        edge = since
        if self._floor and is_coarse(self._floor):
            skip = self._at_floor if self._floor >= since else 0
        elif self._floor:
            edge = max(since, stamp_of(nanoseconds(self._floor) + 1))
        return Resume(self._known(since), edge, self.newest, piece=self.piece, skip=(self._floor, skip))

    def behind(self, mark: "Mark") -> "Resume":
        """What tells old lines from new ones in another stream of the same log, which was at `mark` before this was
        read: it brings first what it is behind with, then what is new."""
        known = self._known(max(self.since, mark.floor))
        for lines in mark.recent:
            for line in lines:
                if known.get(_key(line)):
                    known[_key(line)] -= 1  # will not come again
        return Resume(+known, self.since, self.newest, behind=True)

    def has(self, line: Line) -> bool:
        """Whether `line` was read; lines from before the last moments count as read."""
        return line[2] < self.since or any(_key(line) == _key(known) for lines, _ in self._recent for known in lines)


def is_coarse(stamp: str) -> bool:
    """Whether a timestamp is of whole seconds, as Podman's are: thousands of lines have the same one."""
    return stamp.endswith(".000000000Z")


def _key(line: Line) -> tuple[int, str, str]:
    return line[1], line[2], line[3]


@dataclass(frozen=True)
class Mark:
    """How far a stream was at some moment."""

    recent: list[list[Line]]
    floor: str


class Resume:
    """Takes the lines out that were read before, one for one, and notices when lines in between are missing."""

    def __init__(
        self,
        known: Counter[tuple[int, str, str]],
        edge: str,
        newest: str,
        *,
        piece: Line | None = None,
        behind: bool = False,
        skip: tuple[str, int] = ("", 0),
    ) -> None:
        self._known = known
        self._skip_stamp, self._skip = skip  # as many lines of that timestamp come first and were read
        self._edge = edge  # every line before it was read
        self._piece = piece
        self._behind = behind  # until all known lines came, what is no newer than they belongs before them
        self.newest = newest
        self.connected = not newest  # a line read before was seen again: nothing is missing in between
        self.first_new = ""  # timestamp of the first line that was not read before
        self._beyond = stamp_of(nanoseconds(newest) + OVERLAP) if newest else ""

    @property
    def gap(self) -> bool:
        """Whether lines are missing between what was read before and the first new line."""
        return bool(self.first_new) and not self.connected and self.first_new > self.newest

    @property
    def done(self) -> bool:
        """Whether all lines from now on are new."""
        return not self._known and bool(self.first_new)

    def fresh(self, lines: list[Line]) -> list[Line]:
        """Those of `lines` that were not read before."""
        if self.done:
            return lines
        found = []
        for line in lines:
            if self._take(line):
                self.connected = True
            else:
                self.first_new = self.first_new or line[2] or "0"
                found.append(line)
        if found and found[-1][2] > self._beyond:
            self._known.clear()
        return found

    def _take(self, line: Line) -> bool:
        """Whether the line was read before; if so it will not count a second time."""
        if self._skip and line[2] == self._skip_stamp:
            self._skip -= 1
            return True
        key = _key(line)
        if self._known.get(key):
            self._known[key] -= 1
            if not self._known[key]:
                del self._known[key]
            return True
        if line[2] and line[2] < self._edge:
            return True
        if self._behind and self._known and line[2] <= self.newest:
            return True
        piece = self._piece  # a stream that began with the log's last piece shows the whole line now
        return piece is not None and line[1:3] == piece[1:3] and line[3].endswith(piece[3])


@dataclass
class Burst:
    """What one go of a replay found. `size` in bytes; `ended` at the end of the log."""

    lines: list[Line]
    size: int
    ended: bool
    text: str = ""  # the encoded message, when the reader was asked to encode


class Replay:
    """A part of a log that has an end, read in bursts by a thread while the caller sends the burst before."""

    def __init__(self, stream: EngineStream, split: Splitter, encode: Any = None) -> None:
        self._stream = stream
        self._split = split
        self._encode = encode
        self._next: asyncio.Future[Burst] | None = None
        self._pace = FIRST_PACE

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
        lines: list[Line] = []
        size, until, ended = 0, time.monotonic() + BURST_SECONDS, False
        stream, feed = self._stream, self._split.feed
        waiting: list[bytes] = []
        while size < BURST:
            block = stream.read_available()
            if block:
                size += len(block)
                waiting.append(block)
                self._pace = min(LONGEST_PACE, max(SHORTEST_PACE, self._pace * (0.8 if len(block) > GATHER else 1.25)))
            elif block is not None:
                ended = True
                break
            if time.monotonic() > until:
                break
            time.sleep(self._pace)
        if waiting:
            lines = feed(b"".join(waiting))
        if ended:
            lines += self._split.end()
            if self._split.error:
                raise self._split.error
        return Burst(lines, size, ended, self._encode(lines) if self._encode and lines else "")


async def replay(target: Target, query: LogQuery, tty: bool, place: int = 0, encode: Any = None) -> Replay:
    """Opens a bounded read of a log. Raises EngineError."""
    return Replay(await open_log(target, query), splitter(tty, place), encode)


# ---------------------------------------------------------------- download
async def iter_log_download(
    endpoint: Endpoint,
    container_id: str,
    *,
    tty: bool | None = None,
    version: str = "",
    query: LogQuery | None = None,
    timestamps: bool = False,
    ndjson: bool = False,
) -> AsyncGenerator[bytes]:
    """A log as the bytes that `docker logs` prints, stdout and stderr as they come; a block at a time.

    `ndjson` gives a JSON object a line instead: {"stream": "stdout"|"stderr", "time": RFC 3339, "text": str}.
    `tty` None asks the engine. The next block is read when the caller asks for it. Raises EngineError, before the
    first block when nothing can be read.
    """
    target = await Target(endpoint, container_id, version).negotiated()
    if tty is None:
        tty = (await look(target)).tty
    stream = await open_log(target, query or LogQuery(), timestamps=timestamps or ndjson)
    split = splitter(tty) if ndjson else None
    payloads = None if tty or ndjson else Payloads()
    try:
        while block := await _paced(stream):
            if split:
                block = _ndjson(split.feed(block))
            elif payloads:
                block = payloads.feed(block)
            if block:
                yield block
        if split and (rest := _ndjson(split.end())):
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
