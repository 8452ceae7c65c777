"""Wrong input: into every parameter of every page, into every field of every form, and into the API. Never an answer
500; a sentence says what is wrong, at its field, and what was typed is still there."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Team, User
from api.urls import api
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Backup, Container, Destination, Host, Image, Node
from hosts.models.backups import BackupState
from jobs import queue, schedules
from jobs.models import Job, Schedule
from tests.rows import a_host, a_swarm, container_json, containers, person
from tests.test_guard import our_routes
from tests.wrong_fields import FORMS as NEWER_FORMS
from tests.wrong_fields import OPERATIONS

pytestmark = [pytest.mark.django_db, pytest.mark.core]
HUGE, LONG = str(10**40), "x" * 20_000
HOSTILE = (
    "",
    " ",
    "\0",
    "a\0b",
    "-1",
    "0",
    HUGE,
    f"-{HUGE}",
    "1e999",
    "NaN",
    LONG,
    "<script>alert(1)</script>",
    "'\"; DROP TABLE hosts; --",
    "%s%n%(name)s{{ 7*7 }}",
    "../../../etc/passwd",
    "2026-02-30T25:61:61Z",
    "0000-00-00",
    "\u202e\u200b\ufeff\U0001f433",
    "line\r\nSet-Cookie: a=b",
    "[[]]{}",
)
PARAMETERS = (
    *("search", "sort", "page", "group", "column", "part", "facet", "asked", "next", "theme"),
    *("host", "state", "health", "project", "image", "label", "attention", "use", "kind", "driver", "engine"),
    *("target", "since", "until", "tail", "stdout", "stderr", "timestamps", "format", "follow"),
    *("level", "stream", "q", "regex", "case", "at", "line", "range", "from", "to", "points", "limit", "offset"),
)
PARTS = {
    "<slug:host>": "quay",
    "<slug:name>": "quay",
    "<str:ref>": "web",
    "<str:name>": "shop",
    "<slug:verb>": "stop",
    "<slug:noun>": "container",
    "<slug:swarm>": "swarm",
    "<slug:team>": "north",
    "<int:session>": "1",
    "<int:token>": "1",
    "<int:invitation>": "1",
    "<str:link>": "no-such-link",
}
LIBRARY = "account/"  # allauth's own routes: those that are served are forms below


@pytest.fixture
def admin(client: Client, settings: Any) -> Client:
    """Logged in, with a host whose engine is not there and one thing of each kind."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # many are tried: a quick one
    client.force_login(person("ada", "admin"))
    client.raise_request_exception = False
    host = a_host()
    containers(host, container_json("web"))
    a_swarm(host)
    Team.objects.create(name="north")
    Image.objects.create(
        host=host, engine_id="sha256:" + "1" * 64, name="acme/web:1", tags=["acme/web:1"], seen=host.last_seen
    )
    return client


def sentences(answer: Any) -> str:
    """What a person reads of an answer."""
    text = re.sub(r"<(script|style|svg).*?</\1>", "", answer.content.decode(), flags=re.S)
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))).strip()


def wrong(answer: Any) -> str:
    """What is wrong with an answer to wrong input; "" for nothing. An engine that is not there is 502 to 504."""
    if answer.status_code == 500 or answer.status_code > 504:
        return f"{answer.status_code}"
    if answer.status_code >= 400 and not answer.streaming and len(sentences(answer)) < 15:
        return f"{answer.status_code} says nothing: {answer.content[:80]!r}"
    is_page = not answer.streaming and answer.headers.get("Content-Type", "").startswith("text/html")
    return "it is not escaped" if is_page and b"<script>alert(1)" in answer.content else ""


# ---------------------------------------------------------------- pages
def addresses() -> Iterator[str]:
    """Every route of the product, with what it names in the test's tables."""
    numbers = {"<int:pk>": str(Image.objects.get().pk), "<int:job_id>": "1"}
    for path, _ in our_routes():
        if path.startswith(LIBRARY):
            continue
        for part, value in (PARTS | numbers).items():
            path = path.replace(part, value)
        assert "<" not in path, path
        yield f"/{path}"


def test_wrong_parameters_break_no_page(admin: Client) -> None:
    """Each route has some of the wrong values, and each value and parameter has many routes."""
    found, count = [], 0
    for place, address in enumerate(addresses()):
        answer = admin.get(f"{address}?search=%ED%A0%80&host=%FF&page=%FE")  # no UTF-8
        assert not wrong(answer)
        if answer.status_code == 405:  # it reads no parameters: its form is tried below
            continue
        queries = [{name: [value] for name in PARAMETERS} for value in HOSTILE[place % 9 :: 9]]
        for n in range(place % 17, len(PARAMETERS), 17):  # alone, where another one would be refused first
            queries.append(
                {PARAMETERS[n]: [HOSTILE[(place + n) % len(HOSTILE)], HOSTILE[(place + 3 * n) % len(HOSTILE)]]}
            )
        for n, query in enumerate(queries):
            answer = admin.get(address, query, headers={"HX-Request": "true"} if n % 2 else {})
            if problem := wrong(answer):
                found.append((address, str(query)[:120], problem))
            count += 1
    assert found == []
    assert count > 350


def test_wrong_names_in_addresses_are_not_found(admin: Client) -> None:
    found = []
    names = ("0", HUGE, LONG[:3000], "\u202e\U0001f433", "%00", "%ff", "..%2f..", "<b>")
    routes = [path for path, _ in our_routes() if "<" in path and not path.startswith(LIBRARY)]
    for place, path in enumerate(routes):
        for value in names[place % 4 :: 4]:
            address = "/" + re.sub(r"<\w+:\w+>", value, path)
            for answer in (admin.get(address), admin.post(address)):
                if problem := wrong(answer) or (f"{answer.status_code}" if answer.status_code < 300 else ""):
                    found.append((address[:120], problem))
    assert found == []


# ---------------------------------------------------------------- forms
HOST = {"name": "new", "kind": "tcp", "url": "tcp://10.0.0.5:2375", "labels": "a=b"}
TLS = HOST | {"kind": "tls", "url": "tcp://10.0.0.5:2376", "tls_ca": "", "tls_cert": "", "tls_key": ""}
KEY = asyncssh.generate_private_key("ssh-ed25519")
SSH = HOST | {
    "kind": "ssh",
    "url": "ssh://me@10.0.0.5",
    "ssh_key": KEY.export_private_key().decode(),
    "ssh_known_hosts": f"10.0.0.5 {KEY.export_public_key().decode().strip()}",
}
USER = {"username": "vera", "password": "looks-at-ships-4711", "role": "viewer", "is_active": "on"}
CHANGE = {"oldpassword": "quay-side-4711", "password1": "looks-at-ships-4711", "password2": "looks-at-ships-4711"}
ACT = {"asked": "1"}
CREATE = {
    "host": "quay", "image": "busybox:1", "name": "web-2", "pull": "missing", "ports": "8080:80", "mounts": "data:/data",
    "networks": "front", "restart": "always", "limits.memory": "64m", "health.interval": "5s", "whole": "{}", "show": "",
}  # fmt: skip
FORMS: dict[str, tuple[str, dict[str, str]]] = {
    "add a host": ("/hosts/add/", HOST),
    "add a host by TLS": ("/hosts/add/", TLS),
    "add a host by SSH": ("/hosts/add/", SSH),
    "edit a host": ("/hosts/quay/edit/", HOST),
    "add a user": ("/users/add/", USER),
    "add a team": ("/teams/add/", {"name": "south", "about": "the shop"}),
    "edit a team": ("/teams/north/edit/", {"name": "north", "about": "the shop"}),
    "put somebody into a team": ("/teams/north/members/", {"user": "ada", "lead": "on"}),
    "set a quota": ("/quotas/north/edit/", {"containers": "9", "memory": "2g", "default_cpus": "0.5"}),
    "grant a role": ("/teams/north/grants/", {"role": "viewer", "place": "label", "host": "", "label": "crew=a"}),
    "add a role": ("/roles/add/", {"name": "restarter", "about": "on call", "rights": "containers.view"}),
    "say whose it is": (f"/owners/image/quay/{'1' * 12}/", {"team": "north", "shared": "north"}),
    "change a password": ("/account/password/change/", CHANGE),
    "log in": ("/account/login/", {"login": "vera", "password": "x", "next": "/"}),
    "pull": ("/images/pull/", {"host": "quay", "reference": "busybox"} | ACT),
    "prune": ("/images/prune/", {"host": "quay", "everything": "1"}),
    "create": ("/containers/create/", CREATE),
    "create by a line": (
        "/containers/create/",
        {"view": "run", "run": "docker run busybox", "host": "quay", "whole": "{}"},
    ),
    "create by compose": ("/containers/create/", {"view": "compose", "compose": "image: busybox", "host": "quay"}),
    "rename": ("/containers/quay/web/rename/", {"name": "other"} | ACT),
    "kill": ("/containers/quay/web/kill/", {"signal": "TERM"} | ACT),
    "stop": ("/containers/quay/web/stop/", {"timeout": "1"} | ACT),
    "remove": ("/containers/quay/web/remove/", {"volumes": "1", "force": "1"} | ACT),
    "stop chosen ones": ("/containers/bulk/stop/", {"target": "quay/web", "timeout": "1"}),
    "language": ("/language/", {"language": "id", "next": "/"}),
}
# fields in which each of these is refused, with a sentence at the field
ALWAYS_WRONG = (HUGE * 20, "<script>alert(1)</script>", "\u202e\u200b\ufeff\U0001f433", "a\0b")
STRICT = {
    "add a host": ("name", "kind", "url"),
    "add a host by TLS": ("tls_ca", "tls_cert"),
    "add a host by SSH": ("ssh_key", "ssh_known_hosts"),
    "edit a host": ("name", "url"),
    "add a user": ("username", "role"),
    "pull": ("host", "reference"),
    "prune": ("host",),
    "create": ("host", "image", "name", "ports", "mounts", "restart", "limits.memory", "health.interval"),
    "create by a line": ("run",),
    "rename": ("name",),
    "kill": ("signal",),
    "stop": ("timeout",),
}
NEVER_SHOWN = {
    "whole",
    "view",
    "pull",
    "password",
    "oldpassword",
    "password1",
    "password2",
    "tls_key",
    "ssh_key",
    "kind",
    "role",
    "host",
}


@pytest.mark.parametrize("form", FORMS)
def test_wrong_values_break_no_form(admin: Client, form: str) -> None:
    address, fields = FORMS[form]
    if form == "log in":
        admin.logout()
    found = []
    for name in fields:
        for value in HOSTILE:
            answer = admin.post(address, fields | {name: value})
            if problem := wrong(answer):
                found.append((name, value[:40], problem))
    assert found == []


@pytest.mark.parametrize("form", STRICT)
def test_a_wrong_value_is_named_at_its_field_and_stays(admin: Client, form: str) -> None:
    address, fields = FORMS[form]
    for name in STRICT[form]:
        for value in ALWAYS_WRONG:
            answer = admin.post(address, fields | {name: value})
            told = f"{form}, {name}={value[:30]!r}"
            assert answer.status_code == 422, told
            page = answer.content.decode()
            at = re.search(rf'id="(?:id_)?{name}_error"[^>]*>(.*?)</', page, re.S) or re.search(
                rf'name="{name}".*?class="errors"[^>]*>(.*?)</', page, re.S
            )
            assert at and len(re.sub(r"<[^>]+>|\s+", " ", at[1]).strip()) > 10, told
            kept = [other for other in fields if other not in NEVER_SHOWN | {name, "asked", "is_active"}]
            for other in kept:
                assert fields[other] in page, f"{told}: {other} is lost"
            if name not in NEVER_SHOWN and "\0" not in value:
                assert value in unescape(page), f"{told}: what was typed is lost"


# ---------------------------------------------------------------- REST
VALUES = (
    None,
    True,
    0,
    -1,
    10**40,
    1.5e300,
    "",
    "a\0b",
    "\ud800",
    LONG,
    [],
    [None],
    {},
    {"a": {"b": []}},
    "<script>alert(1)</script>",
)


def operations() -> Iterator[tuple[str, str, list[str]]]:
    """(method, address, names of the body's fields) of every operation."""
    schema = api.get_openapi_schema()
    shapes = schema["components"]["schemas"]
    for path, methods in schema["paths"].items():
        address = path.replace("{host}", "quay").replace("{container}", "web")
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            body = next((one for one in body.get("anyOf", [body]) if "$ref" in one), body)
            shape = shapes.get(body.get("$ref", "").rpartition("/")[2], {})
            yield method, re.sub(r"\{\w+\}", "1", address), list(shape.get("properties", {}))


def test_wrong_bodies_and_queries_break_no_operation(admin: Client) -> None:
    """Each field has some of the wrong values, and each value has many fields."""
    found, count = [], 0
    for place, (method, address, names) in enumerate(operations()):

        def call(body: str, method: str = method, address: str = address) -> Any:
            return admin.generic(method.upper(), address, body, content_type="application/json")

        answers = [(value, call(json.dumps(value))) for value in VALUES] + [("{", call("{"))]
        for n, name in enumerate(names):
            for value in VALUES[(place + n) % 4 :: 4]:
                body = json.dumps({"name": "other", "url": "tcp://10.0.0.5", "image": "busybox"} | {name: value})
                answers.append(({name: value}, call(body)))
        if method == "get":
            answers += [
                (value, admin.get(address, {name: [value] for name in PARAMETERS})) for value in HOSTILE[place % 3 :: 3]
            ]
        for value, answer in answers:
            count += 1
            problem = wrong(answer)
            if not problem and answer.status_code >= 400 and not answer.json().get("title"):
                problem = "no title"
            if problem:
                found.append((method, address, str(value)[:60], problem))
        Host.objects.get_or_create(name="quay", defaults={"url": "unix:///run/quay.sock", "kind": "unix"})
        if not Container.objects.filter(name="web").exists():
            Container.objects.all().delete()
            containers(Host.objects.get(name="quay"), container_json("web"))
    assert found == []
    assert count > 500


def test_nothing_was_done_by_wrong_input(admin: Client) -> None:
    """What a value that means nothing must not do: make somebody an administrator, or start a job."""
    before = (User.objects.count(), Host.objects.count(), Job.objects.count())
    for value in ("ADMIN", "root", "admin ", "\0admin", HUGE):
        admin.post(reverse("user_add"), USER | {"role": value})
    for value in ("", "nobody", "quay\0", "*"):
        admin.post(reverse("image_pull"), {"host": value, "reference": "busybox"})
        admin.post("/containers/bulk/stop/", {"target": f"quay/{value}"})
    assert (User.objects.count(), Host.objects.count(), Job.objects.count()) == before


# ---------------------------------------------------------------- each field of what is done to volumes, services, schedules
@pytest.fixture
def quay(admin: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    """One thing of each kind that the cases name, and what is in the place of these names."""
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    host, ada = Host.objects.get(), User.objects.get()
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data", "Driver": "local"})])
    apply.apply_rows(host, "network", [parse.network_row({"Id": "2" * 64, "Name": "back", "Driver": "bridge"})])
    shelf = Destination.objects.create(name="shelf", kind="folder", folder=str(tmp_path))
    Backup.objects.create(pk=7, host="quay", volume="data", destination=shelf, key="a.tar.zst", state=BackupState.KEPT)
    job = queue.start(ada, "image.pull", host="quay", target="busybox", params={})
    schedules.add(ada, job, name="weekly", cron="0 1 * * 1", timezone="UTC")
    node = Node.objects.all()[0]
    return {
        "SWARM": node.swarm.name,
        "NODE": node.engine_id,
        "schedules/1": f"schedules/{Schedule.objects.get().pk}",
        "JOB": str(job.pk),
        "SHELF": "shelf",
    }


def put(quay: dict[str, str], text: str) -> str:
    """The text with the test's own names."""
    for word, value in quay.items():
        text = text.replace(word, value)
    return text


def everything() -> list[int]:
    return [model.objects.count() for model in (Job, Schedule, Destination, Backup)]


def named(answer: Any) -> set[str]:
    """The fields that a problem is about, by their first and last parts."""
    told = answer.json()
    names = [told.get("field", ""), *(error["field"] for error in told.get("errors", []))]
    return {part for name in names for part in name.removeprefix("body.").split(".")}


def test_each_field_refuses_what_is_wrong_by_its_name_and_nothing_is_started(
    admin: Client, quay: dict[str, str]
) -> None:
    before, found, count, right = everything(), [], 0, []
    for case in OPERATIONS.values():
        path = put(quay, case.path)
        for field, values in case.wrong.items():
            for value in values:
                body = put(quay, json.dumps(case.body | {field: value}))
                answer = admin.generic(case.method.upper(), f"/api/v1/{path}", body, content_type="application/json")
                count += 1
                if not 400 <= answer.status_code < 500 or field not in named(answer):
                    found.append((path, field, str(value)[:30], answer.status_code, answer.content[:300]))
    assert not found, "\n".join(map(str, found))
    assert everything() == before
    assert count > 400
    for case in OPERATIONS.values():  # without the wrong value each is done, or would be if there were an engine
        path = put(quay, case.path)
        answer = admin.generic(
            case.method.upper(), f"/api/v1/{path}", put(quay, json.dumps(case.body)), content_type="application/json"
        )
        right.append((path, answer.status_code))
    assert [one for one in right if one[1] not in {200, 201, 202, 502}] == []


def test_each_field_of_a_form_says_what_is_wrong_and_nothing_is_started(admin: Client, quay: dict[str, str]) -> None:
    before, found = everything(), []
    for case in NEWER_FORMS.values():
        body = {name: put(quay, value) for name, value in case.body.items()}
        for field, values in case.wrong.items():
            for value in values:
                answer = admin.post(f"/{put(quay, case.path)}", body | {field: value})
                said = re.search(rf'id="(id_|\w+-)?{re.escape(field)}[-_]error"', answer.content.decode())
                if answer.status_code != 422 or not said:
                    found.append((case.path, field, value[:30], answer.status_code))
    assert not found, "\n".join(map(str, found))
    assert everything() == before
    refused = []
    for case in NEWER_FORMS.values():
        body = {name: put(quay, value) for name, value in case.body.items()}
        if admin.post(f"/{put(quay, case.path)}", body).status_code not in {204, 302}:
            refused.append(case.path)
    assert refused == []
