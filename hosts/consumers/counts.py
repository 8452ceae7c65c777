"""What this process counts of its streams. It goes into a row of its own every ten seconds while a stream is open, and
once after: so each web process can show them all at /metrics, and one at rest writes nothing."""

import asyncio
import os
import socket
import uuid
from collections import Counter
from typing import Protocol, TypedDict

import structlog
from channels.db import database_sync_to_async

from hosts.inventory import processes

EVERY_SECONDS = 10.0
OWNER = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:6]}"

log = structlog.get_logger("dermaga.streams")


class Row(TypedDict):
    """`sockets`, `upstreams` and `lag_seconds` are of now, the others since the process started."""

    sockets: dict[str, int]  # open ones by kind
    upstreams: dict[str, int]  # streams from engines, shared by all who watch
    lag_seconds: float  # for how long the oldest message has been waiting for a browser
    opened: dict[str, int]
    reconnects: dict[str, int]  # of upstreams
    skipped_lines: int  # left out for browsers that were too slow
    skipped_samples: int


class Audience(Protocol):
    """A viewer, as far as it is counted."""

    @property
    def stuck_for(self) -> float:
        """Seconds for which its oldest message has been waiting."""


class Counts:
    """Changed by whoever does what is counted; belongs to the event loop."""

    def __init__(self) -> None:
        self.audience: dict[Audience, str] = {}
        self.opened: Counter[str] = Counter()
        self.upstreams: Counter[str] = Counter()
        self.reconnects: Counter[str] = Counter()
        self.skipped_lines = 0
        self.skipped_samples = 0
        self._reporting: asyncio.Task[None] | None = None

    def row(self) -> Row:
        """All of it now."""
        return {
            "sockets": dict(Counter(self.audience.values())),
            "upstreams": {kind: n for kind, n in self.upstreams.items() if n},
            "lag_seconds": round(max((viewer.stuck_for for viewer in self.audience), default=0.0), 3),
            "opened": dict(self.opened),
            "reconnects": dict(self.reconnects),
            "skipped_lines": self.skipped_lines,
            "skipped_samples": self.skipped_samples,
        }

    async def during(self, viewer: Audience, kind: str) -> None:
        """Counts `viewer` as an open socket of `kind` until cancelled."""
        self.audience[viewer] = kind
        self.opened[kind] += 1
        task = self._reporting
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            self._reporting = asyncio.create_task(self._report(), name="report counts")
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            del self.audience[viewer]

    async def _report(self) -> None:
        while True:
            row = self.row()
            try:
                await database_sync_to_async(processes.report)(OWNER, row)
            except Exception as error:  # the database is away: the next row says it all
                log.warning("counts not written", error=str(error)[:200])
            if not row["sockets"] and not self.audience:
                return
            await asyncio.sleep(EVERY_SECONDS)


counts = Counts()
