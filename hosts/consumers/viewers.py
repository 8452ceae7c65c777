"""A viewer: one websocket with a bounded queue. What does not fit is counted and said, and delays nobody else."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from hosts.consumers.counts import counts
from hosts.engine.frames import Line

QUEUE_AT_MOST = 2 * 1024 * 1024  # characters that wait for one browser
MESSAGES_AT_MOST = 5000
MESSAGE_AT_MOST = 512 * 1024  # characters of several batches in one message
HEAD, TAIL = '{"t":"lines","lines":[', "]}"


def lines_message(lines: list[Line]) -> str:
    """The message that carries `lines`."""
    return blocks_message([lines])


def blocks_message(blocks: Iterable[list[Line]]) -> str:
    """The message that carries the lines of all blocks; "" for no line."""
    items = b",".join([orjson.dumps(lines)[1:-1] for lines in blocks if lines]).decode()
    return HEAD + items + TAIL if items else ""


class Batch:
    """Lines that one container wrote within a tick, encoded once for all who see them alike."""

    __slots__ = ("_encoded", "doubtful", "lines", "place", "size")

    def __init__(self, lines: list[Line], size: int, place: int = 0, *, doubtful: bool = False) -> None:
        self.lines = lines
        self.size = size
        self.place = place  # that the lines have already
        self.doubtful = doubtful  # whether the first line may be the last piece of a longer one
        self._encoded: dict[tuple[int, bool, bool], tuple[str, list[Line]]] = {}

    def seen(self, place: int, stdout: bool, stderr: bool) -> tuple[str, list[Line]]:
        """The message ("" for no line) and the lines in it, for a viewer that calls this container `place`."""
        key = (place, stdout, stderr)
        found = self._encoded.get(key)
        if found is None:
            lines = self.lines
            if not (stdout and stderr):
                lines = [line for line in lines if (stdout if line[1] == 1 else stderr)]
            if place != self.place:
                lines = [(place, stream, stamp, text) for _, stream, stamp, text in lines]
            found = self._encoded[key] = (lines_message(lines) if lines else "", lines)
        return found


@dataclass
class Skipped:
    """Lines of one target that a viewer did not get."""

    count: int
    first: str
    last: str


class Viewer:
    """The messages on their way to one websocket. `send` waits for as long as the browser does not read."""

    def __init__(self, send: Callable[[str], Awaitable[None]], queue_at_most: int = QUEUE_AT_MOST) -> None:
        self._send = send
        self._at_most = queue_at_most
        self._queue: deque[str] = deque()
        self._size = 0
        self._filled = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._batches: list[tuple[str, list[Line]]] = []
        self._skipped: dict[int, Skipped] = {}
        self._since = time.monotonic()
        self.skipped_total = 0
        self.hosts: list[str] = []  # names, by place of the target
        self.watched: list[tuple[str, str]] = []  # (host's name, container's id) of each target

    @property
    def stuck_for(self) -> float:
        """Seconds for which the oldest message has been waiting; 0 when nothing waits."""
        return time.monotonic() - self._since if self._queue else 0.0

    def host_of(self, place: int) -> str:
        """The host of the target at `place`, "" when that is not known."""
        return self.hosts[place] if place < len(self.hosts) else ""

    async def run(self) -> None:
        """Sends until cancelled."""
        while True:
            await self._filled.wait()
            while self._queue:
                self._since = time.monotonic()
                text = self._queue[0]
                await self._send(text)
                self._queue.popleft()
                self._size -= len(text)
                if self._size <= self._at_most // 2 and len(self._queue) <= MESSAGES_AT_MOST // 2:
                    self._space.set()
                    self._say_skipped()
            self._filled.clear()

    async def drained(self) -> None:
        """Until everything that waits has been sent."""
        while self._queue:
            self._space.clear()
            await self._space.wait()
            await asyncio.sleep(0)

    def tell(self, message: dict[str, Any]) -> None:
        """Queues a small message. None is ever dropped: there are few, and each says something that lines do not."""
        self._put(orjson.dumps(message).decode())

    async def put(self, text: str) -> None:
        """Queues a message that must not be lost, once there is room."""
        while self._size > self._at_most // 2 or len(self._queue) > MESSAGES_AT_MOST // 2:
            self._space.clear()
            await self._space.wait()
        self._put(text)

    def offer(self, text: str, lines: list[Line]) -> None:
        """Takes lines for the message of this tick; `flush` sends or counts them."""
        self._batches.append((text, lines))

    def flush(self) -> None:
        """Makes one message of what was offered in this tick."""
        batches, self._batches = self._batches, []
        joined: list[str] = []
        size = 0
        for text, lines in batches:
            if self._size + size > self._at_most or len(self._queue) >= MESSAGES_AT_MOST:
                self._skip(lines)
                continue
            if self._skipped:
                self._join(joined)
                joined, size = [], 0
                self._say_skipped()
            if size > MESSAGE_AT_MOST:
                self._join(joined)
                joined, size = [], 0
            joined.append(text)
            size += len(text)
        self._join(joined)

    def _join(self, texts: list[str]) -> None:
        if len(texts) == 1:
            self._put(texts[0])
        elif texts:
            self._put(HEAD + ",".join(text[len(HEAD) : -len(TAIL)] for text in texts) + TAIL)

    def _put(self, text: str) -> None:
        self._queue.append(text)
        self._size += len(text)
        self._filled.set()

    def _skip(self, lines: list[Line]) -> None:
        self.skipped_total += len(lines)
        counts.skipped_lines[self.host_of(lines[0][0])] += len(lines)
        known = self._skipped.setdefault(lines[0][0], Skipped(0, lines[0][2], ""))
        known.count += len(lines)
        known.last = lines[-1][2]

    def _say_skipped(self) -> None:
        skipped, self._skipped = self._skipped, {}
        for place, lost in skipped.items():
            self.tell({"t": "skipped", "target": place, "count": lost.count, "from": lost.first, "to": lost.last})
