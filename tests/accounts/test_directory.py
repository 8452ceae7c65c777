"""Logging in by a directory: a real OpenLDAP."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts import directory as asked
from accounts.models import AuditEntry, Grant, Membership, Team, User
from accounts.rights import Role
from dashboard import environment
from tests.engines.certificates import Authority
from tests.rows import a_host, person
from tests.servers.directory import ADMIN, GROUPS, PEOPLE, SECRET, DirectoryServer
from tests.servers.names import no_name_server

pytestmark = [pytest.mark.django_db, pytest.mark.core]
PASSWORD = "sea-side-4711"
OWN = "quay-side-4711"  # of tests.rows.person
WRONG = "not correct"


@pytest.fixture(scope="module")
def server() -> Iterator[DirectoryServer]:
    with DirectoryServer() as server:
        server.add_person("nora", PASSWORD, "nora@example.org")
        server.add_person("olaf", PASSWORD)
        server.add_group("engineers", "nora")
        server.add_group("chiefs", "olaf")
        yield server


@pytest.fixture(autouse=True)
def used(server: DirectoryServer, settings: Any) -> None:
    """Dermaga asks it; engineers are the team north, chiefs lead it."""
    told = {
        "URL": server.tls_url, "CA": server.ca, "BIND_DN": ADMIN, "BIND_PASSWORD": SECRET, "USERS": PEOPLE, "NAME": "Harbour",
        "TEAMS": {"engineers": [("north", False)], "chiefs": [("north", True)]},
    }  # fmt: skip
    for name, value in told.items():
        setattr(settings, f"LDAP_{name}", value)
    settings.ACCOUNT_RATE_LIMITS = False


@pytest.fixture
def north() -> Team:
    team = Team.objects.create(name="north")
    Grant.objects.create(team=team, role=Role.VIEWER, host=a_host())
    return team


def log_in(name: str = "nora", password: str = PASSWORD, client: Client | None = None) -> tuple[Client, str]:
    """A browser, and what the page says."""
    client = client or Client()
    answer = client.post("/account/login/", {"login": name, "password": password}, follow=True)
    return client, answer.content.decode()


def is_in(client: Client) -> str:
    key = client.session.get("_auth_user_id")
    return User.objects.get(pk=key).username if key else ""


# ---------------------------------------------------------------- who gets in
@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
def test_who_is_in_a_mapped_group_gets_an_account_and_sees_what_the_team_may(
    server: DirectoryServer, settings: Any, north: Team, way: str
) -> None:
    settings.LDAP_URL = server.tls_url if way == "ldaps" else server.url
    client, _said = log_in()
    assert is_in(client) == "nora"
    nora = User.objects.get(username="nora")
    assert (nora.role, nora.email, nora.has_usable_password()) == (Role.MEMBER, "nora@example.org", False)
    assert Membership.objects.get(user=nora).source == "ldap"
    assert "quay" in client.get("/hosts/").content.decode()
    assert AuditEntry.objects.filter(action="login", actor=nora, outcome="done").exists()
    log_in()
    assert User.objects.filter(username="nora").count() == 1


def test_groups_are_asked_anew_at_each_login_and_what_was_done_by_hand_stays(
    server: DirectoryServer, north: Team
) -> None:
    log_in()
    nora = User.objects.get(username="nora")
    by_hand = Team.objects.create(name="south")
    Membership.objects.create(team=by_hand, user=nora)
    server.change(f"cn=engineers,{GROUPS}", f"changetype: modify\nreplace: member\nmember: uid=olaf,{PEOPLE}")
    try:
        assert is_in(log_in()[0]) == "nora"
        assert [one.team.name for one in Membership.objects.filter(user=nora)] == ["south"]
    finally:
        server.change(f"cn=engineers,{GROUPS}", f"changetype: modify\nreplace: member\nmember: uid=nora,{PEOPLE}")


def test_groups_are_found_by_a_search_where_people_do_not_name_theirs(settings: Any, north: Team) -> None:
    settings.LDAP_GROUPS_ATTRIBUTE, settings.LDAP_GROUPS = "", GROUPS
    log_in("olaf")
    assert Membership.objects.get(user__username="olaf").lead


# ---------------------------------------------------------------- who does not
@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("nora", "wrong-password"), ("nobody", PASSWORD), ("*", PASSWORD), ("nora)(uid=*", PASSWORD), ("nor*", PASSWORD),
        (f"uid=nora,{PEOPLE}", PASSWORD), ("nora\\2a", PASSWORD), ("admin", SECRET),
    ],
)  # fmt: skip
def test_a_wrong_name_or_password_is_one_answer(north: Team, name: str, password: str) -> None:
    client, said = log_in(name, password)
    assert WRONG in said or "The username and/or password" in said
    assert not is_in(client) and not User.objects.exists()


def test_nobody_gets_in_without_a_password(north: Team) -> None:
    """A directory takes a login without one for nobody's, and says yes."""
    assert asked.find("nora", "") is None
    assert asked.find("nora", "\0") is None
    assert not is_in(log_in(password="")[0])


def test_an_equal_name_takes_no_account_over_and_ones_own_password_goes_nowhere(server: DirectoryServer) -> None:
    nora = person("nora", "admin")
    client, said = log_in()
    assert not is_in(client) and User.objects.get() == nora
    assert is_in(log_in(password=OWN)[0]) == "nora"
    server.stop()
    try:
        assert is_in(log_in(password=OWN)[0]) == "nora"
    finally:
        server.start()


def test_somebody_in_no_mapped_group_is_told_so_and_gets_no_account(settings: Any) -> None:
    settings.LDAP_TEAMS = {}
    client, said = log_in()
    assert "you have no account here" in said and not is_in(client) and not User.objects.exists()
    settings.LDAP_NEW_ACCOUNTS = "anybody"
    assert is_in(log_in()[0]) == "nora"


def test_a_closed_account_stays_out(north: Team) -> None:
    log_in()
    User.objects.update(is_active=False)
    assert not is_in(log_in()[0])


def test_who_is_gone_from_the_directory_is_out_and_who_comes_by_their_name_is_somebody_else(
    server: DirectoryServer, north: Team
) -> None:
    log_in()
    server.command("ldapdelete", f"uid=nora,{PEOPLE}")
    try:
        assert not is_in(log_in()[0])
    finally:
        server.add_person("nora", PASSWORD, "nora@example.org")
        server.change(f"cn=engineers,{GROUPS}", f"changetype: modify\nreplace: member\nmember: uid=nora,{PEOPLE}")
    client, said = log_in()
    assert "There is an account called nora already" in said and not is_in(client)


# ---------------------------------------------------------------- when it is away, or somebody else
def silent(connection: socket.socket) -> None:
    time.sleep(30)


def drip(connection: socket.socket, begins: bytes = b"\x30\x84\x00\x10\x00\x00") -> None:
    """An answer whose bytes come one at a time."""
    connection.sendall(begins)
    for _ in range(300):
        connection.sendall(b"\x02")
        time.sleep(0.1)


def drip_tls(connection: socket.socket) -> None:
    """The same of a handshake: its first record says that it has 16 KiB."""
    drip(connection, b"\x16\x03\x03\x40\x00")


def pour(connection: socket.socket) -> None:
    """An answer of two gigabytes."""
    connection.sendall(b"\x30\x84\x7f\xff\xff\xff")
    while True:
        connection.sendall(b"\x02" * 65536)


def nonsense(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


@pytest.fixture
def answering() -> Iterator[Callable[[Callable[[socket.socket], None]], int]]:
    """Something else in its place, each connection by a function; on which port."""
    with ExitStack() as stack:

        def answer(does: Callable[[socket.socket], None]) -> int:
            listening = stack.enter_context(socket.create_server(("127.0.0.1", 0)))

            def serve() -> None:
                with suppress(OSError):
                    while True:
                        connection, _address = listening.accept()
                        threading.Thread(target=_quietly, args=[does, connection], daemon=True).start()

            threading.Thread(target=serve, daemon=True).start()
            return int(listening.getsockname()[1])

        yield answer


def _quietly(does: Callable[[socket.socket], None], connection: socket.socket) -> None:
    with suppress(OSError), connection:
        does(connection)


def away_soon(name: str = "nora") -> None:
    """Nobody is logged in, and told so within a moment."""
    began = time.monotonic()
    client, said = log_in(name, "some-password")
    assert "Harbour does not answer as it should" in said and not is_in(client)
    assert time.monotonic() - began < 8


@pytest.mark.parametrize("does", [silent, drip, drip_tls, pour, nonsense])
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_one_that_does_not_answer_as_it_should_is_a_sentence_soon(
    settings: Any, monkeypatch: pytest.MonkeyPatch, answering: Any, does: Callable[[socket.socket], None], scheme: str
) -> None:
    monkeypatch.setattr(asked, "SECONDS", 1.0)
    person("olga", "viewer")
    settings.LDAP_URL = f"{scheme}://127.0.0.1:{answering(does)}"
    away_soon()
    away_soon("olga")
    assert is_in(log_in("olga", OWN)[0]) == "olga"


@pytest.mark.parametrize(("scheme", "does"), [("ldap", drip), ("ldaps", drip_tls)])
def test_one_whose_connection_opens_when_it_is_too_late_is_cut_as_well(
    settings: Any, monkeypatch: pytest.MonkeyPatch, answering: Any, scheme: str, does: Callable[[socket.socket], None]
) -> None:
    monkeypatch.setattr(asked, "SECONDS", 0.5)
    port, connect = answering(does), socket.socket.connect

    def late(one: socket.socket, address: Any) -> None:
        if address[1] == port:
            time.sleep(1)
        connect(one, address)

    monkeypatch.setattr(socket.socket, "connect", late)
    settings.LDAP_URL = f"{scheme}://127.0.0.1:{port}"
    away_soon()


def test_one_whose_name_nobody_finds_out_is_a_sentence_soon(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "SECONDS", 0.5)
    with no_name_server(monkeypatch, "directory.example"):
        settings.LDAP_URL = "ldaps://directory.example"
        away_soon()


@pytest.mark.parametrize("way", ["ldaps", "StartTLS"])
@pytest.mark.parametrize("wrong", ["authority", "name"])
def test_a_certificate_that_does_not_fit_is_none(
    server: DirectoryServer, settings: Any, tmp_path: Any, north: Team, way: str, wrong: str
) -> None:
    settings.LDAP_URL = server.tls_url if way == "ldaps" else server.url
    if wrong == "authority":
        (tmp_path / "ca.pem").write_text(Authority("another").ca)
        settings.LDAP_CA = str(tmp_path / "ca.pem")
    else:
        settings.LDAP_URL = settings.LDAP_URL.replace("127.0.0.1", "127.0.0.2")
    client, said = log_in()
    assert "does not answer as it should" in said and not is_in(client)


def test_a_password_goes_to_nobody_who_takes_the_place_of_the_directory_in_the_middle_of_a_login(
    server: DirectoryServer, settings: Any, tmp_path: Any, answering: Any, north: Team
) -> None:
    Authority("another").server("127.0.0.1").write(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    met, heard = [], []

    def answer(connection: socket.socket) -> None:
        met.append(connection)
        if len(met) == 1:  # Dermaga's own
            with socket.create_connection(("127.0.0.1", server.tls_port)) as there:
                threading.Thread(target=_pass_on, args=[there, connection], daemon=True).start()
                _pass_on(connection, there)
        else:
            heard.append(context.wrap_socket(connection, server_side=True).recv(4096))

    settings.LDAP_URL = f"ldaps://127.0.0.1:{answering(answer)}"
    away_soon()
    assert len(met) > 1 and heard == []


def _pass_on(source: socket.socket, to: socket.socket) -> None:
    with suppress(OSError):
        while block := source.recv(65536):
            to.sendall(block)


def test_dermagas_own_account_there_that_is_refused_is_told_to_administrators_alone(settings: Any) -> None:
    settings.LDAP_BIND_PASSWORD = "not-this"
    _client, said = log_in()
    assert "does not answer as it should" in said and "invalidCredentials" not in said


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("LDAP_URL", "http://directory", environment.directory),
        ("LDAP_URL", "ldaps://user:password@directory", environment.directory),
        ("LDAP_USER_FILTER", "(uid=nora)", lambda name: environment.ldap_filter(name, "(uid=%s)")),
        ("LDAP_USER_FILTER", "uid=%s", lambda name: environment.ldap_filter(name, "(uid=%s)")),
    ],
)
def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: Any) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured, match=name):
        read(name)
