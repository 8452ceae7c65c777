"""A slow-loris and its kin: connections that say nothing, heads that never end, bodies that drip. Others are served."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import requests

from common import patience, serving
from tests.servers.product import Product
from tests.waiting import until

HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.fixture
def port() -> Iterator[int]:
    """The product's server in this process."""
    server = serving.web_server()
    server.config.port, server.config.lifespan = 0, "off"
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until(lambda: server.started, "it serves")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@contextlib.contextmanager
def connected(port: int, count: int = 1) -> Iterator[list[socket.socket]]:
    found = [socket.create_connection(("127.0.0.1", port), timeout=10) for _ in range(count)]
    try:
        yield found
    finally:
        for one in found:
            one.close()


def ended(one: socket.socket) -> bool:
    """Whether the other side has hung up."""
    one.settimeout(5)
    try:
        return one.recv(4096) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_who_says_nothing_or_drips_a_head_is_given_up(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.6)
    with connected(port, 3) as (silent, half, drips):
        half.sendall(HALF)
        began = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - began < 3:
                drips.sendall(HALF if time.monotonic() - began < 0.1 else b"x")
                time.sleep(0.1)
        assert time.monotonic() - began < 2
        assert ended(silent) and ended(half)
    assert patience.PatientProtocol.waiting == {}


def test_a_second_request_on_a_kept_connection_has_no_more_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "HEAD_SECONDS", 0.6)
    with connected(port) as (one,):
        for _ in range(3):  # as often as one likes
            one.sendall(WHOLE)
            answer = b""
            while not answer.endswith(b"ok"):
                answer += one.recv(65536)
        one.sendall(HALF)
        began = time.monotonic()
        assert ended(one) and time.monotonic() - began < 2


def test_a_head_without_an_end_is_refused(port: int) -> None:
    for head in (HALF, b"GET /", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000):
        with connected(port) as (one,):
            one.sendall(head)
            sent = 0
            with contextlib.suppress(OSError):
                while sent < 64 * 1024 * 1024:
                    one.sendall(b"x" * 65536)
                    sent += 65536
            assert sent < 32 * 1024 * 1024


def test_a_large_head_passes(port: int) -> None:
    with connected(port) as (one,):
        one.sendall(WHOLE[:-2] + b"X-Large: " + b"x" * 50_000 + b"\r\n\r\n")
        assert b"200 OK" in one.recv(65536)


def test_of_very_many_the_oldest_go_and_others_are_served(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "WAITING_AT_MOST", 50)
    with connected(port, 80) as many:
        for one in many:
            with contextlib.suppress(OSError):
                one.sendall(HALF)
        assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).status_code == 200
        assert sum(map(ended, many[:20])) == 20
        many[-1].sendall(b"x\r\n\r\n")
        assert many[-1].recv(65536).startswith(b"HTTP/1.1 302")
    until(lambda: not patience.PatientProtocol.waiting, "they are forgotten")


def test_the_running_product_serves_others_meanwhile(product: Product) -> None:
    """Six hundred connections: silent, half heads, half bodies of a login; pages are as quick as before."""
    body = b"POST /account/login/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nlogin="
    with connected(product.port, 600) as many:
        for number, one in enumerate(many):
            if number % 3:
                one.sendall(HALF if number % 3 == 1 else body)
        for _ in range(5):
            began = time.monotonic()
            assert product.http.get(f"{product.url}/containers/", timeout=10).status_code == 200
            assert time.monotonic() - began < 3
        with product.websocket("/ws/changes") as changes:
            assert "ready" in str(changes.recv(timeout=5))
    assert requests.get(f"{product.url}/readyz", timeout=5).status_code == 200
