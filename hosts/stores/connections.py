"""HTTP connections of a store: to allowed addresses only, with deadlines, and ended from any thread."""

import socket

import urllib3
from urllib3.util import Retry, Timeout

from common.connections import Deadline, Held, pools
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
        self._held = Held()
        retries = Retry(
            total=TRIES, redirect=0, raise_on_redirect=False, backoff_factor=0.3, status_forcelist=(500, 502, 503)
        )
        retries.raise_on_status = False  # what the server says last is its answer
        super().__init__(
            timeout=Timeout(connect=CONNECT_SECONDS, read=SILENCE_SECONDS), retries=retries, ssl_context=trust(ca)
        )
        self.pool_classes_by_scheme = pools(self._open)

    def _open(self, host: str, port: int) -> socket.socket:
        if self.ended:
            raise Ended
        sock = connect_allowed(host, port, Deadline(CONNECT_SECONDS), reach=self._reach, where=self._where)
        sock.settimeout(SILENCE_SECONDS)
        return self._held.add(sock)

    @property
    def ended(self) -> bool:
        """Whether nobody waits for it any more."""
        return self._held.ended

    def end(self) -> None:
        """From any thread."""
        self._held.end()

    def close(self) -> None:
        """Gives the sockets back."""
        self.clear()
        self._held.close()
