"""A registry that answers as a test says, faults and all."""

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], bytes]
Say = Callable[[BaseHTTPRequestHandler], None]


class Scripted:
    """`says[path]` is (status, headers, body), or a function that writes to the connection itself; `asked` are the
    requests so far: (path with its query, headers)."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.says: dict[str, Answer | Say] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.done = threading.Event()
        script = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                script.answer(self)

            do_HEAD = do_DELETE = do_GET

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._http = ThreadingHTTPServer((host, 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.address = f"{host}:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append((handler.path, dict(handler.headers.items())))
        say = self.says.get(handler.path.partition("?")[0], (404, {}, b""))
        if callable(say):
            handler.close_connection = True
            say(handler)
            return
        status, headers, body = say
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    @property
    def credentials(self) -> list[str]:
        """The Authorization headers that came."""
        return [headers["Authorization"] for _, headers in self.asked if "Authorization" in headers]

    def close(self) -> None:
        """Ends it, and what drips."""
        self.done.set()
        self._http.shutdown()
        self._http.server_close()


def drip(script: Scripted) -> Say:
    """A byte now and then, for ever."""

    def say(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not script.done.wait(0.05):
            try:
                handler.wfile.write(b"X-More: ")
                handler.wfile.flush()
            except OSError:
                return

    return say
