"""Clients for commands, and what an engine says of itself."""

import json
import socket
import ssl
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import docker.errors
import pytest
import requests
import urllib3.exceptions

from hosts.engine.connect import check, client
from hosts.engine.endpoint import Endpoint, TLSMaterial
from hosts.engine.errors import EngineError, translate
from tests.hosts.engine.certs import Authority
from tests.hosts.engine.servers import answer, engine, listening, listening_unix, read_request, server_tls

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> Any:
    return json.loads((RECORDED / f"docker_20_10_{name}.json").read_text())


def tcp(port: int, tls: TLSMaterial | None = None) -> Endpoint:
    return Endpoint(f"tcp://127.0.0.1:{port}", tls)


# ---------------------------------------------------------------- who answers
def test_docker_says_who_it_is() -> None:
    with listening(engine(recorded("version"), recorded("info"))) as port:
        info = check(tcp(port))
    assert (info["engine"], info["version"], info["api_version"]) == ("Docker", "20.10.24+dfsg1", "1.41")
    assert (info["name"], info["os"], info["arch"]) == ("box", "Debian GNU/Linux 12 (bookworm)", "x86_64")
    assert (info["cpus"], info["memory"], info["storage_driver"]) == (2, 25276514304, "overlay2")
    assert (info["cgroup_version"], info["swarm"], info["labels"]) == ("1", "inactive", [])
    assert info["warnings"][0].startswith("WARNING: API is accessible")


def test_podman_says_who_it_is() -> None:
    version = {
        "Version": "5.4.2",
        "ApiVersion": "1.41",
        "MinAPIVersion": "1.24",
        "Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}],
    }
    with listening(engine(version, {"Swarm": None, "Labels": None, "CgroupVersion": "2"})) as port:
        info = check(tcp(port))
    assert (info["engine"], info["version"], info["cgroup_version"]) == ("Podman", "5.4.2", "2")
    assert (info["labels"], info["swarm"]) == ([], "inactive")


def test_a_newer_engine_is_spoken_to_in_our_newest_version() -> None:
    with listening(engine({"ApiVersion": "1.99", "MinAPIVersion": "1.44"})) as port:
        info = check(tcp(port))
    assert (info["api_version"], info["min_api_version"]) == ("1.55", "1.44")


@pytest.mark.parametrize("value", [None, "text", -5, [], {}, [None, {}], True, 2**80, "x\0y"])
def test_nonsense_in_the_answer_survives(value: Any) -> None:
    names = ("Name", "NCPU", "MemTotal", "Driver", "Warnings", "Labels", "Swarm", "CgroupVersion", "OperatingSystem")
    with listening(engine({"Components": value, "Version": value}, dict.fromkeys(names, value))) as port:
        info = check(tcp(port))
    assert info["engine"] == "Docker"
    assert info["cpus"] >= 0 and info["memory"] >= 0
    assert "\0" not in json.dumps(info).replace("\\u0000", "\0")


# ---------------------------------------------------------------- clients
def test_a_client_speaks_the_engine_s_version() -> None:
    paths = []

    def handle(conn: socket.socket) -> None:
        while path := read_request(conn):
            paths.append(path)
            answer(conn, {"ApiVersion": "1.43", "MinAPIVersion": "1.24"} if path == "/version" else [])

    with listening(handle) as port, client(tcp(port)) as api:
        assert api.images() == []
        assert api.containers(all=True) == []
    assert paths == ["/version", "/v1.43/images/json", "/v1.43/containers/json"]


def test_a_known_version_is_not_asked_for() -> None:
    paths = []

    def handle(conn: socket.socket) -> None:
        while path := read_request(conn):
            paths.append(path)
            answer(conn, [])

    with listening(handle) as port, client(tcp(port), version="1.41") as api:
        api.images()
    assert paths == ["/v1.41/images/json"]


def test_a_socket_with_an_odd_name_is_reached(tmp_path: Path) -> None:
    with listening_unix(engine(), tmp_path / "a%20b#c?d;é.sock") as path, client(Endpoint(f"unix://{path}")) as api:
        assert api.images() == []


def test_a_client_over_tls_leaves_no_key_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority()
    context = server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]), authority.pem)
    ours = tmp_path / "temporary"  # others have clients too
    ours.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(ours))
    with listening(engine(), context) as port:
        material = TLSMaterial(authority.pem, *authority.issue("me", client=True))
        with client(tcp(port, material)) as api:
            assert api.images() == []
            assert not list(ours.iterdir())


def test_a_client_trusts_the_given_ca_alone(tmp_path: Path) -> None:
    """Also on the way of the SDK itself, which would add the system's CAs."""
    authority = Authority()
    context = server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]))
    with listening(engine(), context) as port:
        wrong = tcp(port, TLSMaterial(Authority("another").pem))
        with pytest.raises(EngineError) as caught, client(wrong, version="1.41") as api:
            api.images()
    assert caught.value.code == "wrong_ca"


def test_an_answer_that_drips_does_not_hold_a_command() -> None:
    def drip(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(1000):
            conn.sendall(b" ")
            time.sleep(0.05)

    with listening(drip) as port:
        began = time.monotonic()
        with pytest.raises(EngineError) as caught, client(tcp(port), timeout=0.6, version="1.41") as api:
            api.images()
    assert caught.value.code == "timed_out"
    assert time.monotonic() - began < 1.5


def test_a_silent_engine_does_not_hold_a_command() -> None:
    silent = threading.Event()
    with listening(lambda conn: silent.wait(20) and None) as port:
        with pytest.raises(EngineError) as caught, client(tcp(port), timeout=0.5) as api:
            api.images()
        silent.set()
    assert caught.value.code == "timed_out"


def test_two_commands_after_each_other_have_a_deadline_each() -> None:
    def slow(conn: socket.socket) -> None:
        while read_request(conn):
            time.sleep(0.4)
            answer(conn, [])

    with listening(slow) as port, client(tcp(port), timeout=0.7, version="1.41") as api:
        for _ in range(3):
            assert api.images() == []


@pytest.mark.parametrize(
    ("status", "message", "code", "http"),
    [
        ("404 Not Found", "No such container: x", "not_found", 404),
        ("409 Conflict", "container is running: stop it first", "conflict", 409),
        ("400 Bad Request", "invalid reference format", "bad_request", 400),
        ("403 Forbidden", "authorization denied by plugin", "bad_request", 400),
        ("500 Internal Server Error", "driver failed programming", "engine_failed", 502),
        ("501 Not Implemented", "this node is no swarm manager", "not_supported", 501),
        (
            "500 Internal Server Error",
            "configured logging driver does not support reading",
            "log_driver_unreadable",
            409,
        ),
    ],
)
def test_what_the_engine_says_is_passed_on(status: str, message: str, code: str, http: int) -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        answer(conn, {"message": message}, status)

    with listening(handle) as port:
        with pytest.raises(EngineError) as caught, client(tcp(port), version="1.41") as api:
            api.start("x")
    assert (caught.value.code, caught.value.status) == (code, http)
    assert caught.value.detail == message
    if code != "log_driver_unreadable":
        assert message in str(caught.value)


def test_an_error_answer_that_is_no_json_is_passed_on_in_bounds() -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        answer(conn, "<html>" + "proxy broke\0 " * 1000, "502 Bad Gateway")

    with listening(handle) as port:
        with pytest.raises(EngineError) as caught, client(tcp(port), version="1.41") as api:
            api.start("x")
    assert caught.value.code == "engine_failed"
    assert len(caught.value.detail) <= 500 and "\0" not in str(caught.value)


def test_errors_of_the_caller_pass_unchanged() -> None:
    with listening(engine()) as port:
        with pytest.raises(KeyError), client(tcp(port)):
            raise KeyError("mine")
        inner = EngineError("mine", where="x")
        with pytest.raises(EngineError) as caught, client(tcp(port)):
            raise inner
    assert caught.value is inner


# ---------------------------------------------------------------- the deepest cause
def wrapped(deepest: BaseException) -> BaseException:
    """As it comes out of the docker SDK: urllib3, requests and docker around it."""
    new = urllib3.exceptions.NewConnectionError(None, "failed")  # type: ignore[arg-type]
    new.__cause__ = deepest
    most = urllib3.exceptions.MaxRetryError(None, "/", new)  # type: ignore[arg-type]
    outer = docker.errors.DockerException("Error while fetching server API version")
    outer.__cause__ = requests.ConnectionError(most)
    return outer


@pytest.mark.parametrize(
    ("deepest", "code"),
    [
        (ConnectionRefusedError(111, "refused"), "refused"),
        (socket.gaierror(-2, "Name or service not known"), "name_unknown"),
        (OSError(113, "No route to host"), "no_route"),
        (OSError(101, "Network is unreachable"), "no_route"),
        (OSError(110, "Connection timed out"), "timed_out"),
        (TimeoutError("timed out"), "timed_out"),
        (ConnectionResetError(104, "reset"), "connection_lost"),
        (BrokenPipeError(32, "broken pipe"), "connection_lost"),
        (ssl.SSLEOFError(8, "EOF"), "connection_lost"),
    ],
)
def test_a_wrapped_error_is_named_by_its_deepest_cause(deepest: BaseException, code: str) -> None:
    assert translate(wrapped(deepest), tcp(2375)).code == code


def test_an_earlier_fault_is_not_blamed() -> None:
    """What was being handled when another fault came up is not its cause."""
    try:
        try:
            raise ConnectionRefusedError(111, "the first")
        except OSError:
            raise TimeoutError("the second")  # noqa: B904
    except TimeoutError as error:
        assert translate(error, tcp(2375)).code == "timed_out"


def test_causes_in_a_circle_end() -> None:
    one, two = RuntimeError("one"), RuntimeError("two")
    one.__cause__, two.__cause__ = two, one
    assert translate(one, tcp(2375)).code == "connection_lost"
