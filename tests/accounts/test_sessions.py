"""Sessions: everybody sees where they are logged in, and ends it; an administrator does so for all."""

from typing import Any
from uuid import uuid4

import pytest
from allauth.usersessions.models import UserSession
from channels.db import database_sync_to_async
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import sessions
from accounts.models import ApiToken, AuditEntry, User
from accounts.sockets import CHECK_EVERY
from accounts.tasks import forget_old_sessions
from tests.accounts.test_sockets import OURS, opened
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Mobile Safari/537.36"
OWN = "/account/sessions/"


@pytest.fixture(autouse=True)
def note_each_use(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}  # of failed logins
    monkeypatch.setattr(sessions, "SEEN_EVERY", 0.0)


def browser(user: User, agent: str = FIREFOX, address: str = "10.8.0.14") -> Client:
    """One in which `user` is logged in, and has looked at a page."""
    client = Client(headers={"User-Agent": agent}, REMOTE_ADDR=address)
    client.force_login(user)
    assert client.get("/").status_code == 200
    return client


def listed(client: Client) -> list[tuple[str, str, bool]]:
    return [(row.client, row.ip, row.is_this) for row in client.get(OWN).context["sessions"]]


def the_other(client: Client) -> int:
    return next(row.pk for row in client.get(OWN).context["sessions"] if not row.is_this)


def is_in(client: Client) -> bool:
    answer = client.get("/")
    assert answer.status_code == 200 or answer["Location"] == "/account/login/?next=/"
    return answer.status_code == 200


def test_a_person_sees_where_they_are_logged_in_and_which_one_this_is() -> None:
    vera = person("vera", "viewer")
    browser(person("otto", "deployer"))
    desk = browser(vera)
    phone = browser(vera, PHONE, "2001:db8::7")
    assert set(listed(desk)) == {("Firefox, Linux", "10.8.0.14", True), ("Chrome, Android", "2001:db8::7", False)}
    assert set(listed(phone)) == {("Firefox, Linux", "10.8.0.14", False), ("Chrome, Android", "2001:db8::7", True)}


def test_a_login_is_listed_and_a_logout_takes_it_off_the_list(client: Client, settings: Any) -> None:
    vera = person("vera", "viewer")
    client.post("/account/login/", {"login": "vera", "password": "quay-side-4711"})
    desk = browser(vera)
    assert len(listed(desk)) == 2
    client.post("/account/logout/")
    assert len(listed(desk)) == 1


def test_what_a_browser_says_of_itself_is_text(client: Client) -> None:
    desk = browser(person("vera", "viewer"), "<script>alert(1)</script>")
    page = desk.get(OWN).content.decode()
    assert "&lt;script&gt;alert(1)" in page and "<script>alert(1)" not in page


def test_one_ends_another_and_it_has_to_log_in_again() -> None:
    vera = person("vera", "viewer")
    desk, phone = browser(vera), browser(vera, PHONE)
    assert desk.get(f"{OWN}{the_other(desk)}/end/").status_code == 405
    assert desk.post(f"{OWN}{the_other(desk)}/end/")["Location"] == OWN
    assert is_in(desk) and not is_in(phone)
    entry = AuditEntry.objects.get(action="session.end")
    assert (entry.actor_name, entry.target, entry.detail["client"]) == ("vera", "vera", "Chrome, Android")


def test_ending_the_one_in_use_is_a_logout() -> None:
    desk = browser(person("vera", "viewer"))
    this = desk.get(OWN).context["sessions"][0].pk
    assert desk.post(f"{OWN}{this}/end/")["Location"] == "/account/login/"
    assert not is_in(desk)


def test_all_others_end_at_once() -> None:
    vera = person("vera", "viewer")
    others = [browser(vera, PHONE) for _ in range(3)]
    stranger, desk = browser(person("otto", "deployer")), browser(vera)
    assert "Ended 3 sessions." in desk.post(f"{OWN}end/", follow=True).content.decode()
    assert is_in(desk) and is_in(stranger) and not any(is_in(other) for other in others)
    assert AuditEntry.objects.get(action="session.end_all").detail == {"sessions": 3}


def test_nobody_ends_somebody_else_s_but_an_administrator_does() -> None:
    vera = person("vera", "viewer")
    desk, otto, ada = browser(vera), browser(person("otto", "deployer")), browser(person("ada", "admin"))
    session = UserSession.objects.get(user=vera).pk
    assert otto.post(f"{OWN}{session}/end/").status_code == 404
    for path in ("", "end/", f"{session}/end/"):
        assert otto.post(f"/users/{vera.pk}/sessions/{path}").status_code == 403
    assert "Firefox, Linux" in ada.get(f"/users/{vera.pk}/sessions/").content.decode()
    assert is_in(desk)
    ada.post(f"/users/{vera.pk}/sessions/{session}/end/")
    assert not is_in(desk)
    again = browser(vera)
    ada.post(f"/users/{vera.pk}/sessions/end/")
    assert not is_in(again) and is_in(ada)


def test_it_is_done_over_rest() -> None:
    vera, ada = person("vera", "viewer"), person("ada", "admin")
    desk = browser(vera)
    tokens = {user: {"Authorization": f"Bearer {ApiToken.make(user, 'ci')}"} for user in (vera, ada)}
    api = Client()
    found = api.get("/api/v1/users/vera/sessions", headers=tokens[vera]).json()["items"]
    assert [(one["client"], one["address"], one["current"]) for one in found] == [
        ("Firefox, Linux", "10.8.0.14", False)
    ]
    assert desk.get("/api/v1/users/vera/sessions").json()["items"][0]["current"] is True
    for name in ("ada", "nobody"):  # alike, whether there is such an account or not
        assert api.get(f"/api/v1/users/{name}/sessions", headers=tokens[vera]).status_code == 403
    assert api.get("/api/v1/users/nobody/sessions", headers=tokens[ada]).status_code == 404
    assert api.delete("/api/v1/users/vera/sessions/999999", headers=tokens[vera]).status_code == 404
    assert api.delete(f"/api/v1/users/vera/sessions/{found[0]['id']}", headers=tokens[vera]).status_code == 204
    assert not is_in(desk)
    again = browser(vera)
    assert api.post("/api/v1/users/vera/sessions/end", headers=tokens[ada]).json() == {"ended": 1}
    assert not is_in(again)


def test_it_is_done_by_commands(capsys: pytest.CaptureFixture[str]) -> None:
    desk = browser(person("vera", "viewer"))
    call_command("user", "sessions", "vera")
    assert capsys.readouterr().out.startswith("Firefox, Linux\t10.8.0.14\t20")
    call_command("user", "end-sessions", "vera")
    assert capsys.readouterr().out == "Ended 1 sessions of vera.\n"
    assert not is_in(desk)
    with pytest.raises(CommandError, match="no user called nobody"):
        call_command("user", "end-sessions", "nobody")


def test_a_second_factor_that_is_taken_away_logs_its_person_out() -> None:
    from allauth.mfa.models import Authenticator

    vera = person("vera", "viewer")
    Authenticator.objects.create(user=vera, type="totp", data={"secret": "x"})
    desk = browser(vera)
    browser(person("ada", "admin")).post(f"/users/{vera.pk}/second-factor/remove/")
    assert not is_in(desk)
    assert AuditEntry.objects.get(action="second_factor.remove").detail["sessions"] == 1


def test_a_new_password_leaves_the_session_that_changed_it_alone_on_the_list() -> None:
    vera = person("vera", "viewer")
    browser(vera, PHONE)
    desk = browser(vera)
    values = {"oldpassword": "quay-side-4711", "password1": "another-quay-4712", "password2": "another-quay-4712"}
    assert desk.post("/account/password/change/", values).status_code == 302
    assert listed(desk) == [("Firefox, Linux", "10.8.0.14", True)]


def test_the_last_use_is_noted_once_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = browser(person("vera", "viewer"))
    first = UserSession.objects.get().last_seen_at
    monkeypatch.setattr(sessions, "SEEN_EVERY", 60.0)
    desk.get("/")
    assert UserSession.objects.get().last_seen_at == first
    monkeypatch.setattr(sessions, "SEEN_EVERY", 0.0)
    desk.get("/", REMOTE_ADDR="10.8.0.15")
    again = UserSession.objects.get()
    assert again.last_seen_at > first and again.ip == "10.8.0.15"


def test_rows_of_sessions_that_have_run_out_are_forgotten() -> None:
    desk = browser(person("vera", "viewer"))
    browser(person("otto", "deployer"))
    Session.objects.filter(session_key=desk.session.session_key).delete()
    forget_old_sessions()
    assert [row.user.username for row in UserSession.objects.all()] == ["otto"]


@pytest.mark.django_db(transaction=True)
async def test_an_open_socket_closes_within_five_seconds_of_its_session() -> None:
    assert CHECK_EVERY < 4  # and the question itself takes a moment

    @database_sync_to_async
    def log_in() -> tuple[Client, str]:
        desk = browser(person("vera", "viewer"))
        return desk, f"sessionid={desk.cookies['sessionid'].value}"

    desk, cookie = await log_in()
    async with (
        opened("/ws/changes", **OURS, cookie=cookie) as first,
        opened("/ws/changes", **OURS, cookie=cookie) as second,
    ):
        for socket in (first, second):
            await socket.until(lambda socket=socket: socket.of_kind("ready"))
        await database_sync_to_async(sessions.end_all)(await User.objects.aget(), await User.objects.aget())
        assert await first.closed() == 4401
        assert await second.closed() == 4401
