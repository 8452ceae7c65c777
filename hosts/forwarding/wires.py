"""How a target is spoken to: syslog over UDP, TCP and TLS, and HTTPS. Nothing is kept open; all of it ends by a deadline,
also with one that drips. A target goes where its address was looked at, and nowhere else."""

import hmac
import http.client
import socket
import ssl
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from accounts.models.forwards import place_of
from common.connections import Cut, Deadline, connect_first, resolve
from hosts.engine.errors import EngineError
from hosts.forwarding import errors
from hosts.registry.addresses import Level, level_of
from hosts.registry.places import trust

SECONDS = 15.0
ICMP_SECONDS = 0.1  # for the word that nobody listens to a datagram
ANSWER_AT_MOST = 64 * 1024


@dataclass(frozen=True)
class Target:
    """Where to: `kind` is udp, tcp, tls or webhook; `address` host:port, or an https:// address."""

    kind: str
    address: str
    ca: str = ""
    secret: str = field(default="", repr=False)
    inside: bool = False

    @property
    def where(self) -> str:
        """Its address for people."""
        return place_of(self.kind, self.address)

    @property
    def host(self) -> str:
        """Without brackets."""
        return str(self._parts.hostname or "")

    @property
    def port(self) -> int:
        """Of a webhook 443 where none is given."""
        return self._parts.port or 443

    @property
    def path(self) -> str:
        """Of a webhook, with its query."""
        parts = self._parts
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")

    @property
    def _parts(self) -> Any:
        return urlsplit(self.address if self.kind == "webhook" else f"//{self.address}")


def send_syslog(target: Target, messages: Sequence[bytes], seconds: float = SECONDS) -> None:
    """All of `messages`, in order. Raises ForwardError when not all of them have certainly arrived; over UDP nobody says
    so, but for one who does not listen at all."""
    with _said(target, seconds) as deadline:
        if target.kind == "udp":
            _datagrams(target, messages, deadline)
        else:
            _stream(target, messages, deadline)


def send_webhook(target: Target, content: bytes, seconds: float = SECONDS) -> None:
    """One POST, signed. Raises ForwardError unless the answer is 200 to 299; redirects are not followed."""
    with _said(target, seconds) as deadline, _connected(target, deadline) as sock:
        connection = http.client.HTTPConnection(target.host, target.port)
        connection.sock = sock
        headers = {"Content-Type": "application/json", "User-Agent": "dermaga", "Connection": "close"}
        headers["Host"] = urlsplit(target.address).netloc
        connection.request("POST", target.path, content, headers | signed(target.secret, int(time.time()), content))
        answer = connection.getresponse()
        deadline.left()  # when we hung up, the library takes what it has for the whole head
        if 300 <= answer.status < 400:
            raise errors.Redirected(where=target.where)
        if not 200 <= answer.status < 300:
            raise errors.Answered(where=target.where, status=answer.status)
        answer.read(ANSWER_AT_MOST)
        deadline.left()


def signed(secret: str, timestamp: int, content: bytes) -> dict[str, str]:
    """Headers by which a receiver knows that it came from here, and when: HMAC-SHA-256 of TIMESTAMP.BODY."""
    told = f"{timestamp}.".encode() + content
    digest = hmac.new(secret.encode(), told, "sha256").hexdigest()
    return {"X-Dermaga-Timestamp": str(timestamp), "X-Dermaga-Signature": f"sha256={digest}"}


# ---------------------------------------------------------------- ways
def _datagrams(target: Target, messages: Sequence[bytes], deadline: Deadline) -> None:
    family, address = _allowed(target, deadline)[0]
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        sock.settimeout(deadline.left())
        sock.connect(address)
        for message in messages:
            sock.send(message)  # says what the one before met
        time.sleep(ICMP_SECONDS)
        if met := sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            raise OSError(met, "nothing listens there")


def _stream(target: Target, messages: Sequence[bytes], deadline: Deadline) -> None:
    """With octet counting (RFC 6587). Syslog has no answers: that the receiver ends the connection after we did says that it
    has read everything."""
    with _connected(target, deadline) as sock:
        sock.sendall(b"".join(b"%d %s" % (len(message), message) for message in messages))
        sock.settimeout(deadline.left())
        with suppress(ssl.SSLEOFError, ssl.SSLZeroReturnError):
            if isinstance(sock, ssl.SSLSocket):
                sock = sock.unwrap()  # our goodbye, and theirs
            sock.shutdown(socket.SHUT_WR)
            while sock.recv(4096):
                deadline.left()
        deadline.left()  # when we hung up, that looks like the end


@contextmanager
def _connected(target: Target, deadline: Deadline) -> Iterator[Any]:
    """A socket, with TLS where that is spoken. It hangs up at the deadline, whatever the other side does."""
    with closing(connect_first(_allowed(target, deadline), deadline)) as plain, Cut(deadline) as cut:
        cut.add(plain)
        plain.settimeout(deadline.left())
        if target.kind not in {"tls", "webhook"}:
            yield plain
            return
        with closing(trust(target.ca).wrap_socket(plain, server_hostname=target.host)) as sock:
            yield sock


def _allowed(target: Target, deadline: Deadline) -> list[tuple[int, Any]]:
    """The addresses that its name leads to, looked at: a name that leads elsewhere a moment later changes nothing."""
    found = resolve(target.host, target.port, deadline)
    level, address = max((level_of(str(address[0])), str(address[0])) for _family, address in found)
    if level is Level.NEVER:
        raise errors.ForbiddenAddress(where=target.where, address=address)
    if level > (Level.LOOPBACK if target.inside else Level.PUBLIC):
        raise errors.InsideAddress(where=target.where, address=address)
    return found


@contextmanager
def _said(target: Target, seconds: float) -> Iterator[Deadline]:
    """What goes wrong in the block, in our words."""
    deadline = Deadline(seconds)
    try:
        yield deadline
    except EngineError:
        raise
    except (ssl.SSLCertVerificationError, ssl.CertificateError) as error:
        raise errors.Untrusted(getattr(error, "verify_message", "") or error, where=target.where) from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        try:
            deadline.left()
        except TimeoutError:
            raise errors.Slow(where=target.where, seconds=f"{seconds:g}") from error
        if isinstance(error, TimeoutError):
            raise errors.Slow(error, where=target.where, seconds=f"{seconds:g}") from error
        if isinstance(error, OSError):
            words = "nothing listens there" if isinstance(error, ConnectionRefusedError) else error.strerror or error
            raise errors.Unreachable(error, where=target.where, words=str(words)) from error
        raise errors.ForwardError("what it answers is not HTTP", where=target.where) from error
