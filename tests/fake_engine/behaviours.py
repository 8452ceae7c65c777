"""How a fake engine misbehaves. Each wraps the normal answer of a path; see `FakeEngine.misbehave`."""

import asyncio
import itertools
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.fake_engine.wire import Connection, Request

Answer = Callable[[Connection], Awaitable[None]]


class Behaviour:
    """Called instead of the normal answer, which it may use: `await normal(connection)`.

    `at_once` ones act as soon as a client connects, before it has said anything.
    """

    at_once = False

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        raise NotImplementedError


@dataclass
class Hang(Behaviour):
    """Accepts and never answers."""

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        await connection.closed_by_client()


class Held(Hang):
    """Never answers, and knows when it was asked and when the client has left."""

    def __init__(self) -> None:
        self.asked, self.left = threading.Event(), threading.Event()

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        self.asked.set()
        await connection.closed_by_client()
        self.left.set()


@dataclass
class Drip(Behaviour):
    """Answers as it should, so many bytes a second, after `first` bytes at full speed."""

    bytes_per_second: float = 1
    first: int = 0

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        full_speed = connection.write
        sent = itertools.count()

        async def write(data: bytes) -> None:
            for byte in data:
                if next(sent) >= self.first:
                    await asyncio.sleep(1 / self.bytes_per_second)
                await full_speed(bytes([byte]))

        connection.write = write  # type: ignore[method-assign]
        await normal(connection)


@dataclass
class Fail(Behaviour):
    """Answers with an error, as an engine words it: {"message": ...}."""

    status: int = 500
    message: str = "the fake engine fails on purpose"

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        await connection.answer(self.status, {"message": self.message})


@dataclass
class Cut(Behaviour):
    """Ends the connection after `after` bytes of the answer, its head included; by a reset, or `politely` by a close."""

    after: int = 0
    politely: bool = False

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        whole, left = connection.write, self.after

        async def write(data: bytes) -> None:
            nonlocal left
            await whole(data[:left])
            left -= len(data)
            if left < 0:
                raise ConnectionAbortedError("cut on purpose")

        connection.write = write  # type: ignore[method-assign]
        try:
            if self.after:
                await normal(connection)
        except ConnectionAbortedError:
            pass
        if self.politely:
            connection.writer.close()
        else:
            connection.reset()


@dataclass
class Lose(Behaviour):
    """Leaves a gap in a stream: its next `count` pieces (events, log lines) are never sent, and nothing says so."""

    count: int = 1

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        whole = connection.send

        async def send(data: bytes) -> None:
            if self.count > 0:
                self.count -= 1
            else:
                await whole(data)

        connection.send = send  # type: ignore[method-assign]
        await normal(connection)


@dataclass
class Repeat(Behaviour):
    """Sends the last `count` pieces of a followed stream again after each `every` new ones, as Docker 20.10 does when it
    opens a rotated log for the second time."""

    count: int = 1
    every: int = 10
    repeated: int = 0  # times so far
    _seen: set[bytes] = field(default_factory=set)

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        whole, sent = connection.send, list[bytes]()

        async def send(data: bytes) -> None:
            await whole(data)
            sent.append(data)
            if data and data not in self._seen:
                self._seen.add(data)
                if len(self._seen) % self.every == 0:
                    self.repeated += 1
                    for piece in sent[-self.count :]:
                        await whole(piece)

        if request is not None and request.flag("follow"):
            connection.send = send  # type: ignore[method-assign]
        await normal(connection)


@dataclass
class Raw(Behaviour):
    """Answers with these bytes and closes."""

    data: bytes = b""

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        await connection.write(self.data)
        connection.writer.close()


@dataclass
class NotHTTP(Raw):
    """Says something that is not HTTP as soon as a client connects, as SSH, SMTP and databases do."""

    data: bytes = b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n"
    at_once = True
