"""Requests with bodies: a stranger's are short, and uploads go to the disk of the data folder as they come."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import RequestAborted
from django.core.handlers.asgi import ASGIHandler

STRANGERS_BYTES = 1024 * 1024  # more than any form but those that take files
STRANGERS_SECONDS = 30.0  # for a whole body
LINGER_SECONDS, LINGER_BYTES = 1.0, 8 * 1024 * 1024
Scope = dict[str, Any]


class BodyOnDisk(ASGIHandler):
    """Django's handler reads a whole body before it asks who sends it, keeps a large one in the system's temporary
    folder, which may be memory, and writes it there while every other request waits.

    `may_send` says of a request's scope whether its sender may send more than STRANGERS_BYTES, or longer than `seconds`.
    """

    def __init__(self, may_send: Callable[[Scope], Awaitable[bool]], seconds: float = STRANGERS_SECONDS) -> None:
        super().__init__()
        self.may_send = may_send
        self.seconds = seconds

    async def handle(self, scope: Scope, receive: Any, send: Any) -> None:
        """Answers 413 or 408, and hangs up, where a stranger sends too much or too slowly."""
        door = Door(scope, receive, self.may_send, self.seconds)
        try:
            await door.look_at_length()
            await super().handle(scope, door.receive, send)
        except Refused as refused:
            await _hang_up(refused, receive, send)

    async def read_body(self, receive: Any) -> Any:
        """The body as a file at its beginning. Raises RequestAborted, Refused."""
        most = settings.FILE_UPLOAD_MAX_MEMORY_SIZE
        file: Any = tempfile.SpooledTemporaryFile(max_size=most, dir=str(settings.UPLOADS))  # noqa: SIM115  the caller closes it
        size, more = 0, True
        try:
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise RequestAborted
                block, more = message.get("body", b""), message.get("more_body", False)
                size += len(block)
                if size > most:
                    await sync_to_async(file.write, thread_sensitive=False)(block)
                else:
                    file.write(block)
        except BaseException:
            file.close()
            raise
        file.seek(0)
        return file


class Refused(Exception):
    """A body that is not read to its end; the answer's status and its words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.status = status


TOO_MUCH = (
    413,
    f"Only who is logged in and may send files sends more than {STRANGERS_BYTES // 1024} KiB. Log in, and send it again.",
)
TOO_SLOW = (408, "The request took too long to arrive.")


class Door:
    """What a request's messages come through: asks who sends them only when they are large or slow."""

    def __init__(
        self, scope: Scope, receive: Any, may_send: Callable[[Scope], Awaitable[bool]], seconds: float
    ) -> None:
        self._scope, self._receive, self._may_send = scope, receive, may_send
        self._until = asyncio.get_running_loop().time() + seconds
        self._size = 0
        self._open = False  # to the sender, or for good since the body is over

    async def look_at_length(self) -> None:
        """Raises Refused where the length that was announced is a stranger's."""
        announced = dict(self._scope["headers"]).get(b"content-length", b"")
        if announced.isdigit() and int(announced) > STRANGERS_BYTES:
            await self._ask(TOO_MUCH)

    async def receive(self) -> Any:
        """The next message. Raises Refused."""
        if self._open:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            await self._ask(TOO_SLOW)
            return await self._receive()
        self._size += len(message.get("body", b""))
        if self._size > STRANGERS_BYTES:
            await self._ask(TOO_MUCH)
        self._open = self._open or not message.get("more_body", False)
        return message

    async def _ask(self, refusal: tuple[int, str]) -> None:
        if not await self._may_send(self._scope):
            raise Refused(*refusal)
        self._open = True


async def _hang_up(refused: Refused, receive: Any, send: Any) -> None:
    """The answer, and a moment for it to arrive: who is cut off while he sends may never read it."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": str(refused).encode(), "more_body": True})
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            left = LINGER_BYTES
            while left > 0 and (message := await receive())["type"] == "http.request" and message.get("more_body"):
                left -= len(message.get("body", b""))  # thrown away
    await send({"type": "http.response.body"})
