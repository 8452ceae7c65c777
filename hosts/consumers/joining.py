"""A viewer's way into a feed: the past is read for each viewer, and joined to what the feed brings without a seam."""

import asyncio
from dataclasses import replace

from hosts.consumers.feeds import Feed, Subscription
from hosts.consumers.viewers import blocks_message, lines_message
from hosts.engine.cursors import Cursor, Resume
from hosts.engine.errors import EngineError
from hosts.engine.frames import PIECE, Line
from hosts.engine.logs import RESUME_TAIL, LogQuery, Replay, replay
from hosts.engine.places import From, Place

AGAIN_AFTER = 1.0  # seconds before the past is asked for again when the engine was lost in the middle of it


class Joining:
    """Reads the past, then drops from what the feed brought meanwhile what the past showed already."""

    def __init__(self, feed: Feed, subscription: Subscription, behind: Place | None) -> None:
        self.feed = feed
        self.subscription = subscription
        self.cursor = Cursor()
        self._behind = behind
        self._begun = False
        self._whole = False  # whether what was shown begins with the first line of the log

    async def run(self) -> None:
        """Until the viewer is live. Tries again for as long as the engine is away."""
        while True:
            await self._connected()
            if self.feed.over.is_set():
                return
            try:
                await self._past()
                if self._is_whole():
                    break
            except EngineError as error:
                if not self.feed.ready.is_set():
                    continue
                self._tell_lost(error)
                await asyncio.sleep(AGAIN_AFTER)
        self._present()

    async def _connected(self) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self.feed.ready, self.feed.over)]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        await self.feed.settled()

    def _tell_lost(self, error: EngineError) -> None:
        self.subscription.tell({"t": "state", "state": "lost", "code": error.code, "reason": str(error)})

    async def _past(self) -> None:
        """Reads what the viewer asked for, or after a break what came since. Raises EngineError."""
        sub, resume, query = self.subscription, None, self.subscription.query
        sub.wait_again(self.feed.cursor)
        if self._behind:
            return await self._read_on(self._behind)
        hidden = query.tail == "0" and not self._begun
        if self.cursor.newest:
            resume = self.cursor.resume()
            query = LogQuery("all", self.cursor.since, "", query.stdout, query.stderr)
        elif hidden:
            query = LogQuery("1", query.since, "", query.stdout, query.stderr)
        first = not self._begun
        self._begun = True
        query, most = await self._exactly(query)
        count, longest = await self._show(query, resume, most, hidden=hidden)
        if first and not query.since:
            # an engine counts the pieces of a long line: then fewer lines than asked for prove nothing
            self._whole = query.tail == "all" or (count < int(query.tail) and longest < PIECE)

    async def _exactly(self, query: LogQuery) -> tuple[LogQuery, int | None]:
        """What is to be asked to get all that `query` names, and how many lines of it there are at most.

        After the end of a log an engine that jumps may send what was written since, with lines missing in between: only
        the end itself counts, and a log shorter than that is read from its beginning.
        """
        assert self.feed.condition is not None
        if query.tail == "all" or not self.feed.condition.jumps:
            return query, None
        query, count = replace(query, stdout=True, stderr=True), 0  # the end is counted before streams are left out
        async for burst in await replay(self.feed.target, query, self.feed.condition.tty):
            count += len(burst.lines)
        most = int(query.tail)
        return (query, most) if count >= most else (replace(query, tail="all"), None)

    async def _show(self, query: LogQuery, resume: Resume | None, most: int | None, *, hidden: bool) -> tuple[int, int]:
        """Reads and shows; gives how many lines there were, and the length of the longest."""
        sub, count, longest = self.subscription, 0, 0
        assert self.feed.condition is not None
        as_it_is = resume is None and not hidden and not self.feed.condition.jumps
        encode = blocks_message if as_it_is else None
        reading: Replay = await replay(self.feed.target, query, self.feed.condition.tty, sub.place, encode)
        try:
            async for burst in reading:
                lines = burst.lines if most is None else burst.lines[: most - count]
                count += len(lines)
                if not as_it_is:
                    lines = [line for line in lines if sub.wants(line)]
                    if resume:
                        lines = resume.fresh(lines)
                        self._tell_gap(resume)
                    burst.text = lines_message(lines) if lines and not hidden else ""
                self.cursor.add(lines, burst.size)
                if query.tail != "all" and lines:
                    longest = max(longest, *(len(line[3]) for line in lines))
                if burst.text:
                    await sub.viewer.put(burst.text)
        finally:
            reading.close()
        return count, longest

    async def _read_on(self, place: Place) -> None:
        """What came since the viewer was here last, read from the end of the log if that reaches back far enough.
        Raises EngineError."""
        sub, query = self.subscription, self.subscription.query
        assert self.feed.condition is not None
        for tail in ("all",) if self.feed.condition.jumps else (str(RESUME_TAIL), "all"):
            start, self.cursor = From(place), Cursor()
            query = LogQuery(tail, query.since, "", query.stdout, query.stderr)
            reading = await replay(self.feed.target, query, self.feed.condition.tty, sub.place)
            try:
                async for burst in reading:
                    lines = start.feed(burst.lines)
                    if burst.ended and not start.passed:
                        lines = start.end()
                    if start.passed and not start.found and tail != "all":
                        break
                    self.cursor.add(burst.lines, burst.size)
                    if start.passed and not start.found and lines:
                        start.found = True  # a gap is said once
                        sub.tell({"t": "gap", "from": place.stamp, "to": lines[0][2], "reason": "rotated"})
                    if lines:
                        await sub.viewer.put(lines_message(lines))
            finally:
                reading.close()
            if start.found:
                break
        self._behind = None
        self._begun = True

    def _tell_gap(self, resume: Resume) -> None:
        """Lines were rotated away before this viewer took them."""
        if resume.gap:
            self.subscription.tell({"t": "gap", "from": resume.newest, "to": resume.first_new, "reason": "rotated"})
        if resume.first_new:
            resume.connected = True  # a gap is said once

    def _first_waiting(self) -> Line | None:
        pending = self.subscription.pending
        return pending[0].lines[0] if pending and pending[0].doubtful else None

    def _is_whole(self) -> bool:
        """Whether the past reaches up to what waits."""
        if self.subscription.overflowed:
            return False
        first = self._first_waiting()
        # the stream shows the log's last line first: when the past ends before it, lines in between may be missing
        return first is None or not self.cursor.newest or self.cursor.has(first) or not self.subscription.sees(first)

    def _present(self) -> None:
        query = self.subscription.query
        if query.stdout and query.stderr and not query.since:
            self.feed.seed(self.cursor)
        self.subscription.tell({"t": "past", "whole": self._whole})
        self.subscription.go_live(self.cursor)
