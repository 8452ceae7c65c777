"""Tunnels through a real sshd: both ways to the socket, many streams, reconnecting, nothing left behind."""

import contextlib
import gc
import os
import signal
import socket
import stat
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hosts.engine import tunnel
from hosts.engine.connect import check, client
from hosts.engine.endpoint import Endpoint, SSHMaterial
from hosts.engine.errors import EngineError
from tests.hosts.engine.servers import SSHServer, engine, listening_unix, read_request

DIAL_STDIO = """#!/usr/bin/env python3
# stands in for the docker command line of the other machine: only "system dial-stdio" works
import os, socket, sys, threading
sock = socket.socket(socket.AF_UNIX)
try:
    sock.connect(os.environ["ENGINE_SOCKET"])
except OSError as error:
    sys.exit(f"Cannot connect to the Docker daemon: {error}")
def copy():
    while block := os.read(0, 65536):
        sock.sendall(block)
    sock.shutdown(socket.SHUT_WR)
threading.Thread(target=copy, daemon=True).start()
while block := sock.recv(65536):
    os.write(1, block)
"""


@pytest.fixture(autouse=True)
def _nothing_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # a folder of these tests alone, beside tmp_path: others have tunnels too; short, since sockets' paths are
    with tempfile.TemporaryDirectory(prefix="tunnels-", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield
        tunnel.close_all()
        assert not [name for name in os.listdir(folder) if name.startswith("dermaga-ssh-")]


@pytest.fixture
def remote(tmp_path: Path) -> Iterator[str]:
    """The engine's socket on the "other" machine."""
    with listening_unix(engine(), tmp_path / "engine.sock") as path:
        yield path


def start(folder: Path, *options: str) -> SSHServer:
    folder.mkdir(exist_ok=True)
    return SSHServer(folder, *options)


def endpoint(server: SSHServer, path: str = "") -> Endpoint:
    return Endpoint(server.url(path), ssh=SSHMaterial(server.text("client"), server.known_hosts))


def until(condition: Callable[[], bool], seconds: float = 5) -> bool:
    """Whether the condition came true in time."""
    end = time.monotonic() + seconds
    done = threading.Event()
    while not condition() and time.monotonic() < end:
        done.wait(0.02)
    return condition()


def test_an_engine_behind_ssh_answers(tmp_path: Path, remote: str) -> None:
    with start(tmp_path / "sshd") as server:
        far = endpoint(server, remote)
        assert check(far)["name"] == "box"
        with client(far) as api:
            assert api.images() == []


def test_the_local_socket_is_for_us_alone(tmp_path: Path, remote: str) -> None:
    with start(tmp_path / "sshd") as server:
        path = Path(tunnel.open_tunnel(endpoint(server, remote)))
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert path.is_socket()
        tunnel.close(endpoint(server, remote))
        assert not path.parent.exists()


def test_one_ssh_connection_serves_many_at_once(tmp_path: Path, remote: str) -> None:
    with start(tmp_path / "sshd", "MaxSessions 2", "MaxStartups 1:100:1") as server:
        far = endpoint(server, remote)
        with ThreadPoolExecutor(20) as pool:
            names = list(pool.map(lambda _: check(far)["name"], range(40)))
        assert names == ["box"] * 40
        assert connections_of(server) == 1


def test_where_forwarding_is_forbidden_the_docker_command_line_is_the_way(tmp_path: Path, remote: str) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "docker").write_text(DIAL_STDIO)
    (tools / "docker").chmod(0o755)
    options = (
        "AllowStreamLocalForwarding no",
        f"SetEnv PATH={tools}:/usr/bin:/bin ENGINE_SOCKET={remote}",
        "MaxSessions 3",
    )
    with start(tmp_path / "sshd", *options) as server:
        far = endpoint(server)
        assert check(far, 30)["name"] == "box"  # six processes: a busy machine takes its time
        # more streams at once than the sshd allows on one connection
        path = tunnel.open_tunnel(far)
        streams = [ask(path) for _ in range(7)]
        assert [stream.recv(15) for stream in streams] == [b"HTTP/1.1 200 OK"] * 7
        for stream in streams:
            stream.close()


def ask(path: str) -> socket.socket:
    stream = socket.socket(socket.AF_UNIX)
    stream.settimeout(5)
    stream.connect(path)
    stream.sendall(b"GET /version HTTP/1.1\r\n\r\n")
    return stream


def test_what_the_other_side_says_against_it_is_told(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "docker").write_text(DIAL_STDIO)
    (tools / "docker").chmod(0o755)
    with start(tmp_path / "sshd", f"SetEnv PATH={tools}:/usr/bin:/bin ENGINE_SOCKET=/run/none.sock") as server:
        with pytest.raises(EngineError) as caught:
            tunnel.open_tunnel(endpoint(server, "/run/none.sock"))
    assert caught.value.code == "ssh_no_socket"
    assert "Cannot connect to the Docker daemon" in caught.value.detail


def test_a_dead_connection_is_made_again(tmp_path: Path, remote: str) -> None:
    with start(tmp_path / "sshd") as server:
        far = endpoint(server, remote)
        check(far)
        for pid in session_pids(server):
            os.kill(pid, signal.SIGKILL)
        assert until(lambda: connections_of(server) == 0)
        assert until(lambda: answers(far)), "it did not come back"


def answers(far: Endpoint) -> bool:
    try:
        return check(far, 3)["name"] == "box"
    except EngineError:
        return False


def test_a_stopped_and_started_sshd_is_found_again(tmp_path: Path, remote: str) -> None:
    server = start(tmp_path / "sshd")
    far = endpoint(server, remote)
    with server:
        check(far)
        sessions = session_pids(server)
    for pid in sessions:
        os.kill(pid, signal.SIGKILL)
    assert until(lambda: not answers(far))
    with server:
        assert until(lambda: answers(far))


def test_bytes_arrive_whole_in_both_directions(tmp_path: Path) -> None:
    """4 MB there and back, with the end of our side said before the other answers."""
    payload = os.urandom(4 << 20)

    def echo(conn: socket.socket) -> None:
        data = b""
        while block := conn.recv(65536):
            data += block
        conn.sendall(data)

    with listening_unix(echo, tmp_path / "echo.sock") as remote, start(tmp_path / "sshd") as server:
        path = tunnel.open_tunnel(endpoint(server, remote))
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(20)
            stream.connect(path)
            threading.Thread(target=lambda: (stream.sendall(payload), stream.shutdown(socket.SHUT_WR))).start()
            got = b""
            while block := stream.recv(65536):
                got += block
    assert got == payload


def test_a_stream_that_we_leave_is_closed_over_there_too(tmp_path: Path) -> None:
    gone = threading.Event()

    def follow(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(b"HTTP/1.1 200 OK\r\n\r\nline\n")
        while conn.recv(10):
            pass
        gone.set()

    with listening_unix(follow, tmp_path / "e.sock") as remote, start(tmp_path / "sshd") as server:
        path = tunnel.open_tunnel(endpoint(server, remote))
        stream = ask(path)
        assert stream.recv(15) == b"HTTP/1.1 200 OK"
        stream.close()
        assert gone.wait(5)


def test_streams_that_we_leave_unread_end_without_a_complaint(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Their socket here is closed already when it is looked at."""
    gone = threading.Semaphore(0)

    def flood(conn: socket.socket) -> None:
        read_request(conn)
        with contextlib.suppress(OSError):
            while True:
                conn.sendall(b"line\n" * 1000)
        gone.release()

    with listening_unix(flood, tmp_path / "e.sock") as remote, start(tmp_path / "sshd") as server:
        path = tunnel.open_tunnel(endpoint(server, remote))
        for _ in range(8):
            stream = ask(path)
            assert stream.recv(5) == b"line\n"
            stream.close()
        assert all(gone.acquire(timeout=30) for _ in range(8))
    tunnel.close_all()
    gc.collect()
    assert not [line.getMessage() for line in caplog.records if "never retrieved" in line.getMessage()]


def test_an_engine_that_ends_a_stream_ends_it_here(tmp_path: Path) -> None:
    with listening_unix(lambda conn: conn.sendall(b"bye"), tmp_path / "e.sock") as remote:
        with start(tmp_path / "sshd") as server:
            with socket.socket(socket.AF_UNIX) as stream:
                stream.settimeout(5)
                stream.connect(tunnel.open_tunnel(endpoint(server, remote)))
                got = b""
                while block := stream.recv(100):
                    got += block
                assert got == b"bye"


def test_a_tunnel_that_nobody_uses_goes(tmp_path: Path, remote: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with start(tmp_path / "sshd") as server:
        path = Path(tunnel.open_tunnel(endpoint(server, remote)))
        monkeypatch.setattr(tunnel, "IDLE_SECONDS", -1.0)
        tunnel._tunnels.loop().call_soon_threadsafe(tunnel._tunnels._sweep)
        assert until(lambda: not path.parent.exists())
        monkeypatch.undo()
        assert check(endpoint(server, remote))["name"] == "box"


def session_pids(server: SSHServer) -> list[int]:
    """The sshd's processes that serve a connection."""
    assert server.process is not None
    answer = subprocess.run(["ps", "--ppid", str(server.process.pid), "-o", "pid="], capture_output=True, text=True)
    return [int(pid) for pid in answer.stdout.split()]


def connections_of(server: SSHServer) -> int:
    """How many established connections the sshd has, as the kernel counts them (state 01 = established)."""
    port = f"{server.port:04X}"
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    fields = [line.split() for line in lines]
    return sum(1 for field in fields if field[1].endswith(f":{port}") and field[3] == "01")
