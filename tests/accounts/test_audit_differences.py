"""What an act changed is in the audit: what was, and what became of it; never a secret."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import chain, tokens
from accounts.audit import record
from accounts.differences import difference
from accounts.models import ApiToken, AuditEntry, OwnRole, Team
from accounts.rights import SYSTEM
from hosts.actions.backups import destinations
from hosts.actions.registries import registries
from hosts.engine import parse
from hosts.inventory.apply import apply_rows
from hosts.models import Destination, Host, Registry
from jobs.models import Schedule
from jobs.schedules import set_enabled
from tests.rows import a_host, person

pytestmark = [
    pytest.mark.core,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume"),
]
LONG = "quay-4711-quay"
CANARY = "canary-difference-4711"


@pytest.fixture
def ada(client: Client) -> Client:
    """Her browser: an administrator's."""
    client.force_login(person("ada", "admin"))
    return client


def ask(client: Client, method: str, path: str, **body: Any) -> Any:
    sent = {"data": json.dumps(body), "content_type": "application/json"} if method != "get" else {}
    answer = getattr(client, method)(f"/api/v1/{path}", **sent)
    assert answer.status_code < 300, answer.content
    return answer.json() if answer.content else None


def changed(action: str) -> tuple[Any, Any]:
    """What was and what became, of the newest act of that kind that was done."""
    detail = AuditEntry.objects.filter(action=action, outcome="done").latest("number").detail
    return detail.get("before"), detail.get("after")


def test_accounts(ada: Client) -> None:
    ask(ada, "post", "users", name="otto", role="deployer", password=LONG, email="otto@example.com")
    before, after = changed("user.add")
    assert before == {} and after["role"] == "deployer" and after["username"] == "otto"
    ask(ada, "patch", "users/otto", role="viewer", active=False, password=LONG + CANARY)
    before, after = changed("user.change")
    assert (before, after) == ({"role": "deployer", "is_active": True}, {"role": "viewer", "is_active": False})
    ask(ada, "delete", "users/otto")
    before, after = changed("user.remove")
    assert (before["role"], after) == ("viewer", {})
    assert CANARY not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_roles_teams_and_grants(ada: Client) -> None:
    a_host("quay")
    person("otto", "member")
    ask(ada, "post", "roles", name="keeper", rights=["containers.view", "hosts.view"])
    ask(ada, "patch", "roles/keeper", rights=["hosts.view", "volumes.view"])
    assert changed("role.change") == (
        {"rights": ["containers.view", "hosts.view"]},
        {"rights": ["hosts.view", "volumes.view"]},
    )
    ask(ada, "post", "teams", name="shop")
    ask(ada, "patch", "teams/shop", name="store", about="sells")
    assert changed("team.change") == ({"name": "shop", "about": ""}, {"name": "store", "about": "sells"})
    ask(ada, "put", "teams/store/members/otto", lead=False)
    assert changed("team.member") == ({}, {"part": "member"})
    ask(ada, "put", "teams/store/members/otto", lead=True)
    assert changed("team.member") == ({"part": "member"}, {"part": "lead"})
    made = ask(ada, "post", "grants", team="store", role="keeper", host="quay")
    assert changed("grant.add") == ({}, {"role": "keeper", "on": "host:quay", "own": False, "team": "store"})
    ask(ada, "delete", f"grants/{made['id']}")
    assert changed("grant.remove")[0]["role"] == "keeper"
    ask(ada, "delete", "teams/store")
    assert changed("team.remove")[0]["members"] == ["otto"]
    assert OwnRole.objects.exists() and not Team.objects.exists()


def test_hosts_and_whose_things_are(ada: Client) -> None:
    ask(ada, "post", "hosts", name="kai", url="tcp://10.0.0.9:2376", tls_ca="", labels={"zone": "a", "env": "prod"})
    ask(ada, "patch", "hosts/kai", name="quay", labels={"zone": "b", "env": "prod"})
    assert changed("host.change") == (
        {"name": "kai", "labels": {"zone": "a"}},
        {"name": "quay", "labels": {"zone": "b"}},
    )
    ada.post("/hosts/quay/disable/")
    assert changed("host.disable") == ({"enabled": True}, {"enabled": False})
    host = Host.objects.get()
    apply_rows(host, "network", [parse.network_row({"Id": "2" * 64, "Name": "front", "Driver": "bridge"})])
    Team.objects.create(name="shop")
    ask(ada, "put", "owners", noun="network", host="quay", ref="front", team="shop", shared=[])
    assert changed("network.owner") == ({"team": ""}, {"team": "shop"})


def test_registries_and_places_of_backups_without_their_secrets(ada: Client) -> None:
    ask(ada, "post", "registries", name="quay", address="quay.example.com")
    ask(ada, "patch", "registries/quay", plain_http=True)
    assert changed("registry.change") == ({"plain_http": False}, {"plain_http": True})
    registry = Registry.objects.get(name="quay")
    account = registries.add_account(SYSTEM, registry, username="robot", secret=CANARY)
    registries.change_account(SYSTEM, account, username="bot", secret=CANARY + "2", is_default=True)
    entry = AuditEntry.objects.get(action="registry.account.change")
    assert entry.detail == {
        "registry": "quay",
        "secret": "changed",
        "before": {"username": "robot"},
        "after": {"username": "bot"},
    }
    place: dict[str, Any] = {"name": "s3", "kind": "s3", "url": "https://s3.example.com", "bucket": "a"}
    bucket = destinations.add(SYSTEM, Destination(**place, access_key=CANARY, secret_key=CANARY))
    bucket.bucket, bucket.secret_key = "b", CANARY + "3"
    destinations.change(SYSTEM, bucket)
    assert changed("destination.change") == ({"bucket": "a"}, {"bucket": "b"})
    assert CANARY not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


def test_schedules(ada: Client) -> None:
    schedule = Schedule.objects.create(
        name="nightly", kind="image.prune", host="quay", cron="0 3 * * *", timezone="UTC", by_name="ada"
    )
    set_enabled(SYSTEM, schedule, enabled=False)
    assert changed("schedule.disable") == ({"enabled": True}, {"enabled": False})
    ask(ada, "patch", f"schedules/{schedule.pk}", cron="0 4 * * *")
    assert changed("schedule.change") == ({"cron": "0 3 * * *"}, {"cron": "0 4 * * *"})


def test_who_needs_a_second_factor_and_what_a_token_is_for(ada: Client) -> None:
    ada.post("/users/second-factor/", {"roles": ["viewer"]})
    assert changed("second_factor.require") == ({"roles": []}, {"roles": ["viewer"]})
    token = tokens.make(SYSTEM, person("otto", "viewer"), "cli", scope=["containers.view"], networks=["10.0.0.0/8"])
    assert changed("token.create")[1] == {"scope": ["containers.view"], "networks": ["10.0.0.0/8"]}
    tokens.remove(SYSTEM, ApiToken.objects.get())
    assert changed("token.remove")[0] == {"scope": ["containers.view"], "networks": ["10.0.0.0/8"]}
    assert token not in str(list(AuditEntry.objects.values_list("detail", flat=True)))


# ---------------------------------------------------------------- how much of it, and how it shows
def test_long_values_are_cut_and_labels_tell_only_what_differs() -> None:
    many = {f"name-{n}": "x" * 100 for n in range(200)}
    found = difference({"labels": many, "about": "x" * 9000}, {"labels": {**many, "name-7": "y"}, "about": "y" * 9000})
    assert found["before"]["labels"] == {"name-7": "x" * 100} and found["after"]["labels"] == {"name-7": "y"}
    assert len(found["after"]["about"]) == 2001
    whole = difference({}, {"labels": many, "names": list(many)})["after"]
    assert len(json.dumps(whole)) < 6000 and whole["labels"]["…"] > 100 and whole["names"][-1].startswith("… ")
    assert difference({"a": 1, "b": ""}, {"a": 1, "b": None}) == {}


def test_the_page_shows_what_was_and_became_and_the_chain_covers_it(ada: Client) -> None:
    before, after = {"role": "<b>x", "rights": ["a", "b"], "on": False}, {"role": "y", "rights": ["b", "c"], "on": True}
    entry = record(SYSTEM, "grant.change", "vera", detail=difference(before, after))
    page = ada.get("/audit/?action=grant.change").content.decode()
    assert "<del>" in page and "&lt;b&gt;x</del> → <ins>" in page and "<b>x" not in page
    assert "y</ins>" in page and "a</del>" in page and "c</ins>" in page and "yes</ins>" in page
    told = ask(ada, "get", "audit?action=grant.change")["items"][0]["detail"]
    assert (told["before"]["role"], told["after"]["rights"]) == ("<b>x", ["b", "c"])
    assert list(chain.faults()) == []
    AuditEntry.objects.filter(pk=entry.pk).update(detail=difference(before, {**after, "role": "z"}))
    assert list(chain.faults()) == [f"Entry {entry.number} was changed, or stood elsewhere."]
