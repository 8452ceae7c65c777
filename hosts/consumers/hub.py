"""Joins viewers to feeds: one upstream a container, the past for each viewer of its own, no line lost or repeated."""

import asyncio
import time
from weakref import WeakKeyDictionary

from hosts.consumers.feeds import Feed, Subscription
from hosts.consumers.sweep import Sweep
from hosts.consumers.viewers import Viewer, lines_message
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError, LogDriverUnreadable
from hosts.engine.frames import PIECE, Line
from hosts.engine.logs import RESUME_TAIL, Cursor, LogQuery, Replay, Resume, replay, unreadable
from hosts.engine.places import From, Place
from hosts.engine.streams import ping
from hosts.engine.targets import Target, look

PING_EVERY = 15.0  # seconds of silence after which an engine is asked whether it is still there
PING_DEADLINE = 5.0
AGAIN_AFTER = 1.0  # seconds before the past is asked for again when the engine was lost in the middle of it


class Hub:
    """All feeds of one event loop."""

    def __init__(self) -> None:
        self.feeds: dict[tuple[Endpoint, str], Feed] = {}
        self._touched: set[Viewer] = set()
        self._sweep = Sweep(self._flush)
        self._pinging: asyncio.Task[None] | None = None

    # ---------------------------------------------------------------- for consumers
    async def watch(
        self, viewer: Viewer, place: int, target: Target, query: LogQuery, behind: Place | None = None
    ) -> None:
        """Shows `viewer` the part of the log that `query` names and what follows, until cancelled. With `behind` the
        viewer has the log up to there already and gets what is behind it."""
        if behind:
            query = LogQuery("all", behind.floor, "", query.stdout, query.stderr)
        subscription = Subscription(viewer, place, query)
        feed = self._join(target, subscription)
        try:
            if feed.state["state"] != "connecting":
                subscription.tell(feed.state)
            await _Joining(feed, subscription, behind).run()
            await asyncio.get_running_loop().create_future()  # the sweep does the rest
        finally:
            self._leave(feed, subscription)

    async def read(self, viewer: Viewer, place: int, target: Target, query: LogQuery) -> None:
        """Shows `viewer` the part of the log that `query` names, and ends. Problems are said as states."""
        try:
            target = await target.negotiated()
            condition = await look(target)
            if condition.driver == "none":
                raise unreadable(target)
            async for burst in await replay(target, query, condition.tty, place, lines_message):
                if burst.text:
                    await viewer.put(burst.text)
        except EngineError as error:
            state = "unreadable" if isinstance(error, LogDriverUnreadable) else "lost"
            viewer.tell({"t": "state", "target": place, "state": state, "code": error.code, "reason": str(error)})

    # ---------------------------------------------------------------- feeds
    def _join(self, target: Target, subscription: Subscription) -> Feed:
        key = (target.endpoint, target.container_id)
        feed = self.feeds.get(key)
        if feed is None:
            feed = self.feeds[key] = Feed(target, self._sweep, self._touched)
        feed.subscriptions.add(subscription)
        if self._pinging is None or self._pinging.done():
            self._pinging = asyncio.create_task(self._ping(), name="ping engines")
        return feed

    def _leave(self, feed: Feed, subscription: Subscription) -> None:
        feed.subscriptions.discard(subscription)
        if not feed.subscriptions:
            feed.close()
            self.feeds.pop((feed.target.endpoint, feed.target.container_id), None)
        if not self.feeds and self._pinging is not None:
            self._pinging.cancel()

    def _flush(self) -> None:
        for viewer in self._touched:
            viewer.flush()
        self._touched.clear()

    async def _ping(self) -> None:
        """A host that vanishes sends no end: silent engines are asked, and their feeds cut when they do not answer."""
        while True:
            await asyncio.sleep(PING_EVERY / 3)
            silent: dict[Endpoint, list[Feed]] = {}
            heard: set[Endpoint] = set()
            for feed in self.feeds.values():
                if time.monotonic() - feed.heard < PING_EVERY:
                    heard.add(feed.target.endpoint)
                elif feed.ready.is_set():
                    silent.setdefault(feed.target.endpoint, []).append(feed)
            asked = [endpoint for endpoint in silent if endpoint not in heard]
            answers = await asyncio.gather(*(ping(e, PING_DEADLINE) for e in asked), return_exceptions=True)
            for endpoint, answer in zip(asked, answers, strict=True):
                for feed in silent[endpoint]:
                    if isinstance(answer, EngineError):
                        feed.cut(answer)
                    else:
                        feed.heard = time.monotonic()


class _Joining:
    """A viewer's way into a feed: read the past, then drop from what came meanwhile what the past showed already."""

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
        first, count, longest = not self._begun, 0, 0
        self._begun = True
        assert self.feed.condition is not None
        encode = None if resume or hidden else lines_message
        reading: Replay = await replay(self.feed.target, query, self.feed.condition.tty, sub.place, encode)
        try:
            async for burst in reading:
                if resume:
                    burst.lines = resume.fresh(burst.lines)
                    burst.text = lines_message(burst.lines) if burst.lines else ""
                    self._tell_gap(resume)
                self.cursor.add(burst.lines, burst.size)
                count += len(burst.lines)
                if first and query.tail != "all" and burst.lines:
                    longest = max(longest, *(len(line[3]) for line in burst.lines))
                if burst.text:
                    await sub.viewer.put(burst.text)
        finally:
            reading.close()
        if first and not query.since:
            # an engine counts the pieces of a long line: then fewer lines than asked for prove nothing
            self._whole = query.tail == "all" or (count < int(query.tail) and longest < PIECE)

    async def _read_on(self, place: Place) -> None:
        """What came since the viewer was here last, read from the end of the log if that reaches back far enough.
        Raises EngineError."""
        sub, query = self.subscription, self.subscription.query
        assert self.feed.condition is not None
        for tail in (str(RESUME_TAIL), "all"):
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


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
