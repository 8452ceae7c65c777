"""The drawn map of a host: which rails a container's wire stops at, what is filtered, and what a page costs."""

import re
from typing import Any

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
FRAGMENT = {"HX-Request": "true"}
WIRE = re.compile(r'<path class="map-wire" data-row="(\d+)" data-rails="([\d ]+)" d="M0 (\d+)H(\d+)"/>')


def in_networks(name: str, n: int, project: str = "", ports: Any = (), **networks: str) -> dict[str, Any]:
    labels = {"com.docker.compose.project": project} if project else {}
    joined = {network: {"IPAddress": address} for network, address in networks.items()}
    return container_json(name, Id=f"{n:064x}", Labels=labels, Ports=list(ports), NetworkSettings={"Networks": joined})


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    host = a_host()
    pools = {"Driver": "default", "Config": [{"Subnet": "172.18.0.0/16", "Gateway": "172.18.0.1"}]}
    rows = [
        {"Id": "a" * 64, "Name": "back", "Driver": "bridge", "IPAM": pools},
        {"Id": "b" * 64, "Name": "front<i>", "Driver": "bridge", "Internal": True},
        {"Id": "c" * 64, "Name": "idle", "Driver": "bridge"},
        {"Id": "d" * 64, "Name": "none", "Driver": "null"},
    ]
    apply.apply_rows(host, "network", [parse.network_row(row) for row in rows])
    port = {"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}
    both = [port, port | {"IP": "::"}, port | {"IP": "127.0.0.1", "PublicPort": 9090, "Type": "udp"}]
    containers(
        host,
        in_networks("db", 1, "shop", back="172.18.0.2"),
        in_networks("web", 2, "shop", both, **{"back": "172.18.0.3", "front<i>": "10.0.0.3"}),
        in_networks("proxy", 3, **{"front<i>": "10.0.0.4"}),
        in_networks("sealed", 4, none=""),
    )
    return client


def page(client: Client, query: str = "") -> str:
    return client.get(f"/hosts/quay/map/{query}", headers=FRAGMENT).content.decode()


def test_wires_stop_at_the_rails_of_their_networks(admin: Client) -> None:
    html = page(admin)
    rails = [int(x) for x in re.findall(r'<path class="map-rail[^>]* data-rail="(\d+)"', html)]
    assert len(rails) == 3  # the host's ports, and the two networks with containers
    host, back, front = rails
    wires = [[int(rail) for rail in rails.split()] for _, rails, _, _ in WIRE.findall(html)]
    assert sorted(wires) == sorted([[back], [host, back, front], [front]])
    assert all(int(end) == max(map(int, stops.split())) for _, stops, _, end in WIRE.findall(html))
    names = re.findall(r'<li data-row="(\d+)" data-rails="([\d ]*)".*?title="(\w+)"', html)
    assert {name: bool(stops) for _, stops, name in names} == {"db": True, "web": True, "proxy": True, "sealed": False}
    assert len({row for row, _, _ in names}) == 4
    for text in ("172.18.0.2", "10.0.0.4", "172.18.0.0/16", "172.18.0.1", "8080 → 80 +1", "internal"):
        assert text in html, text


def test_what_no_container_is_in_is_named_below(admin: Client) -> None:
    idle = page(admin).split('class="map-idle"')[1].split("</p>")[0]
    assert ">idle</a>" in idle
    assert "none" not in idle and "back" not in idle


def test_it_says_the_same_as_a_list_and_escapes_it(admin: Client) -> None:
    html = page(admin)
    table = html.split("<table")[1]
    row = table.split('title="web"')[0] if 'title="web"' in table else table
    assert "front&lt;i&gt;" in row and "<i>" not in html
    assert "172.18.0.3" in row


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("?project=shop", {"db", "web"}),
        ("?network=front<i>", {"web", "proxy"}),
        ("?network=back&search=DB", {"db"}),
        ("?project=none", {"proxy", "sealed"}),
    ],
)
def test_it_is_filtered_by_what_the_url_says(admin: Client, query: str, names: set[str]) -> None:
    assert set(re.findall(r'<li data-row="\d+".*?title="(\w+)"', page(admin, query))) == names


def test_nothing_to_draw_is_said(admin: Client) -> None:
    assert "hides all 4 rows" in page(admin, "?search=nothing-has-this-name")
    containers(Host.objects.get())
    assert "No containers to draw" in page(admin)


def test_who_may_not_see_containers_or_networks_sees_none(admin: Client) -> None:
    admin.force_login(person("vera", "viewer"))
    assert "172.18.0.2" in page(admin)
    assert admin.get("/hosts/gone/map/").status_code == 404
    admin.logout()
    assert admin.get("/hosts/quay/map/").status_code == 302


def test_two_hundred_containers_are_one_page_that_costs_few_queries(
    admin: Client, django_assert_max_num_queries: Any
) -> None:
    many = [in_networks(f"web-{n}", n, back=f"172.18.1.{n}", idle=f"172.19.1.{n}") for n in range(200)]
    containers(Host.objects.get(), *many)
    with django_assert_max_num_queries(9):
        html = page(admin)
    assert html.count('class="map-wire"') == 200


def test_pages_lead_to_it(admin: Client) -> None:
    assert '"/hosts/quay/map/"' in admin.get("/hosts/quay/").content.decode()
    assert '"/hosts/quay/map/?network=back"' in admin.get("/networks/quay/back/").content.decode()
