"""Registries and their accounts: forms, rights, and that no secret comes out."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.models import AuditEntry
from accounts.rights import SYSTEM
from hosts.actions.registries import registries
from hosts.models import Registry, RegistryAccount
from jobs.models import Schedule
from tests.engines.certificates import Authority
from tests.engines.registry import PASSWORD, USER
from tests.engines.registry import Registry as RealRegistry
from tests.rows import person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
CANARY = "canary-4711-secret"
NEW = {"name": "harbour", "address": "registry.example.com"}
JSON: Any = {"content_type": "application/json"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    return client


@pytest.fixture
def harbour(admin: Client) -> Registry:
    """A registry with one account."""
    admin.post("/registries/add/", NEW)
    admin.post("/registries/harbour/accounts/add/", {"username": "robot", "secret": CANARY})
    return Registry.objects.get(name="harbour")


# ---------------------------------------------------------------- registries
def test_docker_hub_is_there_by_default_and_stays(admin: Client) -> None:
    Registry.objects.all().delete()
    for _ in range(2):
        registries.add_hub(SYSTEM)
    hub = Registry.objects.get()
    assert (hub.address, hub.server) == ("docker.io", "https://index.docker.io/v1/")
    assert admin.delete(f"/api/v1/registries/{hub.name}").status_code == 409
    answer = admin.post(f"/registries/{hub.name}/remove/", follow=True)
    assert "Docker Hub stays" in answer.content.decode()
    assert admin.post(f"/registries/{hub.name}/edit/", {"name": "hub", "address": "other.io"}).status_code == 422


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://Registry.Example.com/", "registry.example.com"),
        ("10.0.0.5:5000", "10.0.0.5:5000"),
        ("[fd00::5]:5000", "[fd00::5]:5000"),
        ("localhost", "localhost"),
        ("index.docker.io", "docker.io"),
    ],
)
def test_an_address_is_stored_in_one_form(admin: Client, typed: str, stored: str) -> None:
    assert admin.post("/registries/add/", {"name": "new", "address": typed}).status_code == 302
    assert Registry.objects.get(name="new").address == stored


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", {"name": "a b"}),
        ("name", {"name": "add"}),
        ("name", {"name": "HARBOUR"}),
        ("address", {"address": ""}),
        ("address", {"address": "registry.example.com/team"}),
        ("address", {"address": "user@registry.example.com"}),
        ("address", {"address": "registry.example.com:99999"}),
        ("address", {"address": "http://new.example.com"}),
        ("address", {"address": "ftp://new.example.com"}),
        ("address", {"address": "harbour"}),
        ("address", {"address": "REGISTRY.example.com"}),
        ("ca", {"ca": "no certificate"}),
    ],
)
def test_a_wrong_value_is_said_at_its_field_and_stays(
    harbour: Registry, admin: Client, field: str, values: dict[str, str]
) -> None:
    form = {"name": "new", "address": "new.example.com", **values}
    answer = admin.post("/registries/add/", form)
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {field}
    assert answer.context["form"][field].value() == values[field]
    told = admin.post("/api/v1/registries", form, **JSON)
    assert (told.status_code, told.json()["field"]) == (422, field)
    assert Registry.objects.filter(name="new").count() == 0


def test_a_stored_login_moves_to_no_other_address(harbour: Registry, admin: Client) -> None:
    for change in ({"address": "evil.example.com"}, {"plain_http": True}):
        answer = admin.patch("/api/v1/registries/harbour", change, **JSON)
        assert (answer.status_code, answer.json()["field"]) == (422, next(iter(change)))
        page = admin.post("/registries/harbour/edit/", {**NEW, **change})
        assert "Accounts are stored for" in page.content.decode()
    kept = admin.patch("/api/v1/registries/harbour", {"name": "pier", "ca": Authority().ca}, **JSON)
    assert kept.json()["name"] == "pier"
    harbour.accounts.get().delete()
    assert admin.patch("/api/v1/registries/pier", {"address": "evil.example.com"}, **JSON).status_code == 200


def test_removing_one_says_what_stops_working(harbour: Registry, admin: Client) -> None:
    params = {"account": harbour.accounts.get().pk}
    Schedule.objects.create(name="nightly", kind="image.pull", params=params, cron="0 0 * * *", timezone="UTC")
    Schedule.objects.create(name="other", kind="image.pull", params={"account": 0}, cron="0 0 * * *", timezone="UTC")
    page = admin.get("/registries/harbour/remove/").content.decode()
    assert "robot" in page
    assert "nightly" in page
    assert "other" not in page
    admin.post("/registries/harbour/remove/")
    assert not Registry.objects.filter(name="harbour").exists()
    assert not RegistryAccount.objects.exists()
    assert AuditEntry.objects.filter(action="registry.remove", target="harbour").count() == 1


# ---------------------------------------------------------------- accounts
def test_a_secret_is_stored_encrypted_and_shown_nowhere(harbour: Registry, admin: Client) -> None:
    account = harbour.accounts.get()
    assert account.secret == CANARY
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM hosts_registryaccount")
        assert CANARY not in str(cursor.fetchall())
    seen = [
        admin.get(path).content.decode()
        for path in (
            "/registries/",
            "/registries/harbour/",
            f"/registries/harbour/accounts/{account.pk}/",
            "/registries/harbour/remove/",
            "/api/v1/registries",
            "/api/v1/registries/harbour",
        )
    ]
    wrong = {"username": "ro:bot", "secret": CANARY}
    seen.append(admin.post("/registries/harbour/accounts/add/", wrong).content.decode())
    seen.append(admin.post("/api/v1/registries/harbour/accounts", wrong, **JSON).content.decode())
    seen.append(str(list(AuditEntry.objects.values())))
    assert "robot" in seen[1]
    assert CANARY not in "".join(seen)


def test_an_empty_password_keeps_the_stored_one_but_not_for_another_user(harbour: Registry, admin: Client) -> None:
    account = harbour.accounts.get()
    path = f"/registries/harbour/accounts/{account.pk}/"
    assert admin.post(path, {"username": "robot", "secret": ""}).status_code == 302
    assert admin.post(path, {"username": "other", "secret": ""}).status_code == 422
    assert admin.patch(f"/api/v1{path[:-1]}", {"username": "other"}, **JSON).json()["field"] == "secret"
    account.refresh_from_db()
    assert (account.username, account.secret) == ("robot", CANARY)


def test_there_is_one_default_account_always(harbour: Registry, admin: Client) -> None:
    def defaults() -> list[str]:
        return list(harbour.accounts.filter(is_default=True).values_list("username", flat=True))

    path = "/api/v1/registries/harbour/accounts"
    assert defaults() == ["robot"]
    second = admin.post(path, {"username": "second", "secret": "x"}, **JSON).json()["id"]
    assert defaults() == ["robot"]
    admin.patch(f"{path}/{second}", {"is_default": True}, **JSON)
    assert defaults() == ["second"]
    admin.patch(f"{path}/{second}", {"is_default": False}, **JSON)
    assert defaults() == ["second"]
    admin.delete(f"{path}/{second}")
    assert defaults() == ["robot"]
    again = admin.post(path, {"username": "robot", "secret": "x"}, **JSON)
    assert (again.status_code, again.json()["field"]) == (422, "username")


@pytest.mark.parametrize("secret", ["", "two\nlines", "nul\0", "x" * 9000])
def test_a_password_that_cannot_be_one_is_refused(harbour: Registry, admin: Client, secret: str) -> None:
    answer = admin.post("/registries/harbour/accounts/add/", {"username": "new", "secret": secret})
    assert "secret" in answer.context["form"].errors
    assert harbour.accounts.count() == 1


# ---------------------------------------------------------------- testing
def test_a_login_is_tested_before_and_after_it_is_stored(admin: Client, tls_registry: RealRegistry) -> None:
    assert tls_registry.authority
    form = {"name": "tls", "address": tls_registry.address, "ca": ""}
    assert "is not trusted" in admin.post("/registries/add/", {**form, "test": "1"}).content.decode()
    form["ca"] = tls_registry.authority.ca
    assert "It wants a user and a password" in admin.post("/registries/add/", {**form, "test": "1"}).content.decode()
    assert not Registry.objects.filter(name="tls").exists()
    admin.post("/registries/add/", form)
    login = {"username": USER, "secret": PASSWORD, "test": "1"}
    add = "/registries/tls/accounts/add/"
    assert f"takes the login of {USER}" in admin.post(add, login).content.decode()
    wrong = admin.post(add, {**login, "secret": CANARY}).content.decode()
    assert "does not take the login of tester" in wrong
    assert CANARY not in wrong
    assert not RegistryAccount.objects.exists()
    admin.post(add, {"username": USER, "secret": PASSWORD})
    pk = RegistryAccount.objects.get().pk
    page = admin.post("/registries/tls/test/", {"account": pk}, follow=True).content.decode()
    assert f"takes the login of {USER}" in page
    assert admin.post("/api/v1/registries/tls/check", {"account": pk}, **JSON).json() == {"login": "password"}
    assert admin.post("/api/v1/registries/tls/check", {}, **JSON).json() == {"login": "password"}
    assert admin.post("/api/v1/registries/tls/check", {"account": pk + 1}, **JSON).status_code == 404
    tests = AuditEntry.objects.filter(action="registry.test")
    assert set(tests.values_list("outcome", flat=True)) == {"done", "failed"}


# ---------------------------------------------------------------- who may
@pytest.mark.parametrize(("role", "view", "manage"), [("viewer", 200, 403), ("deployer", 200, 302)])
def test_rights(harbour: Registry, client: Client, role: str, view: int, manage: int) -> None:
    pk = harbour.accounts.get().pk
    client.force_login(person("someone", role))
    for path in ("/registries/", "/registries/harbour/", "/api/v1/registries", "/api/v1/registries/harbour"):
        assert client.get(path).status_code == view, path
    posts: dict[str, dict[str, Any]] = {
        f"/registries/harbour/accounts/{pk}/": {"username": "robot"},
        f"/registries/harbour/accounts/{pk}/remove/": {},
        "/registries/add/": {"name": "new", "address": "new.example.com"},
        "/registries/harbour/edit/": NEW,
        "/registries/harbour/remove/": {},
    }
    for path, form in posts.items():
        assert client.post(path, form).status_code == manage, path
    assert Registry.objects.filter(name="harbour").exists() is (manage == 403)


def test_a_stranger_sees_nothing(harbour: Registry, client: Client) -> None:
    client.logout()
    assert client.get("/registries/harbour/").status_code == 302
    assert client.get("/api/v1/registries").status_code == 401
