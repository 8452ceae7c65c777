"""Small servers on the loopback for tests of connecting: some behave like an engine, others misbehave on purpose."""

import json
import os
import pwd
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

Handler = Callable[[socket.socket], object]
VERSION = {"Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12", "Components": [{"Name": "Engine"}]}
INFO = {"Containers": 2, "Name": "box", "NCPU": 4, "MemTotal": 8 << 30, "Driver": "overlay2", "Warnings": None}


@contextmanager
def listening(handler: Handler, tls: ssl.SSLContext | None = None, family: int = socket.AF_INET) -> Iterator[int]:
    """Serves each connection in a thread of its own; gives the port."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(("::1" if family == socket.AF_INET6 else "127.0.0.1", 0))
    with _serving(listener, handler, tls):
        yield listener.getsockname()[1]


@contextmanager
def listening_unix(handler: Handler, path: Path) -> Iterator[str]:
    """The same on a unix socket."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    with _serving(listener, handler, None):
        yield str(path)


@contextmanager
def _serving(listener: socket.socket, handler: Handler, tls: ssl.SSLContext | None) -> Iterator[None]:
    opened: list[socket.socket] = []
    listener.listen(256)  # a unix socket refuses at once when its queue is full

    def serve(conn: socket.socket) -> None:
        with suppress(OSError):
            if tls is not None:
                conn = tls.wrap_socket(conn, server_side=True)
                opened.append(conn)
            handler(conn)
        with suppress(OSError):
            conn.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                conn, _ = listener.accept()
                opened.append(conn)
                threading.Thread(target=serve, args=(conn,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for conn in opened:
            with suppress(OSError):
                conn.shutdown(socket.SHUT_RDWR)
            conn.close()
        thread.join(5)


def read_request(conn: socket.socket) -> str:
    """The path of the request that comes, "" when none does."""
    data = b""
    while b"\r\n\r\n" not in data:
        block = conn.recv(4096)
        if not block:
            return ""
        data += block
    return data.split(b" ")[1].decode().partition("?")[0]


def answer(conn: socket.socket, body: Any, status: str = "200 OK", headers: str = "") -> None:
    """Sends an HTTP answer; a dict goes as JSON."""
    payload = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    head = f"HTTP/1.1 {status}\r\nApi-Version: 1.41\r\nContent-Length: {len(payload)}\r\n{headers}\r\n"
    conn.sendall(head.encode() + payload)


def engine(version: dict[str, Any] | None = None, info: dict[str, Any] | None = None) -> Handler:
    """Answers /version and /info like an engine."""

    def handle(conn: socket.socket) -> None:
        while path := read_request(conn):
            if path.endswith("/version"):
                answer(conn, VERSION | (version or {}))
            elif path.endswith("/info"):
                answer(conn, INFO | (info or {}))
            elif path.endswith("/images/json"):
                answer(conn, [])
            else:
                answer(conn, {"message": f"page not found: {path}"}, "404 Not Found")

    return handle


def server_tls(
    folder: Path, pair: tuple[str, str], client_ca: str = "", newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3
) -> ssl.SSLContext:
    """A server's TLS context; with `client_ca` it demands client certificates of that CA."""
    file = folder / "server.pem"
    file.write_text("\n".join(pair))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    context.maximum_version = newest
    if client_ca:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca)
    return context


class SSHServer:
    """A real sshd on the loopback, with generated keys, for the user who runs the tests."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder = folder
        folder.chmod(0o700)
        for name in ("host", "client", "stranger"):
            run = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
            subprocess.run(run, check=True)
        (folder / "authorized_keys").write_text((folder / "client.pub").read_text())
        (folder / "authorized_keys").chmod(0o600)
        self.port = free_port()
        lines = [
            f"ListenAddress 127.0.0.1:{self.port}",
            f"HostKey {folder}/host",
            f"AuthorizedKeysFile {folder}/authorized_keys",
            "PidFile none",
            "StrictModes no",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "PermitRootLogin prohibit-password",
            "UsePAM no",
            *options,
        ]
        (folder / "config").write_text("\n".join([*lines, ""]))
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SSHServer":
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # sshd separates privileges into it
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", str(self.folder / "config")]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert self.process.stderr is not None
        for line in self.process.stderr:  # blocks until sshd says something
            if b"listening" in line:
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return self
        raise AssertionError("sshd did not start")

    def __exit__(self, *exc: object) -> None:
        assert self.process is not None
        self.process.terminate()
        self.process.wait(10)

    @property
    def user(self) -> str:
        return pwd.getpwuid(os.getuid()).pw_name

    def url(self, path: str = "") -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.port}{path}"

    def text(self, name: str) -> str:
        return (self.folder / name).read_text()

    @property
    def known_hosts(self) -> str:
        return f"[127.0.0.1]:{self.port} {self.text('host.pub')}"


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
