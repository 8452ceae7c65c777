"""Accounts over REST and in the page: the same rules; and roles that need a second factor."""

from typing import Any
from uuid import uuid4

import pytest
from allauth.mfa.models import Authenticator
from channels.db import database_sync_to_async
from django.test import Client, TestCase

from accounts.models import ApiToken, AuditEntry, User
from tests.accounts.test_second_factor import PASSWORD, SET_UP, App
from tests.accounts.test_sockets import OURS, logged_in, opened
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
LONG = "a-long-quay-4711"
DUTY = "/users/second-factor/"


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}  # of failed logins
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.05)


class Api:
    """REST as the owner of a token."""

    def __init__(self, user: User) -> None:
        self.headers = {"Authorization": f"Bearer {ApiToken.make(user, 'ci')}"}

    def __call__(self, method: str, path: str, **body: Any) -> Any:
        more: Any = {"data": body, "content_type": "application/json"} if method != "get" else {}
        return getattr(Client(), method)(f"/api/v1/{path}", headers=self.headers, **more)


def log_in(name: str, password: str) -> Client | None:
    client = Client()
    answer = client.post("/account/login/", {"login": name, "password": password})
    return client if answer.status_code == 302 else None


# ---------------------------------------------------------------- REST
def test_an_account_is_made_changed_and_removed_over_rest() -> None:
    api = Api(person("ada", "admin"))
    made = api("post", "users", name="otto", role="deployer", password=LONG, email="otto@example.com")
    assert made.status_code == 201
    assert made.json()["email"] == "otto@example.com"
    browser = log_in("otto", LONG)
    assert browser and browser.get("/").status_code == 200
    assert api("patch", "users/otto", role="viewer").json()["role"] == "viewer"
    assert api("patch", "users/otto", password="another-quay-4712").status_code == 200
    assert browser.get("/").status_code == 302
    assert log_in("otto", "another-quay-4712")
    assert api("patch", "users/otto", active=False).json()["active"] is False
    assert not log_in("otto", "another-quay-4712")
    assert api("delete", "users/otto").status_code == 204
    assert api("get", "users/otto").status_code == 404
    found = AuditEntry.objects.filter(target="otto", outcome="done", actor__username="ada").order_by("number")
    assert [entry.action for entry in found] == ["user.add", *["user.change"] * 3, "user.remove"]
    assert (found[1].detail["before"], found[1].detail["after"]) == ({"role": "deployer"}, {"role": "viewer"})
    assert LONG not in str([entry.detail for entry in found])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "ADA", "password": LONG}, "username"),
        ({"name": "a b\n", "password": LONG}, "username"),
        ({"name": "otto", "password": "12345"}, "password"),
        ({"name": "otto"}, "password"),
        ({"name": "otto", "password": LONG, "role": "king"}, "role"),
        ({"name": "otto", "password": LONG, "email": "nowhere"}, "email"),
        ({"name": "robot", "password": LONG, "service": True}, "password"),
    ],
)
def test_a_wrong_value_is_named_by_its_field_over_rest_and_in_the_page(
    client: Client, body: dict[str, Any], field: str
) -> None:
    ada = person("ada", "admin")
    answer = Api(ada)("post", "users", **body)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    client.force_login(ada)
    form = {"username": body["name"], "role": body.get("role", "viewer"), "email": body.get("email", "")}
    form |= {"password": body.get("password", ""), "is_active": "on"} | (
        {"is_service": "on"} if "service" in body else {}
    )
    answer = client.post("/users/add/", form)
    assert answer.status_code == 422 and field in answer.context["form"].errors
    assert User.objects.count() == 1


def test_the_last_administrator_and_oneself_stay(client: Client) -> None:
    ada = person("ada", "admin")
    api = Api(ada)
    for body in ({"role": "viewer"}, {"active": False}, {"service": True}):
        assert api("patch", "users/ada", **body).status_code == 409
    assert api("delete", "users/ada").status_code == 409
    other = person("bert", "admin")
    assert api("delete", "users/ada").status_code == 409  # also when there is another one
    client.force_login(other)
    assert client.post(f"/users/{other.pk}/remove/")["Location"] == f"/users/{other.pk}/"
    assert client.post(f"/users/{ada.pk}/remove/")["Location"] == "/users/"
    assert list(User.objects.values_list("username", flat=True)) == ["bert"]


def test_nobody_else_manages_accounts(client: Client) -> None:
    vera = person("vera", "viewer")
    api = Api(person("otto", "deployer"))
    assert api("post", "users", name="x", password=LONG).status_code == 403
    assert api("patch", "users/otto", role="admin").status_code == 403
    assert api("delete", "users/vera").status_code == 403
    assert api("put", "second-factor", roles=[]).status_code == 403
    client.force_login(vera)
    for path in (f"/users/{vera.pk}/remove/", DUTY):
        assert client.post(path).status_code == 403


def test_a_service_account_has_tokens_and_no_login(client: Client) -> None:
    api = Api(person("ada", "admin"))
    assert api("post", "users", name="robot", role="deployer", service=True).status_code == 201
    token = api("post", "users/robot/tokens", name="ci").json()["token"]
    assert client.get("/api/v1/containers", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert not log_in("robot", "") and not log_in("robot", LONG)
    assert api("post", "users", name="otto", role="deployer", password=LONG).status_code == 201
    browser = log_in("otto", LONG)
    assert browser and api("patch", "users/otto", service=True).status_code == 200
    assert browser.get("/").status_code == 302 and not log_in("otto", LONG)
    assert api("patch", "users/otto", service=False).json()["field"] == "password"


# ---------------------------------------------------------------- a second factor that a role needs
def required(*roles: str) -> Client:
    """By an administrator, in the page."""
    admin = Client()
    ada = User.objects.filter(username="ada").first() or person("ada", "admin")
    Authenticator.objects.get_or_create(user=ada, type="totp", defaults={"data": {"secret": "x"}})
    admin.force_login(ada)
    assert admin.post(DUTY, {"roles": roles})["Location"] == "/users/"
    return admin


def test_who_lacks_one_is_led_to_setting_it_up_and_does_nothing_else_before(client: Client) -> None:
    vera = person("vera", "viewer")
    here_already = Client()
    here_already.force_login(vera)
    assert here_already.get("/").status_code == 200
    required("viewer", "admin")
    assert client.post("/account/login/", {"login": "vera", "password": PASSWORD}).status_code == 302
    for browser in (client, here_already):
        for path in ("/", "/containers/", "/account/sessions/", "/account/tokens/add/", "/account/password/change/"):
            assert browser.get(path)["Location"] == SET_UP, path
        assert browser.post("/account/tokens/add/", {"name": "x"})["Location"] == SET_UP
        assert browser.get("/", headers={"HX-Request": "true"})["HX-Redirect"] == SET_UP
        for path in ("containers", "users/vera/sessions"):
            answer = browser.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")
    assert client.get(SET_UP)["Location"].startswith("/account/reauthenticate/")
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": SET_UP})
    page = client.get(SET_UP)
    assert "Your role needs a second factor." in page.content.decode()
    app = App(page.context["form"].secret)
    with app.later(), TestCase.captureOnCommitCallbacks(execute=True):
        client.post(SET_UP, {"code": app.code()})
    assert client.get("/").status_code == 200
    assert not ApiToken.objects.exists()


def test_other_roles_and_tokens_are_not_affected_and_it_is_taken_back(client: Client) -> None:
    vera, otto = person("vera", "viewer"), person("otto", "deployer")
    required("viewer")
    client.force_login(otto)
    assert client.get("/").status_code == 200
    assert Api(vera)("get", "containers").status_code == 200
    client.force_login(vera)
    assert client.get("/").status_code == 302
    required()
    assert client.get("/").status_code == 200
    entry = AuditEntry.objects.filter(action="second_factor.require").latest("number")
    assert entry.detail == {"before": {"roles": ["viewer"]}, "after": {"roles": []}}


def test_an_administrator_who_requires_it_of_themselves_can_set_it_up(client: Client) -> None:
    ada = person("ada", "admin")
    api = Api(ada)
    assert api("put", "second-factor", roles=["king"]).json()["field"] == "roles"
    assert api("put", "second-factor", roles=["admin"]).json() == {"roles": ["admin"]}
    client.force_login(ada)
    assert client.get(DUTY)["Location"] == SET_UP
    assert client.get(SET_UP)["Location"].startswith("/account/reauthenticate/")
    assert client.post("/account/reauthenticate/", {"password": PASSWORD, "next": SET_UP})["Location"] == SET_UP
    assert client.get(SET_UP).status_code == 200
    assert client.post("/account/logout/").status_code == 302


@pytest.mark.django_db(transaction=True)
async def test_an_open_socket_closes_when_the_role_comes_to_need_one_and_none_opens() -> None:
    cookie = await logged_in("vera", "viewer")
    async with opened("/ws/changes", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await database_sync_to_async(required)("viewer")
        assert await socket.closed() == 4403
    async with opened("/ws/changes", **OURS, cookie=cookie) as socket:
        assert await socket.closed() == 4403
