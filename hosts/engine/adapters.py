"""How the docker SDK's requests reach an endpoint: our TLS context, our sockets, and a total deadline a request.

requests knows idle timeouts only: an answer that comes a byte a second would hold its caller for ever.
"""

import socket
import ssl
import threading
import time
from typing import Any

import requests.adapters
import urllib3
import urllib3.connection
import urllib3.connectionpool

from common.connections import Deadline, hang_up
from hosts.engine.endpoint import Endpoint, TLSMaterial, bracketed
from hosts.engine.tls import tls_context
from hosts.engine.transport import connect


class _Timed:
    """Mixed into a socket class: each read waits no longer than until `until` (monotonic seconds)."""

    until = float("inf")

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the answer did not end in time")
        if left != float("inf"):
            self.settimeout(left)  # type: ignore[attr-defined]
        return super().recv_into(*args, **kwargs)  # type: ignore[misc]


class _TimedSocket(_Timed, socket.socket):
    pass


class _TimedTLSSocket(_Timed, ssl.SSLSocket):
    pass


class _Connection(urllib3.connection.HTTPConnection):
    """Connects by hosts.engine.transport, whatever the kind of endpoint."""

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext | None, seconds: float) -> None:
        super().__init__("engine", timeout=seconds)
        self.endpoint, self.context, self.seconds = endpoint, context, seconds
        self._until = 0.0
        self._lock = threading.Lock()
        self._ended = False

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        self._until = time.monotonic() + self.seconds
        super().putrequest(*args, **kwargs)

    def connect(self) -> None:
        deadline = Deadline(self.seconds)
        plain = connect(self.endpoint, deadline, tls=False)
        timed = _TimedSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        timed.settimeout(deadline.left())
        if self.context is None:
            self._use(timed)
            return
        try:
            self._use(self.context.wrap_socket(timed, server_hostname=self.endpoint.parsed.host))
        except BaseException:
            timed.close()
            raise

    def _use(self, sock: Any) -> None:
        with self._lock:
            self.sock = sock
            if self._ended:
                hang_up(sock)

    def end(self) -> None:
        """From any thread: whoever waits for the answer gets an error at once."""
        with self._lock:
            self._ended = True
            if self.sock is not None:
                hang_up(self.sock)

    def getresponse(self) -> Any:
        self.sock.until = self._until  # type: ignore[union-attr]
        return super().getresponse()


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        super().__init__("engine", timeout=seconds, maxsize=4)
        self.endpoint, self.seconds = endpoint, seconds
        self.context = None
        self._made: list[_Connection] = []
        self._ended = False
        if endpoint.kind == "tls":
            self.context = tls_context(endpoint.tls or TLSMaterial())
            self.context.sslsocket_class = _TimedTLSSocket

    def _new_conn(self) -> Any:
        made = _Connection(self.endpoint, self.context, self.seconds)
        self._made.append(made)
        if self._ended:
            made.end()
        return made

    def end(self) -> None:
        """Ends what is under way, and what begins from now on."""
        self._ended = True
        for made in list(self._made):
            made.end()


class EngineAdapter(requests.adapters.HTTPAdapter):
    """Sends every request to one endpoint."""

    def __init__(self, endpoint: Endpoint, seconds: float) -> None:
        self._pool = _Pool(endpoint, seconds)
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        return self._pool

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the context verifies; the library's own CAs are not to be trusted beside the given one."""

    def request_url(self, request: Any, proxies: Any) -> str:
        return str(request.path_url)

    def end(self) -> None:
        """From any thread: ends every request, now and later."""
        self._pool.end()

    def close(self) -> None:
        super().close()
        self._pool.close()


def adapter_for(endpoint: Endpoint, seconds: float) -> tuple[EngineAdapter, str]:
    """The adapter, and the base URL to give the SDK (it decides the Host header and nothing else)."""
    parsed = endpoint.parsed
    name = f"{bracketed(parsed.host)}:{parsed.port}" if endpoint.kind in {"tcp", "tls"} else "docker"
    return EngineAdapter(endpoint, seconds), f"http://{name}"
