"""A request that takes an engine long, made by a thread; another thread may end it at any moment."""

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import chain
from typing import Any

from common.connections import Deadline, abort, hang_up
from hosts.engine.body import Body
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ConnectionLost, EngineError, NotAnEngine, TimedOut, translate
from hosts.engine.transport import chunk, connect, request, request_bytes

CONNECT_SECONDS = 10.0
BLOCK = 64 * 1024
LINE_AT_MOST = 1024 * 1024
ANSWER_AT_MOST = 16 * 1024 * 1024  # bytes of a JSON answer
_ends: ContextVar[Callable[[Callable[[], None]], None] | None] = ContextVar("ends", default=None)


@contextmanager
def ended_by(tell: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Calls made in this block, however deep, are ended by whoever `tell` tells how: for work that knows of no job."""
    token = _ends.set(tell)
    try:
        yield
    finally:
        _ends.reset(token)


class Call:
    """One request on a connection of its own, for one thread. An engine stops the work when the connection closes.

    `end` may be called from any thread, also before or while it connects: whoever waits then gets ConnectionLost.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.headers: dict[str, str] = {}
        self.ended = False
        self._lock = threading.Lock()
        self._arrived = threading.Event()
        self._sock: socket.socket | None = None
        self._error: EngineError | None = None
        self._rest = b""
        self._body = Body({})
        if tell := _ends.get():
            tell(self.end)

    @property
    def is_connected(self) -> bool:
        """Whether the engine was reached: what times out then is its answer."""
        return self._sock is not None

    def end(self) -> None:
        """Ends it at once."""
        with self._lock:
            self.ended = True
            if self._sock is not None:
                hang_up(self._sock)
        self._arrived.set()

    def open(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        version: str,
        body: Any = None,
        blocks: Iterable[bytes] | None = None,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float,
    ) -> None:
        """Sends the request and waits up to `seconds` for the head of its answer. Raises EngineError.

        A tar is sent as its `blocks` come, in chunks where its `length` in bytes is not known; `seconds` may pass between
        two that the engine takes. What the iterator raises is raised, and the engine sees the connection end.
        """
        # an engine that does not answer must not hold who asked to stop: connecting cannot be interrupted
        threading.Thread(target=self._connect, name="call", daemon=True).start()
        if not self._arrived.wait(CONNECT_SECONDS + 1):
            self.end()
            raise TimedOut("no connection", where=self.endpoint.address, seconds=CONNECT_SECONDS)
        self._check()
        assert self._sock is not None
        payload = request_bytes(
            method,
            f"/v{version}{path}",
            params=params,
            body=body,
            chunked=True,
            length=length,
            streams=blocks is not None and length is None,
            headers=headers,
        )
        if blocks is not None:
            self._send(payload, _chunks(blocks) if length is None else blocks, seconds)
            payload = b""
        answer = request(self._sock, self.endpoint, payload, Deadline(seconds))
        self.headers, self._body, self._rest = answer.headers, Body(answer.headers), answer.rest

    def _send(self, payload: bytes, blocks: Iterable[bytes], seconds: float) -> None:
        assert self._sock is not None
        for block in chain([payload], blocks):  # what the iterator itself raises is no word of the engine's
            try:
                self._sock.settimeout(seconds)
                self._sock.sendall(block)
            except TimeoutError as error:
                raise TimedOut(error, where=self.endpoint.address, seconds=seconds) from error
            except OSError:
                self._check()  # else it takes no more, and has said why: its answer is there to be read
                return

    def _connect(self) -> None:
        try:
            sock = connect(self.endpoint, Deadline(CONNECT_SECONDS))
        except EngineError as error:
            self._error = error
        else:
            with self._lock:
                if self.ended:
                    abort(sock)
                else:
                    self._sock = sock
        self._arrived.set()

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self.ended:
            raise ConnectionLost("ended here", where=self.endpoint.address)

    def read(self, seconds: float) -> bytes:
        """The next bytes of the answer, b"" at its end. Raises EngineError, also when it was cut."""
        assert self._sock is not None
        try:
            self._sock.settimeout(seconds)
            while not self._body.whole:
                block, self._rest = self._rest or self._sock.recv(BLOCK), b""
                found = self._body.feed(block)
                if self._body.cut:
                    raise ConnectionResetError("cut in the middle of an answer")
                if found or not block:
                    return found
        except ValueError as error:
            raise NotAnEngine("a broken chunk", where=self.endpoint.address) from error
        except OSError as error:
            self._check()
            raise translate(error, self.endpoint, seconds=seconds) from error
        return b""

    def read_json(self, seconds: float, at_most: int = ANSWER_AT_MOST) -> Any:
        """The whole answer decoded, None when it is empty; `seconds` may pass between two blocks. Raises EngineError."""
        body = bytearray()
        while block := self.read(seconds):
            body += block
            if len(body) > at_most:
                raise NotAnEngine(f"an answer of more than {at_most} bytes", where=self.endpoint.address)
        try:
            return json.loads(body) if body.strip() else None
        except ValueError as error:
            raise NotAnEngine("an answer that is no JSON", where=self.endpoint.address) from error

    def read_events(self, seconds: float) -> Iterator[dict[str, Any]]:
        """The objects of an answer that has one a line; `seconds` may pass between two blocks. Raises EngineError."""
        rest = b""
        while block := self.read(seconds):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > LINE_AT_MOST:
                raise NotAnEngine(f"a line of more than {LINE_AT_MOST} bytes", where=self.endpoint.address)
            yield from filter(None, map(_event, lines))
        yield from filter(None, [_event(rest)])

    def close(self) -> None:
        """Ends it and gives the socket back; by the thread that reads."""
        self.end()
        if self._sock is not None:
            abort(self._sock)

    def __enter__(self) -> "Call":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _chunks(blocks: Iterable[bytes]) -> Iterator[bytes]:
    for block in blocks:
        if block:
            yield chunk(block)
    yield chunk(b"")


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
