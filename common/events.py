"""Tells open pages that rows changed: after the commit, gathered for a moment, through the channel layer.

A message carries only what changed, never data: {"type": "changes", "items": [{"kind", "host", "ids"}]}.
"""

import asyncio
import threading
from collections import defaultdict, deque
from time import monotonic
from typing import TypedDict

import structlog
from channels.layers import get_channel_layer
from django.db import transaction

GROUP = "changes"
GATHER_SECONDS = 0.05
STORM_SECONDS = 0.25  # how long to gather while messages leave all the time: each one goes to every open page
STORM_MESSAGES = 4  # within the last second
IDS_AT_MOST = 200  # more than that in one message reads "all of this kind": ids is then empty

log = structlog.get_logger("dermaga.events")


class ChangedItem(TypedDict):
    """One kind of row on one host; an empty `ids` means any of them. `host` is "" where the kind has none."""

    kind: str
    host: str
    ids: list[str]


class Publisher:
    """Sends from one event loop: the in-memory channel layer belongs to the server's loop, so `use_loop` gives it."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._scheduled = False
        self._sent: deque[float] = deque([float("-inf")] * STORM_MESSAGES, STORM_MESSAGES)

    def use_loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        """From now on messages leave from `loop` (None: from a thread of the publisher's own)."""
        with self._lock:
            self._loop = loop
            self._scheduled = False

    def add(self, kind: str, host: str, ids: list[str]) -> None:
        """Puts a change into the next message; callable from any thread."""
        with self._lock:
            self._waiting[kind, host].update(ids or [""])
            if self._scheduled:
                return
            self._scheduled = True
            if self._loop is None or self._loop.is_closed():
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="publisher", daemon=True).start()
            loop = self._loop
        asyncio.run_coroutine_threadsafe(self._send(), loop)

    async def _send(self) -> None:
        storm = monotonic() - self._sent[0] < 1
        await asyncio.sleep(STORM_SECONDS if storm else GATHER_SECONDS)
        self._sent.append(monotonic())
        with self._lock:
            waiting, self._waiting = self._waiting, defaultdict(set)
            self._scheduled = False
        items: list[ChangedItem] = [
            {"kind": kind, "host": host, "ids": [] if "" in ids or len(ids) > IDS_AT_MOST else sorted(ids)}
            for (kind, host), ids in waiting.items()
        ]
        layer = get_channel_layer()
        if layer is None:
            return
        try:
            await layer.group_send(GROUP, {"type": "changes", "items": items})
        except Exception as error:  # Redis away: pages fetch again when it is back, writers must not fail
            log.warning("changes not sent", error=str(error)[:200])


publisher = Publisher()


def changed(kind: str, host: str = "", *ids: str) -> None:
    """Tells open pages, after the current transaction, that rows of `kind` on `host` changed (no ids: any)."""
    transaction.on_commit(lambda: publisher.add(kind, host, list(ids)))
