"""Fields that nobody asked for, as `role`, `is_superuser`, `owner`, `id`, `state`: sent along with every operation of the
API and every form, they change nothing at all, be they refused or not heard."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.apps import apps
from django.db import models, transaction
from django.test import Client

from accounts.models import Team, User
from api.examples import example_of
from api.urls import api
from common.secrets import EncryptedTextField
from hosts.models import Host
from jobs import queue
from jobs.models import Job
from tests.rivals import LIBRARY, addresses, everything_on, parts_of
from tests.rows import a_host, a_swarm, person
from tests.test_guard import our_routes
from tests.test_wrong_input import FORMS

pytestmark = [pytest.mark.django_db]
OURS = ("accounts", "hosts", "jobs")
PLANTED, NUMBER = "planted-4711", 4_711_471
MORE = {
    "id": NUMBER, "pk": NUMBER, "owner": "mallory", "owner_id": NUMBER, "user_id": NUMBER, "is_admin": True, "admin": True,
    "rights": ["users.manage"], "permissions": ["*"], "groups": [1], "__class__": PLANTED, "_state": {"db": PLANTED},
}  # fmt: skip
# what differs each time: moments, what is random, and what is made of these
DIFFERS = ("DateTimeField",)
RANDOM = {"digest", "fingerprint", "key", "session_key", "password", "origin", "claim", "revision_of"}


def rows_of(model: type[models.Model]) -> list[tuple[Any, ...]]:
    names = [
        field.attname
        for field in model._meta.concrete_fields
        if field.get_internal_type() not in DIFFERS and field.name not in RANDOM
    ]
    return [tuple(map(repr, row)) for row in model._base_manager.order_by("pk").values_list(*names)]


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables of ours; what is sealed in them opened."""
    return {model._meta.label: rows_of(model) for name in OURS for model in apps.get_app_config(name).get_models()}


def planted(known: set[str]) -> dict[str, Any]:
    """A value for each field of each table that is not one of `known`."""
    found: dict[str, Any] = dict(MORE)
    for name in OURS:
        for model in apps.get_app_config(name).get_models():
            for field in model._meta.concrete_fields:
                found |= dict.fromkeys({field.name, field.attname}, value_for(field))
    return {name: value for name, value in (found | {"role": "admin"}).items() if name not in known}


def value_for(field: Any) -> Any:
    if isinstance(field, models.BooleanField):
        return not field.get_default()
    if isinstance(field, models.IntegerField | models.FloatField | models.ForeignKey | models.AutoField):
        return NUMBER
    if isinstance(field, models.JSONField):
        return {"planted": PLANTED}
    if isinstance(field, models.DateTimeField):
        return "2031-01-01T00:00:00Z"
    return field.choices[-1][0] if field.choices and not isinstance(field, EncryptedTextField) else PLANTED


def rolled_back(ask: Callable[[], Any]) -> tuple[int, dict[str, list[tuple[Any, ...]]]]:
    """The status of an answer, and all rows as they were then; nothing of it stays."""
    with transaction.atomic():
        status = ask().status_code
        found = everything()
        transaction.set_rollback(True)
    return status, found


def changed(one: dict[str, list[Any]], other: dict[str, list[Any]]) -> list[Any]:
    return [(name, *sorted(set(one[name]) ^ set(other[name]))[:2]) for name in one if one[name] != other[name]]


@pytest.fixture
def admin(client: Client, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Client:
    """Who may do it all, with one object of each noun."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    monkeypatch.setattr("hosts.actions.short.WAIT_SECONDS", 0.0)  # whose lane does not run here
    ada = person("ada", "admin")
    User.objects.create(pk=NUMBER, username="mallory", role="viewer")
    host = a_host("quay")
    everything_on(host)
    a_swarm(host)
    Team.objects.create(name="quay-team")
    client.force_login(ada)
    client.raise_request_exception = False
    return client


# ---------------------------------------------------------------- REST
def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, the schema of its body) of every operation that has one."""
    schema = api.get_openapi_schema()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            for kind, body in content.items():
                yield method.upper(), path, {"kind": kind, "shapes": schema["components"]["schemas"], **body["schema"]}


def resolved(shape: dict[str, Any], shapes: dict[str, Any]) -> list[dict[str, Any]]:
    """The objects that a value may be."""
    if "$ref" in shape:
        return resolved(shapes[shape["$ref"].rpartition("/")[2]], shapes)
    if "anyOf" in shape:
        return [one for part in shape["anyOf"] for one in resolved(part, shapes)]
    return [shape]


def with_more(body: Any, shape: dict[str, Any], shapes: dict[str, Any]) -> Any:
    """The body with what is planted in each of its objects that has fields of its own."""
    found = [one for one in resolved(shape, shapes) if "properties" in one]
    if isinstance(body, list):
        items = next((one["items"] for one in resolved(shape, shapes) if "items" in one), {})
        return [with_more(one, items, shapes) for one in body]
    if not isinstance(body, dict) or not found:
        return body
    known: dict[str, Any] = {name: part for one in found for name, part in one["properties"].items()}
    told = {name: with_more(value, known.get(name, {}), shapes) for name, value in body.items()}
    return planted(set(known)) | told


def test_no_operation_sets_what_its_body_does_not_have(admin: Client) -> None:
    found, seen, done, known = [], 0, 0, parts_of("quay")
    for method, path, shape in operations():
        example = example_of(method, path)
        assert example is not None, path
        body = (example.form if example.form is not None else example.body) or {}
        address = re.sub(r"\{(\w+)\}", lambda part: known.get(part[1], "x"), path)
        more = with_more(body, shape, shape["shapes"])
        assert len(more) > len(body) + 20, path

        def ask(told: Any, query: str = "", at: str = address, form: bool = example.form is not None) -> Any:
            if form:
                return admin.post(at + query, {name: flat(value) for name, value in told.items()})
            return admin.generic(method, at + query, json.dumps(told), content_type="application/json")  # noqa: B023

        status, plain = rolled_back(lambda body=body: ask(body))  # type: ignore[misc]
        query = "?" + urlencode({name: flat(value) for name, value in more.items() if name not in body})
        got, rows = rolled_back(lambda more=more, query=query: ask(more, query))  # type: ignore[misc]
        seen += 1
        done += status < 300
        if got == 422 and status != 422:
            continue  # refused
        if got != status or (wrong := changed(plain, rows)):
            found.append((method, path, status, got, got == status and wrong))
    assert not found, "\n".join(map(str, found))
    assert seen > 70 and done > 25


def flat(value: Any) -> str:
    """As a form sends it."""
    return json.dumps(value) if isinstance(value, dict | list) else str(value)


# ---------------------------------------------------------------- forms
def test_no_form_sets_what_it_does_not_ask_for(admin: Client) -> None:
    """Those with what they need, and every other route with nothing else."""
    known = {"next", "asked", "view", "whole", "csrfmiddlewaretoken"}
    forms = {**dict.fromkeys(addresses("quay")), **{path: fields for path, fields in FORMS.values()}}
    found, seen, done = [], 0, 0
    for address, fields in forms.items():
        if address.startswith(f"/{LIBRARY}") or address in {"/containers/quay/quay-web/"}:
            continue
        page = admin.get(address)
        text = "" if page.streaming else page.content.decode()
        shown = set(re.findall(r'name="([^"]+)"', text)) | known | set(fields or {})
        # a form in rows names its fields by a number, and a page without its form tells none
        more = {name: flat(value) for name, value in planted(shown).items()}
        if fields is None and page.status_code != 200:
            more = {name: value for name, value in more.items() if name in SPECIAL}
        sent = fields or {"sent": "1"}
        status, plain = rolled_back(lambda address=address, sent=sent: admin.post(address, sent))  # type: ignore[misc]
        got, rows = rolled_back(lambda address=address, sent=more | sent: admin.post(address, sent))  # type: ignore[misc]
        seen += 1
        done += fields is not None and status in {204, 302}
        if got != status or (wrong := changed(plain, rows)):
            found.append((address, status, got, got == status and wrong))
    assert not found, "\n".join(map(str, found))
    assert seen > 200 and done > 8


SPECIAL = {
    *MORE,
    "is_superuser",
    "is_staff",
    "is_active",
    "is_service",
    "last_login",
    "by",
    "by_name",
    "actor",
    "digest",
}


def test_a_list_is_narrowed_by_its_own_fields_alone(admin: Client) -> None:
    """A parameter is no path through the tables: a password cannot be guessed from how many rows there are."""
    names = (
        "by__password__startswith",
        "user__tokens__digest__gt",
        "host__tls_key__contains",
        "pk",
        "sealed",
        "id__in",
    )
    found, seen = [], 0
    for path, _ in our_routes():
        if "<" in path or path.startswith((LIBRARY, "healthz", "readyz", "metrics", "language")):
            continue
        for address in (f"/{path}", f"/api/v1/{path.rstrip('/')}"):
            plain, asked = (
                re.sub(r'nonce="[^"]*"|value="\w{64}"|<time.*?</time>|[?&;]\w*__\w*=\w*', "", text(admin.get(at)))
                for at in (address, f"{address}?{urlencode(dict.fromkeys(names, 'x'))}")
            )
            seen += bool(plain)
            if count_of(plain) != count_of(asked):
                found.append((address, count_of(plain), count_of(asked)))
    assert not found, found
    assert seen > 60


def text(answer: Any) -> str:
    return "" if answer.streaming else answer.content.decode()


def count_of(page: str) -> tuple[int, str]:
    """Rows of a page's table, and what a list of the API counts."""
    told = re.search(r'"count": ?(\d+)', page)
    return page.count("<tr"), told[1] if told else ""


def test_a_member_makes_nobody_more_than_they_are(admin: Client) -> None:
    """Without being an administrator: one's own tokens, views, sessions and password."""
    nils = person("nils", "viewer")
    browser = Client()
    browser.force_login(nils)
    more = planted({"name", "scope", "hosts", "teams", "networks", "expires", "user"}) | {
        "user": "ada",
        "role": "admin",
    }
    answer = browser.post(
        "/api/v1/users/nils/tokens", json.dumps({"name": "t", **more}), content_type="application/json"
    )
    assert answer.status_code == 201
    browser.post("/account/tokens/add/", {"name": "u", **{name: flat(value) for name, value in more.items()}})
    browser.patch("/api/v1/users/nils", json.dumps({"role": "admin"}), content_type="application/json")
    nils.refresh_from_db()
    assert (nils.role, nils.is_superuser, nils.is_staff) == ("viewer", False, False)
    assert {token.user_id for token in nils.tokens.all()} == {nils.pk} and not User.objects.get(
        username="ada"
    ).tokens.exists()
    assert Host.objects.count() == 1 and Job.objects.count() == 1
