"""Joins viewers to feeds: one upstream a log, the past for each viewer of its own, no line lost or repeated."""

import asyncio
from typing import Any
from weakref import WeakKeyDictionary

from hosts.consumers.feeds import Feed, Subscription
from hosts.consumers.joining import Joining
from hosts.consumers.silence import watch_over
from hosts.consumers.sweep import Sweep
from hosts.consumers.viewers import Viewer, blocks_message
from hosts.engine.answers import LogDriverUnreadable
from hosts.engine.errors import EngineError
from hosts.engine.logs import LogQuery, replay, unreadable
from hosts.engine.places import Place
from hosts.engine.targets import Target, reach


class Hub:
    """All feeds of one event loop."""

    def __init__(self) -> None:
        self.feeds: dict[Any, Feed] = {}
        self._touched: set[Viewer] = set()
        self._sweep = Sweep(self._flush)
        self._watching: asyncio.Task[None] | None = None

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
            await Joining(feed, subscription, behind).run()
            await asyncio.get_running_loop().create_future()  # the sweep does the rest
        finally:
            self._leave(feed, subscription)

    async def read(self, viewer: Viewer, place: int, target: Target, query: LogQuery) -> None:
        """Shows `viewer` the part of the log that `query` names, and ends. Problems are said as states."""
        try:
            target, condition = await reach(target)
            if condition.driver == "none":
                raise unreadable(target)
            async for burst in await replay(target, query, condition.tty, place, blocks_message, keep=False):
                if burst.text:
                    await viewer.put(burst.text)
        except EngineError as error:
            state = "unreadable" if isinstance(error, LogDriverUnreadable) else "lost"
            viewer.tell({"t": "state", "target": place, "state": state, "code": error.code, "reason": str(error)})

    # ---------------------------------------------------------------- feeds
    def _join(self, target: Target, subscription: Subscription) -> Feed:
        feed = self.feeds.get(target.key)
        if feed is None:
            feed = self.feeds[target.key] = Feed(target, self._sweep, self._touched)
        feed.subscriptions.add(subscription)
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(watch_over(self.feeds), name="watch over silent logs")
        return feed

    def _leave(self, feed: Feed, subscription: Subscription) -> None:
        feed.subscriptions.discard(subscription)
        if not feed.subscriptions:
            feed.close()
            self.feeds.pop(feed.target.key, None)
        if not self.feeds and self._watching is not None:
            self._watching.cancel()

    def _flush(self) -> None:
        for viewer in self._touched:
            viewer.flush()
        self._touched.clear()


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def current_hub() -> Hub:
    """The hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())
