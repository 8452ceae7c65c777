"""A stranger's request cannot fill the disk, nor hold a connection for ever: asked through a real server's door."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from asgiref.testing import ApplicationCommunicator

from common.bodies import STRANGERS_BYTES, BodyOnDisk
from tests.servers.product import Product
from tests.waiting import until

BLOCK = 64 * 1024
PLACE = "/api/v1/images/nowhere/load"


def chunks() -> Iterator[bytes]:
    """More than any buffer on the way holds."""
    for _ in range(1024):
        yield b"x" * BLOCK


def on_disk(product: Product) -> int:
    """Bytes of all files that the product's processes hold open in their folder for uploads, also nameless ones."""
    total = 0
    for process in product.processes.values():
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            try:
                if "/uploads/" in str(link.readlink()):
                    total += link.stat().st_size
            except FileNotFoundError:
                continue
    return total


def answer_to(product: Product, headers: str, blocks: Iterable[bytes] = ()) -> tuple[str, int]:
    """What a client reads who sends on for as long as he may, and how many bytes he could send."""
    sent, answer = 0, b""
    with socket.create_connection(("127.0.0.1", product.port), timeout=15) as client:
        client.sendall(f"POST {PLACE} HTTP/1.1\r\nHost: 127.0.0.1:{product.port}\r\n{headers}\r\n".encode())
        with contextlib.suppress(OSError):
            for block in blocks:
                client.sendall(f"{len(block):x}\r\n".encode() + block + b"\r\n")
                sent += len(block)
        with contextlib.suppress(OSError):
            while block := client.recv(4096):
                answer += block
    return answer.decode(), sent


@pytest.mark.parametrize("who", ["", "Authorization: Bearer dmg_made-up\r\n", "Cookie: sessionid=made-up\r\n"])
def test_a_stranger_s_endless_body_is_cut_off_and_leaves_nothing(product: Product, who: str) -> None:
    _, sent = answer_to(product, f"{who}Transfer-Encoding: chunked\r\n", chunks())
    assert sent < 1024 * BLOCK
    until(lambda: on_disk(product) == 0, "nothing of it is on the disk")


def test_a_stranger_who_announces_too_much_is_told_before_he_sends(product: Product) -> None:
    answer, _ = answer_to(product, f"Content-Length: {10**10}\r\n")
    assert answer.startswith("HTTP/1.1 413 ")
    assert "connection: close" in answer.lower()
    assert "Log in, and send it again." in answer


def test_a_viewer_sends_no_more_than_a_stranger(product: Product) -> None:
    product.manage(
        "shell", "--no-imports", "-c", "from accounts.models import User; User.objects.create(username='vic')"
    )
    token = product.manage("token", "create", "vic", "--name", "t").split()[-1]
    answer, _ = answer_to(product, f"Authorization: Bearer {token}\r\nContent-Length: {STRANGERS_BYTES + 1}\r\n")
    assert answer.startswith("HTTP/1.1 413 ")


def test_who_may_send_files_sends_a_large_one(product: Product) -> None:
    """It arrives whole: what refuses it is the route, which finds no such host."""
    files = {"file": ("a.tar", b"x" * STRANGERS_BYTES * 3)}
    headers = {"Authorization": f"Bearer {product.token}"}
    answer = requests.post(f"{product.url}{PLACE}", files=files, headers=headers, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


# ---------------------------------------------------------------- slow ones
async def speak(may_send: bool, pause: float) -> tuple[int, Any]:
    """Sends a body in two halves with a pause between them; gives the answer's status and who was asked about."""
    asked: list[str] = []

    async def judge(scope: dict[str, Any]) -> bool:
        asked.append(scope["path"])
        return may_send

    scope = {
        "type": "http", "method": "POST", "path": "/nothing/is/here/", "query_string": b"", "headers": [(b"host", b"localhost")],
    }  # fmt: skip
    client = ApplicationCommunicator(BodyOnDisk(judge, seconds=0.2), scope)
    await client.send_input({"type": "http.request", "body": b"a", "more_body": True})
    await asyncio.sleep(pause)
    await client.send_input({"type": "http.request", "body": b"b"})
    start = await client.receive_output(timeout=10)
    await client.send_input({"type": "http.disconnect"})
    await client.wait(timeout=10)
    return start["status"], asked


@pytest.mark.django_db(transaction=True)
@pytest.mark.asyncio
async def test_a_stranger_who_drips_is_told_that_he_is_too_slow() -> None:
    began = time.monotonic()
    assert await speak(may_send=False, pause=0.5) == (408, ["/nothing/is/here/"])
    assert time.monotonic() - began < 10


@pytest.mark.django_db(transaction=True)
@pytest.mark.asyncio
async def test_who_may_send_files_may_take_his_time() -> None:
    assert await speak(may_send=True, pause=0.5) == (404, ["/nothing/is/here/"])


@pytest.mark.django_db(transaction=True)
@pytest.mark.asyncio
async def test_nobody_asks_who_sends_what_is_short_and_quick() -> None:
    assert await speak(may_send=False, pause=0) == (404, [])
