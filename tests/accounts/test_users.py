"""Accounts: made by an administrator, logged in at the page."""

import pytest
from django.test import Client

from accounts.models import ApiToken, AuditEntry, User
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]


def test_an_admin_makes_an_account_that_can_log_in(client: Client) -> None:
    client.force_login(person("ada", "admin"))
    values = {"username": "otto", "role": "operator", "is_active": "on", "password": "a-long-quay-4711"}
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
