"""From the exceptions of sockets, TLS, SSH and HTTP libraries to ours: by the deepest cause that says something.

requests, urllib3 and docker wrap an error up to four times; what matters is at the bottom.
"""

import errno
import http.client
import socket
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import asyncssh
import docker.errors
import requests
import urllib3.exceptions
from cryptography import x509

from hosts.engine import answers, errors
from hosts.engine.errors import EngineError

# OpenSSL's verify codes (x509_vfy.h)
EXPIRED, NOT_YET_VALID, WRONG_NAME, WRONG_ADDRESS = 10, 9, 62, 64
# what OpenSSL says when the peer's first bytes are no TLS
NOT_TLS = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "BAD_RECORD_TYPE", "PACKET_LENGTH_TOO_LONG")
# the alerts with which servers refuse a client certificate; Go sends the first for nearly every reason
REFUSED_ALERTS = (
    "ALERT_BAD_CERTIFICATE",
    "ALERT_CERTIFICATE",  # _REQUIRED, _EXPIRED, _REVOKED, _UNKNOWN
    "ALERT_UNKNOWN_CA",
    "ALERT_UNSUPPORTED_CERTIFICATE",
    "ALERT_ACCESS_DENIED",
    "ALERT_HANDSHAKE_FAILURE",
    "ALERT_DECRYPT_ERROR",
)
CHAIN_AT_MOST = 50


def classify(exc: BaseException, endpoint: Any, seconds: float) -> EngineError:
    """The EngineError for `exc` that came up on the way to `endpoint`."""
    chain = list(_chain(exc))
    for one in chain:
        if isinstance(one, EngineError):
            return one
    found = None
    for one in reversed(chain):
        found = _one(one, endpoint, seconds)
        if found is not None:
            return found
    return errors.ConnectionLost(_words(chain[-1]), where=endpoint.address)


def _chain(exc: BaseException) -> Iterator[BaseException]:
    """`exc` and what it was made from, outermost first."""
    todo: list[BaseException] = [exc]
    seen: set[int] = set()
    while todo and len(seen) < CHAIN_AT_MOST:
        one = todo.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        # urllib3 keeps its cause in `reason`, requests in its arguments; not `__context__`: that is only what somebody
        # was busy with at the time, an earlier fault perhaps
        inner = [getattr(one, "reason", None), *one.args, one.__cause__]
        todo += [found for found in inner if isinstance(found, BaseException)]


def _one(exc: BaseException, endpoint: Any, seconds: float) -> EngineError | None:
    for judge in (_tls, _ssh, _answer, _socket):
        found = judge(exc, endpoint)
        if found is not None:
            return found
    if isinstance(exc, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError):
        return errors.TimedOut(_words(exc), where=endpoint.address, seconds=seconds)
    return None


def _tls(exc: BaseException, endpoint: Any) -> EngineError | None:
    where = endpoint.address
    if isinstance(exc, ssl.SSLCertVerificationError):
        code, words = exc.verify_code, exc.verify_message
        if code == EXPIRED:
            return errors.CertificateExpired(words, where=where)
        if code == NOT_YET_VALID:
            return errors.CertificateNotYetValid(words, where=where)
        if code in {WRONG_NAME, WRONG_ADDRESS} or "mismatch" in str(words).lower():
            return errors.CertificateName(words, where=where, name=endpoint.parsed.host)
        return errors.WrongCA(words, where=where)
    if not isinstance(exc, ssl.SSLError) or isinstance(exc, TimeoutError):
        return None
    reason = getattr(exc, "reason", None) or ""  # one that Python itself raised has none
    if any(alert in reason for alert in REFUSED_ALERTS):
        return errors.ClientCertificateRefused(_own_certificate(endpoint) or reason, where=where)
    if any(word in reason for word in NOT_TLS):
        return errors.TLSToPlain(reason, where=where)
    return errors.ConnectionLost(_words(exc), where=where)


def _own_certificate(endpoint: Any) -> str:
    """What can be seen to be wrong with our certificate: the server tells a client no reason."""
    if endpoint.tls is None or not endpoint.tls.cert.strip():
        return "no client certificate was given"
    try:
        certificate = x509.load_pem_x509_certificate(endpoint.tls.cert.encode())
    except ValueError:
        return ""
    until = certificate.not_valid_after_utc
    return f"the client certificate expired on {until:%Y-%m-%d}" if until < datetime.now(UTC) else ""


def _ssh(exc: BaseException, endpoint: Any) -> EngineError | None:
    if isinstance(exc, asyncssh.PermissionDenied):
        return errors.SSHKeyRefused(exc.reason, where=endpoint.address, user=endpoint.parsed.user)
    if isinstance(exc, asyncssh.ChannelOpenError):
        path = endpoint.parsed.path or "/var/run/docker.sock"
        return errors.SSHNoSocket(exc.reason, where=endpoint.address, path=path, user=endpoint.parsed.user)
    if isinstance(exc, asyncssh.ProtocolError | asyncssh.KeyExchangeFailed):
        return errors.NotAnEngine(f"no SSH server: {exc.reason}", where=endpoint.address)
    return None


def _answer(exc: BaseException, endpoint: Any) -> EngineError | None:
    """An engine's own error answer, as the docker SDK raises it, or an answer that is no HTTP."""
    if isinstance(exc, docker.errors.APIError):
        status = exc.status_code or 500
        return answers.from_answer(status, exc.explanation or "", endpoint.address)
    if isinstance(exc, http.client.RemoteDisconnected):
        return errors.ConnectionLost(_words(exc), where=endpoint.address)
    if isinstance(exc, http.client.BadStatusLine | http.client.UnknownProtocol):
        return errors.NotAnEngine(_words(exc), where=endpoint.address)
    if isinstance(exc, http.client.HTTPException | urllib3.exceptions.ProtocolError) and not exc.__cause__:
        return errors.ConnectionLost(_words(exc), where=endpoint.address)
    return None


def _socket(exc: BaseException, endpoint: Any) -> EngineError | None:
    where, words = endpoint.address, _words(exc)
    if isinstance(exc, socket.gaierror):
        return errors.NameUnknown(words, where=where, name=endpoint.parsed.host)
    if not isinstance(exc, OSError) or isinstance(exc, requests.RequestException | TimeoutError):
        return None
    if exc.errno == errno.ECONNREFUSED:
        # a socket file that nobody listens on is what a stopped engine leaves behind
        return errors.Refused(words, where=where)
    if exc.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.EADDRNOTAVAIL}:
        return errors.NoRoute(words, where=where)
    if exc.errno == errno.ETIMEDOUT:
        return errors.TimedOut(words, where=where)
    if exc.errno in {errno.ENOENT, errno.ENOTDIR, errno.ENOTSOCK} and endpoint.kind == "unix":
        return errors.NoSocket(words, where=where)
    if exc.errno in {errno.EACCES, errno.EPERM}:
        kind = errors.Permission if endpoint.kind == "unix" else errors.NoRoute  # a firewall of this machine
        return kind(words, where=where)
    if isinstance(exc, ConnectionError) or exc.errno in {errno.EPIPE, errno.EBADF}:
        return errors.ConnectionLost(words, where=where)
    return None


def _words(exc: BaseException) -> str:
    return str(exc) or type(exc).__name__
