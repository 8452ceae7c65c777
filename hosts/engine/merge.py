"""Several logs as one download in order of time: each is read as fast as the others allow, and none is held whole."""

import asyncio
import heapq
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass

import orjson

from hosts.engine.errors import EngineError
from hosts.engine.frames import Line
from hosts.engine.logs import LogQuery, replay
from hosts.engine.places import open_source
from hosts.engine.targets import Target

SLICE = 1000  # lines that are merged before others get their turn
STREAMS = {1: "stdout", 2: "stderr"}


@dataclass(frozen=True)
class Part:
    """One log of a download."""

    host: str
    name: str
    target: Target


@dataclass
class _Reader:
    part: Part
    bursts: AsyncIterator[list[Line]]
    lines: list[Line]
    at: int = 0
    key: str = ""  # never goes back: the engine's order holds within a log

    async def next(self) -> bool:
        """Whether there is a line at `at`."""
        while self.at >= len(self.lines):
            found = await anext(self.bursts, None)
            if found is None:
                return False
            self.lines, self.at = found, 0
        self.key = max(self.key, self.lines[self.at][2])
        return True


async def iter_merged_download(
    parts: list[Part], query: LogQuery, *, timestamps: bool = True, ndjson: bool = False
) -> AsyncGenerator[bytes]:
    """The lines of all parts in order of time, in blocks. A text line begins with its timestamp and HOST/NAME; `ndjson`
    gives {"host", "container", "stream", "time", "text"}. A log that cannot be read is a line that says so."""
    readers = [_Reader(part, _bursts(part, query), []) for part in parts]
    show = _json if ndjson else _stamped if timestamps else _plain
    heap: list[tuple[str, int]] = []
    problems: list[bytes] = []

    async def push(index: int) -> None:
        reader = readers[index]
        try:
            if await reader.next():
                heapq.heappush(heap, (reader.key, index))
        except EngineError as error:
            problems.append(_problem(reader.part, error, ndjson))

    await asyncio.gather(*(push(index) for index in range(len(readers))))
    block: list[bytes] = []
    while heap:
        _, index = heapq.heappop(heap)
        reader = readers[index]
        block.append(show(reader.part, reader.lines[reader.at]))
        reader.at += 1
        await push(index)
        if len(block) >= SLICE or problems:
            yield b"".join([*block, *problems])
            block, problems[:] = [], []
            await asyncio.sleep(0)
    if block or problems:
        yield b"".join([*block, *problems])


async def _bursts(part: Part, query: LogQuery) -> AsyncGenerator[list[Line]]:
    source = await open_source(part.target)
    reading = await replay(source.target, query, source.tty)
    try:
        async with aclosing(reading.__aiter__()) as bursts:  # type: ignore[type-var]
            async for burst in bursts:
                yield burst.lines
    finally:
        reading.close()


def _plain(part: Part, line: Line) -> bytes:
    return f"{part.host}/{part.name} {line[3]}\n".encode("utf-8", "replace")


def _stamped(part: Part, line: Line) -> bytes:
    return f"{line[2]} {part.host}/{part.name} {line[3]}\n".encode("utf-8", "replace")


def _json(part: Part, line: Line) -> bytes:
    entry = {
        "host": part.host,
        "container": part.name,
        "stream": STREAMS[line[1]],
        "time": line[2],
        "text": line[3],
    }
    return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)


def _problem(part: Part, error: EngineError, ndjson: bool) -> bytes:
    if ndjson:
        entry = {"host": part.host, "container": part.name, "error": error.code, "reason": str(error)}
        return orjson.dumps(entry, option=orjson.OPT_APPEND_NEWLINE)
    return f"# {part.host}/{part.name}: {error}\n".encode()
