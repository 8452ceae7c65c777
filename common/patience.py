"""The head of a request: how long it may take, how large it may be, and how many may be on their way at once.

uvicorn waits for ever for one of any size: a stranger who opens connections and says nothing would take all of them, and one
who never ends a head all memory.
"""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 15.0
HEAD_AT_MOST = 128 * 1024  # bytes
WAITING_AT_MOST = 500  # connections whose head has not come; beyond them the oldest is closed
TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's, with these bounds."""

    waiting: ClassVar[dict["PatientProtocol", asyncio.TimerHandle]] = {}  # the oldest first
    head_size = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.transport.is_closing() or not self._begins:
            self._waits_no_more()
            return
        self.head_size += len(data)
        if self.head_size > HEAD_AT_MOST:
            self.transport.write(TOO_LARGE)
            self.transport.close()
        elif self not in self.waiting:  # a further request on a connection that was kept
            self._wait()

    def handle_websocket_upgrade(self) -> None:
        self._waits_no_more()
        super().handle_websocket_upgrade()

    def connection_lost(self, exc: Exception | None) -> None:
        self._waits_no_more()
        super().connection_lost(exc)

    @property
    def _begins(self) -> bool:
        """Whether the next thing to come is the rest of a head."""
        upgraded = self.transport.get_protocol() is not self
        return not upgraded and (self.cycle is None or self.cycle.response_complete)

    def _wait(self) -> None:
        self.waiting[self] = self.loop.call_later(HEAD_SECONDS, self._give_up)
        if len(self.waiting) > WAITING_AT_MOST:
            next(iter(self.waiting))._give_up()

    def _give_up(self) -> None:
        self._waits_no_more()
        self.transport.abort()

    def _waits_no_more(self) -> None:
        self.head_size = 0
        if timer := self.waiting.pop(self, None):
            timer.cancel()
