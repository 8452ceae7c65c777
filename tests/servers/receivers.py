"""Receivers of syslog and of a webhook, on loopback, that can be away, break off, and answer what a test wants."""

import json
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.engines.certificates import Authority

MESSAGE = re.compile(rb"<(\d+)>1 (\S+) (\S+) dermaga - (\S+) (-|\[audit@32473 number=\"\d+\"\]) (\{.*\})", re.DOTALL)


def tls_server(authority: Authority, folder: Path) -> ssl.SSLContext:
    """What a server on loopback shows."""
    certificate = authority.server("127.0.0.1", "localhost")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pair.pem").write_text(certificate.cert + certificate.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "pair.pem")
    return context


class Syslog:
    """Of RFC 5424 over "udp", "tcp" or "tls". `messages` are those that came, in order; `break_after` messages of a
    connection it resets it."""

    def __init__(self, kind: str, context: ssl.SSLContext | None = None) -> None:
        self.kind, self.context = kind, context
        self.messages: list[bytes] = []
        self.break_after: int | None = None
        self.port = 0
        self.start()

    def start(self) -> None:
        """Listens, again at the same port."""
        way = socket.SOCK_DGRAM if self.kind == "udp" else socket.SOCK_STREAM
        self._socket = socket.socket(socket.AF_INET, way)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", self.port))
        self.port = self._socket.getsockname()[1]
        if self.kind != "udp":
            self._socket.listen()
        threading.Thread(target=self._read if self.kind == "udp" else self._accept, daemon=True).start()

    def stop(self) -> None:
        """Is away."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What the messages say; each has to be one of RFC 5424."""
        found = []
        for message in list(self.messages):
            parts = MESSAGE.fullmatch(message)
            assert parts, message
            found.append(json.loads(parts[6]))
        return found

    @property
    def numbers(self) -> list[int]:
        return [entry["number"] for entry in self.entries if "number" in entry]

    def _read(self) -> None:
        mine = self._socket
        with suppress(OSError):
            while message := mine.recv(65536):
                self.messages.append(message)

    def _accept(self) -> None:
        mine = self._socket
        with suppress(OSError):
            while True:
                connection, _ = mine.accept()
                threading.Thread(target=self._frames, args=(connection,), daemon=True).start()

    def _frames(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError):
            if self.context is not None:
                connection = self.context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                count = 0
                while length := _length(stream):
                    if count == self.break_after:
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return
                    self.messages.append(stream.read(length))
                    count += 1


def _length(stream: Any) -> int:
    digits = b""
    while (byte := stream.read(1)).isdigit():
        digits += byte
    return int(digits) if digits else 0


class Hook:
    """A webhook. `got` are (headers, body) of what it answered with 200; `say`, where it is set, answers instead."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.say: Callable[[BaseHTTPRequestHandler], None] | None = None
        self.asked = 0
        self.done = threading.Event()
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                hook.asked += 1
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.say is not None:
                    hook.say(self)
                    return
                hook.got.append((dict(self.headers.items()), body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True, do_handshake_on_connect=False)
        self.address = f"https://127.0.0.1:{self._http.server_address[1]}/in?from=dermaga"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def numbers(self) -> list[int]:
        return [entry["number"] for _headers, body in list(self.got) for entry in json.loads(body)["entries"]]

    def answers(self, status: int, **headers: str) -> None:
        """From now on."""

        def say(handler: BaseHTTPRequestHandler) -> None:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.end_headers()

        self.say = say

    def drips(self) -> None:
        """A byte now and then, for ever."""

        def say(handler: BaseHTTPRequestHandler) -> None:
            handler.wfile.write(b"HTTP/1.0 200 OK\r\n")
            with suppress(OSError):
                while not self.done.wait(0.05):
                    handler.wfile.write(b"X-More: a\r\n")
                    handler.wfile.flush()

        self.say = say

    def close(self) -> None:
        """Ends it, and what drips."""
        self.done.set()
        self._http.shutdown()
        self._http.server_close()
