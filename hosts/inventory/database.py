"""The watcher's way to the database: one thread with one connection, the urgent first.

On SQLite there is one writer anyway, and rows are applied in order. While ten thousand containers are read in, writes
wait for each other for seconds: a lease that is not renewed meanwhile is lost, and a dead host called online.
"""

import asyncio
import itertools
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import PriorityQueue
from typing import Any

from django.db import close_old_connections, connections

from hosts.inventory import apply, history, leases, notes, processes

URGENT, NORMAL, PATIENT = range(3)
RANK: dict[Callable[..., Any], int] = {
    leases.take: URGENT,
    leases.give_back: URGENT,
    processes.beat: URGENT,
    apply.apply_state: URGENT,
    apply.apply_alive: URGENT,
    apply.apply_info: URGENT,
    apply.apply_details: PATIENT,
    apply.apply_disk: PATIENT,
    apply.apply_disk_failed: PATIENT,
    history.record: PATIENT,
    notes.write: PATIENT,
}
Work = tuple[int, int, Callable[..., Any], tuple[Any, ...], "Future[Any]"]
LAST = 99


class Database:
    """Runs functions that use the database; those of one rank in the order in which they came."""

    def __init__(self) -> None:
        self._queue: PriorityQueue[Work] = PriorityQueue()
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._work, name="watch-db", daemon=True)
        self._thread.start()

    async def __call__(self, function: Callable[..., Any], *args: Any) -> Any:
        """What `function(*args)` gives or raises; a fenced function has its own rank."""
        meant = args[2] if function is leases.fenced else function
        return await asyncio.wrap_future(self._put(RANK.get(meant, NORMAL), function, args))

    def _put(self, rank: int, function: Callable[..., Any], args: tuple[Any, ...]) -> "Future[Any]":
        done: Future[Any] = Future()
        self._queue.put((rank, next(self._numbers), function, args, done))
        return done

    async def close(self) -> None:
        """Ends the thread once all that waits is done."""
        await asyncio.wrap_future(self._put(LAST, connections.close_all, ()))

    def _work(self) -> None:
        while True:
            rank, _, function, args, done = self._queue.get()
            if done.set_running_or_notify_cancel():  # who is cancelled while it waits wants nothing written any more
                try:
                    close_old_connections()
                    done.set_result(function(*args))
                except BaseException as error:
                    done.set_exception(error)
            if rank == LAST:
                return
