"""The watch process: shares the hosts out among its kind by a lease in the database, one HostWatcher each."""

import asyncio
import os
import socket
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.db import close_old_connections, connections
from django.db.models import Q
from django.utils import timezone

from common.events import changed
from hosts.inventory.watcher import HostWatcher
from hosts.models import Host
from hosts.models.hosts import HostState

LOOK_SECONDS = 1.0  # a host that was added or changed is noticed within this
LEASE = timedelta(seconds=12)
RENEW_BELOW = timedelta(seconds=8)

log = structlog.get_logger("dermaga.watch")


class Fleet:
    """Runs the watchers of the hosts that this process holds the lease of."""

    def __init__(self) -> None:
        self.owner = f"{socket.gethostname()[:40]}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        # one thread, one connection: on SQLite there is one writer anyway, and rows are applied in order
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="watch-db")
        self._running: dict[int, tuple[int, asyncio.Task[None]]] = {}

    async def db(self, function: Callable[..., Any], *args: Any) -> Any:
        """Runs a function that uses the database in the watcher's own database thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(_clean, function, *args))

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop` is set; then the leases are given back."""
        try:
            while not stop.is_set():
                try:
                    await self._look()
                except Exception:  # the database is away: go on trying, the leases run out meanwhile
                    log.exception("looking for hosts failed")
                try:
                    await asyncio.wait_for(stop.wait(), LOOK_SECONDS)
                except TimeoutError:
                    continue
        finally:
            for _, task in self._running.values():
                task.cancel()
            await asyncio.gather(*(task for _, task in self._running.values()), return_exceptions=True)
            await self.db(give_back, self.owner)
            await self.db(connections.close_all)
            self._pool.shutdown()

    async def _look(self) -> None:
        mine: dict[int, Host] = await self.db(take_leases, self.owner)
        for pk, (revision, task) in list(self._running.items()):
            if pk not in mine or mine[pk].revision != revision or task.done():
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                del self._running[pk]
        for pk, host in mine.items():
            if pk not in self._running:
                self._running[pk] = (host.revision, asyncio.create_task(self._watch(host), name=f"watch {host.name}"))

    async def _watch(self, host: Host) -> None:
        await HostWatcher(host, self.db).run()


def _clean(function: Callable[..., Any], *args: Any) -> Any:
    close_old_connections()
    return function(*args)


def take_leases(owner: str) -> dict[int, Host]:
    """Renews this owner's leases, takes its fair share of free ones, and returns the hosts it now holds."""
    now = timezone.now()
    enabled = Host.objects.filter(enabled=True)
    mine = enabled.filter(lease_owner=owner)
    mine.filter(lease_until__lt=now + RENEW_BELOW).update(lease_until=now + LEASE)
    free = list(enabled.filter(Q(lease_until=None) | Q(lease_until__lt=now)).exclude(lease_owner=owner))
    for host in free:
        # the condition again in the update: two processes may have seen the same free host
        Host.objects.filter(pk=host.pk).filter(Q(lease_until=None) | Q(lease_until__lt=now)).update(
            lease_owner=owner, lease_until=now + LEASE
        )
    for host in Host.objects.filter(enabled=False).exclude(state=HostState.DISABLED):
        Host.objects.filter(pk=host.pk).update(
            state=HostState.DISABLED, since=now, reason_code="", reason_template="", lease_owner="", lease_until=None
        )
        changed("host", host.name)
    return {host.pk: host for host in mine.all()}


def give_back(owner: str) -> None:
    """Lets others take this owner's hosts at once."""
    Host.objects.filter(lease_owner=owner).update(lease_owner="", lease_until=None)
