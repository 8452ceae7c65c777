"""Readers that cost as little as they can: websocket clients, and docker command lines, timed with their CPU."""

import base64
import os
import selectors
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Self

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product

Blocks = list[tuple[int, bytes]]  # when it arrived (ns since 1970), the bytes


@dataclass(frozen=True)
class Spent:
    """Seconds of the clock and of the CPU."""

    wall: float
    cpu: float


def docker_command(engine: DockerEngine, *args: str) -> Spent:
    """Runs the docker command line with its output to /dev/null."""
    began = time.monotonic()
    process = docker_process(engine, *args, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"docker {' '.join(args)} exited with {process.returncode}")
    return Spent(time.monotonic() - began, usage.ru_utime + usage.ru_stime)


def docker_process(engine: DockerEngine, *args: str, stdout: int = subprocess.PIPE) -> "subprocess.Popen[bytes]":
    """A docker command line that runs until it is ended."""
    environment = engine.run.environment(DOCKER_HOST=engine.unix_url)
    return subprocess.Popen(["docker", *args], env=environment, stdout=stdout, stderr=subprocess.DEVNULL)


class Reading:
    """Reads sockets and pipes in one thread and keeps what came, by the name of each, until it is closed."""

    def __init__(self, sources: dict[str, int]) -> None:
        self.blocks: dict[str, Blocks] = {name: [] for name in sources}
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        for name, number in sources.items():
            os.set_blocking(number, False)
            self._selector.register(number, selectors.EVENT_READ, name)
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._selector.close()

    def _read(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(0.1):
                block = os.read(key.fd, 1 << 18)
                if not block:
                    self._selector.unregister(key.fd)
                    continue
                self.blocks[key.data].append((time.time_ns(), block))

    def forget(self) -> None:
        """Starts to keep from now on."""
        for name in self.blocks:
            self.blocks[name] = []


def open_websocket(product: Product, path: str) -> socket.socket:
    """A websocket as a plain socket, after the handshake: the server's frames come unmasked and are not taken off."""
    sock = socket.create_connection(("127.0.0.1", product.port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    head = [
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{product.port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
        f"Authorization: Bearer {product.token}",
    ]
    sock.sendall("\r\n".join([*head, "", ""]).encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        block = sock.recv(1)  # no byte of the first frame
        if not block:
            raise RuntimeError(f"no websocket at {path}: {answer[:200]!r}")
        answer += block
    if b" 101 " not in answer.split(b"\r\n")[0]:
        raise RuntimeError(f"no websocket at {path}: {answer[:200]!r}")
    return sock
