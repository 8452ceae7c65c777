"""Keeps one host's tables true: subscribe to its events, list everything, apply; list again on each reconnect and
once a minute. Each host has a task, deadlines and a back-off of its own, so a sick one hurts nobody else."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import structlog
from django.conf import settings

from hosts.engine import disk, parse
from hosts.engine.answers import Answered
from hosts.engine.connect import check
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ConnectionLost, EngineError
from hosts.engine.streams import EngineStream, fetch, open_stream
from hosts.inventory import apply, notes, reader, swarm_reader
from hosts.inventory.leases import LeaseLost
from hosts.inventory.sampler import Sampler
from hosts.inventory.turns import spread
from hosts.models import Host

# await db(function, *args): runs it in the thread that owns the database connection; raises LeaseLost when the host is
# another process' by now
Db = Callable[..., Any]

GATHER_SECONDS = 0.08  # events that come together are answered by one list
SETTLE_SECONDS = 2.0
LIST_DEADLINE = 10.0
LIST_AT_MOST = 128 * 1024 * 1024  # bytes; 10,000 containers with long labels are about 40 MB
CHECK_DEADLINE = 6.0
PING_EVERY = 4.0
ALIVE_EVERY = 10.0  # seconds after which it is written again that a host answers as before
NOTE_EVERY = 5.0
PING_DEADLINE = 6.0  # with PING_EVERY a host that has gone silent is said to be lost within 10 s
SLOW_AFTER = 2.0  # seconds that a ping may take before the host is called slow
BACK_OFF_AT_MOST = 4.0  # with CHECK_DEADLINE a host that has healed is back within 10 s
STEADY_AFTER = 5.0  # seconds after which a session that ends is not the fault of a host that cannot hold one
INSPECT_AT_ONCE = 8
INSPECT_TOGETHER = 24
EVENT_FILTERS = {
    "type": ["container", "image", "network", "volume", "daemon", "plugin", *swarm_reader.TOUCHES],
    # no exec_*: a health check makes three of them each time and would roll over the engine's memory of events
    "event": [
        *(
            [
                "create",
                "start",
                "stop",
                "die",
                "died",
                "kill",
                "oom",
                "pause",
                "unpause",
                "restart",
                "rename",
                "update",
                "destroy",
                "remove",
                "attach",
                "detach",
            ]
        ),
        *(["commit", "export", "cleanup", "checkpoint", "resize", "health_status", "prune"]),
        *(["pull", "push", "tag", "untag", "delete", "import", "load", "save"]),
        *(["connect", "disconnect", "mount", "unmount", "reload", "enable", "disable", "install"]),
    ],
}
EVENT_FILTERS["event"] = [e for e in EVENT_FILTERS["event"] if e not in {"attach", "detach", "resize", "checkpoint"}]
LISTS: dict[str, tuple[str, dict[str, str], Callable[[Any], Any]]] = {
    "container": ("/containers/json", {"all": "1"}, parse.container_row),
    "image": ("/images/json", {}, parse.image_row),
    "network": ("/networks", {}, parse.network_row),
    "volume": ("/volumes", {}, parse.volume_row),
    "plugin": ("/plugins", {}, parse.plugin_row),
}
# what an event of a type may have changed; an image's use and a network's members show in other lists
TOUCHES = {
    "container": ["container"],
    "image": ["image"],
    "network": ["network", "container"],
    "volume": ["volume"],
    "plugin": ["plugin"],
}
MAY_LACK = {
    "plugin"
}  # Podman has none, and a proxy in front of an engine may forbid them: its host is well all the same

# asking who answers blocks a thread: one a host at most, so that sick hosts never make healthy ones wait for a thread
_checking = ThreadPoolExecutor(2000, thread_name_prefix="check")
log = structlog.get_logger("dermaga.watch")


class HostWatcher:
    """Watches one host until cancelled."""

    def __init__(self, host: Host, db: Db) -> None:
        self.host = host
        self.endpoint: Endpoint = host.endpoint()
        self.db = db
        self.version = ""
        self.notes = notes.Notes()
        self._touched: dict[str, set[str]] = {}
        self._wake = asyncio.Event()
        self._settling: set[str] = set()
        self._uninspected: set[str] = set()
        self._inspected, self._new = asyncio.Event(), asyncio.Event()
        self._events: list[Any] = []
        self._swarm = swarm_reader.SwarmReader(host, self._get, db)
        # asking and applying belong together: an older answer that is applied after a newer one would bring back the past
        self._order = {noun: asyncio.Lock() for noun in (*LISTS, "detail")}

    async def run(self) -> None:
        """Connects, keeps the tables true, connects again."""
        wait = 0.5
        while True:
            began = time.monotonic()
            try:
                await self._session()
            except EngineError as error:
                await self.db(apply.apply_state, self.host.pk, error.state, error)
                log.info("host lost", host=self.host.name, code=error.code, detail=error.detail)
            except (asyncio.CancelledError, LeaseLost):
                raise
            except Exception:
                log.exception("watching failed", host=self.host.name)
            wait = 0.5 if time.monotonic() - began > STEADY_AFTER else min(wait * 2, BACK_OFF_AT_MOST)
            await asyncio.sleep(wait)

    def ask_again(self, nouns: set[str]) -> None:
        """Lists these soon, as if the engine had told of a change."""
        self._touched |= {noun: {""} for noun in nouns}
        self._wake.set()

    async def _session(self) -> None:
        """One connection's life. Steps: 1. ask who it is, 2. subscribe, 3. list, 4. apply what came meanwhile."""
        asking = asyncio.get_running_loop().run_in_executor(_checking, check, self.endpoint, CHECK_DEADLINE)
        info = await asyncio.wait_for(asking, CHECK_DEADLINE + 4)
        self.version = info["api_version"]
        self.notes.clock_ahead = info["clock_ahead"]
        await self.db(apply.apply_info, self.host, info)
        self.host.engine = info["engine"]  # what lists tell depends on it
        events = await open_stream(
            self.endpoint, "/events", {"filters": orjson.dumps(EVENT_FILTERS).decode()}, api_version=self.version
        )
        self._touched, self._events = {}, []
        self._swarm = swarm_reader.SwarmReader(self.host, self._get, self.db)
        tasks = [asyncio.create_task(self._listen(events), name=f"{self.host.name} events")]
        try:
            await self._list_all()
            tasks.append(asyncio.create_task(self._inspect_new(), name=f"{self.host.name} inspect"))
            # of a large host that takes many times as long as its lists: then it goes on later
            await self._wait_inspected()
            self.notes.connected()
            await self.db(apply.apply_state, self.host.pk, "online", None)
            works = (
                self._apply_touched,
                self._settle,
                self._list_again,
                self._ping,
                self._disk,
                self._sample,
                self._note,
            )
            tasks.append(asyncio.create_task(self._swarm.run(info["member"]), name=f"{self.host.name} swarm"))
            for work in works:
                tasks.append(asyncio.create_task(work(), name=f"{self.host.name} {work.__name__}"))
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            with contextlib.suppress(OSError):
                events.close()

    # ---------------------------------------------------------------- events
    async def _listen(self, events: EngineStream) -> None:
        async for raw in reader.lines(events):
            self._hear(raw)
        raise ConnectionLost("the event stream ended", where=self.endpoint.address)

    def _hear(self, raw: Any) -> None:
        row = parse.event_row(raw)
        if row is None:
            return
        if row["kind"] in swarm_reader.TOUCHES:
            self._swarm.hear(row["kind"])
            if not self._swarm.reads:
                return  # every manager reports it
        self._events.append(row)
        nouns = TOUCHES.get(row["kind"], [])
        if row["action"] == "commit":  # all that Podman says of the image that it made
            nouns = [*nouns, "image"]
        for noun in nouns:
            # a network's connect and disconnect name the container in their attributes
            key = row["data"].get("container", "") if row["kind"] == "network" else row["actor_id"]
            self._touched.setdefault(noun, set()).add(str(key) if noun == "container" else "")
        self._wake.set()

    async def _apply_touched(self) -> None:
        while True:
            await self._wake.wait()
            await asyncio.sleep(GATHER_SECONDS)
            self._wake.clear()
            touched, self._touched = self._touched, {}
            events, self._events = self._events, []
            ids = {key for key in touched.pop("container", set()) if key}
            if ids:
                await self._list("container", only=ids)
                self._settling |= ids
            for noun in touched:
                await self._list(noun)
            self.notes.applied(events)
            if events:
                await self.db(apply.apply_events, self.host, events)
            if ids:
                await self._inspect(ids)

    async def _settle(self) -> None:
        """Asks once more for what just moved: an engine drops events of a reader that was busy for 100 ms, and the
        last one of a burst (a kill's "die") would then show only with the next full list."""
        while True:
            await asyncio.sleep(SETTLE_SECONDS)
            ids, self._settling = self._settling, set()
            if ids:
                await self._list("container", only=ids)

    # ---------------------------------------------------------------- lists
    async def _list_all(self) -> None:
        began = time.monotonic()
        await asyncio.gather(*(self._list(noun) for noun in LISTS))
        self.notes.listed(time.monotonic() - began)
        self._inspect_soon(await self.db(_without_detail, self.host.pk))

    def _inspect_soon(self, ids: set[str]) -> None:
        self._uninspected |= ids
        if self._uninspected:
            self._inspected.clear()
            self._new.set()

    async def _inspect_new(self) -> None:
        """What a full list found new or changed, a few at a time: events come in between."""
        while True:
            while self._uninspected:
                ids = set(sorted(self._uninspected)[:INSPECT_TOGETHER])
                self._uninspected -= ids
                await self._inspect(ids)
            self._inspected.set()
            self._new.clear()
            await self._new.wait()

    async def _wait_inspected(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._inspected.wait(), SETTLE_SECONDS)

    async def _list(self, noun: str, only: set[str] | None = None) -> None:
        path, params, row_of = LISTS[noun]
        if only is not None:
            params = params | {"filters": orjson.dumps({"id": sorted(only)}).decode()}
        async with self._order[noun]:
            try:
                answer = await self._get(path, params)
            except Answered:
                if noun not in MAY_LACK:
                    raise
                answer = []
            found = (answer or {}).get("Volumes") if noun == "volume" else answer
            rows = [row for row in map(row_of, found or []) if row]
            touched, _ = await self.db(_apply, self.host, noun, rows, only)
        if noun == "container" and only is None:
            self._inspect_soon(touched)

    async def _inspect(self, ids: set[str]) -> None:
        gate = asyncio.Semaphore(INSPECT_AT_ONCE)

        async def one(engine_id: str) -> tuple[str, Any]:
            async with gate:
                try:
                    return engine_id, await self._get(f"/containers/{engine_id}/json")
                except EngineError as error:
                    if error.status in {404, 409, 500}:  # gone, or going, since it was listed
                        return engine_id, None
                    raise

        async with self._order["detail"]:
            answers = dict(await asyncio.gather(*(one(engine_id) for engine_id in ids)))
            known = {engine_id: answer for engine_id, answer in answers.items() if isinstance(answer, dict)}
            if known:
                await self.db(apply.apply_details, self.host, known)

    async def _list_again(self) -> None:
        wait = settings.RESYNC_SECONDS - spread(settings.RESYNC_SECONDS)
        while True:
            await asyncio.sleep(wait)
            await self._list_all()
            wait = settings.RESYNC_SECONDS

    async def _get(self, path: str, params: dict[str, str] | None = None, deadline: float = LIST_DEADLINE) -> Any:
        return await fetch(
            self.endpoint, path, params, api_version=self.version, timeout=deadline, at_most=LIST_AT_MOST
        )

    # ---------------------------------------------------------------- health of the connection
    async def _ping(self) -> None:
        """A connection that died silently is noticed here; one that answers late is called slow."""
        said, written = "", 0.0
        await asyncio.sleep(spread(PING_EVERY))
        while True:
            began = time.monotonic()
            await self._get("/version", deadline=PING_DEADLINE)
            now = time.monotonic()
            state = "slow" if now - began > SLOW_AFTER else "online"
            if state != said or now - written > ALIVE_EVERY:
                await self.db(apply.apply_alive, self.host.pk, state)
                said, written = state, now
            await asyncio.sleep(PING_EVERY)

    async def _note(self) -> None:
        await asyncio.sleep(spread(NOTE_EVERY))
        while True:
            if values := self.notes.take():
                await self.db(notes.write, self.host.pk, values)
            await asyncio.sleep(NOTE_EVERY)

    async def _disk(self) -> None:
        """Disk use takes an engine long: asked rarely, and missing it loses no host."""
        while True:
            began = time.monotonic()
            try:
                answer = await fetch(
                    self.endpoint,
                    disk.PATH,
                    api_version=disk.version_for(self.version),
                    timeout=disk.SECONDS,
                    at_most=disk.ANSWER_AT_MOST,
                )
                await self.db(apply.apply_disk, self.host, disk.reading(answer), time.monotonic() - began)
            except EngineError as error:
                log.info("no disk use", host=self.host.name, code=error.code)
                if not disk.is_busy(error):
                    await self.db(apply.apply_disk_failed, self.host, error)
            # an engine that needs minutes for it is not kept busy with nothing else
            await asyncio.sleep(max(settings.DISK_EVERY_MINUTES * 60, 10 * (time.monotonic() - began)))

    async def _sample(self) -> None:
        await Sampler(self.host, self.endpoint, self.version, self.db).run()


def _apply(host: Host, noun: str, rows: list[Any], only: set[str] | None) -> tuple[set[str], set[str]]:
    return apply.apply_rows(host, noun, rows, only=only)


def _without_detail(host_id: int) -> set[str]:
    from hosts.models import Container

    return set(Container.objects.filter(host=host_id, detail=None).values_list("engine_id", flat=True))
