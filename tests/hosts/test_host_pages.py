"""The overview, the table of hosts and a host's page, from rows alone; also with a hundred hosts."""

from typing import Any

import pytest
from django.db import IntegrityError, OperationalError
from django.test import Client

from accounts.models import AuditEntry
from hosts.actions.system import hosts
from hosts.engine import disk
from hosts.inventory import apply
from hosts.inventory.swarms import forget_empty
from hosts.models import Host
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
FRAGMENT = {"HX-Request": "true"}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    return client


def fleet(count: int) -> None:
    for number in range(count):
        host = a_host(f"h{number:03}", "unreachable" if number % 10 == 9 else "online")
        containers(
            host,
            container_json("web", Status="Up 2 hours (unhealthy)"),
            container_json("job", State="exited", Status="Exited (3) 2 hours ago"),
            container_json("db"),
        )


def names(client: Client, query: str) -> list[str]:
    answer = client.get(f"/hosts/?{query}", headers=FRAGMENT)
    assert answer.status_code == 200
    return [host.name for host in answer.context["page"].items]


def test_few_hosts_are_cards_and_many_a_table_below_what_needs_attention(admin: Client) -> None:
    fleet(12)
    cards = admin.get("/").content.decode()
    assert cards.count("host-card") == 12
    assert cards.index("host-card") < cards.index("attention-head")
    a_host("thirteenth")
    table = admin.get("/").content.decode()
    assert "host-card" not in table
    assert table.index("attention-head") < table.index("table hosts")


def test_a_hundred_hosts_cost_as_many_queries_as_one(admin: Client, django_assert_max_num_queries: Any) -> None:
    fleet(100)
    for path in ("/", "/hosts/"):
        with django_assert_max_num_queries(12):
            answer = admin.get(path, headers=FRAGMENT)
        assert answer.status_code == 200
    context = admin.get("/", headers=FRAGMENT).context
    assert (context["containers"], context["lost_count"], context["troubled_count"]) == (300, 10, 200)
    assert "All 200 containers" in admin.get("/").content.decode()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["far", "near"]),
        ("sort=-name", ["near", "far"]),
        ("state=unreachable", ["far"]),
        ("state=unreachable&state=online", ["far", "near"]),
        ("kind=unix&engine=none", ["far", "near"]),
        ("label=site=jkt", ["near"]),
        ("label=site", ["near"]),
        ("search=ear", ["near"]),
        ("search=%25", []),
        ("sort=tls_key&page=-1&state=", ["far", "near"]),
    ],
)
def test_the_table_filters_by_what_the_url_says(admin: Client, query: str, expected: list[str]) -> None:
    a_host("far", "unreachable")
    a_host("near")
    Host.objects.filter(name="near").update(labels={"site": "jkt"})
    assert names(admin, query) == expected


def test_a_lost_host_says_since_when_and_why(admin: Client) -> None:
    host = a_host("far", "unreachable")
    Host.objects.filter(pk=host.pk).update(reason_template="No answer.")
    for path in ("/", "/hosts/", "/hosts/far/"):
        html = admin.get(path).content.decode()
        assert "No answer." in html
        assert "since" in html


def test_its_page_shows_disk_warnings_and_labels(admin: Client) -> None:
    host = a_host()
    apply.apply_disk(host, disk.reading({"LayersSize": 3 << 30, "Containers": [{"Id": "c", "SizeRw": 1 << 30}]}), 2.0)
    Host.objects.filter(pk=host.pk).update(labels={"site": "jkt"}, warnings=["No swap limit support"])
    html = admin.get("/hosts/quay/").content.decode()
    assert "3.0 GiB" in html
    assert 'value="75"' in html
    assert "No swap limit support" in html
    assert 'href="/hosts/?label=site%3Djkt"' in html


@pytest.mark.parametrize("role", ["viewer", "deployer"])
def test_who_may_not_manage_hosts_is_offered_nothing(client: Client, role: str) -> None:
    client.force_login(person("otto", role))
    assert "/hosts/add/" not in client.get("/").content.decode()
    a_host()
    html = client.get("/hosts/quay/").content.decode()
    assert "/hosts/quay/edit/" not in html
    assert "/hosts/quay/remove/" not in html


@pytest.mark.parametrize(
    "error", [IntegrityError("still referenced from hosts_event"), OperationalError("deadlock detected")]
)
def test_a_host_that_its_watcher_writes_of_meanwhile_is_removed_all_the_same(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    client.force_login(person("ada", "admin"))
    a_host("leaving")
    forget, tried = forget_empty, []

    def once_too_early() -> None:
        tried.append(1)
        if len(tried) == 1:
            raise error
        forget()

    monkeypatch.setattr(hosts, "forget_empty", once_too_early)
    assert client.delete("/api/v1/hosts/leaving").status_code in {200, 204}
    assert not Host.objects.exists() and len(tried) == 2
    assert AuditEntry.objects.filter(action="host.remove", target="leaving").count() == 1
