"""One-time links: who is invited makes an account, who forgot the password gets another one."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, AuditEntry, OneTimeLink, User
from dashboard.celery import app
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
NEW, OLD = "another-quay-4712", "quay-side-4711"


@pytest.fixture(autouse=True)
def own_count(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}


@pytest.fixture
def mailing(settings: Any) -> Iterator[None]:
    """A mail server is set up, and tasks run at once."""
    settings.EMAIL_URL = "smtp://mail.example.com"
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def invited(role: str = "deployer", days: str = "7") -> str:
    """An administrator makes a link in the page; its path."""
    admin = Client()
    admin.force_login(User.objects.filter(username="ada").first() or person("ada", "admin"))
    page = admin.post("/users/invite/", {"role": role, "days": days})
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    path = re.findall(r'copy-text value="http://testserver(/[^"]+)"', page.content.decode())[0]
    assert path not in admin.get("/users/invite/").content.decode()
    return str(path)


def may_log_in(name: str, password: str) -> bool:
    answer = Client().post("/account/login/", {"login": name, "password": password})
    return answer.status_code == 302


# ---------------------------------------------------------------- invitations
def test_who_is_invited_chooses_name_and_password_once(client: Client) -> None:
    path = invited("deployer")
    assert path.split("/")[3] not in str(list(OneTimeLink.objects.values()))  # only a hash is kept
    values = {"username": "olga", "password": NEW, "email": "olga@example.com"}
    assert client.post(path, values)["Location"] == "/account/login/"
    olga = User.objects.get(username="olga")
    assert (olga.role, olga.email) == ("deployer", "olga@example.com")
    assert may_log_in("olga", NEW)
    assert client.get(path).status_code == 404
    assert client.post(path, values | {"username": "eve"}).status_code == 404
    found = dict(AuditEntry.objects.values_list("action", "actor_name"))
    assert (found["user.invite"], found["user.join"]) == ("ada", "olga")


def test_nothing_but_name_password_and_address_is_taken_from_the_invited(client: Client) -> None:
    values = {"username": "olga", "password": NEW, "role": "admin", "is_superuser": "on", "is_service": "on"}
    client.post(invited("viewer"), values)
    olga = User.objects.get(username="olga")
    assert (olga.role, olga.is_superuser, olga.is_service) == ("viewer", False, False)


@pytest.mark.parametrize(
    ("field", "value"), [("username", "ADA"), ("username", ""), ("password", "12345"), ("email", "nowhere")]
)
def test_a_wrong_value_is_named_and_the_link_still_works(client: Client, field: str, value: str) -> None:
    path, values = invited(), {"username": "olga", "password": NEW, "email": ""}
    answer = client.post(path, values | {field: value})
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert client.post(path, values).status_code == 302


def test_an_invitation_ends_with_its_time_its_maker_and_when_it_is_taken_back(client: Client) -> None:
    paths = [invited() for _ in range(3)]
    admin = Client()
    admin.force_login(User.objects.get(username="ada"))
    newest = OneTimeLink.objects.latest("pk")
    assert admin.post(f"/users/invite/{newest.pk}/take-back/")["Location"] == "/users/invite/"
    assert [client.get(path).status_code for path in paths] == [200, 200, 404]
    OneTimeLink.objects.filter(pk=newest.pk - 1).update(expires=timezone.now() - timedelta(seconds=1))
    assert [client.get(path).status_code for path in paths] == [200, 404, 404]
    User.objects.filter(username="ada").update(role="viewer")
    assert client.post(paths[0], {"username": "olga", "password": NEW}).status_code == 404


def test_only_who_manages_users_invites(client: Client) -> None:
    otto = person("otto", "deployer")
    client.force_login(otto)
    assert client.post("/users/invite/", {"role": "admin", "days": "7"}).status_code == 403
    headers = {"Authorization": f"Bearer {ApiToken.make(otto, 'ci')}"}
    assert client.post("/api/v1/invitations", {"role": "admin"}, "application/json", headers=headers).status_code == 403
    assert not OneTimeLink.objects.exists()


def test_invitations_are_made_and_taken_back_over_rest(client: Client) -> None:
    headers = {"Authorization": f"Bearer {ApiToken.make(person('ada', 'admin'), 'ci')}"}

    def make(**body: Any) -> Any:
        return client.post("/api/v1/invitations", body, "application/json", headers=headers)

    made = make(role="viewer", days=1).json()
    path = made["link"].removeprefix("http://testserver")
    assert client.get(path).status_code == 200
    listed = client.get("/api/v1/invitations", headers=headers).json()
    assert (listed["count"], listed["items"][0]["by"], "link" in listed["items"][0]) == (1, "ada", False)
    assert make(role="king").json()["field"] == "role"
    assert make(role="viewer", days=1000).json()["field"] == "days"
    assert client.delete(f"/api/v1/invitations/{made['id']}", headers=headers).status_code == 204
    assert client.delete(f"/api/v1/invitations/{made['id']}", headers=headers).status_code == 404
    assert client.get(path).status_code == 404


def test_the_secret_of_a_link_is_not_written_down() -> None:
    path, browser = invited(), Client(enforce_csrf_checks=True)
    browser.force_login(person("otto", "deployer"))
    assert browser.post(path, {"username": "olga", "password": NEW}).status_code == 403
    entry = AuditEntry.objects.get(action="request", actor_name="otto")
    assert entry.target == "POST /account/join/<str:link>/"


# ---------------------------------------------------------------- forgotten passwords
def reset(client: Client, capsys: pytest.CaptureFixture[str], name: str = "vera") -> str:
    """What the command prints, without the address."""
    call_command("user", "reset-password", name, "--url", "https://dermaga.example.com/")
    return capsys.readouterr().out.strip().removeprefix("https://dermaga.example.com")


def test_a_link_of_the_command_sets_a_password_once_and_logs_out(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    vera = person("vera", "viewer")
    browser = Client()
    browser.force_login(vera)
    older, path = reset(client, capsys), reset(client, capsys)
    assert client.get(older).status_code == 404  # one at a time
    assert client.post(path, {"password": "12345"}).status_code == 422
    assert client.post(path, {"password": NEW})["Location"] == "/account/login/"
    assert browser.get("/").status_code == 302
    assert may_log_in("vera", NEW) and not may_log_in("vera", OLD)
    assert client.post(path, {"password": OLD}).status_code == 404
    with pytest.raises(CommandError, match="does not log in by a password"):
        User.objects.filter(pk=vera.pk).update(is_service=True)
        reset(client, capsys)


def test_a_link_is_of_one_kind_and_of_an_account_that_is_open(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    person("vera", "viewer")
    path = reset(client, capsys)
    assert client.get(path.replace("new-password", "join")).status_code == 404
    User.objects.update(is_active=False)
    assert client.post(path, {"password": NEW}).status_code == 404


def test_the_login_page_says_what_there_is(client: Client, settings: Any) -> None:
    page = client.get("/account/login/").content.decode()
    assert "An administrator can set a new one." in page and "/account/forgotten/" not in page
    assert client.post("/account/forgotten/", {"who": "vera"}).status_code == 404
    settings.EMAIL_URL = "smtp://mail.example.com"
    assert 'href="/account/forgotten/"' in client.get("/account/login/").content.decode()


def test_a_link_is_mailed_to_the_address_of_the_account_alone(client: Client, mailing: None) -> None:
    vera = person("vera", "viewer")
    User.objects.filter(pk=vera.pk).update(email="vera@example.com")
    answers = {
        client.post("/account/forgotten/", {"who": who}).content for who in ("vera", "Vera@Example.com", "nobody")
    }
    assert (
        len({re.sub(rb'(value|nonce)="[^"]*"', b"", answer) for answer in answers}) == 1
    )  # nobody learns who has an account
    assert [(one.to, one.subject) for one in mail.outbox] == [(["vera@example.com"], "A new password for Dermaga")] * 2
    path = re.findall(r"http://testserver(/\S+)", str(mail.outbox[1].body))[0]
    assert client.post(path, {"password": NEW}).status_code == 302
    assert may_log_in("vera", NEW)


def test_mails_are_limited_and_go_to_nobody_who_cannot_log_in(client: Client, mailing: None) -> None:
    for name, more in (("robot", {"is_service": True}), ("gone", {"is_active": False}), ("bare", {"email": ""})):
        person(name, "viewer")
        User.objects.filter(username=name).update(**({"email": f"{name}@example.com"} | more))
        client.post("/account/forgotten/", {"who": name})
    assert not mail.outbox
    person("vera", "viewer")
    User.objects.filter(username="vera").update(email="vera@example.com")
    last = [client.post("/account/forgotten/", {"who": "vera"}) for _ in range(4)][-1]
    assert last.status_code == 422 and "asked for too often" in last.content.decode()
    assert len(mail.outbox) == 3
