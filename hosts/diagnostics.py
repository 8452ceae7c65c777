"""How Dermaga itself does: what the diagnostics page and the API show. From tables; no engine is asked."""

import shutil
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import redis
from celery import current_app
from django.conf import settings
from django.db import connection
from django.utils import timezone

from hosts.models import Host, Process, Watch
from jobs.models import Job, JobState

SILENT = timedelta(seconds=30)  # without a word from a process: it is dead, or hangs
SHOWN = timedelta(hours=1)  # how long one that fell silent is shown
ANSWER_SECONDS = 2.0
QUEUE = "celery"


# ---------------------------------------------------------------- hosts
@dataclass
class Streams:
    """Streams of one host, over all web processes: open now, and counted since those started."""

    viewers: int = 0
    logs: int = 0
    stats: int = 0
    terminal: int = 0
    reconnects: int = 0
    skipped_lines: int = 0
    skipped_samples: int = 0

    def add(self, counts: dict[str, int], *, is_alive: bool) -> None:
        """Takes what one web process counts; of one that fell silent nothing is open."""
        for name, n in counts.items():
            if is_alive or name in {"reconnects", "skipped_lines", "skipped_samples"}:
                setattr(self, name, getattr(self, name, 0) + n)


def add_watching(hosts: Sequence[Host]) -> None:
    """Sets `watching` (a Watch, blank when there is nothing yet), `watcher` (a Process or None) and `streams` on each."""
    watches = {watch.pk: watch for watch in Watch.objects.filter(host__in=[host.pk for host in hosts])}
    watchers = {process.owner: process for process in Process.objects.filter(role="watch")}
    streams: dict[str, Streams] = {}
    for process in Process.objects.filter(role="web"):
        for name, counts in process.counts.get("hosts", {}).items():
            streams.setdefault(name, Streams()).add(counts, is_alive=is_alive(process))
    for host in hosts:
        host.watching = watches.get(host.pk) or Watch(host=host)  # type: ignore[attr-defined]
        host.watcher = watchers.get(host.lease_owner)  # type: ignore[attr-defined]
        host.streams = streams.get(host.name) or Streams()  # type: ignore[attr-defined]


# ---------------------------------------------------------------- processes
def is_alive(process: Process) -> bool:
    """Whether it has said something of late."""
    return timezone.now() - process.seen < SILENT


@dataclass
class Part:
    """One part of Dermaga in one process, and what it does."""

    process: Process
    alive: bool
    hosts: int = 0  # that it watches
    sockets: dict[str, int] = field(default_factory=dict)
    lag_seconds: float = 0.0
    skipped_lines: int = 0


def parts(user: Any) -> list[Part]:
    """The processes that live, and those that fell silent of late."""
    now = timezone.now()
    held = Counter(Host.objects.filter(enabled=True, lease_until__gt=now).values_list("lease_owner", flat=True))
    found = []
    for process in Process.objects.visible_to(user).filter(seen__gt=now - SHOWN).order_by("role", "started", "owner"):
        alive, counts = is_alive(process), process.counts
        part = Part(process, alive, skipped_lines=counts.get("skipped_lines", 0))
        if alive:
            part.hosts = held[process.owner] if process.role == "watch" else 0
            part.sockets, part.lag_seconds = counts.get("sockets", {}), counts.get("lag_seconds", 0.0)
        found.append(part)
    return found


# ---------------------------------------------------------------- what they stand on
@dataclass(frozen=True)
class Answer:
    """Whether something answers: `milliseconds`, or the kind of the error."""

    kind: str
    milliseconds: float | None = None
    error: str = ""


@dataclass(frozen=True)
class Product:
    """What all parts stand on. Sizes are in bytes."""

    database: Answer
    database_size: int | None
    messages: Answer  # the channel layer
    queue: Answer
    queue_length: int | None  # messages that no worker has taken
    jobs_queued: int
    jobs_running: int
    oldest_job: datetime | None  # of those that wait
    folder: str
    disk_free: int
    disk_total: int

    @property
    def disk_percent(self) -> int:
        """How full the disk of the data folder is."""
        return round(100 * (1 - self.disk_free / self.disk_total)) if self.disk_total else 0

    @property
    def is_nearly_full(self) -> bool:
        """Less than a tenth and less than 2 GiB are free."""
        return self.disk_free * 10 < self.disk_total and self.disk_free < 2 * 2**30


def product() -> Product:
    """Asked now."""
    sizes: list[int | None] = [None, None]

    def ask_database() -> None:
        sizes[0] = _database_size()

    def ask_queue() -> None:
        sizes[1] = _queue_length()

    database = _answer(_database_kind(), ask_database)
    messages = _answer("Redis" if settings.REDIS_URL else "", _ping_redis)
    queue = _answer("Redis" if settings.REDIS_URL else "", ask_queue)
    waiting = Job.objects.filter(state=JobState.QUEUED)
    disk = shutil.disk_usage(settings.DATA)
    return Product(
        database, sizes[0], messages, queue, sizes[1],
        jobs_queued=waiting.count(),
        jobs_running=Job.objects.filter(state=JobState.RUNNING).count(),
        oldest_job=waiting.order_by("created").values_list("created", flat=True).first(),
        folder=str(settings.DATA), disk_free=disk.free, disk_total=disk.total,
    )  # fmt: skip


def _answer(kind: str, ask: Callable[[], None]) -> Answer:
    began = time.monotonic()
    try:
        ask()
    except Exception as error:  # whatever the driver raises; its words may hold a password
        return Answer(kind, error=type(error).__name__)
    return Answer(kind, round(1000 * (time.monotonic() - began), 1))


def _database_kind() -> str:
    number = ".".join(map(str, connection.get_database_version()))
    return f"{connection.display_name} {number}"


def _database_size() -> int | None:
    if connection.vendor == "sqlite":
        file = Path(str(connection.settings_dict["NAME"]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        return sum(part.stat().st_size for part in (file, Path(f"{file}-wal")) if part.is_file())
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _ping_redis() -> None:
    if settings.REDIS_URL:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=ANSWER_SECONDS, socket_connect_timeout=ANSWER_SECONDS
        ) as client:
            client.ping()


def _queue_length() -> int:
    with current_app.connection_for_read() as broker:
        if settings.REDIS_URL:
            broker.transport_options |= {"socket_timeout": ANSWER_SECONDS, "socket_connect_timeout": ANSWER_SECONDS}
        # what kombu offers beside it, a passive declaration, fails for a queue that is empty on Redis
        return int(broker.default_channel._size(QUEUE))
