"""Connections that end by a deadline, whatever the other side does.

Blocking: callers run it in a thread. An idle timeout would be defeated by a server that drips bytes, so every wait
is given what is left of the deadline, and whoever leaves the waiting to a library has its connections cut.
"""

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

ADDRESSES_AT_MOST = 8  # of one name


@dataclass
class Deadline:
    """A moment until which something must be done."""

    seconds: float
    _end: float = field(init=False)

    def __post_init__(self) -> None:
        self._end = time.monotonic() + self.seconds

    def left(self) -> float:
        """Seconds left; raises TimeoutError when there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"no answer within {self.seconds:g} s")
        return left

    def at_most(self, seconds: float) -> "Deadline":
        """One for a part of it. Raises TimeoutError when none is left."""
        return Deadline(min(seconds, self.left()))


# ---------------------------------------------------------------- one
def connect_first(found: list[tuple[int, Any]], deadline: Deadline) -> socket.socket:
    """A connected plain socket to the first address that answers. Raises OSError."""
    last: OSError | None = None
    for number, (family, address) in enumerate(found):
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            # several addresses share what is left, so that one that drops packets does not use it up
            sock.settimeout(deadline.left() / (len(found) - number))
            sock.connect(address)
            keep_alive(sock)
            return sock
        except OSError as error:
            sock.close()
            last = error
    raise last or OSError("the name has no address")


def resolve(host: str, port: int, deadline: Deadline) -> list[tuple[int, Any]]:
    """(family, address) pairs. In a thread, since the system's resolver knows no deadline. Raises OSError."""
    answer: list[Any] = []

    def work(flags: int = 0) -> None:
        try:
            answer[:] = [socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)]
        except OSError as error:
            answer[:] = [error]
        except UnicodeError:
            answer[:] = [socket.gaierror(socket.EAI_NONAME, "no name can be so")]

    if host[0] in "0123456789" or ":" in host:
        work(socket.AI_NUMERICHOST)  # an address needs no asking
    if not answer or isinstance(answer[0], OSError):
        answer.clear()
        thread = threading.Thread(target=work, name="resolve", daemon=True)
        thread.start()
        thread.join(deadline.left())
        if not answer:
            raise TimeoutError(f"the name {host} was not found out within {deadline.seconds:g} s")
    if isinstance(answer[0], OSError):
        raise answer[0]
    return [(family, address) for family, _, _, _, address in answer[0]][:ADDRESSES_AT_MOST]


def keep_alive(sock: socket.socket) -> None:
    """A peer that vanished without a word is noticed within half a minute, also while nothing is sent."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def abort(sock: socket.socket) -> None:
    """Closes at once: no waiting for what is still on its way. Not while another thread uses the socket."""
    with contextlib.suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    hang_up(sock)
    sock.close()


def hang_up(sock: socket.socket) -> None:
    """Ends both directions and keeps the number, which another socket could get: from any thread."""
    with contextlib.suppress(OSError):
        # a TLS socket's own shutdown would take the TLS away from under a thread that reads
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


# ---------------------------------------------------------------- several
class Held:
    """Connections that end together, from any thread; one that comes afterwards ends at once."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()
        self.ended = False

    def add(self, sock: socket.socket) -> socket.socket:
        """The same, which is connected and plain."""
        with self._lock:
            self._sockets.append(sock.dup())  # TLS takes the socket itself apart
            if self.ended:
                hang_up(sock)
        return sock

    def end(self) -> None:
        """From any thread."""
        with self._lock:
            self.ended = True
            for sock in self._sockets:
                hang_up(sock)

    def close(self) -> None:
        """Gives the numbers back."""
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()


class Cut(Held):
    """Connections that end when the deadline is over, as `with` goes on: also in the middle of a TLS handshake or a head.
    To a library that may look like the end of an answer: ask what is left once more."""

    def __init__(self, deadline: Deadline) -> None:
        super().__init__()
        self.deadline = deadline

    def __enter__(self) -> "Cut":
        self._timer = threading.Timer(self.deadline.left(), self.end)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self.close()

    def connect(self, host: str, port: int, seconds: float) -> socket.socket:
        """One more of them, within so many `seconds`. Raises OSError."""
        deadline = self.deadline.at_most(seconds)
        return self.add(connect_first(resolve(host, port, deadline), deadline))


def pools(connect: Callable[[str, int], socket.socket]) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    """Pools of urllib3, a scheme each, whose connections `connect(host, port)` makes."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host.strip("[]"), self.port or 80)

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connect(self.host.strip("[]"), self.port or 443)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}
