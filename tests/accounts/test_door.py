"""Large bodies at the door, through a real server and a socket: strangers fill no disk, and hold no request open."""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from django.conf import settings

from accounts import door
from dashboard.asgi import application
from tests.servers.product import Product
from tests.waiting import until

LOGIN = "POST /account/login/ HTTP/1.1\r\nHost: localhost\r\n"
BLOCK = b"x" * 65536


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Where the application is served in this process."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    until(lambda: server.started, "it serves")
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join(10)


@contextlib.contextmanager
def connected(port: int, head: str) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as one:
        one.sendall(head.encode())
        yield one


def answer(one: socket.socket) -> tuple[int, Any]:
    """The status and the body of the answer, which ends with the connection."""
    text = b""
    with contextlib.suppress(ConnectionResetError):  # we still had something to say
        while block := one.recv(65536):
            text += block
    head, _, body = text.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def pour(one: socket.socket, *, chunked: bool) -> int:
    """Sends until the other side has enough; how many bytes went out."""
    sent = 0
    with contextlib.suppress(ConnectionError):
        while sent < 64 * 1024 * 1024:
            one.sendall(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) if chunked else BLOCK)
            sent += len(BLOCK)
    return sent


def uploads() -> set[Path]:
    return set(settings.UPLOADS.iterdir())


def test_a_stranger_s_large_body_is_refused_before_it_is_read(port: int) -> None:
    before = uploads()
    with connected(port, LOGIN + "Content-Length: 5000000000\r\n\r\n") as one:
        status, body = answer(one)
    assert (status, body["code"]) == (401, "not_logged_in")
    with connected(port, LOGIN + "Content-Length: 5000000000\r\n\r\n") as one:
        assert pour(one, chunked=False) < 32 * 1024 * 1024  # what fits between the two, and no more
    assert uploads() == before


@pytest.mark.parametrize("credentials", ["", "Cookie: sessionid=\r\n", "Authorization: Basic eA==\r\n"])
def test_one_that_does_not_say_how_large_it_is_is_cut(port: int, credentials: str) -> None:
    before = uploads()
    with connected(port, f"{LOGIN}{credentials}Transfer-Encoding: chunked\r\n\r\n") as one:
        one.sendall(b"%x\r\n%s\r\n" % (len(BLOCK), BLOCK) * 16 + b"1\r\nx\r\n")
        status, body = answer(one)
    assert (status, body["code"]) == (401, "not_logged_in")
    assert uploads() == before


def test_one_that_drips_is_given_up_in_time(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "ANYBODY_SECONDS", 0.4)
    with connected(port, LOGIN + "Content-Length: 1000\r\n\r\nx") as one:
        status, body = answer(one)
    assert (status, body["code"]) == (408, "too_slow")


def test_a_small_body_passes(port: int) -> None:
    with connected(port, LOGIN + "Content-Length: 3\r\nConnection: close\r\n\r\nx=y") as one:
        assert one.recv(65536).split()[1] == b"403"  # Django's own: the page's token is missing


def test_who_may_change_nothing_may_send_little(product: Product) -> None:
    product.manage("shell", "-c", VIEWER)
    tokens = {
        name: product.manage("token", "create", name, "--name", "door").strip() for name in ("vera-door", "admin")
    }
    at = int(product.url.rpartition(":")[2])
    for name, wanted in (("vera-door", 413), ("nobody", 401)):
        token = tokens.get(name, "no-such-token")
        head = f"POST /api/v1/images/local/load HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        with connected(at, f"{head}Content-Length: 3000000\r\n\r\n") as one:
            assert answer(one)[0] == wanted, name
    large = b"x" * 3_000_000
    sent = product.http.post(
        f"{product.url}/api/v1/images/gone/load",
        files={"file": ("a.tar", large)},
        headers={"Authorization": f"Bearer {tokens['admin']}"},
    )
    assert sent.status_code == 404  # it came in, and there is no such host


VIEWER = """
from accounts.models import User
User.objects.filter(username="vera-door").delete()
User.objects.create_user("vera-door", password="quay-side-4711", role="viewer")
"""
