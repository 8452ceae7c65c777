"""HTTP connections of a store: to allowed addresses only, with deadlines, and ended from any thread."""

import threading
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import Retry, Timeout

from hosts.engine.transport import Deadline, hang_up
from hosts.registry.addresses import Level
from hosts.registry.places import trust
from hosts.registry.transport import connect_allowed

CONNECT_SECONDS, SILENCE_SECONDS = 10.0, 60.0
TRIES = 3


class Ended(Exception):
    """Nobody waits for it any more."""


class Connections(urllib3.PoolManager):
    """For one server, as near as `reach`. `end` hangs up, and no new connection is made."""

    def __init__(self, where: str, ca: str, reach: Level) -> None:
        self._where, self._reach = where, reach
        self._sockets: list[Any] = []
        self._lock = threading.Lock()
        self.ended = False
        retries = Retry(
            total=TRIES, redirect=0, raise_on_redirect=False, backoff_factor=0.3, status_forcelist=(500, 502, 503)
        )
        retries.raise_on_status = False  # what the server says last is its answer
        super().__init__(
            timeout=Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS), retries=retries, ssl_context=trust(ca)
        )
        manager = self

        class Plain(HTTPConnection):
            def _new_conn(self) -> Any:
                return manager._open(self.host, self.port)

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> Any:
                return manager._open(self.host, self.port)

        class PlainPool(urllib3.HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(urllib3.HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}

    def _open(self, host: str, port: int | None) -> Any:
        with self._lock:
            if self.ended:
                raise Ended
        sock = connect_allowed(
            host.strip("[]"), port or 443, Deadline(CONNECT_SECONDS), reach=self._reach, where=self._where
        )
        sock.settimeout(SILENCE_SECONDS)
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
        """Gives the sockets back."""
        self.clear()
        with self._lock:
            for sock in self._sockets:
                sock.close()
            self._sockets.clear()
