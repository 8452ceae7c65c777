"""Testing a connection names what is wrong. Every fault is made by a real server on the loopback."""

import os
import socket
import ssl
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hosts.engine import tunnel
from hosts.engine.connect import check, client
from hosts.engine.endpoint import Endpoint, SSHMaterial, TLSMaterial
from hosts.engine.errors import EndpointError, EngineError
from tests.hosts.engine.certs import Authority, encrypted_key
from tests.hosts.engine.servers import (
    SSHServer,
    answer,
    engine,
    free_port,
    listening,
    listening_unix,
    read_request,
    server_tls,
)


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


@pytest.fixture(autouse=True)
def _no_tunnels_left() -> Iterator[None]:
    yield
    tunnel.close_all()


def fault(endpoint: Endpoint, timeout: float = 5) -> EngineError:
    """What a test of the connection says; it must say it in time, and in a full sentence."""
    began = time.monotonic()
    with pytest.raises(EngineError) as caught:
        check(endpoint, timeout)
    assert time.monotonic() - began < timeout + 1
    error = caught.value
    assert str(error).endswith(".") and "%(" not in str(error)
    return error


def tcp(port: int, tls: TLSMaterial | None = None) -> Endpoint:
    return Endpoint(f"tcp://127.0.0.1:{port}", tls)


# ---------------------------------------------------------------- sockets
def test_it_names_a_refused_connection() -> None:
    port = free_port()
    error = fault(tcp(port))
    assert error.code == "refused"
    assert f"127.0.0.1:{port}" in str(error)


def test_it_names_a_server_that_accepts_and_never_answers() -> None:
    silent = threading.Event()
    with listening(lambda conn: silent.wait(30) and None) as port:
        began = time.monotonic()
        error = fault(tcp(port), timeout=0.8)
        silent.set()
    assert error.code == "timed_out"
    assert time.monotonic() - began < 1.5
    assert "0.8 s" in str(error)


def test_a_server_that_drips_bytes_does_not_hold_it_beyond_the_deadline() -> None:
    def drip(conn: socket.socket) -> None:
        read_request(conn)
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"{" * 100:
            conn.sendall(bytes([byte]))
            time.sleep(0.05)

    with listening(drip) as port:
        assert fault(tcp(port), timeout=1).code == "timed_out"


def test_it_names_packets_that_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    # a full backlog drops further SYNs, as a firewall that drops does
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
            waiting.append(one)
        assert fault(tcp(port), timeout=1).code == "timed_out"
        for one in waiting:
            one.close()


def test_it_names_an_unknown_name() -> None:
    error = fault(Endpoint("tcp://no-such-machine.invalid:2375"))
    assert error.code == "name_unknown"
    assert "no-such-machine.invalid" in str(error)


def test_a_resolver_that_hangs_is_a_time_out(monkeypatch: pytest.MonkeyPatch) -> None:
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **k: released.wait(20) and [])
    error = fault(Endpoint("tcp://slow-dns.example:2375"), timeout=0.5)
    released.set()
    assert error.code == "timed_out"


def test_it_names_a_missing_route() -> None:
    # 240.0.0.0/4 is reserved: the kernel has no route to it
    assert fault(Endpoint("tcp://[100::1]:2375"), timeout=5).code in {"no_route", "timed_out"}
    with socket.socket(socket.AF_INET6) as probe:
        assert probe.connect_ex(("100::1", 2375)) != 0


def test_it_reaches_an_ipv6_address() -> None:
    with listening(engine(), family=socket.AF_INET6) as port:
        assert check(Endpoint(f"tcp://[::1]:{port}"))["name"] == "box"


def test_it_names_a_missing_socket(tmp_path: Path) -> None:
    assert fault(Endpoint(f"unix://{tmp_path}/none.sock")).code == "no_socket"


def test_it_names_a_socket_that_a_stopped_engine_left(tmp_path: Path) -> None:
    path = tmp_path / "left.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    assert fault(Endpoint(f"unix://{path}")).code == "refused"


@pytest.mark.skipif(os.getuid() != 0, reason="changing the user needs root")
def test_it_names_a_socket_that_we_may_not_use(tmp_path: Path) -> None:
    with listening_unix(engine(), tmp_path / "d.sock") as path:
        os.chmod(path, 0o600)
        for folder in [tmp_path, *tmp_path.parents]:
            if folder.stat().st_uid == 0 and folder != Path("/"):
                folder.chmod(folder.stat().st_mode | 0o011)
        os.seteuid(65534)
        try:
            error = fault(Endpoint(f"unix://{path}"))
        finally:
            os.seteuid(0)
    assert error.code == "permission"
    assert error.state == "refused"


# ---------------------------------------------------------------- who answers
@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n" + b'{"ApiVersion": "x"}\n',
        b"HTTP/1.1 nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n",
        b"\x00" * 100_000,
    ],
)
def test_it_names_what_is_no_engine(reply: bytes) -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(reply)

    with listening(handle) as port:
        error = fault(tcp(port))
    assert error.code == "not_an_engine"
    assert "\0" not in error.detail and len(error.detail) <= 500


def test_it_names_an_engine_that_fails() -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        answer(conn, {"message": "disk is full"}, "500 Internal Server Error")

    with listening(handle) as port:
        error = fault(tcp(port))
    assert error.code == "engine_failed"
    assert "disk is full" in str(error)


def test_it_names_a_connection_that_is_cut() -> None:
    with listening(lambda conn: None) as port:
        assert fault(tcp(port)).code == "connection_lost"


def test_an_answer_cut_in_its_middle_is_no_engine_information() -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        conn.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"ApiVersion": "1.41"')

    with listening(handle) as port:
        assert fault(tcp(port)).code == "connection_lost"


def test_it_names_an_api_that_is_too_old() -> None:
    with listening(engine({"ApiVersion": "1.39"})) as port:
        error = fault(tcp(port))
    assert error.code == "api_too_old"
    assert "1.39" in str(error) and "1.40" in str(error)


def test_it_names_an_api_that_is_too_new() -> None:
    with listening(engine({"ApiVersion": "1.99", "MinAPIVersion": "1.60"})) as port:
        error = fault(tcp(port))
    assert error.code == "api_too_new"
    assert "1.60" in str(error) and "1.55" in str(error)


# ---------------------------------------------------------------- TLS
def test_it_names_a_wrong_ca(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("engine", names=["127.0.0.1"])
    with listening(engine(), server_tls(tmp_path, pair)) as port:
        error = fault(tcp(port, TLSMaterial(Authority("another CA").pem)))
    assert error.code == "wrong_ca"
    assert "test CA" in error.detail  # who did sign it
    assert error.state == "wrong_certificate"


def test_without_a_ca_a_private_one_is_not_trusted(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("engine", names=["127.0.0.1"])
    with listening(engine(), server_tls(tmp_path, pair)) as port:
        assert fault(Endpoint(f"https://127.0.0.1:{port}")).code == "wrong_ca"


def test_it_names_an_expired_certificate(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("engine", names=["127.0.0.1"], start=-30, end=-10)
    with listening(engine(), server_tls(tmp_path, pair)) as port:
        error = fault(tcp(port, TLSMaterial(authority.pem)))
    assert error.code == "certificate_expired"
    assert "valid until 20" in error.detail


def test_it_names_a_certificate_of_tomorrow(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("engine", names=["127.0.0.1"], start=1, end=10)
    with listening(engine(), server_tls(tmp_path, pair)) as port:
        assert fault(tcp(port, TLSMaterial(authority.pem))).code == "certificate_not_yet_valid"


@pytest.mark.parametrize("names", [["10.9.8.7", "engine.example"], ["engine.example"], None])
def test_it_names_a_certificate_for_another_name(authority: Authority, tmp_path: Path, names: list[str] | None) -> None:
    pair = authority.issue("engine.example", names=names)
    with listening(engine(), server_tls(tmp_path, pair)) as port:
        error = fault(tcp(port, TLSMaterial(authority.pem)))
    assert error.code == "certificate_name"
    assert "127.0.0.1" in str(error)
    assert "engine.example" in error.detail  # whom it is for


def test_it_names_tls_spoken_to_a_plain_port(authority: Authority) -> None:
    def handle(conn: socket.socket) -> None:
        conn.recv(4096)
        conn.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

    with listening(handle) as port:
        assert fault(tcp(port, TLSMaterial(authority.pem))).code == "tls_to_plain"


def test_it_names_tls_spoken_to_a_plain_port_that_hangs_up(authority: Authority) -> None:
    def handle(conn: socket.socket) -> None:
        if conn.recv(4096).startswith(b"GET"):
            answer(conn, "OK")

    with listening(handle) as port:
        assert fault(tcp(port, TLSMaterial(authority.pem))).code == "tls_to_plain"


def test_it_names_plain_http_spoken_to_a_tls_port(authority: Authority, tmp_path: Path) -> None:
    pair = authority.issue("engine", names=["127.0.0.1"])
    with listening(engine(), server_tls(tmp_path, pair)) as port:
        error = fault(tcp(port))
    assert error.code == "plain_to_tls"


def test_it_names_docker_s_own_answer_to_plain_http() -> None:
    def handle(conn: socket.socket) -> None:
        read_request(conn)
        answer(conn, "Client sent an HTTP request to an HTTPS server.\n", "400 Bad Request")

    with listening(handle) as port:
        assert fault(tcp(port)).code == "plain_to_tls"


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("which", ["none", "another CA", "expired", "for servers"])
def test_it_names_a_refused_client_certificate(
    authority: Authority, tmp_path: Path, newest: ssl.TLSVersion, which: str
) -> None:
    cert, key = {
        "none": lambda: ("", ""),
        "another CA": lambda: Authority("stranger").issue("me", client=True),
        "expired": lambda: authority.issue("me", client=True, start=-30, end=-10),
        "for servers": lambda: authority.issue("me", names=["me.example"]),
    }[which]()
    context = server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]), authority.pem, newest)
    with listening(engine(), context) as port:
        error = fault(tcp(port, TLSMaterial(authority.pem, cert, key)))
    assert error.code == "client_certificate_refused"
    if which == "none":
        assert "no client certificate was given" in error.detail
    if which == "expired":
        assert "expired on" in error.detail


def test_a_reset_after_the_handshake_is_looked_at_again(authority: Authority, tmp_path: Path) -> None:
    """In TLS 1.3 the refusal can be lost in a reset: our request crosses the server's alert."""
    context = server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]))
    strict = server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]), authority.pem)
    first = threading.Event()

    def handle(conn: socket.socket) -> None:
        if first.is_set():
            strict.wrap_socket(conn, server_side=True)
            return
        first.set()
        secure = context.wrap_socket(conn, server_side=True)
        read_request(secure)
        secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        secure.close()

    with listening(handle) as port:
        assert fault(tcp(port, TLSMaterial(authority.pem))).code == "client_certificate_refused"


@pytest.mark.parametrize("how", ["reset", "end without a word", "end"])
@pytest.mark.parametrize("refuses", [True, False])
def test_who_hangs_up_after_the_handshake_is_asked_in_older_tls(
    authority: Authority, tmp_path: Path, how: str, refuses: bool
) -> None:
    """One refuses the certificate and says nothing; the other is a proxy with nothing behind it."""
    pair = authority.issue("engine", names=["127.0.0.1"])
    open_to_all = server_tls(tmp_path, pair)
    strict = server_tls(tmp_path, pair, authority.pem, ssl.TLSVersion.TLSv1_2)

    def handle(conn: socket.socket) -> None:
        hello = conn.recv(4096, socket.MSG_PEEK)
        modern = b"\x00\x2b" in hello  # supported_versions, which only who speaks TLS 1.3 sends
        secure = (open_to_all if modern or not refuses else strict).wrap_socket(conn, server_side=True)
        if how == "reset":
            secure.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif how == "end":
            secure.unwrap()
        secure.close()

    with listening(handle) as port:
        error = fault(tcp(port, TLSMaterial(authority.pem, *Authority("stranger").issue("me", client=True))))
    assert error.code == ("client_certificate_refused" if refuses else "connection_lost")


def test_good_certificates_connect_whatever_the_environment_says(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "nothing.pem"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    context = server_tls(tmp_path, authority.issue("engine", names=["127.0.0.1"]), authority.pem)
    with listening(engine(), context) as port:
        endpoint = tcp(port, TLSMaterial(authority.pem, *authority.issue("me", client=True)))
        assert check(endpoint)["version"] == "20.10.24"
        with client(endpoint) as api:
            assert api.images() == []


def test_unreadable_certificates_and_keys_are_named_by_field(authority: Authority) -> None:
    cert, key = authority.issue("me", client=True)
    _, other = authority.issue("another", client=True)
    wrong = [
        (TLSMaterial(ca="not PEM"), "tls_ca"),
        (TLSMaterial(ca="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"), "tls_ca"),
        (TLSMaterial(ca=key), "tls_ca"),
        (TLSMaterial(ca="ü"), "tls_ca"),
        (TLSMaterial(authority.pem, "nonsense", key), "tls_cert"),
        (TLSMaterial(authority.pem, cert, "nonsense"), "tls_key"),
        (TLSMaterial(authority.pem, cert, cert), "tls_key"),
        (TLSMaterial(authority.pem, cert, other), "tls_key"),
        (TLSMaterial(authority.pem, cert, encrypted_key()), "tls_key"),
    ]
    with listening(engine()) as port:
        for material, field in wrong:
            error = fault(tcp(port, material))
            assert isinstance(error, EndpointError)
            assert error.field == field


# ---------------------------------------------------------------- SSH
@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SSHServer]:
    with SSHServer(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def ssh(server: SSHServer, path: str = "/none.sock", key: str = "client", known: str | None = None) -> Endpoint:
    known_hosts = server.known_hosts if known is None else known
    return Endpoint(server.url(path), ssh=SSHMaterial(server.text(key), known_hosts))


def fingerprint(server: SSHServer, name: str) -> str:
    command = ["ssh-keygen", "-l", "-f", str(server.folder / name)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[1]


def test_it_names_a_refused_ssh_key(sshd: SSHServer) -> None:
    error = fault(ssh(sshd, key="stranger"))
    assert error.code == "ssh_key_refused"
    assert sshd.user in str(error)


def test_it_names_a_changed_host_key_with_both_fingerprints(sshd: SSHServer) -> None:
    old = f"[127.0.0.1]:{sshd.port} {sshd.text('stranger.pub')}"
    error = fault(ssh(sshd, known=old))
    assert error.code == "ssh_host_key_changed"
    assert error.params["expected"] == fingerprint(sshd, "stranger.pub")
    assert error.params["got"] == fingerprint(sshd, "host.pub")
    assert error.state == "wrong_certificate"


def test_a_host_key_of_another_kind_is_a_changed_one(sshd: SSHServer, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ecdsa", "-N", "", "-f", str(tmp_path / "e")], check=True)
    old = f"[127.0.0.1]:{sshd.port} {(tmp_path / 'e.pub').read_text()}"
    error = fault(ssh(sshd, known=old))
    assert error.code == "ssh_host_key_changed"
    assert error.params["got"] == fingerprint(sshd, "host.pub")


OTHER_HOST = "other.example ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ4XYAWQgVtj9OC2OCq8wQbOyqrXc9nnIsFWXYkhRTnH"


@pytest.mark.parametrize("known", ["", OTHER_HOST])
def test_it_names_an_unknown_host_key_with_the_line_to_enter(sshd: SSHServer, known: str) -> None:
    error = fault(ssh(sshd, known=known))
    assert error.code == "ssh_host_key_unknown"
    assert error.params["got"] == fingerprint(sshd, "host.pub")
    # entering that line leads on to the next fault: there is no engine behind this sshd
    assert fault(ssh(sshd, known=error.params["line"])).code == "ssh_no_socket"


def test_it_names_a_missing_engine_behind_ssh(sshd: SSHServer) -> None:
    error = fault(ssh(sshd, "/run/nothing-here.sock"))
    assert error.code == "ssh_no_socket"
    assert "/run/nothing-here.sock" in str(error)


def test_it_names_unreadable_ssh_keys_by_field(sshd: SSHServer, tmp_path: Path) -> None:
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(tmp_path / "k")], check=True)
    for key, words in (((tmp_path / "k").read_text(), "passphrase"), ("nonsense", "ssh-keygen"), ("", "ssh-keygen")):
        error = fault(Endpoint(sshd.url(), ssh=SSHMaterial(key, sshd.known_hosts)))
        assert isinstance(error, EndpointError) and error.field == "ssh_key"
        assert words in str(error)
    for known in ("nonsense", "host ssh-ed25519 AAAA", "host"):
        error = fault(ssh(sshd, known=known))
        assert isinstance(error, EndpointError) and error.field == "ssh_known_hosts"


def test_it_names_a_refused_ssh_port(sshd: SSHServer) -> None:
    material = SSHMaterial(sshd.text("client"), sshd.known_hosts)
    assert fault(Endpoint(f"ssh://root@127.0.0.1:{free_port()}", ssh=material)).code == "refused"


def test_it_names_an_ssh_port_that_never_answers(sshd: SSHServer) -> None:
    material = SSHMaterial(sshd.text("client"), sshd.known_hosts)
    silent = threading.Event()
    with listening(lambda conn: silent.wait(30) and None) as port:
        error = fault(Endpoint(f"ssh://root@127.0.0.1:{port}", ssh=material), timeout=1)
        silent.set()
    assert error.code == "timed_out"


def test_it_names_what_is_no_ssh_server(sshd: SSHServer) -> None:
    material = SSHMaterial(sshd.text("client"), sshd.known_hosts)
    with listening(lambda conn: conn.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        error = fault(Endpoint(f"ssh://root@127.0.0.1:{port}", ssh=material))
    assert error.code == "not_an_engine"
