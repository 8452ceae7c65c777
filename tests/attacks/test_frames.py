"""Frames that no browser of ours sends, into every socket: the socket says no or goes on, and nobody else notices."""

import contextlib
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from dashboard.routing import socket_urls
from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

DEEP = "[" * 200_000
TEXTS: dict[str, str | bytes] = {
    "nothing": "",
    "no JSON": "{",
    "a word": '"x"',
    "null": "null",
    "a number": "1e400",
    "a list": "[[], {}, null]",
    "an empty object": "{}",
    "deep": DEEP,
    "deep objects": '{"t":' * 100_000,
    "a huge number": '{"t": "resize", "cols": 1e308, "rows": ' + "9" * 5000 + "}",
    "numbers that are none": '{"t": "resize", "cols": "Infinity", "rows": true, "id": {}, "url": [], "target": {"a": 1}}',
    "wrong kinds": '{"t": "show", "id": -1, "url": 5, "target": null, "count": "many", "before": {"a": []}}',
    "a place far away": '{"t": "show", "id": 1, "url": "//rival.example/%00/../../..", "target": "x"}',
    "a place of its own": '{"t": "show", "id": 2, "url": "/containers/?'
    + "a=b&" * 40_000
    + '", "target": "containers"}',
    "wrong places": '{"id": [], "target": "../..", "after": ["x", 1e99], "count": true, "behind": -1}',
    "no words": '{"tail": {"a": 1}, "since": [], "q": [], "stdout": [[]], "level": {}, "target": []}',
    "many targets": json.dumps({"target": ["local/x"] * 5000, "host": [None] * 5000, "tail": {"a": 1}}),
    "half a letter": json.dumps({"q": "\ud800", "target": "\0", "tail": "\u202e"}),
    "two megabytes": json.dumps({"target": "x" * 2_000_000}),
}
BINARY = b"\0\xff" * 1000
QUERIES = (
    "",
    "?target=local/framed",
    "?target=local/framed&by=message",
    "?target=local/framed&cols=" + "9" * 5000 + "&rows=1",
)


def paths() -> list[str]:
    return [str(route.pattern).replace("<int:job_id>", "1") for route in socket_urls]


@pytest.fixture
def framed(product: Product, docker_engine: DockerEngine) -> Iterator[Product]:
    with running(docker_engine, product, "framed"):
        yield product


def drained(one: ClientConnection, seconds: float) -> None:
    """Takes what comes, until nothing does."""
    with contextlib.suppress(TimeoutError):
        for _ in range(200):
            one.recv(timeout=seconds)


def memory(product: Product) -> int:
    """Bytes that its processes hold."""
    found = 0
    for process in product.processes.values():
        status = Path(f"/proc/{process.pid}/status").read_text()
        found += int(status.partition("VmRSS:")[2].split()[0]) * 1024
    return found


def broken(product: Product, since: int) -> list[str]:
    """What it printed that nobody planned."""
    return [
        line
        for line in product.output[since:].splitlines()
        if "Traceback" in line or "stream failed" in line or "Exception" in line
    ]


@pytest.mark.parametrize("path", paths())
def test_malformed_frames_hurt_nobody(framed: Product, path: str) -> None:
    began = len(framed.output)
    for query in QUERIES:
        for name, text in {**TEXTS, "binary": BINARY}.items():
            with contextlib.suppress(ConnectionClosed), framed.websocket(f"/{path}{query}") as one:
                one.send(text, text=name != "binary")
                one.send(text, text=name != "binary")
                drained(one, 0.02)
    assert not (wrong := broken(framed, began)), wrong[:3]
    assert requests.get(f"{framed.url}/readyz", timeout=5).status_code == 200


def test_a_huge_message_closes_its_own_socket_alone(framed: Product) -> None:
    before = memory(framed)
    for path in paths():
        with (
            framed.websocket("/ws/changes") as other,
            framed.websocket(f"/{path}?target=local/framed&by=message") as one,
        ):
            assert json.loads(other.recv(timeout=5))["t"] == "ready"
            with contextlib.suppress(ConnectionClosed):
                one.send("x" * 10_000_000)
                drained(one, 2)
            # 1006: while it was still sending; 4404: there is no such job
            assert one.close_code in {1006, 1009, 4404}, (path, one.close_code)
            other.send(json.dumps({"t": "show", "id": 1, "url": "/nowhere/", "target": "x"}))
            assert any(json.loads(other.recv(timeout=5))["t"] == "part" for _ in range(50))
    assert memory(framed) < before + 300 * 1024 * 1024


def test_thousands_of_messages_starve_nobody(framed: Product) -> None:
    """As fast as a socket takes them, while somebody else opens pages."""
    began, slowest = len(framed.output), 0.0
    for path, text in (
        ("ws/changes", '{"t": "show", "id": 1, "url": "/containers/", "target": "containers"}'),
        ("ws/logs/pages", '{"id": 1, "target": "local/framed", "after": ["2026-11-24T06:38:36Z", 1]}'),
        ("ws/terminal?target=local/framed", '{"t": "resize", "cols": 80, "rows": 24}'),
    ):
        with contextlib.suppress(ConnectionClosed), framed.websocket(f"/{path}") as one:
            for _ in range(4):
                for _ in range(200):
                    one.send(text)
                asked = time.monotonic()
                assert framed.http.get(f"{framed.url}/account/password/change/", timeout=10).status_code == 200
                slowest = max(slowest, time.monotonic() - asked)
    assert slowest < 5, f"somebody else waited {slowest:.1f} s"
    assert not (wrong := broken(framed, began)), wrong[:3]


def test_a_stranger_who_shouts_is_closed_and_not_heard(framed: Product) -> None:
    """Of our own origin, but not logged in; and of another origin."""
    began = len(framed.output)
    for path in paths():
        with framed.websocket(f"/{path}", requests.Session()) as one:
            with contextlib.suppress(ConnectionClosed):
                for _ in range(50):
                    one.send("x" * 1000)
                drained(one, 2)
            assert one.close_code == 4401, (path, one.close_code)
        with pytest.raises(InvalidStatus) as refused:
            foreign(framed, path)
        assert refused.value.response.status_code == 403
    assert not (wrong := broken(framed, began)), wrong[:3]


def foreign(product: Product, path: str) -> Any:
    cookies = "; ".join(f"{key}={value}" for key, value in product.http.cookies.get_dict().items())
    return connect(
        f"ws://127.0.0.1:{product.port}/{path}",
        additional_headers={"Cookie": cookies},
        origin=Origin("https://rival.example"),
        proxy=None,
    )


@pytest.mark.parametrize("path", paths())
def test_text_that_is_none_closes_the_socket(framed: Product, path: str) -> None:
    with framed.websocket(f"/{path}?target=local/framed&by=message") as one:
        with contextlib.suppress(ConnectionClosed):
            one.send(b'{"t": "\xff\xfe\x80"}', text=True)
            drained(one, 2)
        assert one.close_code == 1007 or path == "ws/jobs/1", one.close_code  # there is no such job: closed before


def test_frames_that_break_the_protocol_end_the_connection(framed: Product) -> None:
    """Unmasked, reserved bits, endless pieces, a length of 2 to the 63: by a socket that is no websocket client."""
    cookies = "; ".join(f"{key}={value}" for key, value in framed.http.cookies.get_dict().items())
    head = (
        f"GET /ws/changes HTTP/1.1\r\nHost: 127.0.0.1:{framed.port}\r\nOrigin: {framed.url}\r\nCookie: {cookies}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    ).encode()
    mask = os.urandom(4)
    frames = {
        "not masked": b"\x81\x05hello",
        "reserved bits": b"\xf1\x80" + mask,
        "an unknown kind": b"\x83\x80" + mask,
        "a huge length": b"\x81\xff" + (2**63 - 1).to_bytes(8) + mask + b"x" * 1000,
        "a long ping": b"\x89\xfe" + (1000).to_bytes(2) + mask + b"x" * 1000,
        "pieces of nothing": b"\x80\x80" + mask,
    }
    began = len(framed.output)
    for name, frame in frames.items():
        with socket.create_connection(("127.0.0.1", framed.port), timeout=10) as one:
            one.sendall(head)
            until(lambda one=one: b"101" in one.recv(4096), "it is open")  # type: ignore[misc]
            one.sendall(frame)
            text = b"".join(iter(lambda one=one: one.recv(65536), b""))  # type: ignore[misc]
            assert b"\x88" in text, name  # it says why it closes
    assert not (wrong := broken(framed, began)), wrong[:3]
