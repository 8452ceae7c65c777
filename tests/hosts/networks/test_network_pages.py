"""Pages of networks: forms that name what is wrong and keep what was typed, who may do what, and what a page costs."""

from typing import Any

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host
from jobs.models import Job
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
FRAGMENT = {"HX-Request": "true"}
NET = "a" * 64


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    host = a_host()
    rows = [
        {"Id": NET, "Name": "back", "Driver": "bridge", "Options": {"<b>": "<i>"}},
        {"Id": "b" * 64, "Name": "bridge", "Driver": "bridge"},
        {"Id": "c" * 64, "Name": "mesh", "Driver": "overlay", "Scope": "swarm"},
        {"Id": "d" * 64, "Name": "twin"},
        {"Id": "e" * 64, "Name": "twin"},
        {"Id": "f" * 64, "Name": "idle"},
    ]
    apply.apply_rows(host, "network", [parse.network_row(row) for row in rows])
    containers(host, container_json("web", NetworkSettings={"Networks": {"back": {"IPAddress": "172.18.0.2"}}}))
    return client


GOOD = {"host": "quay", "name": "front", "driver": "bridge"}


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "-x"}, "name"),
        ({"host": "gone"}, "host"),
        ({"driver": "a b"}, "driver"),
        ({"options": "=x"}, "options"),
        ({"labels": "a=1\na=2"}, "labels"),
        ({"pool0_subnet": "nonsense"}, "pool0_subnet"),
        ({"pool0_subnet": "10.0.0.5/8"}, "pool0_subnet"),
        ({"pool0_gateway": "10.0.0.1"}, "pool0_subnet"),
        ({"pool0_subnet": "fd00::/64"}, "pool0_subnet"),
        ({"pool0_subnet": "10.0.0.0/8", "pool0_range": "11.0.0.0/24"}, "pool0_range"),
        ({"pool0_subnet": "10.0.0.0/8", "pool0_range": "fd00::/64"}, "pool0_range"),
        ({"pool0_subnet": "10.0.0.0/8", "pool0_gateway": "11.0.0.1"}, "pool0_gateway"),
        ({"pool0_subnet": "10.0.0.0/8", "pool0_gateway": "x"}, "pool0_gateway"),
        ({"pool0_subnet": "10.0.0.0/8", "pool0_aux": "nas"}, "pool0_aux"),
        ({"pool0_subnet": "10.0.0.0/8", "pool0_aux": "nas=12.0.0.1"}, "pool0_aux"),
        ({"config_from": "shared", "pool0_subnet": "10.0.0.0/8"}, "config_from"),
        ({"pool0_subnet": "10.0.0.0/8", "pool3_subnet": "10.1.0.0/16"}, "pool3_subnet"),
    ],
)
def test_a_wrong_value_is_said_at_its_field_and_stays(admin: Client, typed: dict[str, str], field: str) -> None:
    answer = admin.post("/networks/create/", GOOD | typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()
    assert answer.context["form"][field].value() == (GOOD | typed).get(field)


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"container": "gone"}, "container"),
        ({"container": "web", "aliases": "ok, not/ok"}, "aliases"),
        ({"container": "web", "ipv4": "fd00::1"}, "ipv4"),
        ({"container": "web", "ipv6": "10.0.0.1"}, "ipv6"),
        ({"container": "web", "ipv4": "x"}, "ipv4"),
        ({"container": "web", "driver_options": "=x"}, "driver_options"),
    ],
)
def test_a_wrong_connection_is_said_at_its_field_and_stays(admin: Client, typed: dict[str, str], field: str) -> None:
    answer = admin.post("/networks/quay/back/connect/", typed, headers=FRAGMENT)
    assert (answer.status_code, answer.context["field"], answer.context["typed"]) == (422, field, typed)
    assert f'aria-describedby="{field}-error"' in answer.content.decode()


def test_a_page_escapes_what_the_engine_says_and_names_who_is_in_it(admin: Client) -> None:
    html = admin.get("/networks/quay/back/").content.decode()
    assert "&lt;b&gt;" in html and "<b>" not in html
    assert "172.18.0.2" in html
    assert "1 container is in it." in html
    assert "<html" not in admin.get("/networks/quay/back/", headers=FRAGMENT).content.decode()


def test_of_two_networks_with_one_name_only_the_id_tells_which(admin: Client) -> None:
    assert admin.get("/networks/quay/twin/").status_code == 404
    assert admin.get(f"/networks/quay/{'d' * 12}/").status_code == 200
    assert admin.get("/networks/quay/nothing/").status_code == 404


def test_the_engine_s_own_networks_stay(admin: Client) -> None:
    assert "/networks/quay/bbbbbbbbbbbb/remove/" not in admin.get("/networks/quay/bridge/").content.decode()
    answer = admin.post("/api/v1/networks/quay/bridge/remove")
    assert answer.status_code == 409
    assert "bridge is the engine's own" in answer.json()["title"]


def test_a_prune_shows_what_no_container_uses_and_no_more(admin: Client) -> None:
    html = admin.get("/networks/prune/", headers=FRAGMENT).content.decode()
    listed = [key for key in "abcdef" if f'value="{key * 64}"' in html]
    assert listed == ["d", "e", "f"]  # not one in use, the engine's own, or a swarm's
    answer = admin.post("/networks/prune/", {"host": "quay", "target": [NET, "f" * 64]})
    job = Job.objects.get()
    assert answer["Location"] == f"/jobs/{job.pk}/"
    assert job.params["targets"] == [["f" * 64, "idle"]]
    answer = admin.post("/networks/prune/", {"host": "quay", "target": [NET]}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "There is no network to remove." in answer.content.decode()


@pytest.mark.parametrize(
    "path", ["create/", "prune/", "quay/back/connect/", "quay/back/disconnect/?container=web", "quay/back/remove/"]
)
def test_a_viewer_looks_and_changes_nothing(admin: Client, path: str) -> None:
    admin.force_login(person("vera", "viewer"))
    html = admin.get("/networks/quay/back/").content.decode()
    assert "web" in html and "/connect/" not in html and "/disconnect/" not in html and "/remove/" not in html
    assert admin.post(f"/networks/{path}", GOOD).status_code == 403
    admin.logout()
    assert admin.post(f"/networks/{path}", GOOD).status_code == 302


@pytest.mark.parametrize("act", ["quay", "quay/prune", "quay/back/connect", "quay/back/disconnect", "quay/back/remove"])
def test_the_api_lets_a_viewer_change_nothing(admin: Client, act: str) -> None:
    admin.force_login(person("vera", "viewer"))
    body = {"name": "x", "container": "web"}
    answer = admin.post(f"/api/v1/networks/{act}", body, content_type="application/json")
    assert answer.status_code == 403
    assert admin.get("/api/v1/networks/quay/back").json()["containers"][0]["name"] == "web"
    assert not Job.objects.exists()


def test_removing_is_no_link(admin: Client) -> None:
    assert admin.get("/networks/quay/back/remove/").status_code == 405


def test_a_network_of_many_containers_costs_as_many_queries(admin: Client, django_assert_max_num_queries: Any) -> None:
    def member(n: int) -> dict[str, Any]:
        networks = {"Networks": {"back": {"IPAddress": f"172.18.1.{n}"}}}
        return container_json(f"web-{n}", Id=f"{n:064x}", NetworkSettings=networks)

    containers(Host.objects.get(), *(member(n) for n in range(200)))
    with django_assert_max_num_queries(8):
        html = admin.get("/networks/quay/back/", headers=FRAGMENT).content.decode()
    assert "1 to 50 of 200" in html
