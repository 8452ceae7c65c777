"""Logging in to registries: real ones with a password, with a CA of their own and with tokens, and ones that lie."""

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from hosts.registry import errors
from hosts.registry.addresses import Level, level_of
from hosts.registry.client import Client
from hosts.registry.places import Login, Place
from tests.engines.certificates import Authority
from tests.engines.registry import PASSWORD, USER, Registry
from tests.hosts.registry.scripted import Scripted, drip
from tests.servers.names import no_name_server

RIGHT, WRONG = Login(USER, PASSWORD), Login(USER, "canary-4711")


def place_of(registry: Registry, **more: Any) -> Place:
    ca = registry.authority.ca if registry.authority else ""
    return Place(registry.address, **{"ca": ca, "plain_http": not ca, "inside": True, **more})


def ping(place: Place, login: Login | None = None, seconds: float = 10) -> str:
    with Client(place, login, seconds=seconds) as client:
        return client.ping()


@pytest.fixture
def script() -> Iterator[Scripted]:
    scripted = Scripted()
    yield scripted
    scripted.close()


@pytest.fixture
def other() -> Iterator[Scripted]:
    scripted = Scripted("127.0.0.2")
    yield scripted
    scripted.close()


def told(script: Scripted, login: Login | None = None, seconds: float = 10) -> errors.RegistryError:
    """The error that a ping of it raises."""
    with pytest.raises(errors.RegistryError) as caught:
        ping(Place(script.address, plain_http=True, inside=True), login, seconds)
    if login:
        assert login.secret not in f"{caught.value} {caught.value.detail} {caught.value.params}"
    return caught.value


# ---------------------------------------------------------------- real registries
def test_it_says_how_a_registry_wants_a_login(
    registry: Registry, locked_registry: Registry, token_registry: Registry
) -> None:
    ways = [ping(place_of(one)) for one in (registry, locked_registry)]
    assert ways == ["none", "password"]
    assert ping(place_of(token_registry), RIGHT) == "token"


@pytest.mark.parametrize("fixture", ["locked_registry", "tls_registry", "token_registry"])
def test_a_right_login_is_taken_and_a_wrong_one_is_said(fixture: str, request: pytest.FixtureRequest) -> None:
    place = place_of(request.getfixturevalue(fixture))
    assert ping(place, RIGHT) in {"password", "token"}
    with pytest.raises(errors.WrongLogin) as caught:
        ping(place, WRONG)
    assert "does not take the login of tester" in str(caught.value)
    assert WRONG.secret not in f"{caught.value!r} {caught.value.detail} {WRONG!r}"


def test_a_token_server_is_asked_for_what_is_needed_and_no_more(token_registry: Registry) -> None:
    assert token_registry.tokens
    with Client(place_of(token_registry), RIGHT) as client:
        client.ask("GET", "/v2/some/thing/tags/list", scope="repository:some/thing:pull")
        client.ask("GET", "/v2/some/thing/tags/list", scope="repository:some/thing:pull")
    _, query = token_registry.tokens.asked[-1]
    assert query == {"service": "registry.tests", "scope": "repository:some/thing:pull", "account": USER}


def test_a_certificate_of_another_ca_is_not_trusted(tls_registry: Registry) -> None:
    for ca in ("", Authority("Another").ca):
        with pytest.raises(errors.Untrusted) as caught:
            ping(place_of(tls_registry, ca=ca), RIGHT)
        assert "is not trusted" in str(caught.value)


def test_http_and_https_are_not_confused(registry: Registry, tls_registry: Registry) -> None:
    with pytest.raises(errors.SpeaksHTTP):
        ping(place_of(registry, plain_http=False))
    with pytest.raises(errors.SpeaksHTTPS):
        ping(place_of(tls_registry, plain_http=True, inside=True))


# ---------------------------------------------------------------- what is no registry
@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Type": "text/html"}, b"<h1>Welcome</h1>"),
        (404, {}, b""),
        (302, {"Location": "/v2/"}, b""),
        (302, {"Location": "ftp://elsewhere/"}, b""),
        (401, {"WWW-Authenticate": "Negotiate"}, b""),
    ],
)
def test_another_server_is_no_registry(script: Scripted, answer: Any) -> None:
    script.says["/v2/"] = answer
    assert isinstance(told(script), errors.NotARegistry)


def test_what_speaks_no_http_is_no_registry(script: Scripted) -> None:
    def pong(handler: Any) -> None:
        handler.wfile.write(b"+PONG\r\n" * 100)

    script.says["/v2/"] = pong
    assert isinstance(told(script), errors.NotARegistry)


def test_nobody_there_is_said() -> None:
    for address, words in (("127.0.0.1:1", "nothing listens there"), ("registry.invalid:5000", "its name is unknown")):
        with pytest.raises(errors.Unreachable, match=words):
            ping(Place(address, plain_http=True, inside=True))


@pytest.mark.parametrize("name", ["quay.example", "4711.quay.example"])
def test_one_whose_name_nobody_finds_out_is_given_up_in_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    began = time.monotonic()
    with no_name_server(monkeypatch, name), pytest.raises(errors.Slow):
        ping(Place(name), seconds=0.5)
    assert time.monotonic() - began < 8


def test_one_whose_connection_opens_when_it_is_too_late_is_given_up_as_well(
    script: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    script.says["/v2/"] = drip(script)
    connect, port = socket.socket.connect, int(script.address.partition(":")[2])

    def late(one: socket.socket, address: Any) -> None:
        if address[1] == port:
            time.sleep(1)
        connect(one, address)

    monkeypatch.setattr(socket.socket, "connect", late)
    began = time.monotonic()
    assert isinstance(told(script, seconds=0.5), errors.Slow)
    assert time.monotonic() - began < 8


def test_one_that_drips_bytes_is_given_up_in_time(script: Scripted) -> None:
    script.says["/v2/"] = drip(script)
    began = time.monotonic()
    assert isinstance(told(script, seconds=1), errors.Slow)
    assert time.monotonic() - began < 3


def test_an_endless_answer_is_not_read_to_its_end(script: Scripted) -> None:
    def endless(handler: Any) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while not script.done.is_set():
            try:
                handler.wfile.write(b"x" * 65536)
            except OSError:
                return

    script.says["/v2/"] = endless
    assert "more than 4194304 bytes" in str(told(script))


def test_a_rate_limit_says_when_to_try_again(script: Scripted) -> None:
    script.says["/v2/"] = (429, {"Retry-After": "150"}, b"")
    assert "Try again in 3 min" in str(told(script))
    soon = format_datetime(datetime.now(UTC) + timedelta(minutes=9.5))
    script.says["/v2/"] = (429, {"Retry-After": soon}, b"")
    assert "Try again in 10 min" in str(told(script))
    script.says["/v2/"] = (429, {}, b"")
    error = told(script)
    assert (error.status, error.code) == (429, "registry_limited")
    assert "rate limit is reached. Wait" in str(error)


# ---------------------------------------------------------------- where a login goes
def bearer(realm: str) -> tuple[int, dict[str, str], bytes]:
    return 401, {"WWW-Authenticate": f'Bearer realm="{realm}",service="s"'}, b""


@pytest.mark.parametrize(
    "realm",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://elsewhere.example/token",
        "http://user:pass@127.0.0.1/token",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "//127.0.0.1/",
        "",
    ],
)
def test_a_login_goes_to_no_strange_realm(script: Scripted, realm: str) -> None:
    script.says["/v2/"] = bearer(realm)
    assert isinstance(told(script, WRONG), errors.BadRealm)
    assert script.credentials == []


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"])
def test_a_realm_on_an_address_of_the_cloud_is_not_visited(script: Scripted, host: str) -> None:
    script.says["/v2/"] = bearer(f"https://{host}/token")
    assert isinstance(told(script, WRONG), errors.ForbiddenAddress)
    assert script.credentials == []


def test_addresses_that_are_visited_and_not() -> None:
    for level, addresses in {
        Level.NEVER: "169.254.1.1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe 2002:a9fe:a9fe::1 fe80::1%eth0 224.0.0.1 :: 0.0.0.0 "
        "100.100.100.200 fd00:ec2::254 x 127.1 2130706433 0177.0.0.1",
        Level.LOOPBACK: "127.0.0.1 127.8.8.8 ::1 ::ffff:127.0.0.1 64:ff9b::7f00:1 2002:7f00:1::1 ::127.0.0.1",
        Level.PRIVATE: "10.0.0.5 172.16.0.1 192.168.1.1 100.64.0.1 198.18.0.1 240.0.0.1 fd12::1 fc00::1 2001:db8::5 "
        "::ffff:10.0.0.5 64:ff9b::a00:5 64:ff9b:1::c0a8:101 ::10.0.0.5",
        Level.PUBLIC: "1.1.1.1 93.184.216.34 2606:4700::1111 ::ffff:1.1.1.1 64:ff9b::101:101",
    }.items():
        assert {address: level_of(address) for address in addresses.split()} == dict.fromkeys(addresses.split(), level)


def test_a_redirect_takes_no_login_along(script: Scripted, other: Scripted) -> None:
    other.says["/v2/"] = (200, {}, b"{}")
    port = other.address.partition(":")[2]

    def first_wants_a_login(handler: Any) -> None:
        known = handler.headers.get("Authorization")
        status = "302 Found" if known else "401 Unauthorized"
        more = f"Location: http://127.0.0.1:{port}/v2/" if known else 'WWW-Authenticate: Basic realm="x"'
        handler.wfile.write(f"HTTP/1.1 {status}\r\n{more}\r\nContent-Length: 0\r\n\r\n".encode())

    script.says["/v2/"] = first_wants_a_login
    there = Scripted()
    try:
        there.says["/v2/"] = (200, {}, b"{}")
        script_port = there.address.partition(":")[2]
        port = script_port
        assert ping(Place(script.address, plain_http=True, inside=True), WRONG) == "password"
        assert [path for path, _ in there.asked] == ["/v2/"]
        assert there.credentials == []
        # and one that leads to another host without TLS is not followed at all
        script.says["/v2/"] = (302, {"Location": f"http://{other.address}/v2/"}, b"")
        assert isinstance(told(script, WRONG), errors.NotARegistry)
        assert other.asked == []
    finally:
        there.close()


def test_where_a_redirect_leads_cannot_ask_for_the_login(script: Scripted) -> None:
    there = Scripted()
    try:
        there.says["/v2/"] = (401, {"WWW-Authenticate": 'Basic realm="x"'}, b"")
        script.says["/v2/"] = (302, {"Location": f"http://{there.address}/v2/"}, b"")
        told(script, WRONG)
        assert there.credentials == []
    finally:
        there.close()


@pytest.mark.parametrize("token", ["", "a b", "x\r\nX-Evil: 1", "x" * 20_000, 5, None])
def test_a_token_that_is_none_is_refused(script: Scripted, token: Any) -> None:
    script.says["/v2/"] = bearer(f"http://{script.address}/token")
    script.says["/token"] = (200, {}, json.dumps({"token": token}).encode())
    assert isinstance(told(script, RIGHT), errors.NotARegistry)


def test_a_registry_that_repeats_the_password_is_not_quoted(script: Scripted) -> None:
    def repeat(handler: Any) -> None:
        words = json.dumps({"errors": [{"code": "X", "message": f"no user {WRONG.secret}"}]}).encode()
        handler.wfile.write(b"HTTP/1.1 500 Oh\r\nContent-Length: %d\r\n\r\n%s" % (len(words), words))

    script.says["/v2/"] = repeat
    assert "no user •••" in str(told(script, WRONG))
