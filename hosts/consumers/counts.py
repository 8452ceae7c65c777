"""What this process counts of its streams. It goes into its row (hosts.inventory.processes) while a stream is open, a
moment after it changed and every few seconds, and once after: so each web process can show them all, at /diagnostics/
and at /metrics."""

import asyncio
import contextlib
import time
from collections import Counter, defaultdict
from collections.abc import Collection
from typing import Any, Protocol, TypedDict

import structlog
from channels.db import database_sync_to_async

from hosts.inventory import processes

EVERY_SECONDS = 4.0
APART_SECONDS = 1.0  # between two rows, however much changes
KINDS = ("logs", "stats", "terminal")

log = structlog.get_logger("dermaga.streams")


class HostRow(TypedDict, total=False):
    """Of one host: what is open now, and since the process started."""

    viewers: int  # sockets about its containers
    logs: int  # streams from its engine, shared by all who watch
    stats: int
    terminal: int
    reconnects: int  # of those streams
    skipped_lines: int
    skipped_samples: int


class Row(TypedDict):
    """`sockets`, `upstreams` and `lag_seconds` are of now, the others since the process started."""

    sockets: dict[str, int]  # open ones by kind
    upstreams: dict[str, int]  # streams from engines, shared by all who watch
    lag_seconds: float  # for how long the oldest message has been waiting for a browser
    opened: dict[str, int]
    reconnects: dict[str, int]  # of upstreams
    skipped_lines: int  # left out for browsers that were too slow
    skipped_samples: int
    hosts: dict[str, HostRow]  # by name, those with anything


class Audience(Protocol):
    """A viewer, as far as it is counted."""

    @property
    def stuck_for(self) -> float:
        """Seconds for which its oldest message has been waiting."""

    @property
    def hosts(self) -> Collection[str]:
        """Names of the hosts that it is about."""


class Counts:
    """Changed by whoever does what is counted; belongs to the event loop. Streams are counted by host and kind."""

    def __init__(self) -> None:
        self.audience: dict[Audience, str] = {}
        self.opened: Counter[str] = Counter()
        self.upstreams: Counter[tuple[str, str]] = Counter()
        self.reconnects: Counter[tuple[str, str]] = Counter()
        self.skipped_lines: Counter[str] = Counter()
        self.skipped_samples: Counter[str] = Counter()
        self._reporting: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def row(self) -> Row:
        """All of it now."""
        return {
            "sockets": dict(Counter(self.audience.values())),
            "upstreams": _by_kind(self.upstreams),
            "lag_seconds": round(max((viewer.stuck_for for viewer in self.audience), default=0.0), 3),
            "opened": dict(self.opened),
            "reconnects": _by_kind(self.reconnects),
            "skipped_lines": self.skipped_lines.total(),
            "skipped_samples": self.skipped_samples.total(),
            "hosts": self._by_host(),
        }

    def _by_host(self) -> dict[str, HostRow]:
        found: dict[str, Any] = defaultdict(Counter)
        for viewer, kind in self.audience.items():
            for host in set(viewer.hosts):
                found[host]["viewers"] += 1
                if kind == "terminal":
                    found[host]["terminal"] += 1
        for (host, kind), n in self.upstreams.items():
            found[host][kind] += n
        for (host, _), n in self.reconnects.items():
            found[host]["reconnects"] += n
        for name, counter in (("skipped_lines", self.skipped_lines), ("skipped_samples", self.skipped_samples)):
            for host, n in counter.items():
                found[host][name] += n
        rows = {host: {name: n for name, n in counts.items() if n} for host, counts in found.items() if host}
        return {host: HostRow(**row) for host, row in rows.items() if row}  # type: ignore[typeddict-item]

    async def during(self, viewer: Audience, kind: str) -> None:
        """Counts `viewer` as an open socket of `kind` until cancelled."""
        self.audience[viewer] = kind
        self.opened[kind] += 1
        task = self._reporting
        if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
            self._changed = asyncio.Event()
            self._reporting = asyncio.create_task(self._report(), name="report counts")
        self._changed.set()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            del self.audience[viewer]
            self._changed.set()

    async def _report(self) -> None:
        while True:
            began = time.monotonic()
            self._changed.clear()
            row = self.row()
            await self.write(row)
            if not row["sockets"] and not self.audience:
                return
            await asyncio.sleep(min(APART_SECONDS, EVERY_SECONDS))
            with contextlib.suppress(TimeoutError):
                left = began + EVERY_SECONDS - time.monotonic()
                await asyncio.wait_for(self._changed.wait(), max(0.01, left))

    async def write(self, row: Row | None = None) -> None:
        """Stores the row of this process; when the database is away the next one says it all."""
        try:
            await database_sync_to_async(processes.report)("web", row or self.row())
        except Exception as error:
            log.warning("counts not written", error=str(error)[:200])


def _by_kind(counter: "Counter[tuple[str, str]]") -> dict[str, int]:
    found: Counter[str] = Counter()
    for (_, kind), n in counter.items():
        found[kind] += n
    return {kind: n for kind, n in found.items() if n}


counts = Counts()
