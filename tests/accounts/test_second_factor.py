"""Second factors: set up, asked for at a login, taken away; each with its entry in the audit."""

import re
import time
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.core.management import CommandError, call_command
from django.test import Client, TestCase

from accounts.models import ApiToken, AuditEntry, User
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
PASSWORD = "quay-side-4711"
SET_UP, CODES = "/account/2fa/totp/activate/", "/account/2fa/recovery-codes/"


@pytest.fixture(autouse=True)
def own_count(settings: Any) -> None:
    """Codes that were wrong in other tests do not count."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}


class App:
    """An authenticator app; each code is of another half minute, for a code holds once."""

    def __init__(self, secret: str) -> None:
        self.secret, self.at = secret, int(time.time())

    def code(self) -> str:
        return format_hotp_value(hotp_value(self.secret, self.at // 30))

    def later(self) -> Any:
        """Half a minute on, for the server as well."""
        self.at += 30
        return patch("allauth.mfa.totp.internal.auth.time.time", lambda: self.at)


def confirmed(client: Client, user: User) -> Client:
    """Logged in, and asked for the password a moment ago."""
    client.force_login(user)
    assert client.get(SET_UP)["Location"].startswith("/account/reauthenticate/?next=")
    answer = client.post("/account/reauthenticate/", {"password": PASSWORD, "next": SET_UP})
    assert answer["Location"] == SET_UP
    return client


def with_app(client: Client, user: User) -> tuple[App, list[str]]:
    """Sets an app up; its recovery codes as the page shows them."""
    page = confirmed(client, user).get(SET_UP)
    assert 'src="data:image/svg+xml;base64,' in page.content.decode()
    app = App(page.context["form"].secret)
    with app.later(), TestCase.captureOnCommitCallbacks(execute=True):
        answer = client.post(SET_UP, {"code": app.code()})
    assert answer["Location"] == CODES
    return app, re.findall(r"<li>(\d{8})</li>", client.get(CODES).content.decode())


def audit() -> list[tuple[str, str, str, str]]:
    return list(AuditEntry.objects.order_by("id").values_list("action", "actor_name", "target", "outcome"))


def password_of(client: Client, name: str) -> Any:
    return client.post("/account/login/", {"login": name, "password": PASSWORD})


def test_setting_up_shows_recovery_codes_once_and_stores_no_secret_in_the_clear(client: Client) -> None:
    app, codes = with_app(client, person("vera", "viewer"))
    assert len(codes) == 10
    again = client.get(CODES).content.decode()
    assert not [code for code in codes if code in again]
    assert client.get(f"{CODES}download/").status_code == 404
    assert not [row for row in Authenticator.objects.all() if app.secret in str(row.data)]
    assert ("second_factor.add", "vera", "vera", "done") in audit()


def test_a_login_asks_for_a_code_after_the_password_and_a_code_holds_once(client: Client) -> None:
    app, _ = with_app(Client(), person("vera", "viewer"))
    assert password_of(client, "vera")["Location"] == "/account/2fa/authenticate/"
    assert client.get("/")["Location"].startswith("/account/login/")  # the password alone opens nothing
    assert client.get("/api/v1/containers").status_code == 401
    with app.later():
        wrong = client.post("/account/2fa/authenticate/", {"code": "000000"})
        assert "This code is wrong" in wrong.content.decode()
        assert client.post("/account/2fa/authenticate/", {"code": app.code()})["Location"] == "/"
        assert client.get("/").status_code == 200
        other = Client()
        password_of(other, "vera")
        assert other.post("/account/2fa/authenticate/", {"code": app.code()}).status_code == 200
        assert other.get("/").status_code == 302
    assert audit()[-3:] == [
        ("login", "", "vera", "refused"),
        ("login", "vera", "vera", "done"),
        ("login", "", "vera", "refused"),
    ]


def test_a_recovery_code_logs_in_once(client: Client) -> None:
    _, codes = with_app(Client(), person("vera", "viewer"))
    for browser, status in ((client, 302), (Client(), 200)):
        password_of(browser, "vera")
        assert browser.post("/account/2fa/authenticate/", {"code": codes[0]}).status_code == status
    entry = AuditEntry.objects.get(action="second_factor.recover")
    assert (entry.actor_name, entry.detail) == ("vera", {"codes_left": 9})


def test_guessing_codes_is_slowed_down(client: Client) -> None:
    app, _ = with_app(Client(), person("vera", "viewer"))
    password_of(client, "vera")
    for number in range(6):
        answer = client.post("/account/2fa/authenticate/", {"code": f"{number:06}"})
    assert "Too many failed login attempts" in answer.content.decode()
    with app.later():
        assert client.post("/account/2fa/authenticate/", {"code": app.code()}).status_code == 200
    assert client.get("/").status_code == 302


def test_who_gave_the_password_can_still_be_somebody_else(client: Client) -> None:
    with_app(Client(), person("vera", "viewer"))
    person("otto", "deployer")
    password_of(client, "vera")
    client.post("/account/logout/")
    assert client.get("/account/2fa/authenticate/")["Location"] == "/account/login/"
    assert password_of(client, "otto")["Location"] == "/"


def test_new_codes_replace_the_old_ones(client: Client) -> None:
    _, old = with_app(client, person("vera", "viewer"))
    with TestCase.captureOnCommitCallbacks(execute=True):
        assert client.post(f"{CODES}generate/")["Location"] == CODES
    new = re.findall(r"<li>(\d{8})</li>", client.get(CODES).content.decode())
    assert len(new) == 10
    assert not set(old) & set(new)
    stranger = Client()
    password_of(stranger, "vera")
    assert stranger.post("/account/2fa/authenticate/", {"code": old[1]}).status_code == 200
    assert stranger.post("/account/2fa/authenticate/", {"code": new[1]})["Location"] == "/"
    assert ("second_factor.renew", "vera", "vera", "done") in audit()


def test_removing_the_app_needs_a_proof_and_then_the_password_alone_logs_in(client: Client) -> None:
    app, _ = with_app(Client(), person("vera", "viewer"))
    password_of(client, "vera")
    with app.later():
        client.post("/account/2fa/authenticate/", {"code": app.code()})
    remove = "/account/2fa/totp/deactivate/"
    assert client.post(remove)["Location"].startswith("/account/reauthenticate/")
    assert Authenticator.objects.filter(type="totp").exists()
    answer = client.post("/account/2fa/reauthenticate/", {"code": "123", "next": remove})
    assert answer.status_code == 200
    assert ("second_factor.confirm", "vera", "vera", "refused") in audit()
    done = client.post("/account/reauthenticate/", {"password": PASSWORD, "next": remove})
    assert done["Location"] == "/account/2fa/"  # what was asked for is done then
    assert not Authenticator.objects.exists()
    assert audit()[-2:] == [("second_factor.remove", "vera", "vera", "done")] * 2  # the app, and the codes
    assert password_of(Client(), "vera")["Location"] == "/"


def test_an_admin_takes_it_away_from_somebody_who_lost_it_and_nobody_else_can(client: Client) -> None:
    vera = person("vera", "viewer")
    with_app(Client(), vera)
    client.force_login(person("otto", "deployer"))
    assert client.post(f"/users/{vera.pk}/second-factor/remove/").status_code == 403
    client.force_login(person("ada", "admin"))
    assert client.get(f"/users/{vera.pk}/second-factor/remove/").status_code == 405
    assert "Take the second factor of vera away?" in client.get(f"/users/{vera.pk}/").content.decode()
    assert client.post(f"/users/{vera.pk}/second-factor/remove/").status_code == 302
    assert audit()[-1] == ("second_factor.remove", "ada", "vera", "done")
    assert password_of(Client(), "vera")["Location"] == "/"
    again = client.post(f"/users/{vera.pk}/second-factor/remove/", follow=True)
    assert "vera has no second factor." in again.content.decode()


def test_it_is_taken_away_over_rest(client: Client) -> None:
    with_app(Client(), person("vera", "viewer"))
    admin = {"Authorization": f"Bearer {ApiToken.make(person('ada', 'admin'), 'ci')}"}
    operator = {"Authorization": f"Bearer {ApiToken.make(person('otto', 'operator'), 'ci')}"}
    route = "/api/v1/users/vera/second-factor/remove"
    assert client.get("/api/v1/users", headers=operator).status_code == 403
    assert client.post(route, headers=operator).status_code == 403
    found = client.get("/api/v1/users", headers=admin).json()["items"]
    assert {each["name"]: each["second_factor"] for each in found} == {"ada": False, "otto": False, "vera": True}
    assert client.post(route, headers=admin).json()["second_factor"] is False
    assert client.post(route, headers=admin).status_code == 409
    assert client.get("/api/v1/users/nobody", headers=admin).status_code == 404


def test_it_is_taken_away_by_a_command(capsys: pytest.CaptureFixture[str]) -> None:
    with_app(Client(), person("vera", "viewer"))
    call_command("user", "remove-second-factor", "vera")
    assert capsys.readouterr().out == "vera logs in by the password alone.\n"
    assert not Authenticator.objects.exists()
    assert audit()[-1] == ("second_factor.remove", "system", "vera", "done")
    with pytest.raises(CommandError, match=r"vera has no second factor\."):
        call_command("user", "remove-second-factor", "vera")
    with pytest.raises(CommandError, match="no user called nobody"):
        call_command("user", "remove-second-factor", "nobody")


def test_a_token_needs_no_second_factor(client: Client) -> None:
    vera = person("vera", "viewer")
    with_app(Client(), vera)
    headers = {"Authorization": f"Bearer {ApiToken.make(vera, 'ci')}"}
    assert client.get("/api/v1/containers", headers=headers).status_code == 200
