"""Answers of an engine that go on: read without blocking the event loop, cancellable, with deadlines."""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from typing import Any

import orjson

from common.connections import abort
from hosts.engine.answers import from_answer
from hosts.engine.body import Body
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ConnectionLost, NotAnEngine, translate
from hosts.engine.opening import BLOCK, WAITS, ask, forget, ready, send
from hosts.engine.transport import Answer, Head, message_of, request_bytes

ANSWER_AT_MOST = 16 * 1024 * 1024  # bytes of one JSON answer
NEWEST_API, OLDEST_API = (1, 55), (1, 40)


class EngineStream:
    """The body of one answer. `read` waits; `read_available` never does."""

    def __init__(self, endpoint: Endpoint, sock: socket.socket, answer: Answer | Head) -> None:
        """With a `Head` the answer is still to come: what is wrong with it is raised when it is read."""
        self.endpoint = endpoint
        self.headers: dict[str, str] = {}
        self.sock = sock
        self.body = Body({})
        self.closed = False
        self._head = answer if isinstance(answer, Head) else None
        self._rest = b""
        if isinstance(answer, Answer):
            self._begin(answer)
        sock.setblocking(False)

    def _begin(self, answer: Answer) -> None:
        self.headers, self.body, self._rest = answer.headers, Body(answer.headers), answer.rest

    def read_available(self, most: int = BLOCK) -> bytes | None:
        """What is there now: bytes, b"" at the end, None when there is nothing yet. Raises EngineError."""
        while not self.closed and not self.body.whole:
            block = self._receive(most)
            if block is None:
                return None
            if self._head is not None:
                self._take_head(self._head, block)
                continue
            try:
                found = self.body.feed(block)
            except ValueError as error:
                raise NotAnEngine("a broken chunk", where=self.endpoint.address) from error
            if found or not block:
                return found
            # only a chunk's frame: TLS may hold more already, and then the socket does not get ready
        return b""

    def _take_head(self, head: Head, block: bytes) -> None:
        try:
            answer = head.feed(block)
        except OSError as error:
            raise translate(error, self.endpoint) from error
        if answer is None:
            return
        if answer.status >= 300:
            raise from_answer(answer.status, message_of(answer.rest), self.endpoint.address)
        self._head = None
        self._begin(answer)

    def _receive(self, most: int) -> bytes | None:
        if self._rest:
            block, self._rest = self._rest, b""
            return block
        try:
            return self.sock.recv(most)
        except WAITS:
            return None
        except OSError as error:
            raise translate(error, self.endpoint) from error

    async def read(self, most: int = BLOCK, *, timeout: float | None = None) -> bytes:
        """The next bytes, b"" at the end. Raises TimedOut when `timeout` seconds pass without any."""
        try:
            async with asyncio.timeout(timeout):
                while True:
                    block = self.read_available(most)
                    if block is not None:
                        return block
                    await self._readable()
        except TimeoutError as error:
            raise translate(error, self.endpoint, seconds=timeout or 0) from error

    def drain(self, at_most: int = 8 * BLOCK) -> tuple[bytes, bool]:
        """All that is there now, about `at_most` bytes of it, and whether that is the end. Raises EngineError."""
        blocks: list[bytes] = []
        size, plain = 0, not isinstance(self.sock, ssl.SSLSocket)
        while size < at_most:
            block = self.read_available()
            if not block:
                return b"".join(blocks), block is not None
            blocks.append(block)
            size += len(block)
            if plain and len(block) < BLOCK:
                break  # a socket that gives less than it was asked for is empty; TLS gives a record at a time
        return blocks[0] if len(blocks) == 1 else b"".join(blocks), False

    def put_back(self, data: bytes) -> None:
        """Undoes the reading of the whole body, `data`: it is read once more."""
        self._rest, self.body = data, Body({"content-length": str(len(data))})

    async def read_all(self, at_most: int = ANSWER_AT_MOST, *, timeout: float | None = None) -> bytes:
        """The whole rest of the body; `timeout` seconds may pass between two blocks. Raises EngineError, also when it
        was cut or is longer than `at_most` bytes."""
        body = bytearray()
        while block := await self.read(timeout=timeout):
            body += block
            if len(body) > at_most:
                raise NotAnEngine(f"an answer of more than {at_most} bytes", where=self.endpoint.address)
        if self.body.cut:
            raise ConnectionLost(f"cut after {len(body)} bytes", where=self.endpoint.address)
        return bytes(body)

    async def write(self, data: bytes) -> None:
        """Sends all of `data`, waiting while the engine does not read."""
        try:
            await send(self.sock, data)
        except OSError as error:
            raise translate(error, self.endpoint) from error

    async def _readable(self) -> None:
        try:
            await ready(self.sock, write=False)
        except OSError as error:
            raise translate(error, self.endpoint) from error

    def end_input(self) -> None:
        """Says that nothing more will be written (only plain sockets can)."""
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Ends the stream at once."""
        if not self.closed:
            self.closed = True
            forget(self.sock)
            abort(self.sock)


async def open_stream(
    endpoint: Endpoint,
    path: str,
    params: Mapping[str, str] | None = None,
    *,
    api_version: str,
    method: str = "GET",
    body: Any = None,
    upgrade: bool = False,
    chunked: bool = False,
    head_timeout: float = 10,
    patience: float | None = None,
) -> EngineStream:
    """Sends a request and returns its answer's body once the head said that all is well. Raises EngineError.

    `api_version` "" asks without one, as only /_ping may. An engine that says nothing for `patience` seconds is taken
    at its silence: Podman sends the head of a followed log with its first line. `chunked` tells a cut from an end
    (`body.cut`).
    """
    prefix = f"/v{api_version}" if api_version else ""
    payload = request_bytes(method, f"{prefix}{path}", params=params, body=body, upgrade=upgrade, chunked=chunked)
    try:
        async with asyncio.timeout(head_timeout):
            return EngineStream(endpoint, *await ask(endpoint, payload, head_timeout, patience))
    except OSError as error:
        raise translate(error, endpoint, seconds=head_timeout) from error


async def fetch(
    endpoint: Endpoint,
    path: str,
    params: Mapping[str, str] | None = None,
    *,
    api_version: str,
    method: str = "GET",
    body: Any = None,
    timeout: float = 10,
    at_most: int = ANSWER_AT_MOST,
    headers: dict[str, str] | None = None,
) -> Any:
    """One question and its decoded JSON answer, of `at_most` bytes, within `timeout` seconds in all; None when a request
    that changes something is answered with nothing. The answer's head is added to `headers`. Raises EngineError."""
    try:
        async with asyncio.timeout(timeout):
            stream = await open_stream(
                endpoint, path, params, api_version=api_version, method=method, body=body, head_timeout=timeout
            )
            try:
                answer = await stream.read_all(at_most)
                if headers is not None:
                    headers |= stream.headers
            finally:
                stream.close()
    except TimeoutError as error:
        raise translate(error, endpoint, seconds=timeout) from error
    # a list whose answer was cut before its first byte is no empty list
    return json_of(answer, path, endpoint) if answer.strip() or method == "GET" else None


def json_of(answer: bytes, path: str, endpoint: Endpoint) -> Any:
    """A decoded answer to `path`. Raises NotAnEngine."""
    try:
        return orjson.loads(answer)
    except orjson.JSONDecodeError as error:
        raise NotAnEngine(f"{path} did not answer JSON", where=endpoint.address) from error


async def ping(endpoint: Endpoint, timeout: float = 5) -> str:
    """The API version to speak with the engine, as it answers now; raises EngineError when it does not."""
    stream = await open_stream(endpoint, "/_ping", api_version="", head_timeout=timeout)
    stream.close()
    try:
        major, minor = (int(part) for part in stream.headers.get("api-version", "1.40").split("."))
    except ValueError as error:
        raise NotAnEngine("no API version", where=endpoint.address) from error
    spoken = max(OLDEST_API, min(NEWEST_API, (major, minor)))
    return f"{spoken[0]}.{spoken[1]}"
