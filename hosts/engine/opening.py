"""Connected sockets to engines and requests on them, without a thread: a hundred sick hosts hold no worker that a
healthy one waits for. The blocking twin, for the docker SDK and for jobs, is transport.py."""

import asyncio
import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from common.connections import ADDRESSES_AT_MOST, abort, keep_alive
from hosts.engine.answers import from_answer
from hosts.engine.body import Body
from hosts.engine.endpoint import Endpoint, TLSMaterial
from hosts.engine.tls import shared_context
from hosts.engine.transport import ERROR_BODY_AT_MOST, Answer, Head, message_of

BLOCK = 64 * 1024
FULL_QUEUE_SECONDS = 0.01
WAITS = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
# the system's resolver knows no deadline: a name server that is away holds only those who ask for names
_resolving = ThreadPoolExecutor(64, thread_name_prefix="resolve")


# ---------------------------------------------------------------- bytes
async def ready(sock: socket.socket, *, write: bool) -> None:
    """Until the socket can be read, or written. Raises ConnectionResetError when it is closed here."""
    loop = asyncio.get_running_loop()
    future = loop.create_future()
    number = sock.fileno()
    if number < 0:
        raise ConnectionResetError("closed")
    add, remove = (loop.add_writer, loop.remove_writer) if write else (loop.add_reader, loop.remove_reader)
    add(number, _ready_now, future)
    try:
        await future
    finally:
        if sock.fileno() == number:  # else it was closed meanwhile, and the number may be another socket's
            remove(number)


def forget(sock: socket.socket) -> None:
    """Lets the running loop wait for the socket no more: before it is closed, since the next one may get its number."""
    with contextlib.suppress(RuntimeError):  # no loop runs here
        loop = asyncio.get_running_loop()
        loop.remove_reader(sock.fileno())
        loop.remove_writer(sock.fileno())


def _ready_now(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)


async def send(sock: socket.socket, data: bytes) -> None:
    """Sends all of `data`, waiting while the other side does not read. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[sock.send(view[:BLOCK]) :]
        except WAITS as error:
            await ready(sock, write=not isinstance(error, ssl.SSLWantReadError))


async def receive(sock: socket.socket, most: int = BLOCK) -> bytes:
    """The next bytes, b"" at the end. Raises OSError."""
    while True:
        try:
            return sock.recv(most)
        except WAITS as error:
            await ready(sock, write=isinstance(error, ssl.SSLWantWriteError))


# ---------------------------------------------------------------- sockets
async def open_socket(endpoint: Endpoint, seconds: float) -> socket.socket:
    """A connected, non-blocking socket, with TLS where the endpoint has it. Raises OSError and EngineError.

    The caller bounds the time; `seconds` is what several addresses of one name share.
    """
    parsed = endpoint.parsed
    if endpoint.kind == "unix":
        return await _connect_unix(parsed.path)
    if endpoint.kind == "ssh":
        from hosts.engine.tunnel import join_tunnel

        return await _connect_unix(await join_tunnel(endpoint, seconds))
    sock = await _connect_tcp(parsed.host, parsed.port, time.monotonic() + seconds)
    if endpoint.kind != "tls":
        return sock
    try:
        return await _wrap(sock, shared_context(endpoint.tls or TLSMaterial()), parsed.host)
    except BaseException:
        sock.close()
        raise


async def _connect_unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        while True:
            try:
                sock.connect(path)
                return sock
            except BlockingIOError:
                # the listener's queue is full; unlike TCP nothing goes on by itself, and it cannot be waited for
                await asyncio.sleep(FULL_QUEUE_SECONDS)
    except BaseException:
        sock.close()
        raise


async def _connect(family: int, address: Any) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, address)
    except BaseException:
        sock.close()
        raise
    return sock


async def _connect_tcp(host: str, port: int, end: float) -> socket.socket:
    found = await _resolve(host, port)
    last: OSError | None = None
    for number, (family, address) in enumerate(found):
        try:
            # several addresses share what is left, so that one that drops packets does not use it up
            async with asyncio.timeout((end - time.monotonic()) / (len(found) - number)):
                sock = await _connect(family, address)
                keep_alive(sock)
                return sock
        except OSError as error:
            last = error
    raise last or OSError("the name has no address")


async def _resolve(host: str, port: int) -> Sequence[tuple[int, Any]]:
    """(family, address) pairs."""
    with contextlib.suppress(ValueError):  # a name, or an address of version 6, which may name an interface
        return [(socket.AF_INET, (str(ipaddress.IPv4Address(host)), port))]
    answers = await asyncio.get_running_loop().run_in_executor(
        _resolving, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    )
    return [(family, address) for family, _, _, _, address in answers][:ADDRESSES_AT_MOST]


async def _wrap(sock: socket.socket, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    wrapped = context.wrap_socket(sock, server_hostname=name, do_handshake_on_connect=False)
    try:
        while True:
            try:
                wrapped.do_handshake()
                return wrapped
            except (ssl.SSLWantReadError, ssl.SSLWantWriteError) as error:
                await ready(wrapped, write=isinstance(error, ssl.SSLWantWriteError))
    except BaseException:
        wrapped.close()
        raise


# ---------------------------------------------------------------- requests
async def ask(
    endpoint: Endpoint, payload: bytes, seconds: float, patience: float | None = None
) -> tuple[socket.socket, Answer | Head]:
    """Connects, sends a request (`transport.request_bytes`) and reads the head of its answer; gives the reader of the
    head instead when `patience` is given and it does not come within so many seconds.

    Raises OSError, and EngineError for any status but 1xx and 2xx. The caller bounds the time.
    """
    return await ask_on(await open_socket(endpoint, seconds), endpoint, payload, patience)


async def ask_on(
    sock: socket.socket, endpoint: Endpoint, payload: bytes, patience: float | None = None
) -> tuple[socket.socket, Answer | Head]:
    """The same on a socket that is connected; it is closed when anything is raised."""
    try:
        head = Head(endpoint)
        await send(sock, payload)
        answer = await _answer(sock, head, patience)
        if answer is None:
            return sock, head
        if answer.status >= 300:
            raise from_answer(answer.status, message_of(await _error(sock, answer)), endpoint.address)
    except BaseException:
        abort(sock)
        raise
    return sock, answer


async def _answer(sock: socket.socket, head: Head, patience: float | None) -> Answer | None:
    limit = asyncio.timeout(patience)
    try:
        async with limit:
            while True:
                answer = head.feed(await receive(sock, 8192))
                if answer is not None:
                    return answer
    except TimeoutError:
        if limit.expired():
            return None
        raise  # the kernel's own


async def _error(sock: socket.socket, answer: Answer) -> bytes:
    body = Body(answer.headers)
    try:
        found = body.feed(answer.rest) if answer.rest else b""
        while not body.whole and len(found) < ERROR_BODY_AT_MOST:
            block = await receive(sock, 8192)
            if not block:
                break
            found += body.feed(block)
    except ValueError:  # broken chunks: the status has said enough
        return b""
    return found
