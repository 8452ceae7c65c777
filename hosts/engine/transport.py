"""Connected sockets to engines, and one HTTP request on them, all within a total deadline.

Blocking: callers run it in a thread. An idle timeout would be defeated by a server that drips bytes, so every wait
is given what is left of the deadline.
"""

import json
import os
import socket
import ssl
import struct
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from hosts.engine.endpoint import Endpoint, TLSMaterial
from hosts.engine.errors import EndpointError, NotAnEngine, from_answer, gettext_noop, translate

HEAD_AT_MOST = 64 * 1024
ERROR_BODY_AT_MOST = 64 * 1024


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


def message_of(body: bytes) -> str:
    """The `message` of an engine's error answer, else its text."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()


def connect(endpoint: Endpoint, deadline: Deadline) -> socket.socket:
    """A connected (and, where asked for, TLS-wrapped) blocking socket. Raises EngineError."""
    parsed = endpoint.parsed
    try:
        if endpoint.kind == "unix":
            return _connect_unix(parsed.path, deadline)
        if endpoint.kind == "ssh":
            from hosts.engine.tunnel import open_tunnel

            return _connect_unix(open_tunnel(endpoint, deadline.left()), deadline)
        sock = socket.create_connection((parsed.host, parsed.port), timeout=deadline.left())
        _keep_alive(sock)
        if endpoint.kind != "tls":
            return sock
        try:
            sock.settimeout(deadline.left())
            return tls_context(endpoint.tls or TLSMaterial()).wrap_socket(sock, server_hostname=parsed.host)
        except BaseException:
            sock.close()
            raise
    except (OSError, EndpointError) as error:
        raise translate(error, endpoint) from error


def _connect_unix(path: str, deadline: Deadline) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(deadline.left())
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


def _keep_alive(sock: socket.socket) -> None:
    """A peer that vanished without a word is noticed within half a minute, also while nothing is sent."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def tls_context(material: TLSMaterial) -> ssl.SSLContext:
    """A context that trusts the given CA alone. Raises EndpointError for a text that is no PEM."""
    try:
        context = ssl.create_default_context(cadata=material.ca or None)
    except ssl.SSLError as error:
        raise EndpointError("tls_ca", gettext_noop("The CA is not a certificate in PEM form.")) from error
    if material.cert:
        # Python loads a chain from files only: a private one, gone again at once
        with tempfile.TemporaryDirectory(prefix="dermaga-tls-") as folder:
            path = os.path.join(folder, "both.pem")
            with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(f"{material.cert}\n{material.key}\n")
            try:
                context.load_cert_chain(path, password=lambda: "")
            except ssl.SSLError as error:
                raise EndpointError(
                    "tls_key",
                    gettext_noop("Client certificate and key do not fit together, or are not in PEM form."),
                ) from error
    return context


@dataclass
class Answer:
    """The head of an engine's answer; `rest` are the body's first bytes, read with it."""

    status: int
    headers: dict[str, str]
    rest: bytes


def request(
    sock: socket.socket,
    endpoint: Endpoint,
    method: str,
    path: str,
    deadline: Deadline,
    *,
    params: Mapping[str, str] | None = None,
    body: Any = None,
    upgrade: bool = False,
) -> Answer:
    """Sends a request and reads the head of its answer. Raises EngineError for anything but 1xx and 2xx.

    HTTP/1.0 unless upgrading: the engine then sends no chunks and closes at the end.
    """
    target = f"{path}?{urlencode(params)}" if params else path
    payload = b"" if body is None else json.dumps(body).encode()
    head = [f"{method} {target} HTTP/{'1.1' if upgrade else '1.0'}", "Host: docker", "User-Agent: dermaga"]
    if upgrade:
        head += ["Connection: Upgrade", "Upgrade: tcp"]
    if body is not None or method == "POST":
        head += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    try:
        sock.settimeout(deadline.left())
        sock.sendall("\r\n".join([*head, "", ""]).encode() + payload)
        answer = _read_head(sock, endpoint, deadline)
        if answer.status >= 300:
            raise from_answer(answer.status, message_of(_read_error(sock, answer, deadline)), endpoint.address)
    except OSError as error:
        raise translate(error, endpoint) from error
    return answer


def _read_head(sock: socket.socket, endpoint: Endpoint, deadline: Deadline) -> Answer:
    data = b""
    while b"\r\n\r\n" not in data:
        sock.settimeout(deadline.left())
        block = sock.recv(8192)
        data += block
        if not block or len(data) > HEAD_AT_MOST or not data.startswith(b"HTTP/"[: len(data)]):
            if not data and not block:
                raise ConnectionResetError("closed without an answer")
            # an HTTP server that wants TLS says so in a TLS alert: 0x15 or 0x16 first
            raise NotAnEngine(data[:100].decode("latin-1"), where=endpoint.address)
    head, rest = data.split(b"\r\n\r\n", 1)
    status_line, *lines = head.decode("latin-1").split("\r\n")
    words = status_line.split(" ", 2)
    if len(words) < 2 or not words[1].isdecimal():
        raise NotAnEngine(status_line[:100], where=endpoint.address)
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return Answer(int(words[1]), {name.strip().lower(): value.strip() for name, value in pairs}, rest)


def _read_error(sock: socket.socket, answer: Answer, deadline: Deadline) -> bytes:
    body = answer.rest
    length = int(answer.headers.get("content-length") or ERROR_BODY_AT_MOST)
    while len(body) < min(length, ERROR_BODY_AT_MOST):
        sock.settimeout(deadline.left())
        block = sock.recv(8192)
        if not block:
            break
        body += block
    return body


def get_json(endpoint: Endpoint, path: str, deadline: Deadline, at_most: int = 4 * 1024 * 1024) -> tuple[Any, dict[str, str]]:
    """One GET on a connection of its own: the decoded JSON (or text) and the headers. Raises EngineError."""
    with connect(endpoint, deadline) as sock:
        answer = request(sock, endpoint, "GET", path, deadline)
        body = bytearray(answer.rest)
        length = int(answer.headers["content-length"]) if "content-length" in answer.headers else at_most
        try:
            while len(body) < length:
                sock.settimeout(deadline.left())
                block = sock.recv(65536)
                if not block:
                    break
                body += block
        except OSError as error:
            raise translate(error, endpoint) from error
    try:
        return json.loads(body), answer.headers
    except ValueError:
        return body.decode("utf-8", "replace"), answer.headers


def abort(sock: socket.socket) -> None:
    """Closes at once: no waiting for what is still on its way."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()
