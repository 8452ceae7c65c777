"""Passkeys: added, renamed, removed, alone in place of a password and after it; each with its entry in the audit."""

import json
from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.test import Client, TestCase

from accounts import people, second_factor
from accounts.models import ApiToken, AuditEntry, User
from accounts.rights import SYSTEM
from tests.accounts.passkey import Passkey, of_nobody
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
PASSWORD = "quay-side-4711"
ADD, LOGIN, SECOND = "/account/2fa/webauthn/add/", "/account/2fa/webauthn/login/", "/account/2fa/authenticate/"
CONFIRM = "/account/2fa/webauthn/reauthenticate/"
REFUSED = "This passkey was not accepted."


@pytest.fixture(autouse=True)
def own_count(settings: Any) -> None:
    """What was wrong in other tests does not count."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}


@pytest.fixture
def client() -> Client:
    return browser()


def browser() -> Client:
    """At a name, since an address has no passkeys."""
    return Client(SERVER_NAME="localhost", headers={"Host": "localhost"})


def confirmed(client: Client, user: User) -> Client:
    """Logged in, and asked for the password a moment ago."""
    client.force_login(user)
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": ADD})
    return client


def added(user: User, passkey: Passkey, *, alone: bool = True, name: str = "phone") -> Any:
    """The answer to the form that adds it."""
    client = confirmed(browser(), user)
    options = client.get(ADD).context["js_data"]["creation_options"]
    fields = {"name": name, "credential": passkey.created(json.loads(json.dumps(options)))}
    with TestCase.captureOnCommitCallbacks(execute=True):
        return client.post(ADD, fields | ({"passwordless": "on"} if alone else {}))


def with_passkey(user: User, *, alone: bool = True, verifies: bool = True) -> Passkey:
    passkey = Passkey(verifies=verifies)
    assert added(user, passkey, alone=alone).status_code == 302
    return passkey


def log_in_alone(client: Client, passkey: Passkey, **fields: str) -> Any:
    return client.post(LOGIN, {"credential": passkey.got(challenge_at_login(client)), **fields})


def challenge_at_login(client: Client) -> dict[str, Any]:
    options: dict[str, Any] = client.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]
    return options


def after_the_password(client: Client, name: str) -> dict[str, Any]:
    """The options that the page of the second factor gives to the browser."""
    assert client.post("/account/login/", {"login": name, "password": PASSWORD})["Location"] == SECOND
    options: dict[str, Any] = json.loads(json.dumps(client.get(SECOND).context["js_data"]["request_options"]))
    return options


def is_in(client: Client) -> bool:
    return client.get("/account/sessions/").status_code == 200


def said(action: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    rows = AuditEntry.objects.filter(action=action).order_by("id")
    return list(rows.values_list("actor_name", "target", "outcome", "detail"))


# ---------------------------------------------------------------- one's own
def test_one_is_added_with_recovery_codes_renamed_and_removed_each_with_an_entry(client: Client) -> None:
    vera = person("vera", "viewer")
    assert added(vera, Passkey())["Location"] == "/account/2fa/recovery-codes/"
    assert ("vera", "vera", "done", {"kind": "webauthn", "name": "phone", "alone": True}) in said("second_factor.add")
    confirmed(client, vera)
    one = Authenticator.objects.get(type="webauthn")
    assert "phone" in client.get("/account/2fa/").content.decode()
    edit, remove = f"/account/2fa/webauthn/keys/{one.pk}/edit/", f"/account/2fa/webauthn/keys/{one.pk}/remove/"
    assert client.post(edit, {"name": "n" * 61}).status_code == 200
    assert client.post(edit, {"name": "old phone"}, follow=True).request["PATH_INFO"] == "/account/2fa/"
    change = {"before": {"name": "phone"}, "after": {"name": "old phone"}}
    assert said("second_factor.rename") == [("vera", "vera", "done", {"kind": "webauthn"} | change)]
    assert "old phone" in client.get(remove).content.decode()
    assert Authenticator.objects.filter(type="webauthn").exists()
    client.post(remove)
    assert not Authenticator.objects.exists()  # its recovery codes are void as well
    gone = {"kind": "webauthn", "name": "old phone", "alone": True}
    assert ("vera", "vera", "done", gone) in said("second_factor.remove")


def test_nobody_changes_somebody_elses(client: Client) -> None:
    with_passkey(person("vera", "viewer"))
    pk = Authenticator.objects.get(type="webauthn").pk
    confirmed(client, person("ada", "admin"))
    for act in ("edit", "remove"):
        assert client.get(f"/account/2fa/webauthn/keys/{pk}/{act}/").status_code == 404
        assert client.post(f"/account/2fa/webauthn/keys/{pk}/{act}/", {"name": "mine"}).status_code == 404
    assert Authenticator.objects.get(pk=pk).wrap().name == "phone"


def test_adding_and_removing_need_a_proof(client: Client) -> None:
    vera = person("vera", "viewer")
    with_passkey(vera)
    client.force_login(vera)
    remove = f"/account/2fa/webauthn/keys/{Authenticator.objects.get(type='webauthn').pk}/remove/"
    for page in (ADD, remove):
        assert client.post(page)["Location"].startswith("/account/reauthenticate/?next=")
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_a_passkey_is_a_proof(client: Client) -> None:
    vera = person("vera", "viewer")
    passkey = with_passkey(vera)
    client.force_login(vera)
    options = client.get(f"{CONFIRM}?next={ADD}").context["js_data"]["request_options"]
    wrong = client.post(CONFIRM, {"credential": '{"id": "a"}', "next": ADD}, follow=True)
    assert REFUSED in wrong.content.decode()
    assert f'name="next" value="{ADD}"' in wrong.content.decode()
    assert said("second_factor.confirm") == [("vera", "vera", "refused", {"kind": "webauthn"})]
    options = json.loads(json.dumps(wrong.context["js_data"]["request_options"]))
    assert client.post(CONFIRM, {"credential": passkey.got(options), "next": ADD})["Location"] == ADD
    assert client.get(ADD).status_code == 200


def test_alone_it_has_to_ask_who_uses_it_also_by_the_challenge_of_another_page(client: Client) -> None:
    """The page of the second factor asks for less, and its challenge lies in the same session."""
    person("otto", "viewer")
    with_passkey(User.objects.get(username="otto"), alone=False)
    stolen = with_passkey(person("vera", "viewer"))
    stolen.verifies = False  # without the PIN of its owner
    for page in ("login", "second factor"):
        challenge = challenge_at_login(client) if page == "login" else after_the_password(client, "otto")
        session = client.session
        session.pop("account_login", None)  # that login is given up; its challenge is still there
        session.save()
        assert client.post(LOGIN, {"credential": stolen.got(challenge)})["Location"] == "/account/login/", page
        assert not is_in(client)
    assert [one[2] for one in said("login")] == ["refused", "refused"]
    stolen.verifies = True
    assert client.post(LOGIN, {"credential": stolen.got(challenge_at_login(client))}).status_code == 302
    assert is_in(client)


def test_one_account_has_twenty_at_most() -> None:
    vera = person("vera", "viewer")
    with_passkey(vera)
    one = Authenticator.objects.get(type="webauthn")
    for _ in range(19):
        Authenticator.objects.create(user=vera, type="webauthn", data=one.data)
    assert "You have 20 passkeys" in added(vera, Passkey()).content.decode()
    assert Authenticator.objects.filter(type="webauthn").count() == 20


# ---------------------------------------------------------------- alone
def test_it_logs_in_alone_and_asks_for_no_further_factor(client: Client) -> None:
    passkey = with_passkey(person("vera", "viewer"))
    assert log_in_alone(client, passkey, next="/containers/")["Location"] == "/containers/"
    assert is_in(client)
    assert client.session.get_expire_at_browser_close()
    detail = {"by": ["webauthn"], "passkey": "phone"}
    assert said("login")[-1] == ("vera", "vera", "done", detail)
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None
    staying = browser()
    log_in_alone(staying, passkey, remember="on")
    assert not staying.session.get_expire_at_browser_close()


def test_next_leads_nowhere_else(client: Client) -> None:
    passkey = with_passkey(person("vera", "viewer"))
    assert log_in_alone(client, passkey, next="https://evil.example/")["Location"] == "/"


def test_one_without_pin_or_finger_never_logs_in_alone(client: Client) -> None:
    vera = person("vera", "viewer")
    assert REFUSED in added(vera, Passkey(verifies=False)).content.decode()  # it would have to
    passkey = with_passkey(vera, alone=False, verifies=False)
    assert REFUSED in client.get(log_in_alone(client, passkey)["Location"]).content.decode()
    assert not is_in(client)


def test_one_that_its_owner_made_a_second_factor_does_not_log_in_alone(client: Client) -> None:
    passkey = with_passkey(person("vera", "viewer"), alone=False)
    answer = log_in_alone(client, passkey, next="/jobs/")
    assert answer["Location"] == "/account/login/?next=%2Fjobs%2F"
    assert "This passkey is a second factor only." in client.get(answer["Location"]).content.decode()
    assert not is_in(client)
    assert said("login")[-1] == ("", "", "refused", {"kind": "webauthn"})


def test_a_removed_one_a_forged_one_and_a_replayed_one_are_refused(client: Client) -> None:
    vera = person("vera", "viewer")
    passkey = with_passkey(vera)
    forged = Passkey()
    forged.id, forged.user = passkey.id, passkey.user  # all that a thief can know
    elsewhere = Passkey("https://localhost.evil.example")
    elsewhere.id, elsewhere.user, elsewhere.key = passkey.id, passkey.user, passkey.key
    for wrong in (forged, elsewhere):
        assert log_in_alone(client, wrong)["Location"] == "/account/login/"
        assert not is_in(client)
    options = client.get(LOGIN, headers={"Accept": "application/json"}).json()["request_options"]
    sent = {"credential": passkey.got(options)}
    other = browser()
    other.get(LOGIN, headers={"Accept": "application/json"})
    assert other.post(LOGIN, sent)["Location"] == "/account/login/"  # made for another browser
    assert client.post(LOGIN, sent)["Location"] == "/"
    client.post("/account/logout/")
    assert client.post(LOGIN, sent)["Location"] == "/account/login/"
    assert not is_in(client) and not is_in(other)
    Authenticator.objects.all().delete()
    assert log_in_alone(client, passkey)["Location"] == "/account/login/"


def test_a_disabled_account_and_a_service_account_stay_out(client: Client) -> None:
    vera, robot = person("vera", "viewer"), person("robot", "viewer")
    passkey, robots = with_passkey(vera), with_passkey(robot)
    people.change(SYSTEM, vera, {"is_active": False})
    people.change(SYSTEM, robot, {"is_service": True})
    for one in (passkey, robots):
        assert log_in_alone(client, one)["Location"] == "/account/inactive/"
        assert not is_in(client)


def test_what_is_no_credential_is_refused_with_a_sentence(client: Client) -> None:
    vera = person("vera", "viewer")
    with_passkey(vera)
    inside = confirmed(browser(), vera)
    waiting = browser()
    after_the_password(waiting, "vera")
    for number, sent in enumerate(of_nobody()):
        client.get(LOGIN, headers={"Accept": "application/json"})
        answer = client.post(LOGIN, {"credential": sent}, REMOTE_ADDR=f"198.51.100.{number}")
        assert REFUSED in client.get(answer["Location"]).content.decode(), sent[:80]
        inside.get(ADD)
        assert REFUSED in inside.post(ADD, {"name": "x", "credential": sent}).content.decode(), sent[:80]
        waiting.get(SECOND)
        text = waiting.post(SECOND, {"credential": sent}).content.decode()
        assert REFUSED in text or "Too many failed login attempts" in text, sent[:80]
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_too_many_tries_are_told_to_wait(client: Client, settings: Any) -> None:
    settings.MFA_RATE_LIMITS = {"webauthn_login": "1/m/ip"}
    assert [client.post(LOGIN, {"credential": "x"}).status_code for _ in range(2)] == [302, 429]


# ---------------------------------------------------------------- after the password
def test_a_login_asks_for_it_after_the_password(client: Client) -> None:
    passkey = with_passkey(person("vera", "viewer"), alone=False, verifies=False)
    options = after_the_password(client, "vera")
    assert not is_in(client)
    assert REFUSED in client.post(SECOND, {"credential": Passkey().got(options)}).content.decode()
    assert said("login")[-1] == ("", "vera", "refused", {"kind": "webauthn"})
    options = json.loads(json.dumps(client.get(SECOND).context["js_data"]["request_options"]))
    assert client.post(SECOND, {"credential": passkey.got(options)})["Location"] == "/"
    assert said("login")[-1] == ("vera", "vera", "done", {"by": ["password", "webauthn"], "passkey": "phone"})


def test_anothers_passkey_is_none_of_ones_own(client: Client) -> None:
    with_passkey(person("vera", "viewer"))
    mine = with_passkey(person("mallory", "viewer"))
    options = after_the_password(client, "vera")
    assert REFUSED in client.post(SECOND, {"credential": mine.got(options)}).content.decode()
    assert not is_in(client)


def test_a_required_second_factor_is_met_by_a_passkey(client: Client) -> None:
    vera = person("vera", "viewer")
    second_factor.require_for(SYSTEM, ["viewer"])
    client.force_login(vera)
    assert client.get("/")["Location"] == "/account/2fa/totp/activate/"
    confirmed(client, vera)
    assert ADD in client.get("/account/2fa/totp/activate/").content.decode()
    options = json.loads(json.dumps(client.get(ADD).context["js_data"]["creation_options"]))
    assert client.post(ADD, {"name": "key", "credential": Passkey().created(options)}).status_code == 302
    assert client.get("/").status_code == 200
    assert client.get("/account/2fa/recovery-codes/").status_code == 200


# ---------------------------------------------------------------- taken away
@pytest.mark.parametrize("way", ["page", "API", "command"])
def test_administrators_take_passkeys_away_too(client: Client, way: str) -> None:
    vera, ada = person("vera", "viewer"), person("ada", "admin")
    passkey = with_passkey(vera)
    log_in_alone(client, passkey)
    if way == "page":
        admin = browser()
        admin.force_login(ada)
        admin.post(f"/users/{vera.pk}/second-factor/remove/")
    elif way == "API":
        headers = {"Authorization": f"Bearer {ApiToken.make(ada, 'ci')}"}
        assert client.post("/api/v1/users/vera/second-factor/remove", headers=headers).status_code == 200
    else:
        call_command("user", "remove-second-factor", "vera")
    assert not Authenticator.objects.exists()
    assert not is_in(client)
    assert log_in_alone(client, passkey)["Location"] == "/account/login/"
    assert client.post("/account/login/", {"login": "vera", "password": PASSWORD})["Location"] == "/"
