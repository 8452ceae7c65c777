"""Sockets of a signed-in person, without a browser: the consumers as the product routes them, on a real engine."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from typing import Any
from urllib.parse import urlencode

from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from channels.routing import URLRouter

from accounts.models import User
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host
from hosts.sockets import socket_urls
from tests.engines.ways import AnyEngine, way_to

SECONDS = 20.0


class Socket:
    """What came so far: `messages` (JSON) and `output` (binary); `code` once it is closed."""

    def __init__(self, communicator: ApplicationCommunicator, scope: dict[str, Any] | None = None) -> None:
        self._communicator = communicator
        self.scope = scope or {}
        self.messages: list[dict[str, Any]] = []
        self.output = b""
        self.code: int | None = None

    async def next(self, seconds: float = SECONDS) -> None:
        """Takes one message."""
        message = await self._communicator.receive_output(timeout=seconds)
        if message["type"] == "websocket.close":
            self.code = message.get("code", 1000)
        elif message.get("text") is not None:
            self.messages.append(json.loads(message["text"]))
        elif message.get("bytes") is not None:
            self.output += message["bytes"]

    async def speaks(self, seconds: float = 0.5) -> bool:
        """Whether a message comes in that time."""
        return not await self._communicator.receive_nothing(timeout=seconds)

    async def until(self, condition: Callable[[], Any], seconds: float = SECONDS) -> Any:
        """Takes messages until `condition()` is true."""
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                assert self.code is None, f"closed with {self.code}: {self.messages[-3:]}"
                await self.next(seconds)
        return found

    async def closed(self) -> int:
        """Takes messages until the socket is closed; its code."""
        async with asyncio.timeout(SECONDS):
            while self.code is None:
                await self.next()
        return self.code

    async def send(self, data: bytes | dict[str, Any]) -> None:
        """Sends binary, or JSON text."""
        if isinstance(data, bytes):
            await self._communicator.send_input({"type": "websocket.receive", "bytes": data})
        else:
            await self._communicator.send_input({"type": "websocket.receive", "text": json.dumps(data)})

    @property
    def lines(self) -> list[list[Any]]:
        """All [target, stream, timestamp, text] so far."""
        return [line for message in self.messages if message["t"] == "lines" for line in message["lines"]]

    @property
    def texts(self) -> list[str]:
        """The texts of all lines so far."""
        return [line[3] for line in self.lines]

    def state(self, name: str) -> dict[str, Any] | None:
        """The last message that says the state `name`."""
        found = [m for m in self.messages if m["t"] == "state" and m["state"] == name]
        return found[-1] if found else None

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        """The messages of a kind."""
        return [message for message in self.messages if message["t"] == kind]


@asynccontextmanager
async def open_socket(user: User | None, path: str, /, **query: Any) -> AsyncIterator[Socket]:
    """A socket at `path` as `user`; lists in `query` repeat."""
    async with open_scope(
        {"user": user, "path": path, "query_string": urlencode(query, doseq=True).encode()}
    ) as socket:
        yield socket


@asynccontextmanager
async def open_scope(scope: dict[str, Any], urls: list[Any] = socket_urls) -> AsyncIterator[Socket]:
    """A socket of these routes with what middleware adds in its `scope`."""
    application: Any = URLRouter(urls)
    # channels.testing needs daphne; what it adds to asgiref's communicator is not used here
    communicator = ApplicationCommunicator(
        application, {"type": "websocket", "headers": [], "query_string": b"", **scope}
    )
    await communicator.send_input({"type": "websocket.connect"})
    assert (await communicator.receive_output(timeout=SECONDS))["type"] == "websocket.accept"
    try:
        yield Socket(communicator, scope)
    finally:
        await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        await communicator.wait(timeout=SECONDS)


@database_sync_to_async
def mirror(engine: AnyEngine, name: str = "harbour") -> Host:
    """The engine as a host with its containers in the tables, as the watcher would have it."""
    with closing(engine.api()) as client:
        entries = client.api.containers(all=True)
        version = client.version()["ApiVersion"]
    host, _ = Host.objects.update_or_create(
        name=name, defaults={"state": "online", "api_version": version, **way_to(engine)}
    )
    apply.apply_rows(host, "container", [row for entry in entries if (row := parse.container_row(entry))])
    return host


@database_sync_to_async
def a_person(role: str = "deployer") -> User:
    """A signed-in account."""
    return User.objects.create_user(f"a-{role}", password="quay-side-4711", role=role)
