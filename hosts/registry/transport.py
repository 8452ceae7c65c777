"""HTTP to registries and token servers: connections that end by a deadline, go nowhere that is forbidden, and answers
that are bounded."""

import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

import urllib3

from common.connections import Cut, Deadline, connect_first, pools, resolve
from hosts.engine import errors as engine_errors
from hosts.engine.causes import classify
from hosts.engine.errors import EngineError
from hosts.registry import errors
from hosts.registry.addresses import Level, level_of
from hosts.registry.places import Origin, Place, trust

BLOCK = 64 * 1024
REDIRECTS_AT_MOST = 3
PARALLEL = 8  # requests to one server
TO_TLS = "sent an http request to an https server"  # how Go's servers answer plain HTTP on their TLS port


@dataclass
class Answer:
    """What a server said: `origin` is who said it, after redirects."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    origin: Origin
    challenges: list[str] = field(default_factory=list)

    def json(self) -> Any:
        """The body decoded; None when it is no JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def fault(self) -> dict[str, Any]:
        """The first error that a registry tells: {"code", "message"}; empty when it tells none."""
        found = self.json()
        listed = found.get("errors") if isinstance(found, dict) else None
        first = listed[0] if isinstance(listed, list) and listed else None
        return first if isinstance(first, dict) else {}

    @property
    def words(self) -> str:
        """What it says of a failure, in its own words."""
        found = self.json()
        plain = found.get("details") or found.get("message") if isinstance(found, dict) else ""
        return str(self.fault.get("message") or plain or f"HTTP {self.status}")


class Transport:
    """Requests to any number of origins within `seconds` altogether; for several threads. Use it with `with`."""

    def __init__(self, place: Place, seconds: float) -> None:
        self.place = place
        self.seconds = seconds
        self._deadline = Deadline(seconds)
        self._cut = Cut(self._deadline)
        self._pools: dict[Origin, urllib3.HTTPConnectionPool] = {}
        self._lock = threading.Lock()
        self._own_level = Level.PUBLIC  # as found when its own server was called

    def __enter__(self) -> "Transport":
        self._cut.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.close()
        self._cut.__exit__()

    def send(
        self,
        origin: Origin,
        method: str,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        at_most: int,
    ) -> Answer:
        """One request. Redirects are followed where they lead to TLS or the same host; a login never goes along to
        another origin. Raises RegistryError when there is no answer."""
        target = f"{path}?{urlencode(params)}" if params else path
        sent = {"User-Agent": "dermaga", "Accept-Encoding": "identity", **(headers or {})}
        for _ in range(REDIRECTS_AT_MOST + 1):
            answer = self._once(origin, method, target, sent, at_most)
            location = answer.headers.get("location", "")
            if answer.status not in {301, 302, 303, 307, 308} or not location or method not in {"GET", "HEAD"}:
                return answer
            following, target = self._follow(origin, target, location)
            if following != origin:
                sent = {name: value for name, value in sent.items() if name != "Authorization"}
            origin = following
        raise errors.NotARegistry("it redirects without an end", where=self.place.address)

    def _follow(self, origin: Origin, target: str, location: str) -> tuple[Origin, str]:
        url = urljoin(f"{origin}{target}", location)
        following = self.place.lets_login_go_to(url)
        if following is None:
            raise errors.NotARegistry(f"it redirects to {url[:200]}", where=self.place.address)
        parts = urlsplit(url)
        return following, f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"

    def _once(
        self, origin: Origin, method: str, target: str, headers: Mapping[str, str], at_most: int, *, again: bool = False
    ) -> Answer:
        where = str(origin) if origin != self.place.origin else self.place.address
        try:
            response = self._pool(origin).urlopen(
                method,
                target,
                headers=headers,
                redirect=False,
                retries=False,
                preload_content=False,
                decode_content=False,
                timeout=self._deadline.left(),
            )
            body = self._read(response, at_most, where)
            named = {name.lower(): value for name, value in response.headers.items()}
            answer = Answer(response.status, named, body, origin, response.headers.getlist("www-authenticate"))
            self._deadline.left()  # when we hung up, the library takes what it has for the whole head
        except EngineError:
            raise
        except Exception as error:  # urllib3, ssl, http and socket each have trees of their own
            if isinstance(error, urllib3.exceptions.ProtocolError) and method in {"GET", "HEAD"} and not again:
                # a kept connection may end just when it is used again
                return self._once(origin, method, target, headers, at_most, again=True)
            raise self._fault(error, origin, where) from error
        if answer.status == 400 and TO_TLS in body.decode("utf-8", "replace").lower():
            raise errors.SpeaksHTTPS(where=where)
        return answer

    def _read(self, response: urllib3.BaseHTTPResponse, at_most: int, where: str) -> bytes:
        body = bytearray()
        try:
            while block := response.read(BLOCK):
                body += block
                if len(body) > at_most:
                    raise errors.NotARegistry(f"an answer of more than {at_most} bytes", where=where)
                self._deadline.left()
        except BaseException:
            response.close()
            raise
        response.release_conn()
        return bytes(body)

    def _fault(self, error: Exception, origin: Origin, where: str) -> EngineError:
        try:
            self._deadline.left()
        except TimeoutError:
            return errors.Slow(str(error), where=where, seconds=f"{self.seconds:.3g}")
        endpoint = SimpleNamespace(address=where, kind="tcp", tls=None, parsed=SimpleNamespace(host=origin.host))
        return _ours(classify(error, endpoint, self.seconds), where, self.seconds)

    # ---------------------------------------------------------------- connections
    def _pool(self, origin: Origin) -> urllib3.HTTPConnectionPool:
        with self._lock:
            if origin not in self._pools:
                self._pools[origin] = self._new_pool(origin)
            return self._pools[origin]

    def _new_pool(self, origin: Origin) -> urllib3.HTTPConnectionPool:
        kinds = pools(lambda _host, _port: self._connect(origin))
        if origin.scheme == "http":
            return kinds["http"](origin.host, origin.port, maxsize=PARALLEL)
        return kinds["https"](origin.host, origin.port, maxsize=PARALLEL, ssl_context=trust(self.place.ca))

    def _connect(self, origin: Origin) -> socket.socket:
        """A connected socket. The addresses are looked at before anybody is called: a name may lead anywhere. What a
        registry names, a token server or where it redirects to, is no nearer than itself: it must not lead inside."""
        own = origin.host == self.place.origin.host
        where = self.place.address if own else origin.host
        reach = self.place.reach if own else self._own_level
        sock = connect_allowed(origin.host, origin.port, self._deadline, reach=reach, where=where)
        if own:
            self._own_level = level_of(str(sock.getpeername()[0]))
        return self._cut.add(sock)


def connect_allowed(host: str, port: int, deadline: Deadline, *, reach: Level, where: str) -> socket.socket:
    """A connected socket to a server that people named: a registry, a bucket. It goes to an address that was looked at:
    a name that leads elsewhere a moment later changes nothing. Raises ForbiddenAddress, InsideAddress, OSError."""
    found = resolve(host, port, deadline)
    level, address = max((level_of(str(address[0])), str(address[0])) for _family, address in found)
    if level is Level.NEVER:
        raise errors.ForbiddenAddress(where=where, address=address)
    if level > reach:
        raise errors.InsideAddress(where=where, address=address)
    return connect_first(found, deadline)


WAYS: list[tuple[tuple[type[EngineError], ...], type[errors.RegistryError]]] = [
    ((engine_errors.TLSToPlain,), errors.SpeaksHTTP),
    ((engine_errors.PlainToTLS,), errors.SpeaksHTTPS),
    (
        (
            engine_errors.WrongCA,
            engine_errors.CertificateExpired,
            engine_errors.CertificateNotYetValid,
            engine_errors.CertificateName,
            engine_errors.ClientCertificateRefused,
        ),
        errors.Untrusted,
    ),
    ((engine_errors.NotAnEngine,), errors.NotARegistry),
]
REASONS = {
    "refused": "nothing listens there",
    "name_unknown": "its name is unknown",
    "no_route": "there is no way to it",
    "connection_lost": "it ended the connection",
}


def _ours(error: EngineError, where: str, seconds: float) -> errors.RegistryError:
    """What `classify` says of an engine, said of a registry."""
    if isinstance(error, engine_errors.TimedOut):
        return errors.Slow(error.detail, where=where, seconds=f"{seconds:.3g}")
    for kinds, ours in WAYS:
        if isinstance(error, kinds):
            return ours(error.detail, where=where)
    return errors.Unreachable(error.detail, where=where, words=REASONS.get(error.code, error.detail))
