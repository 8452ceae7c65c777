"""The watch process: one HostWatcher for each host that it holds the lease of."""

import asyncio
from dataclasses import dataclass
from functools import partial

import structlog

from hosts.inventory import leases, processes
from hosts.inventory.acts import Acts
from hosts.inventory.database import Database
from hosts.inventory.watcher import HostWatcher
from hosts.models import Host

LOOK_SECONDS = 1.0  # a host that was added or changed is noticed within this

log = structlog.get_logger("dermaga.watch")


@dataclass
class Watched:
    """A host as it was when its watcher was started."""

    revision: int
    watcher: HostWatcher
    task: asyncio.Task[None]


class Fleet:
    """Runs the watchers of the hosts that this process holds the lease of."""

    def __init__(self) -> None:
        self.owner = processes.new_owner()
        self.db = Database()
        self._running: dict[int, Watched] = {}
        self._acts = Acts()

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
            await self._end(list(self._running))
            await self.db(leases.give_back, self.owner)
            await self.db(processes.leave, "watch", self.owner)
            await self.db.close()

    async def _look(self) -> None:
        held: leases.Leases = await self.db(leases.take, self.owner)
        await self.db(processes.beat, "watch", self.owner)
        gone = [
            pk
            for pk, watched in self._running.items()
            if held.mine.get(pk) != watched.revision or watched.task.done() or pk in held.surplus
        ]
        await self._end(gone)
        if held.surplus:
            await self.db(leases.give_back, self.owner, held.surplus)
        new = held.mine.keys() - self._running.keys() - set(held.surplus)
        if new:
            for host in await self.db(_hosts, new):
                watcher = HostWatcher(host, partial(self.db, leases.fenced, self.owner, host.pk))
                task = asyncio.create_task(watcher.run(), name=f"watch {host.name}")
                self._running[host.pk] = Watched(host.revision, watcher, task)
        touched = await self.db(self._acts.new)
        for pk in touched.keys() & self._running.keys():
            self._running[pk].watcher.ask_again(touched[pk])

    async def _end(self, hosts: list[int]) -> None:
        tasks = [self._running.pop(pk).task for pk in hosts]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _hosts(keys: set[int]) -> list[Host]:
    return list(Host.objects.filter(pk__in=keys))
