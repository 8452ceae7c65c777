"""What the sockets of containers share: targets from the query, the rights asked again now and then, limits."""

from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qs

import orjson
from channels.db import database_sync_to_async

from accounts.rights import standing_of
from accounts.sockets import NOT_ALLOWED, TOO_MANY, TOO_SLOW, UNKNOWN, GuardedConsumer
from common.errors import Denied, NotFound
from hosts.access import get_container
from hosts.consumers.counts import counts
from hosts.consumers.viewers import Viewer
from hosts.engine.targets import Target
from hosts.log_choice import TARGETS_AT_MOST
from hosts.log_sources import Log, get_log
from hosts.models import Container

STUCK_AT_MOST = 90.0  # seconds that a browser may leave a message unread
BAD_QUERY = 4400
DISABLED = "The host of this container is disabled. Enable it to see its containers."
NO_MANAGER = "No manager of this task's swarm is a host that may be asked. Add or enable one."


class Refusal(Exception):
    """The socket is closed with `code`; `reason` is for people (123 bytes at most by the protocol)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason[:120]


class ContainerConsumer(GuardedConsumer):
    """A socket about containers: `start` is called with the query."""

    viewer: Viewer

    async def start(self, query: dict[str, list[str]]) -> None:
        """Begins the work. May raise Refusal, NotFound, Denied."""
        raise NotImplementedError

    async def opened(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self.viewer = Viewer(lambda text: self.send(text_data=text))
        self.spawn(self.viewer.run())
        self.spawn(counts.during(self.viewer, self.scope["path"].removeprefix("/ws/")))
        await self.answer(self.start(query))

    async def answer(self, work: Coroutine[Any, Any, None]) -> None:
        """Does what was asked for, or closes the socket with the code that says why not."""
        try:
            await work
        except Refusal as refusal:
            await self.leave(refusal.code, refusal.reason)
        except NotFound:
            await self.leave(UNKNOWN)
        except Denied:
            await self.leave(NOT_ALLOWED)

    async def why_leave(self) -> int:
        if code := await super().why_leave():
            return code
        reach = standing_of(self.user).reach(self.rule)
        owned = [key for key in self.viewer.watched if not reach.covers(key[0])]
        owners = await database_sync_to_async(_owners)(owned) if owned else {}
        if not all(reach.owns(key[0], owners.get(key)) for key in owned):
            return NOT_ALLOWED  # it may hold elsewhere still, or the container is another team's by now
        return TOO_SLOW if self.viewer.stuck_for > STUCK_AT_MOST else 0

    # ---------------------------------------------------------------- what
    async def containers(self, names: list[str]) -> list[Container]:
        """The containers called HOST/CONTAINER, in this order. Raises Refusal, NotFound, Denied."""
        _count(names)
        found = await database_sync_to_async(self._find)(names)
        self.viewer.hosts = [container.host.name for container in found]
        self.viewer.watched = [(container.host.name, container.engine_id) for container in found]
        return found

    async def logs(self, names: list[str]) -> list[Log]:
        """The logs called HOST/CONTAINER or NODE/TASK, in this order. Raises Refusal, NotFound, Denied."""
        _count(names)
        return await database_sync_to_async(lambda: [get_log(self.user, name, self.rule) for name in names])()

    def _find(self, names: list[str]) -> list[Container]:
        found = []
        for name in names:
            host, _, ref = name.partition("/")
            found.append(get_container(self.user, host, ref, self.rule))
        return found

    def tell_targets(self, logs: list[Log], **more: Any) -> None:
        """Says what each target index means."""
        self.viewer.hosts = [log.host.name if log.host else log.place for log in logs]
        self.viewer.watched = [(log.host.name, log.engine_id) for log in logs if log.host]
        targets = [{"host": log.place, "id": log.engine_id, "name": log.name} for log in logs]
        self.viewer.tell({"t": "targets", "targets": targets, **more})

    def tell_disabled(self, place: int, reason: str = DISABLED) -> None:
        """Says that the host of a target is switched off here."""
        self.viewer.tell({"t": "state", "target": place, "state": "lost", "code": "disabled", "reason": reason})


def _owners(keys: list[tuple[str, str]]) -> dict[tuple[str, str], int | None]:
    """The key of the team of each container that is there, by the name of its host and its id."""
    hosts, ids = {host for host, _ in keys}, {engine_id for _, engine_id in keys}
    rows = Container.objects.filter(host__name__in=hosts, engine_id__in=ids)
    return {(host, engine_id): owner for host, engine_id, owner in rows.values_list("host__name", "engine_id", "owner")}


def _count(names: list[str]) -> None:
    if not names:
        raise Refusal(BAD_QUERY, "Name at least one target: ?target=HOST/CONTAINER.")
    if len(names) > TARGETS_AT_MOST:
        raise Refusal(TOO_MANY, f"At most {TARGETS_AT_MOST} targets in one socket.")


def target_of(container: Container) -> Target:
    """Where the engine layer finds a container."""
    host = container.host
    return Target(host.endpoint(), container.engine_id, host.api_version, host.name)


def why_off(log: Log) -> str:
    """Why nobody may be asked for a log."""
    return NO_MANAGER if log.is_task else DISABLED


def encode(message: dict[str, Any]) -> str:
    """A message as JSON text."""
    return orjson.dumps(message).decode()
