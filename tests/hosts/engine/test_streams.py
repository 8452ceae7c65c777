"""Answers that go on: where their content begins and ends, and that nothing waits for bytes that are there."""

import asyncio
import socket
import threading
from pathlib import Path

import pytest

from hosts.engine.body import Body
from hosts.engine.endpoint import Endpoint, TLSMaterial
from hosts.engine.errors import EngineError
from hosts.engine.opening import open_socket
from hosts.engine.streams import fetch, open_stream
from tests.hosts.engine.certs import Authority
from tests.hosts.engine.servers import listening, read_request, server_tls


@pytest.mark.parametrize("piece", [1, 3, 7, 1000])
def test_chunks_are_taken_off_however_they_come(piece: int) -> None:
    raw = b"5\r\nhello\r\n1;x=y\r\n \r\nA\r\n0123456789\r\n0\r\n\r\n"
    body = Body({"transfer-encoding": "chunked"})
    found = b"".join(body.feed(raw[start : start + piece]) for start in range(0, len(raw), piece))
    assert found == b"hello 0123456789"
    assert body.whole and not body.cut


@pytest.mark.parametrize("raw", [b"x\r\n", b"-5\r\n", b"\r\n", b"0" * 2000])
def test_what_is_no_chunk_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        Body({"transfer-encoding": "chunked"}).feed(raw)


async def test_chunks_inside_one_tls_record_are_all_read(tmp_path: Path) -> None:
    """The head is read in a block of 8 KB: what comes after it in the same record is with TLS, not with the socket."""
    authority = Authority()

    def handle(conn: socket.socket) -> None:
        read_request(conn)
        head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-Filler: %s\r\n\r\n"
        # the block of 8192 ends in the middle of the first chunk's size
        filler = b"." * (8192 - len(head % b"") - 1)
        conn.sendall(head % filler + b"5\r\nhello\r\n")
        conn.recv(1)

    with listening(handle, server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]))) as port:
        endpoint = Endpoint(f"tcp://127.0.0.1:{port}", TLSMaterial(authority.pem))
        stream = await open_stream(endpoint, "/events", api_version="1.41")
        try:
            assert await stream.read(timeout=5) == b"hello"
        finally:
            stream.close()


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[1, 2", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1, 2\r\n", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n[1, 2]\r\n", "connection_lost"),
        (b"HTTP/1.1 200 OK\r\n\r\n[1, 2", "not_an_engine"),
    ],
)
async def test_an_answer_that_was_cut_is_none(answer: bytes, code: str) -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(answer)

    with listening(handle) as port:
        with pytest.raises(EngineError) as caught:
            await fetch(Endpoint(f"tcp://127.0.0.1:{port}"), "/containers/json", api_version="1.41")
    assert caught.value.code == code


async def test_a_length_that_makes_no_sense_is_none() -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: lots\r\n\r\n[1, 2]")

    with listening(handle) as port:
        assert await fetch(Endpoint(f"tcp://127.0.0.1:{port}"), "/x", api_version="1.41") == [1, 2]


async def test_an_error_in_chunks_is_read() -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(
            b'HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n14\r\n{"message":"no disk"\r\n1\r\n}\r\n0\r\n\r\n'
        )
        conn.recv(1)

    with listening(handle) as port:
        with pytest.raises(EngineError) as caught:
            await fetch(Endpoint(f"tcp://127.0.0.1:{port}"), "/x", api_version="1.41", timeout=3)
    assert caught.value.detail == "no disk"


# ---------------------------------------------------------------- heads that come late, as Podman's
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n"


@pytest.mark.parametrize(
    ("late", "code"),
    [
        (HEAD + b"hello", ""),
        (b"HTTP/1.1 409 Conflict\r\n\r\n" + b'{"message":"it is being removed"}', "conflict"),
        (b"nonsense", "not_an_engine"),
        (b"", "connection_lost"),
    ],
)
async def test_a_head_that_comes_late_is_read_with_the_body(late: bytes, code: str) -> None:
    opened = threading.Event()

    def handle(conn: socket.socket) -> None:
        read_request(conn)
        opened.wait(5)
        conn.sendall(late)

    with listening(handle) as port:
        endpoint = Endpoint(f"tcp://127.0.0.1:{port}")
        stream = await open_stream(endpoint, "/containers/x/logs", api_version="1.41", patience=0.05)
        assert stream.read_available() is None
        opened.set()
        if code:
            with pytest.raises(EngineError) as caught:
                await stream.read(timeout=5)
            assert caught.value.code == code
        else:
            assert await stream.read(timeout=5) == b"hello"
            assert await stream.read(timeout=5) == b""
        stream.close()


async def test_without_patience_a_head_is_waited_for() -> None:
    silent = threading.Event()
    with listening(lambda conn: silent.wait(5) and None) as port:
        with pytest.raises(EngineError) as caught:
            await open_stream(Endpoint(f"tcp://127.0.0.1:{port}"), "/x", api_version="1.41", head_timeout=0.2)
        silent.set()
    assert caught.value.code == "timed_out"


async def test_a_unix_socket_whose_queue_is_full_is_waited_for(tmp_path: Path) -> None:
    """Such a connection fails at once and is never ready: taken for one in progress it would seem connected."""
    path = str(tmp_path / "engine.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(0)
        fillers = []
        with pytest.raises(BlockingIOError):
            while True:
                filler = socket.socket(socket.AF_UNIX)
                fillers.append(filler)
                filler.setblocking(False)
                filler.connect(path)
        opening = asyncio.ensure_future(open_socket(Endpoint(f"unix://{path}"), 10))
        await asyncio.sleep(0.05)
        assert not opening.done()
        for _ in fillers[:-1]:
            listener.accept()[0].close()
        with await asyncio.wait_for(opening, 10) as sock:
            assert sock.getpeername() == path
        for filler in fillers:
            filler.close()
