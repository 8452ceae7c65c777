"""Searches a log in the bytes that the engine sends. A pattern runs in time that grows with the text alone (RE2): no
expression that a user types can hang the process. See docs/decisions/ for the choice."""

import asyncio
import re
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from itertools import accumulate, chain
from typing import Any, NamedTuple

import re2

from hosts.engine.frames import Line
from hosts.engine.levels import LEVELS, level_of
from hosts.engine.logs import LogQuery, replay
from hosts.engine.places import Place, Source, UpTo

QUERY_AT_MOST = 1000  # characters
MEMORY_AT_MOST = 8 * 1024 * 1024  # bytes that a pattern may take
EXCERPT, LEAD = 600, 120  # characters of a hit that are sent; of them before the match
ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)|[ -/]*[0-~])")
# newest lines first: each pass reads from the end of the log up to where the one before began
PASSES = ("20000", "400000", "all")


class BadPattern(ValueError):
    """The expression cannot be read; the message says why."""


class Hit(NamedTuple):
    """A line that matches. `ordinal`: which of the lines with this timestamp it is. `begin` and `end` are the place of
    the match in `text`, which is cut around it."""

    stream: int
    stamp: str
    ordinal: int
    text: str
    begin: int
    end: int


@dataclass(frozen=True)
class Wanted:
    """What a line must be like. An empty `query` matches all; `levels` and `streams` empty mean any."""

    query: str = ""
    regex: bool = False
    case: bool = False
    levels: frozenset[str] = frozenset()
    streams: frozenset[int] = frozenset()
    since: str = ""
    until: str = ""


class Matcher:
    """Finds the lines that `wanted` describes. Raises BadPattern."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._pattern: Any = compile_pattern(wanted) if wanted.query else None
        self._some_levels = bool(wanted.levels) and wanted.levels != frozenset(LEVELS) | {""}

    def find(self, lines: list[Line]) -> list[tuple[int, int, int, str]]:
        """(index, begin, end, text without escapes) of each line that matches."""
        texts = [line[3] for line in lines]
        joined = "\n".join(texts)
        if "\x1b" in joined or joined.count("\n") >= len(texts) > 0:
            texts = [ESCAPES.sub("", text).replace("\n", " ") for text in texts]
            joined = "\n".join(texts)
        places = self._places(joined, texts) if self._pattern else ((index, 0, 0) for index in range(len(texts)))
        return [
            (index, begin, end, texts[index]) for index, begin, end in places if self._takes(lines[index], texts[index])
        ]

    def _takes(self, line: Line, text: str) -> bool:
        wanted = self.wanted
        if wanted.streams and line[1] not in wanted.streams:
            return False
        if wanted.since and line[2] < wanted.since or wanted.until and line[2] > wanted.until:
            return False
        return not self._some_levels or level_of(text) in wanted.levels

    def _places(self, joined: str, texts: list[str]) -> Iterable[tuple[int, int, int]]:
        """The first match in each line. All lines are searched as one text: a pattern never crosses a newline."""
        data = joined.encode("utf-8", "replace")
        search, at, starts = self._pattern.search, 0, list[int]()
        while at <= len(data):
            match = search(data, at)
            if match is None:
                return
            if not starts:
                starts = [0, *accumulate(len(raw) + 1 for raw in data.split(b"\n"))]
            index = bisect_right(starts, match.start()) - 1
            if index >= len(texts):
                return
            start, next_line = starts[index], starts[index + 1]
            before, inside = data[start : match.start()], data[match.start() : match.end()]
            begin = len(before.decode("utf-8", "replace"))
            yield index, begin, begin + len(inside.decode("utf-8", "replace"))
            at = next_line


def compile_pattern(wanted: Wanted) -> Any:
    """The pattern for bytes with lines between newlines. Raises BadPattern."""
    if len(wanted.query) > QUERY_AT_MOST or "\n" in wanted.query:
        raise BadPattern(f"a search has at most {QUERY_AT_MOST} characters in one line")
    options = re2.Options()
    options.never_nl, options.log_errors, options.max_mem = True, False, MEMORY_AT_MOST
    options.case_sensitive = wanted.case
    text = wanted.query if wanted.regex else re2.escape(wanted.query)
    try:
        return re2.compile(f"(?m){text}".encode(), options)
    except re2.error as error:
        why = error.args[0] if error.args else ""
        raise BadPattern(why.decode("utf-8", "replace") if isinstance(why, bytes) else str(why)) from error


@dataclass
class Found:
    """What one go of a search brought. `lines` and `size` (bytes) count what was read; `back_to` is how far back the
    search has come; `last` at the end of a pass."""

    hits: list[Hit]
    lines: int
    size: int = 0
    back_to: str = ""
    last: bool = False


@dataclass
class Search:
    """The search through one log: newest lines first, in passes that each reach further back."""

    source: Source
    matcher: Matcher
    whole: bool = False  # whether the log has been read to its beginning
    _begins: Place | None = None  # where the pass before began
    _passes: list[str] = field(default_factory=lambda: list(PASSES))

    async def go(self) -> AsyncGenerator[Found]:
        """One pass; `whole` tells then whether there is nothing left. Raises EngineError."""
        wanted, tail = self.matcher.wanted, self._passes.pop(0)
        end = self._begins or (Place(wanted.until) if wanted.until else None)
        query = LogQuery(tail, wanted.since if tail == "all" else "", end.ceiling if end else "")
        # the first line of a tail may be the last piece of a longer one: it belongs to the next pass
        reader = _Pass(self.matcher, self._begins, drop_first=tail != "all")
        reading = await replay(self.source.target, query, self.source.tty, 0, reader.take)
        try:
            async for burst in reading:
                found = reader.found.pop(0) if burst.lines else Found([], 0)
                found.size = burst.size
                if burst.ended and not found.last:
                    rest = await asyncio.to_thread(reader.end)
                    found.hits += rest.hits
                    found.lines += rest.lines
                    found.last = True
                yield found
                if found.last:
                    break
        finally:
            reading.close()
        self._next(reader, tail)

    def _next(self, reader: "_Pass", tail: str) -> None:
        since = self.matcher.wanted.since
        self.whole = tail == "all" or bool(since and reader.first and reader.first < since)
        if reader.first:
            self._begins = Place(reader.first, reader.first_run)
        if tail != "all" and reader.read < int(tail) // 2:
            self._passes = ["all"]  # a short log: it needs no pass in between


class _Pass:
    """Reads lines in the replay's thread, up to where the pass before began, and finds those that match."""

    def __init__(self, matcher: Matcher, up_to: Place | None, *, drop_first: bool) -> None:
        self.found: list[Found] = []
        self.read = 0
        self.first, self.first_run = "", 0  # the timestamp of the first line, and how many lines bear it
        self._matcher = matcher
        self._stop = UpTo(up_to) if up_to else None
        self._drop = drop_first
        self._last, self._ordinal = "", 0
        self._run_until = ""

    def take(self, blocks: Iterable[list[Line]]) -> str:
        """For Replay, which wants a text: there is none to send yet."""
        if lines := list(chain.from_iterable(blocks)):
            found = self._look(self._stop.feed(lines) if self._stop else lines)
            found.last = self._stop is not None and self._stop.done
            self.found.append(found)
        return ""

    def end(self) -> Found:
        """What was kept back, when the log has ended."""
        return self._look(self._stop.end() if self._stop else [])

    def _look(self, lines: list[Line]) -> Found:
        self.read += len(lines)
        ordinals = self._ordinals(lines)
        if self._drop and lines:
            self._drop, lines, ordinals = False, lines[1:], ordinals[1:]
        if not lines:
            return Found([], 0, back_to=self.first)
        if not self.first:
            self.first = lines[0][2]
            self._run_until = Place(self.first).ceiling
        if lines[0][2] <= self._run_until:
            self.first_run += sum(line[2] == self.first for line in lines)
        hits = [
            _hit(lines[index], ordinals[index], begin, end, text)
            for index, begin, end, text in self._matcher.find(lines)
        ]
        return Found(hits, len(lines), back_to=self.first)

    def _ordinals(self, lines: list[Line]) -> list[int]:
        found, last, ordinal = [], self._last, self._ordinal
        for line in lines:
            ordinal = ordinal + 1 if line[2] == last else 0
            last = line[2]
            found.append(ordinal)
        self._last, self._ordinal = last, ordinal
        return found


def _hit(line: Line, ordinal: int, begin: int, end: int, text: str) -> Hit:
    start = max(0, begin - LEAD)
    excerpt = text[start : start + EXCERPT]
    return Hit(line[1], line[2], ordinal, excerpt, begin - start, min(end - start, len(excerpt)))
