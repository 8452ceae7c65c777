"""Accounts: made by an administrator, logged in at the page."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.models import ApiToken, AuditEntry, User
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]


@pytest.fixture(autouse=True)
def own_count(settings: Any) -> None:
    """Logins that failed in other tests do not count."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}


def test_an_admin_makes_an_account_that_can_log_in(client: Client) -> None:
    client.force_login(person("ada", "admin"))
    values = {"username": "otto", "role": "deployer", "is_active": "on", "password": "a-long-quay-4711"}
    assert client.post("/users/add/", values).status_code == 302
    assert AuditEntry.objects.filter(action="user.add", target="otto").exists()
    client.logout()
    answer = client.post("/account/login/", {"login": "otto", "password": "a-long-quay-4711"})
    assert answer["Location"] == "/"


def test_a_weak_password_is_refused_at_its_field(client: Client) -> None:
    client.force_login(person("ada", "admin"))
    answer = client.post("/users/add/", {"username": "otto", "role": "viewer", "is_active": "on", "password": "12345"})
    assert answer.status_code == 422
    assert "password" in answer.context["form"].errors
    assert not User.objects.filter(username="otto").exists()


def test_the_last_administrator_stays_one(client: Client) -> None:
    ada = person("ada", "admin")
    client.force_login(ada)
    answer = client.post(f"/users/{ada.pk}/", {"username": "ada", "role": "viewer", "is_active": "on", "password": ""})
    assert answer.status_code == 422
    ada.refresh_from_db()
    assert ada.role == "admin"


def test_a_wrong_password_does_not_log_in(client: Client) -> None:
    person("ada", "admin")
    assert client.post("/account/login/", {"login": "ada", "password": "wrong"}).status_code == 200
    assert client.get("/").status_code == 302


def test_a_token_acts_as_its_user_and_is_stored_as_a_hash(client: Client) -> None:
    vera = person("vera", "viewer")
    token = ApiToken.make(vera, "ci")
    assert not ApiToken.objects.filter(digest__contains=token[4:20]).exists()
    headers = {"Authorization": f"Bearer {token}"}
    assert client.get("/api/v1/containers", headers=headers).json() == {"items": [], "count": 0}
    refused = client.post("/api/v1/hosts", {"name": "x", "url": "/run/x"}, "application/json", headers=headers)
    assert refused.status_code == 403
    assert refused["Content-Type"] == "application/problem+json"
    assert client.get("/api/v1/containers").status_code == 401
    vera.is_active = False
    vera.save()
    assert client.get("/api/v1/containers", headers=headers).status_code == 401


def form(**values: str) -> dict[str, str]:
    return {"username": "otto", "role": "deployer", "is_active": "on", "password": ""} | values


def test_an_account_that_differs_by_case_alone_is_refused(client: Client) -> None:
    client.force_login(person("ada", "admin"))
    answer = client.post("/users/add/", form(username="Ada", password="a-long-quay-4711"))
    assert answer.status_code == 422
    assert "username" in answer.context["form"].errors


def test_a_new_password_ends_the_sessions_of_the_account_and_not_one_s_own(client: Client) -> None:
    ada, otto = person("ada", "admin"), person("otto", "deployer")
    elsewhere, ours = Client(), Client()
    elsewhere.force_login(otto)
    ours.force_login(ada)
    client.force_login(ada)
    client.post(f"/users/{otto.pk}/", form(password="another-quay-4712"))
    assert elsewhere.get("/").status_code == 302
    client.post(f"/users/{ada.pk}/", form(username="ada", role="admin", password="another-quay-4712"))
    assert client.get("/").status_code == 200
    assert ours.get("/").status_code == 302


def test_logins_and_logouts_are_in_the_audit_and_what_was_typed_is_not(client: Client) -> None:
    person("ada", "admin")
    client.post("/account/login/", {"login": "ada", "password": "wrong"})
    client.post("/account/login/", {"login": "canary-typed-as-name", "password": "x"})
    client.post("/account/login/", {"login": "ada", "password": "quay-side-4711"})
    values = {"oldpassword": "quay-side-4711", "password1": "another-quay-4712", "password2": "another-quay-4712"}
    assert client.post("/account/password/change/", values).status_code == 302
    client.post("/account/logout/")
    found = AuditEntry.objects.order_by("id").values_list("action", "actor_name", "target", "outcome")
    assert list(found) == [
        ("login", "", "ada", "refused"),
        ("login", "", "", "refused"),
        ("login", "ada", "ada", "done"),
        ("user.password", "ada", "ada", "done"),
        ("logout", "ada", "ada", "done"),
    ]


def test_a_token_remembers_its_last_use_and_can_be_removed(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    token = ApiToken.make(person("vera", "viewer"), "ci")
    headers = {"Authorization": f"Bearer {token}"}
    call_command("token", "list")
    assert capsys.readouterr().out.endswith("\tnever\t\tnever\tall\tanywhere\tall hosts\teverybody's\n")
    assert client.get("/api/v1/containers", headers=headers).status_code == 200
    used = ApiToken.objects.get().last_used
    assert used is not None
    client.get("/api/v1/containers", headers=headers)
    assert ApiToken.objects.get().last_used == used  # written once a minute, not for each call
    with pytest.raises(CommandError, match="has no token called other"):
        call_command("token", "remove", "vera", "--name", "other")
    call_command("token", "remove", "vera", "--name", "ci")
    assert client.get("/api/v1/containers", headers=headers).status_code == 401
    assert AuditEntry.objects.filter(action="token.remove", target="ci").exists()


def test_guessing_a_password_is_slowed_down(client: Client) -> None:
    person("ada", "admin")
    for _ in range(6):
        answer = client.post("/account/login/", {"login": "ada", "password": "wrong"})
    assert "Too many failed login attempts" in answer.content.decode()
    right = client.post("/account/login/", {"login": "ada", "password": "quay-side-4711"})
    assert right.status_code == 200
