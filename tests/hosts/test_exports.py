"""Each list as a file, behind its filters and rights; and events by action, name and time, on the page and over REST."""

import csv
import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from accounts.models import OwnRole, Team
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Backup, Destination, Host, Policy, Registry, RegistryAccount
from jobs.models import Job, Schedule
from tests.engines.docker_engine import DockerEngine
from tests.hosts.swarm.rows import some_services
from tests.rows import a_host, a_swarm, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")]
FRAGMENT = {"HX-Request": "true"}
LISTS = (
    "containers",
    "images",
    "networks",
    "volumes",
    "plugins",
    "events",
    "hosts",
    "jobs",
    "jobs/schedules",
    "registries",
    "swarms",
    "nodes",
    "services",
    "tasks",
    "stacks",
    "secrets",
    "configs",
    "backups",
    "backups/destinations",
)
NO_SEARCH = {"jobs": "state=queued", "stacks": "", "tasks": "", "backups": ""}
FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)")


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    """With a row in every list."""
    client.force_login(person("vera", "viewer"))
    host = a_host()
    labelled = [container_json(f"cell-{n}", Labels={"note": text}, Image=text) for n, text in enumerate(FORMULAS)]
    containers(host, container_json("web", Labels={"team": "blue"}), *labelled)
    apply.apply_rows(host, "image", [parse.image_row({"Id": "sha256:1", "RepoTags": ["redis:7"], "Size": 5})])
    apply.apply_rows(host, "network", [parse.network_row({"Id": "n1", "Name": "back", "Driver": "bridge"})])
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data", "Driver": "local"})])
    apply.apply_rows(host, "plugin", [parse.plugin_row({"Id": "p1", "Name": "quay:1"})])
    Job.objects.create(kind="image.pull", by_name="ada", host="quay", target="nginx", sealed={"secret": "canary-1"})
    nightly = {"kind": "image.prune", "cron": "0 0 * * *", "timezone": "UTC", "by_name": "ada"}
    Schedule.objects.create(name="nightly", sealed={"secret": "canary-3"}, **nightly)
    account = {"username": "ci", "secret": "canary-2"}
    RegistryAccount.objects.create(registry=Registry.objects.create(name="team", address="registry.example"), **account)
    happened(host, "die", "web", 0)
    a_swarm(host)
    some_services(host)
    loft = Destination.objects.create(name="loft", kind="folder", folder="/srv/loft", secret_key="canary-4")
    Backup.objects.create(host="quay", volume="data", destination=loft, key="quay/data/1", state="kept")
    return client


LIBRARYS = "/account/sessions/"  # allauth's name for it; ours is served there, which is about oneself alone


def happened(host: Host, action: str, name: str, minute: int) -> None:
    """An event at so many minutes after ten."""
    time = datetime(2026, 11, 24, 10, minute, tzinfo=UTC)
    raw = {"Type": "container", "Action": action, "Actor": {"ID": "f" * 64, "Attributes": {"name": name}}}
    apply.apply_events(host, [parse.event_row(raw | {"timeNano": int(time.timestamp()) * 10**9})])


def body(client: Client, path: str) -> str:
    answer: Any = client.get(path)
    assert answer.status_code == 200, path
    return b"".join(answer).decode()


def names(client: Client, path: str) -> list[str]:
    return [row["name"] for row in json.loads(body(client, path))]


@pytest.mark.parametrize("noun", LISTS)
def test_every_list_is_a_file_in_both_forms_and_its_page_leads_to_them(viewer: Client, noun: str) -> None:
    path = f"/{noun}/?{NO_SEARCH.get(noun, 'search=')}"
    rows = json.loads(body(viewer, f"{path}&format=json"))
    table = list(csv.DictReader(io.StringIO(body(viewer, f"{path}&format=csv"))))
    assert len(rows) == len(table) >= 1
    assert list(rows[0]) == list(table[0])
    assert "canary" not in json.dumps(rows)
    html = viewer.get(path).content.decode()
    assert f'href="/{noun}/?' in html and "format=csv" in html and "format=json" in html
    answer, called = viewer.get(f"{path}&format=csv"), noun.rpartition("/")[2]
    assert answer["Content-Type"].startswith("text/csv")
    assert answer["Content-Disposition"].startswith(f'attachment; filename="{called}-')
    assert viewer.get(f"{path}&format=xml")["Content-Type"].startswith("text/html")


def test_no_list_lacks_a_file(client: Client, db: None) -> None:
    """Not even those that only administrators see; the audit's is in tests/accounts/test_audit.py."""
    paths = {reverse(name) for name in get_resolver().reverse_dict if isinstance(name, str) and name.endswith("_list")}
    assert {f"/{noun}/" for noun in LISTS} == paths - {
        "/users/",
        "/audit/",
        "/audit/forwards/",
        "/audit/terminals/",
        "/teams/",
        "/roles/",
        "/policies/",
        "/quotas/",
        LIBRARYS,
    }
    client.force_login(person("ada", "admin"))
    assert [row["username"] for row in json.loads(body(client, "/users/?format=json"))] == ["ada"]
    assert body(client, "/users/?format=csv").splitlines()[1].startswith("ada,admin,True,")
    Team.objects.create(name="north", about="the shop")
    OwnRole.objects.create(name="restarter", rights=["containers.operate"])
    assert json.loads(body(client, "/teams/?format=json"))[0]["about"] == "the shop"
    assert "containers.operate" in body(client, "/roles/?format=csv").splitlines()[1]
    Policy.objects.create(label="env=prod", by_name="ada")
    assert json.loads(body(client, "/policies/?format=json"))[0]["place"] == "label:env=prod"
    for path in ("/users/", "/teams/", "/roles/", "/policies/", "/quotas/"):
        assert "format=csv" in client.get(path).content.decode()


def test_a_file_holds_what_the_filters_leave_in_its_order(viewer: Client) -> None:
    assert names(viewer, "/containers/?label=team%3Dblue&format=json") == ["web"]
    assert names(viewer, "/containers/?search=cell&sort=-name&format=json") == ["cell-3", "cell-2", "cell-1", "cell-0"]
    assert body(viewer, "/containers/?search=nothing&format=json") == "[]\n"
    assert body(viewer, "/containers/?search=nothing&format=csv").startswith("host,name,")


def test_no_cell_is_a_formula(viewer: Client) -> None:
    rows = csv.DictReader(io.StringIO(body(viewer, "/containers/?search=cell&format=csv")))
    assert sorted(row["image"] for row in rows) == sorted(f"'{text}" for text in FORMULAS)


def test_a_file_of_many_rows_is_read_in_parts(viewer: Client, django_assert_max_num_queries: Any) -> None:
    host = Host.objects.get()
    containers(host, *(container_json(f"many-{n:04}", Id=f"{n:064}") for n in range(1200)))
    with django_assert_max_num_queries(8):
        found = names(viewer, "/containers/?format=json")
    assert found == [f"many-{n:04}" for n in range(1200)]


def test_a_stranger_gets_no_file(client: Client, db: None) -> None:
    for noun in LISTS:
        assert client.get(f"/{noun}/?format=csv").status_code == 302


# ---------------------------------------------------------------- events
def actions(client: Client, query: str) -> list[str]:
    shown = [event.action for event in client.get(f"/events/?{query}", headers=FRAGMENT).context["page"].items]
    told = client.get(f"/api/v1/events?{query}").json()
    assert [row["action"] for row in told["items"]] == shown
    assert told["count"] == len(shown)
    return shown


def test_events_are_filtered_by_action_name_and_time_on_the_page_and_over_rest(viewer: Client) -> None:
    host = Host.objects.get()
    happened(host, "start", "web", 1)
    happened(host, "health_status: unhealthy", "db", 2)
    happened(host, "start", "web-2", 3)
    assert actions(viewer, "") == ["start", "health_status: unhealthy", "start", "die"]
    assert actions(viewer, "action=health_status") == ["health_status: unhealthy"]
    assert actions(viewer, "action=die&action=health_status") == ["health_status: unhealthy", "die"]
    assert actions(viewer, "name=web") == ["start", "die"]
    assert actions(viewer, "from=2026-11-24T10:01&to=2026-11-24T10:03:00Z") == ["health_status: unhealthy", "start"]
    assert actions(viewer, f"from={datetime(2026, 11, 24, 10, 3, tzinfo=UTC).timestamp()}") == ["start"]
    assert actions(viewer, "host=far") == []
    assert actions(viewer, "sort=time")[0] == "die"
    assert [row["actor_name"] for row in json.loads(body(viewer, "/events/?name=db&format=json"))] == ["db"]


@pytest.mark.parametrize("field", ["from", "to"])
def test_a_wrong_time_is_named(viewer: Client, field: str) -> None:
    answer = viewer.get(f"/api/v1/events?{field}=yesterday")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert "Write a time like" in viewer.get(f"/events/?{field}=yesterday").content.decode()


def test_events_of_an_engine_come_by_themselves(product: Product, docker_engine: DockerEngine) -> None:
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    docker_engine.docker("run", "--rm", "--name", "eventful", "busybox", "sh", "-c", "exit 0")
    asked = "events?host=local&kind=container&action=die&name=eventful"
    until(lambda: product.api(asked)["count"] == 1, "its end is among the events")
    assert product.api(asked)["items"][0]["data"]["exitCode"] == "0"
    answer = product.http.get(f"{product.url}/{asked.replace('?', '/?')}&format=csv", timeout=20)
    assert [row["actor_name"] for row in csv.DictReader(io.StringIO(answer.text))] == ["eventful"]
