"""Keeps a swarm's tables true through the hosts that are its managers: one of them reads, and when it is lost, or no
longer a manager, another takes its place within seconds. A host's own part in a swarm is asked by each."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings

from hosts.engine.answers import Answered
from hosts.engine.errors import EngineError
from hosts.engine.parse import services as parse_services
from hosts.engine.parse import swarms as parse_swarm
from hosts.inventory import swarms
from hosts.inventory.leases import LeaseLost
from hosts.inventory.turns import spread
from hosts.models import Host

LOOK_EVERY = 10.0  # seconds after which a member is asked again what it is; others with each full list
ASK_EVERY = 3.0  # whether there is a leader
NODES_EVERY, LISTS_EVERY = 10.0, 30.0  # what has events of its own; a manager's reachability has none
TASKS_EVERY, TASKS_SOON = 5.0, 1.0  # tasks have no events: soon while a service converges
SOON_FOR = 120.0  # seconds after the last event: a service that never converges is not asked for all the time
TASKS_SHARE = 20  # times as long as listing them takes passes between two lists at least
TRY_EVERY = 2.0  # whether the manager that reads has gone
REST = 6.0  # seconds before a manager that could not answer tries again
GATHER_SECONDS = 0.1
ANSWER_SECONDS = 4.0  # with TRY_EVERY and ASK_EVERY another manager is asked within 10 s
LIST_SECONDS = 10.0
# in this order: names of nodes and services go into tasks
PATHS = {"node": "/nodes", "service": "/services", "secret": "/secrets", "config": "/configs", "task": "/tasks"}
ROWS: dict[str, Callable[[Any], Any]] = {
    "node": parse_swarm.node_row,
    "service": parse_services.service_row,
    "secret": parse_swarm.secret_row,
    "config": parse_swarm.config_row,
    "task": parse_services.task_row,
}
TOUCHES = {"node": {"node", "task"}, "service": {"service", "task"}, "secret": {"secret"}, "config": {"config"}}
MOVING = {"new", "allocated", "pending", "assigned", "accepted", "preparing", "ready", "starting"}
OBJECTS_AT_MOST = 20_000
NO_LEADER = "does not have a leader"

log = structlog.get_logger("dermaga.watch")


class SwarmReader:
    """Of one host, for as long as its connection lives. `get(path, deadline=seconds)` asks its engine."""

    def __init__(self, host: Host, get: Callable[..., Any], db: Callable[..., Any]) -> None:
        self.host = host
        self.reads = False  # whether the swarm is read through this host now
        self._get = get
        self._db = db
        self._control = False
        self._due: set[str] = set()
        self._wake = asyncio.Event()
        self._next = dict.fromkeys(("swarm", *PATHS), 0.0)  # monotonic times
        self._look_at = self._rest_until = self._soon_until = 0.0
        self._is_moving = False
        self._services: list[Any] = []
        self._node_names: dict[str, str] = {}

    def hear(self, kind: str) -> None:
        """An event of the swarm: what it is about is read again."""
        self._due |= TOUCHES.get(kind, set())
        if kind == "node":
            self._look_at = 0.0  # promoted, demoted, joined
        self._soon_until = time.monotonic() + SOON_FOR
        self._wake.set()

    async def run(self, member: Any) -> None:
        """Until cancelled; `member` is what the engine said when it was connected."""
        if self.host.engine == "Podman":
            await asyncio.Event().wait()  # it has no swarms
        try:
            await self._apply_member(member)
            while True:
                await self._step()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), self._pause())
                    await asyncio.sleep(GATHER_SECONDS)
                self._wake.clear()
        finally:
            if self.reads:
                with contextlib.suppress(LeaseLost):
                    await self._db(swarms.give_up, self.host.pk)

    # ---------------------------------------------------------------- what this host is
    async def _apply_member(self, member: Any) -> None:
        swarm = await self._db(swarms.apply_member, self.host.pk, member)
        self._control = member["control"] and swarm is not None
        every = LOOK_EVERY if member["state"] != "inactive" else settings.RESYNC_SECONDS
        self._look_at = time.monotonic() + every - spread(every / 5)

    async def _look(self) -> None:
        answer = await self._get("/info", deadline=ANSWER_SECONDS)
        await self._apply_member(parse_swarm.member_of(answer.get("Swarm") if isinstance(answer, dict) else None))

    async def _step(self) -> None:
        """Asks what is due. An engine that cannot answer for its swarm, or a proxy that forbids it, loses no host."""
        try:
            if time.monotonic() >= self._look_at:
                self._look_at = time.monotonic() + REST
                await self._look()
            if not self._control:
                await self._stop_reading()
            elif time.monotonic() >= self._rest_until:
                await self._read_if_mine()
        except EngineError as error:
            leaderless = isinstance(error, Answered) and NO_LEADER in error.detail.lower()
            log.info("swarm not read", host=self.host.name, code=error.code, detail=error.detail)
            await self._stop_reading(error.detail, leaderless=leaderless)
            self._rest_until = time.monotonic() + REST

    async def _stop_reading(self, reason: str = "", *, leaderless: bool = False) -> None:
        if self.reads:
            self.reads = False
            await self._db(swarms.give_up, self.host.pk, reason, leaderless)

    def _pause(self) -> float:
        """Seconds until something is due."""
        now = time.monotonic()
        if not self._control:
            return max(0.1, self._look_at - now)
        if not self.reads:
            return max(TRY_EVERY, self._rest_until - now)
        return max(0.1, min(self._look_at, *self._next.values()) - now)

    # ---------------------------------------------------------------- reading
    async def _read_if_mine(self) -> None:
        before, self.reads = self.reads, await self._db(swarms.take, self.host.pk)
        if not self.reads:
            return
        if not before:  # whoever read it until now may have missed something
            self._next = dict.fromkeys(self._next, 0.0)
        due, self._due = self._due, set()
        try:
            if time.monotonic() >= self._next["swarm"]:
                await self._read_swarm()
            for noun in PATHS:
                if self.reads and (noun in due or time.monotonic() >= self._next[noun]):
                    await self._read(noun)
                    due.discard(noun)
        except EngineError:
            self._due |= due
            raise

    async def _read_swarm(self) -> None:
        row = parse_swarm.swarm_row(await self._get("/swarm", deadline=ANSWER_SECONDS))
        self._next["swarm"] = time.monotonic() + ASK_EVERY
        self.reads = row is not None and await self._db(swarms.apply_swarm, self.host.pk, row)

    async def _read(self, noun: str) -> None:
        began = time.monotonic()
        answer = await self._get(PATHS[noun], deadline=LIST_SECONDS)
        raw = answer[:OBJECTS_AT_MOST] if isinstance(answer, list) else []
        rows = [row for row in map(ROWS[noun], raw) if row]
        took = time.monotonic() - began
        if noun == "task":
            rows = await self._count(rows)
            self._next["task"] = began + max(self._tasks_every(), TASKS_SHARE * took)
        else:
            self._next[noun] = began + (NODES_EVERY if noun == "node" else LISTS_EVERY)
        if noun == "service":
            self._services = rows
            self._next["task"] = 0.0  # its rows go to the database with the counts of their tasks
            return
        if noun == "node":
            self._node_names = {row["engine_id"]: row["name"] for row in rows}
        if self.reads:
            self.reads = await self._db(swarms.apply_read, self.host.pk, noun, rows)

    async def _count(self, tasks: list[Any]) -> list[Any]:
        """Names and thins out the tasks, and stores the services with how many of theirs run."""
        names = {row["engine_id"]: row["name"] for row in self._services}
        kept = parse_services.told(tasks, names, self._node_names)
        own: dict[str, list[Any]] = {}
        for task in kept:
            own.setdefault(task["service_ref"], []).append(task)
        services = [row | parse_services.counted(row, own.get(row["engine_id"], [])) for row in self._services]
        self.reads = await self._db(swarms.apply_read, self.host.pk, "service", services)
        self._is_moving = any(
            row["update_state"] in {"updating", "rollback_started"} or row["running"] < row["desired"]
            for row in services
        ) or any(task["current"] and task["state"] in MOVING for task in kept)
        return kept

    def _tasks_every(self) -> float:
        return TASKS_SOON if self._is_moving and time.monotonic() < self._soon_until else TASKS_EVERY
