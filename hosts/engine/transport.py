"""Connected sockets to engines, and one HTTP request on them, all within a total deadline. Blocking: callers run it in a
thread."""

import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from common.connections import Deadline, connect_first, resolve
from hosts.engine.answers import from_answer
from hosts.engine.body import Body, content_length
from hosts.engine.endpoint import Endpoint, TLSMaterial
from hosts.engine.errors import NotAnEngine, PlainToTLS, translate
from hosts.engine.tls import shared_context

HEAD_AT_MOST = 64 * 1024
ERROR_BODY_AT_MOST = 64 * 1024


def message_of(body: bytes) -> str:
    """The `message` of an engine's error answer, else its text."""
    try:
        return str(json.loads(body)["message"])
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()


def connect(endpoint: Endpoint, deadline: Deadline, *, tls: bool = True) -> socket.socket:
    """A connected (and, unless not `tls`, TLS-wrapped where asked for) blocking socket. Raises EngineError."""
    parsed = endpoint.parsed
    try:
        if endpoint.kind == "unix":
            return _connect_unix(parsed.path, deadline)
        if endpoint.kind == "ssh":
            from hosts.engine.tunnel import open_tunnel

            return _connect_unix(open_tunnel(endpoint, deadline.left()), deadline)
        sock = connect_tcp(endpoint, deadline)
        if endpoint.kind != "tls" or not tls:
            return sock
        try:
            sock.settimeout(deadline.left())
            return shared_context(endpoint.tls or TLSMaterial()).wrap_socket(sock, server_hostname=parsed.host)
        except BaseException:
            sock.close()
            raise
    except OSError as error:
        raise translate(error, endpoint, seconds=deadline.seconds) from error


def connect_tcp(endpoint: Endpoint, deadline: Deadline) -> socket.socket:
    """A connected plain socket to the endpoint's host and port. Raises OSError."""
    return connect_first(resolve(endpoint.parsed.host, endpoint.parsed.port, deadline), deadline)


def _connect_unix(path: str, deadline: Deadline) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(deadline.left())
        sock.connect(path)
    except BaseException:
        sock.close()
        raise
    return sock


@dataclass
class Answer:
    """The head of an engine's answer; `rest` are the body's first bytes, read with it."""

    status: int
    headers: dict[str, str]
    rest: bytes


def request_bytes(
    method: str,
    path: str,
    *,
    params: Mapping[str, str] | None = None,
    body: Any = None,
    upgrade: bool = False,
    chunked: bool = False,
    kept: bool = False,
    length: int | None = None,
    streams: bool = False,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """A request as it goes over the wire; `streams` when its body follows in chunks (`chunk`), a tar.

    HTTP/1.0 unless upgrading: the engine then sends no chunks and closes at the end. `chunked` asks for HTTP/1.1, whose
    last chunk tells an answer's end from a cut; `kept` as well, and for the connection to stay open after it. `length`
    bytes of a tar follow instead of a body.
    """
    target = f"{path}?{urlencode(params)}" if params else path
    payload = b"" if body is None else json.dumps(body).encode()
    version = "1.1" if upgrade or chunked or kept else "1.0"
    head = [f"{method} {target} HTTP/{version}", "Host: docker", "User-Agent: dermaga"]
    if chunked:
        head.append("Connection: close")
    if upgrade:
        head += ["Connection: Upgrade", "Upgrade: tcp"]
    head += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if length is not None:
        head += ["Content-Type: application/x-tar", f"Content-Length: {length}"]
    elif streams:
        head += ["Content-Type: application/x-tar", "Transfer-Encoding: chunked"]
    elif body is not None or method == "POST":
        head += ["Content-Type: application/json", f"Content-Length: {len(payload)}"]
    return "\r\n".join([*head, "", ""]).encode() + payload


class Head:
    """Reads the head of an engine's answer from its bytes as they come."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._where = endpoint.address
        self._data = b""

    def feed(self, block: bytes) -> Answer | None:
        """The answer once its head is whole; b"" for the end of the connection.

        Raises ConnectionResetError for an end without a byte, PlainToTLS and NotAnEngine for what is no HTTP.
        """
        self._data += block
        data = self._data
        if b"\r\n\r\n" in data:
            return self._answer(*data.split(b"\r\n\r\n", 1))
        if not block or len(data) > HEAD_AT_MOST or not data.startswith(b"HTTP/"[: len(data)]):
            if not data and not block:
                raise ConnectionResetError("closed without an answer")
            if data.startswith(b"\x15\x03"):  # a TLS alert: how a TLS server refuses a plain request
                raise PlainToTLS(where=self._where)
            raise NotAnEngine(data[:100].decode("latin-1"), where=self._where)
        return None

    def _answer(self, head: bytes, rest: bytes) -> Answer:
        status_line, *lines = head.decode("latin-1").split("\r\n")
        words = status_line.split(" ", 2)
        if not status_line.startswith("HTTP/") or len(words) < 2 or not words[1].isdecimal():
            raise NotAnEngine(status_line[:100], where=self._where)
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        return Answer(int(words[1]), {name.strip().lower(): value.strip() for name, value in pairs}, rest)


def chunk(block: bytes) -> bytes:
    """One chunk of a body; the empty one ends it."""
    return b"%x\r\n%b\r\n" % (len(block), block)


def request(sock: socket.socket, endpoint: Endpoint, payload: bytes, deadline: Deadline) -> Answer:
    """Sends a request (`request_bytes`; b"" when it is sent) and reads the head of its answer. Raises EngineError for
    anything but 1xx and 2xx."""
    head, answer = Head(endpoint), None
    try:
        if payload:
            sock.settimeout(deadline.left())
            sock.sendall(payload)
        while answer is None:
            sock.settimeout(deadline.left())
            answer = head.feed(sock.recv(8192))
        if answer.status >= 300:
            raise from_answer(answer.status, message_of(_read_error(sock, answer, deadline)), endpoint.address)
    except OSError as error:
        raise translate(error, endpoint, seconds=deadline.seconds) from error
    return answer


def _read_error(sock: socket.socket, answer: Answer, deadline: Deadline) -> bytes:
    body = Body(answer.headers)
    try:
        found = body.feed(answer.rest) if answer.rest else b""
        while not body.whole and len(found) < ERROR_BODY_AT_MOST:
            sock.settimeout(deadline.left())
            block = sock.recv(8192)
            if not block:
                break
            found += body.feed(block)
    except ValueError:  # broken chunks: the status has said enough
        return b""
    return found


def get_json(
    endpoint: Endpoint, path: str, deadline: Deadline, at_most: int = 4 * 1024 * 1024
) -> tuple[Any, dict[str, str]]:
    """One GET on a connection of its own: the decoded JSON (or text) and the headers. Raises EngineError."""
    with connect(endpoint, deadline) as sock:
        answer = request(sock, endpoint, request_bytes("GET", path), deadline)
        body = bytearray(answer.rest)
        length = content_length(answer.headers, at_most)
        if length > at_most:
            raise NotAnEngine(f"{path} answered {length} bytes", where=endpoint.address)
        try:
            while len(body) < length:
                sock.settimeout(deadline.left())
                block = sock.recv(65536)
                if not block:
                    break
                body += block
            if len(body) < length and "content-length" in answer.headers:
                raise ConnectionResetError(f"{path} was cut after {len(body)} bytes")
        except OSError as error:
            raise translate(error, endpoint, seconds=deadline.seconds) from error
    try:
        return json.loads(body), answer.headers
    except ValueError:
        return body.decode("utf-8", "replace"), answer.headers
