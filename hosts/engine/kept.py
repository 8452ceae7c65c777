"""A connection on which one question follows another: to connect costs both sides as much as a short answer does."""

import asyncio
import contextlib
import socket
from collections.abc import Mapping
from typing import Any

from common.connections import abort
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import translate
from hosts.engine.opening import ask_on, forget, open_socket
from hosts.engine.streams import ANSWER_AT_MOST, EngineStream, json_of
from hosts.engine.transport import request_bytes


class KeptConnection:
    """For one question at a time. Connects when the first one is asked, and again where the engine has hung up."""

    def __init__(self, endpoint: Endpoint, api_version: str) -> None:
        self.endpoint = endpoint
        self.api_version = api_version
        self._sock: socket.socket | None = None

    async def fetch(self, path: str, params: Mapping[str, str] | None = None, *, timeout: float = 10) -> Any:
        """The decoded JSON answer to a GET within `timeout` seconds in all. Raises EngineError."""
        payload = request_bytes("GET", f"/v{self.api_version}{path}", params=params, kept=True)
        try:
            async with asyncio.timeout(timeout):
                answer = await self._ask(payload, timeout)
        except OSError as error:
            raise translate(error, self.endpoint, seconds=timeout) from error
        return json_of(answer, path, self.endpoint)

    async def _ask(self, payload: bytes, seconds: float) -> bytes:
        if self._sock is not None:
            with contextlib.suppress(ConnectionError):  # it was closed for being idle: asked again on a new one
                return await self._ask_on(self._take(self._sock), payload)
        return await self._ask_on(await open_socket(self.endpoint, seconds), payload)

    def _take(self, sock: socket.socket) -> socket.socket:
        self._sock = None
        return sock

    async def _ask_on(self, sock: socket.socket, payload: bytes) -> bytes:
        """Keeps the socket when the answer has come whole, and the engine does not say that it is the last."""
        sock, answer = await ask_on(sock, self.endpoint, payload)
        stream = EngineStream(self.endpoint, sock, answer)
        try:
            body = await stream.read_all(ANSWER_AT_MOST)
        except BaseException:
            stream.close()
            raise
        if stream.body.whole and stream.headers.get("connection", "").lower() != "close":
            self._sock = sock
        else:
            stream.close()
        return body

    def close(self) -> None:
        """Ends the connection at once."""
        if self._sock is not None:
            sock = self._take(self._sock)
            forget(sock)
            abort(sock)
