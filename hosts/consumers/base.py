"""What the sockets of containers share: targets from the query, the rights asked again now and then, limits."""

import asyncio
import contextlib
from collections.abc import Coroutine
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs

import orjson
import structlog
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth import SESSION_KEY

from accounts.models import ApiToken
from accounts.sockets import NOT_ALLOWED, NOT_LOGGED_IN, TOO_MANY, TOO_SLOW, UNKNOWN, GuardedConsumer
from common.errors import Denied, NotFound
from hosts.access import get_container
from hosts.consumers.viewers import Viewer
from hosts.engine.logs import Target
from hosts.log_choice import TARGETS_AT_MOST
from hosts.models import Container

CHECK_EVERY = 30.0  # seconds between two looks at whether the user may still be here
STUCK_AT_MOST = 90.0  # seconds that a browser may leave a message unread
BAD_QUERY = 4400

log = structlog.get_logger("dermaga.streams")


class Refusal(Exception):
    """The socket is closed with `code`; `reason` is for people (123 bytes at most by the protocol)."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason[:120]


class ContainerConsumer(GuardedConsumer):
    """A socket about containers: `start` is called with the query; tasks made with `spawn` end with the socket."""

    check_every = CHECK_EVERY
    viewer: Viewer

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def start(self, query: dict[str, list[str]]) -> None:
        """Begins the work. May raise Refusal, NotFound, Denied."""
        raise NotImplementedError

    async def opened(self) -> None:
        query = parse_qs(self.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        self.viewer = Viewer(lambda text: self.send(text_data=text))
        self.spawn(self.viewer.run())
        self.spawn(self._watch_over())
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

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Runs `work` for as long as the socket is open; an error in it closes the socket."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("stream failed", socket=type(self).__name__, exc_info=error)
            # the loop keeps only weak references to tasks
            closing = asyncio.ensure_future(self.leave(1011))
            self._tasks.add(closing)
            closing.add_done_callback(self._tasks.discard)

    async def leave(self, code: int = 1000, reason: str = "") -> None:
        """Closes the socket; the other side may be gone already."""
        with contextlib.suppress(Exception):
            await self.close(code, reason or None)

    async def disconnect(self, code: int) -> None:
        for task in tuple(self._tasks):
            task.cancel()

    # ---------------------------------------------------------------- who
    async def _watch_over(self) -> None:
        while True:
            await asyncio.sleep(self.check_every)
            if not await self.still_logged_in():
                return await self.leave(NOT_LOGGED_IN)
            if not await self.still_allowed():
                return await self.leave(NOT_ALLOWED)
            if self.viewer.stuck_for > STUCK_AT_MOST:
                return await self.leave(TOO_SLOW)

    async def still_logged_in(self) -> bool:
        """Whether the session or token that opened the socket is still good."""
        if "token_user" in self.scope:
            header = dict(self.scope.get("headers", [])).get(b"authorization", b"").decode("latin-1")
            return await database_sync_to_async(ApiToken.user_of)(header[7:].strip()) is not None
        session = self.scope.get("session")
        if session is None:  # not through our middleware: a test
            return True
        return await database_sync_to_async(self._session_alive)(session.session_key)

    def _session_alive(self, key: str) -> bool:
        store = import_module(settings.SESSION_ENGINE).SessionStore(key)
        return str(store.get(SESSION_KEY)) == str(self.user.pk)

    # ---------------------------------------------------------------- what
    async def containers(self, names: list[str]) -> list[Container]:
        """The containers called HOST/CONTAINER, in this order. Raises Refusal, NotFound, Denied."""
        if not names:
            raise Refusal(BAD_QUERY, "Name at least one target: ?target=HOST/CONTAINER.")
        if len(names) > TARGETS_AT_MOST:
            raise Refusal(TOO_MANY, f"At most {TARGETS_AT_MOST} targets in one socket.")
        return await database_sync_to_async(self._find)(names)

    def _find(self, names: list[str]) -> list[Container]:
        found = []
        for name in names:
            host, _, ref = name.partition("/")
            found.append(get_container(self.user, host, ref, self.rule))
        return found

    def tell_targets(self, containers: list[Container], **more: Any) -> None:
        """Says which container each target index means."""
        targets = [{"host": c.host.name, "id": c.engine_id, "name": c.name} for c in containers]
        self.viewer.tell({"t": "targets", "targets": targets, **more})

    def tell_disabled(self, place: int) -> None:
        """Says that the host of a target is switched off here."""
        reason = "The host of this container is disabled. Enable it to see its containers."
        self.viewer.tell({"t": "state", "target": place, "state": "lost", "code": "disabled", "reason": reason})


def target_of(container: Container) -> Target:
    """Where the engine layer finds a container."""
    return Target(container.host.endpoint(), container.engine_id, container.host.api_version)


def encode(message: dict[str, Any]) -> str:
    """A message as JSON text."""
    return orjson.dumps(message).decode()
