"""/ws/stats: numbers of containers as the engine gives them, one stream a container however many people watch."""

import asyncio
import contextlib
import time
from typing import Any
from weakref import WeakKeyDictionary

import orjson
import structlog
from channels.db import database_sync_to_async

from accounts.rights import Right
from hosts.access import get_host
from hosts.consumers.base import ContainerConsumer, target_of
from hosts.consumers.counts import counts
from hosts.consumers.viewers import Viewer
from hosts.engine.answers import NotFound
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError, NotAnEngine
from hosts.engine.stats import Sample, has_past, read_sample
from hosts.engine.streams import open_stream
from hosts.engine.targets import Target, look, started_again
from hosts.log_sources import Log
from hosts.models import Container

OF_A_HOST_AT_MOST = 100
NEW_ONES_EVERY = 5.0  # seconds between two looks for containers of a host that were started
GATHER = 0.1  # seconds in which samples become one message
SILENCE = 20.0  # seconds without a sample (Podman: every 5) after which a stream is taken for dead
FIRST_WAIT, LONGEST_WAIT = 0.5, 8.0

log = structlog.get_logger("dermaga.streams")


class StatsView:
    """What one viewer gets: samples gathered for a moment, states at once."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._samples: list[list[Any]] = []

    def sample(self, place: int, when: int, found: Sample) -> None:
        """Takes a sample at `when` (milliseconds since 1970)."""
        if not self._samples:
            asyncio.get_running_loop().call_later(GATHER, self._send)
        self._samples.append([place, when, *row(found)])

    def _send(self) -> None:
        samples, self._samples = self._samples, []
        # who does not read needs no old numbers: the next sample says it all
        if self._viewer.stuck_for < 2:
            self._viewer.tell({"t": "stats", "samples": samples})
        else:
            for place, *_ in samples:
                counts.skipped_samples[self._viewer.host_of(place)] += 1

    def state(self, place: int, message: dict[str, Any]) -> None:
        """Says a state."""
        self._viewer.tell({"t": "state", "target": place, **message})


def row(found: Sample) -> list[Any]:
    """A sample as it crosses the socket: CPU in percent of one CPU, the rest in bytes and processes."""
    return [
        round(found.cpu_percent, 2), found.memory_used, found.memory_limit, found.net_rx, found.net_tx,
        found.block_read, found.block_write, found.pids,
    ]  # fmt: skip


class StatsFeed:
    """The one stats stream of a container."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.views: dict[tuple[StatsView, int], None] = {}
        self.state: dict[str, Any] = {}
        self.last: tuple[int, Sample] | None = None
        counts.upstreams[target.host, "stats"] += 1
        self._task = asyncio.create_task(self._run(), name=f"stats {target.container_id[:12]}")

    def close(self) -> None:
        """Ends the stream."""
        counts.upstreams[self.target.host, "stats"] -= 1
        self._task.cancel()

    async def _run(self) -> None:
        wait = FIRST_WAIT
        while True:
            began = time.monotonic()
            try:
                await self._session()
            except NotFound as error:
                return self._say({"state": "ended", "code": "removed", "reason": str(error)})
            except EngineError as error:
                self._say({"state": "lost", "code": error.code, "reason": str(error)})
            except Exception as error:  # an answer that nobody thought of must not end the watching
                log.exception("stats not understood", container=self.target.container_id)
                strange = NotAnEngine(str(error), where=self.target.endpoint.address)
                self._say({"state": "lost", "code": strange.code, "reason": str(strange)})
            counts.reconnects[self.target.host, "stats"] += 1
            wait = FIRST_WAIT if time.monotonic() - began > 5 else min(wait * 2, LONGEST_WAIT)
            await asyncio.sleep(wait)

    async def _session(self) -> None:
        self.target = await self.target.negotiated()
        path = f"/containers/{self.target.container_id}/stats"
        # a stopped container's first sample may take a while: the head comes with it
        stream = await open_stream(self.target.endpoint, path, {"stream": "1"}, api_version=self.target.version)
        before, rest = None, b""
        try:
            while block := await stream.read(timeout=SILENCE):
                *whole, rest = (rest + block).split(b"\n")
                for text in whole:
                    with contextlib.suppress(orjson.JSONDecodeError):
                        before = self._take(orjson.loads(text), before)
                if rest.endswith(b"}"):  # an engine that sends no newline
                    with contextlib.suppress(orjson.JSONDecodeError):
                        before, rest = self._take(orjson.loads(rest), before), b""
        finally:
            stream.close()
        now = await look(self.target)
        if not now.running:  # Podman ends the stream then; Docker goes on with zeros
            self._say_stopped()
            await started_again(self.target, now.started)

    def _take(self, raw: Any, before: Any) -> Any:
        has_own = has_past(raw)
        found = read_sample(raw, None if has_own else before)
        if found is None:
            return self._say_stopped()
        self._say({"state": "live"})
        if has_own or before is not None:  # the first sample of a stream has no CPU to compare with
            self.last = (int(time.time() * 1000), found)
            for view, place in self.views:
                view.sample(place, *self.last)
        return raw

    def _say_stopped(self) -> None:
        self.last = None
        self._say({"state": "ended", "code": "stopped", "reason": "The container is not running."})

    def _say(self, message: dict[str, Any]) -> None:
        if message != self.state:
            self.state = message
            for view, place in self.views:
                view.state(place, message)


class StatsHub:
    """All stats feeds of one event loop."""

    def __init__(self) -> None:
        self.feeds: dict[tuple[Endpoint, str], StatsFeed] = {}

    async def watch(self, view: StatsView, place: int, target: Target) -> None:
        """Gives `view` the samples of `target` until cancelled; the last one out ends the stream."""
        key = (target.endpoint, target.container_id)
        feed = self.feeds.get(key) or self.feeds.setdefault(key, StatsFeed(target))
        feed.views[view, place] = None
        if feed.state:
            view.state(place, feed.state)
        if feed.last:
            view.sample(place, *feed.last)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            feed.views.pop((view, place), None)
            if not feed.views:
                feed.close()
                self.feeds.pop(key, None)


_hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, StatsHub] = WeakKeyDictionary()


def current_stats_hub() -> StatsHub:
    """The stats hub of the running event loop."""
    return _hubs.setdefault(asyncio.get_running_loop(), StatsHub())


class StatsConsumer(ContainerConsumer):
    """`target` (repeatable), or `host` for the running containers of one: see docs/sockets.md."""

    rule = Right.STATS_VIEW

    async def start(self, query: dict[str, list[str]]) -> None:
        """Watches the named containers, or those of a host, also such as are started later."""
        self.view = StatsView(self.viewer)
        if query.get("target") or not query.get("host"):
            containers = await self.containers(query.get("target", []))
            self.tell_targets(list(map(Log.of, containers)))
            self._watch(0, containers)
        else:
            name = query["host"][-1]
            containers = await database_sync_to_async(self._running)(name)
            self.tell_targets(list(map(Log.of, containers)))
            self._watch(0, containers)
            self.spawn(self._watch_new(name, containers))

    def _watch(self, first: int, containers: list[Container]) -> None:
        hub = current_stats_hub()
        for place, container in enumerate(containers, first):
            if container.host.enabled:
                self.spawn(hub.watch(self.view, place, target_of(container)))
            else:
                self.tell_disabled(place)

    async def _watch_new(self, host: str, known: list[Container]) -> None:
        while len(known) < OF_A_HOST_AT_MOST:
            await asyncio.sleep(NEW_ONES_EVERY)
            ids = {container.engine_id for container in known}
            running = await database_sync_to_async(self._running)(host)
            new = [c for c in running if c.engine_id not in ids][: OF_A_HOST_AT_MOST - len(known)]
            if new:
                first = len(known)
                known = [*known, *new]
                self.tell_targets(list(map(Log.of, known)))
                self._watch(first, new)

    def _running(self, name: str) -> list[Container]:
        host = get_host(self.user, name, self.rule)
        rows = Container.objects.visible_to(self.user).filter(host=host, state="running").select_related("host")
        return list(rows.order_by("name")[:OF_A_HOST_AT_MOST])
