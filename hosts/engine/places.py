"""Places in a log: found again exactly when a part of it is read later, also between lines with equal timestamps.

An engine filters by timestamp, and timestamps of stdout and stderr are out of order by moments. So a part is asked for
with a margin, and the place is found in it by the order in which the engine keeps the lines.
"""

from collections import deque
from dataclasses import dataclass
from typing import NamedTuple

from hosts.engine.cursors import OVERLAP
from hosts.engine.frames import Line, nanoseconds, stamp_of
from hosts.engine.logs import LogQuery, replay, unreadable
from hosts.engine.targets import Target, reach

FIRST_TAIL = 2000  # lines that are read from the end first: an engine reads a whole log to find a time in it
WIDER = 16  # times as many are read when these do not reach back far enough
WIDEST_TAIL = 1_000_000
HELD_AT_MOST = 200_000  # lines of the margin
PAGE_BYTES_AT_MOST = 8 * 1024 * 1024  # characters of one part


class Place(NamedTuple):
    """A place at the lines that bear `stamp`. Reading on from it, `have` of them are known already; reading back to it,
    the last `have` of them are known. With 0 the place is before the first line that is as late as `stamp`."""

    stamp: str
    have: int = 0

    @property
    def floor(self) -> str:
        """From where an engine must be asked, so that no line after the place is missing."""
        return stamp_of(max(0, nanoseconds(self.stamp) - OVERLAP))

    @property
    def ceiling(self) -> str:
        """Up to where an engine must be asked, so that no line before the place is missing."""
        return stamp_of(nanoseconds(self.stamp) + OVERLAP)


class From:
    """Takes the lines out that are before a place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.passed = False
        self.found = False  # whether the last line before the place was there; else it was rotated away
        self._held: list[Line] = []
        self._seen = 0
        self._ceiling = place.ceiling

    def feed(self, lines: list[Line]) -> list[Line]:
        """The lines behind the place."""
        if self.passed:
            return lines
        stamp, have = self.place
        for index, line in enumerate(lines):
            if line[2] < stamp:
                continue
            if not have:
                return self._pass(lines[index:])
            self._seen += line[2] == stamp
            if self._seen == have:
                return self._pass(lines[index + 1 :])
            self._held.append(line)
            if line[2] > self._ceiling or len(self._held) > HELD_AT_MOST:
                return self.end() + lines[index + 1 :]
        return []

    def _pass(self, lines: list[Line]) -> list[Line]:
        self.passed = self.found = True
        self._held = []
        return lines

    def end(self) -> list[Line]:
        """What follows the place when its own lines are not there."""
        self.passed = True
        held, self._held = self._held, []
        return [line for line in held if line[2] > self.place.stamp]


class UpTo:
    """Lets the lines through that are before a place; `done` when it was reached."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.done = False
        self._held: list[Line] = []
        self._ceiling = place.ceiling

    def feed(self, lines: list[Line]) -> list[Line]:
        """The lines that are surely before the place."""
        if self.done:
            return []
        stamp = self.place.stamp
        if not self._held:
            first = next((index for index, line in enumerate(lines) if line[2] >= stamp), len(lines))
            before, lines = lines[:first], lines[first:]
        else:
            before = []
        self._held += lines
        if self._held and not self.place.have:
            self._held, self.done = [], True
        elif len(self._held) > HELD_AT_MOST or any(line[2] > self._ceiling for line in lines):
            before += self.end()
        return before

    def end(self) -> list[Line]:
        """The lines before the place among those that were kept back."""
        self.done = True
        held, self._held = self._held, []
        own = [index for index, line in enumerate(held) if line[2] == self.place.stamp]
        if len(own) < self.place.have:
            return []
        return held[: own[len(own) - self.place.have]] if own else []


@dataclass
class Page:
    """A part of a log. `more`: whether there is more in the direction it was read; `found`: whether its place was there
    (else lines were rotated away since)."""

    lines: list[Line]
    more: bool
    found: bool = True


@dataclass(frozen=True)
class Source:
    """A container or task whose log can be read now."""

    target: Target
    tty: bool


async def open_source(target: Target) -> Source:
    """Asks the engine how to read the log. Raises EngineError; LogDriverUnreadable when it cannot be read."""
    target, condition = await reach(target)
    if condition.driver == "none":
        raise unreadable(target)
    return Source(target, condition.tty)


async def after(source: Source, place: Place, count: int) -> Page:
    """The first `count` lines behind `place`, fewer when they are long. Raises EngineError."""
    start, lines, size = From(place), list[Line](), 0
    reading = await replay(source.target, LogQuery("all", place.floor), source.tty)
    try:
        async for burst in reading:
            found = start.feed(burst.lines)
            if burst.ended and not start.passed:
                found = start.end()
            for line in found:
                if len(lines) == count or size > PAGE_BYTES_AT_MOST:
                    return Page(lines, True, start.found)
                lines.append(line)
                size += len(line[3])
    finally:
        reading.close()
    return Page(lines, False, start.found or not place.have)


async def before(source: Source, place: Place, count: int, behind: int = 0) -> Page:
    """The last `count` lines before `place`, fewer when they are long. `behind`: about how many lines follow it. Raises
    EngineError."""
    tail: int | None = FIRST_TAIL + count + behind
    previous: list[Line] = []
    while True:
        lines, total = await _back(source, place, count, tail)
        if total > len(lines) or total > count:
            # the first line of a tail may be the last piece of a longer one: it is left to the next page
            return Page(lines[-count:], True)
        if tail is None or (lines and len(lines) == len(previous) and lines[0] == previous[0]):
            return Page(lines, False)  # asking for more of the end brought no more: this is the beginning
        previous = lines
        tail = tail * WIDER if tail * WIDER <= WIDEST_TAIL else None


async def _back(source: Source, place: Place, count: int, tail: int | None) -> tuple[list[Line], int]:
    """The last `count` + 1 lines before the place among the last `tail` lines, and how many there are in all."""
    stop, kept, total, size = UpTo(place), deque[Line](), 0, 0
    query = LogQuery("all" if tail is None else str(tail), "", place.ceiling)
    reading = await replay(source.target, query, source.tty)
    try:
        async for burst in reading:
            found = stop.feed(burst.lines)
            if burst.ended and not stop.done:
                found += stop.end()
            for line in found:
                kept.append(line)
                size += len(line[3])
                while len(kept) > count + 1 or (size > PAGE_BYTES_AT_MOST and len(kept) > 2):
                    size -= len(kept.popleft()[3])
            total += len(found)
            if stop.done:
                break
    finally:
        reading.close()
    return list(kept), total
