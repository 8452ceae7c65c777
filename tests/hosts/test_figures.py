"""What lists and the overview show of the stats history, from rows alone."""

import time
from typing import Any

import pytest
from django.test import Client

from accounts.rights import RIGHTS_OF, Right, Role
from hosts.inventory import history
from hosts.models import Container, Host
from tests.rows import a_host, container_json, containers, person
from tests.stats import rates

pytestmark = pytest.mark.django_db
FRAGMENT = {"HX-Request": "true"}


def sampled(host: Host, seconds_ago: int = 10, /, **cpus: float) -> None:
    """Rounds over the last hour that end `seconds_ago`; memory is a MiB for each percent."""
    rows = {c.name: c for c in Container.objects.filter(host=host)}
    taken = [history.Taken(rows[name], rates(cpu, memory=int(cpu * 2**20))) for name, cpu in cpus.items()]
    for before in (3000, 1800, 0):
        history.record(host, int(time.time()) - seconds_ago - before, taken, 30)


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(person("vera", "viewer"))
    return client


@pytest.fixture
def quay() -> Host:
    host = a_host()
    Host.objects.update(cpus=2, memory=2**30)
    done = container_json("done", State="exited", Status="Exited (0) 3 hours ago")
    containers(host, container_json("busy"), container_json("calm"), container_json("fresh"), done)
    sampled(host, busy=150.0, calm=2.0)
    return host


def order_of(html: str, *names: str) -> list[str]:
    return sorted(names, key=lambda name: html.index(f">{name}</a>"))


def test_a_list_shows_what_each_uses_now_and_in_the_last_hour(viewer: Client, quay: Host) -> None:
    html = viewer.get("/containers/").content.decode()
    assert "150 %" in html and "150 MiB" in html and "2.0 %" in html
    assert html.count('<svg class="spark') == 4
    assert "CPU, last hour: 150 % to 150 %" in html
    assert html.count("data-live=") == 4  # neither the new one nor the stopped one has numbers


@pytest.mark.parametrize("figure", ["cpu", "memory"])
def test_a_list_sorts_by_what_is_used_now(viewer: Client, quay: Host, figure: str) -> None:
    Container.objects.filter(name="busy").update(state="exited")  # its last figures are no figures of now
    html = viewer.get(f"/containers/?sort=-{figure}").content.decode()
    assert order_of(html, "calm", "busy", "fresh", "done")[0] == "calm"
    up = viewer.get(f"/containers/?sort={figure}").content.decode()
    assert order_of(up, "calm", "busy", "fresh", "done")[-1] == "calm"


def test_the_overview_shows_hosts_sparklines_and_who_uses_most(viewer: Client, quay: Host) -> None:
    other = a_host("pier")
    containers(other, container_json("middle"))
    sampled(other, middle=40.0)
    html = viewer.get("/", headers=FRAGMENT).content.decode()
    busiest = html[html.index("busiest-head") : html.index("hungriest-head")]
    assert order_of(busiest, "busy", "middle", "calm") == ["busy", "middle", "calm"]
    assert "CPU, last hour: 76 % to 76 %" in html  # 152 % of one CPU, of two
    assert "Memory, last hour: 15 % to 15 %" in html


def test_old_figures_are_not_shown_as_those_of_now(viewer: Client, quay: Host) -> None:
    old = a_host("pier")
    containers(old, container_json("asleep"))
    sampled(old, 1000, asleep=999.0)
    lost = a_host("reef", state="unreachable")
    containers(lost, container_json("sunk"))
    sampled(lost, sunk=998.0)
    html = viewer.get("/containers/").content.decode()
    assert "999" not in html and "998" not in html
    html = viewer.get("/", headers=FRAGMENT).content.decode()
    assert "998" not in html  # of a lost host nothing is of now, of the other the hour is shown, and no number
    assert "asleep" not in html[html.index("busiest-head") :]
    assert "CPU, last hour: 999 % to 999 %" in html
    assert html.count("<dd data-quiet>-</dd>") == 2


def test_without_the_right_there_are_no_figures(viewer: Client, quay: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(RIGHTS_OF, Role.VIEWER, RIGHTS_OF[Role.VIEWER] - {Right.STATS_VIEW})
    for path in ("/", "/containers/", "/containers/?column=cpu&column=state", "/hosts/"):
        html = viewer.get(path).content.decode()
        assert "150 %" not in html and "busiest-head" not in html and 'class="spark' not in html


def test_figures_cost_a_list_no_query_more(viewer: Client, quay: Host, django_assert_max_num_queries: Any) -> None:
    many = {f"many-{n}-{'x' * n}": float(n) for n in range(40)}
    containers(quay, *(container_json(name) for name in many))
    sampled(quay, **many)
    with django_assert_max_num_queries(7):
        viewer.get("/containers/?sort=-cpu", headers=FRAGMENT)


def test_the_api_says_what_is_used_now(viewer: Client, quay: Host) -> None:
    items = viewer.get("/api/v1/containers?sort=-cpu").json()["items"]
    assert [(item["name"], item["cpu"], item["memory"]) for item in items[:2]] == [
        ("busy", 150.0, 150 * 2**20),
        ("calm", 2.0, 2 * 2**20),
    ]
    assert {item["cpu"] for item in items[2:]} == {None}
    assert viewer.get("/api/v1/containers/quay/busy").json()["cpu"] == 150.0
