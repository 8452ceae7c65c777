"""Pages of services: what they show, who may do what, and what a person does with a service on a real swarm."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from accounts.models import AuditEntry
from hosts.engine.parse import services as parse_services
from hosts.engine.parse import swarms as parse_swarms
from hosts.inventory import swarms
from hosts.log_choice import LogChoice, chosen
from hosts.models import Host
from tests.engines.swarm import RealSwarm
from tests.hosts.swarm.rows import SERVICE, service_json, some_services
from tests.hosts.swarm.services import Fleet
from tests.hosts.test_exports import body
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

HTMX = {"HX-Request": "true"}
PAGE = f"/services/swarm/{SERVICE}/"


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    some_services(a_host("buoy-a"))
    client.force_login(person("vera", "viewer"))
    return client


@pytest.fixture
def operator(db: None) -> Client:
    some_services(a_host("buoy-a"))
    client = Client()
    client.force_login(person("otto", "deployer"))
    return client


# ---------------------------------------------------------------- from rows
def test_lists_show_services_tasks_and_stacks(
    viewer: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    services = viewer.get("/services/?stack=shop").content.decode()
    assert "1 / 2" in services and "update paused" in services and "8080:80" in services
    assert "sha256" not in services
    tasks = viewer.get("/tasks/?state=rejected").content.decode()
    assert "No such image: nginx:1.27" in tasks and "web.2" in tasks and "web.1" not in tasks
    assert "shop" in viewer.get("/stacks/").content.decode()
    assert json.loads(body(viewer, "/services/?format=json"))[0]["running"] == 1
    assert "web" not in viewer.get("/services/?search=nothing-like-this", headers=HTMX).content.decode()
    with django_assert_num_queries(18):
        viewer.get("/services/")


def test_a_page_shows_what_a_service_is_and_hides_its_environment(viewer: Client) -> None:
    page = viewer.get(PAGE).content.decode()
    assert "web.1" in page and "No such image" in page and "TOKEN" in page and "update paused due to failure" in page
    assert "canary-of-a-row" not in page
    stack = viewer.get("/stacks/swarm/shop/").content.decode()
    assert PAGE[:-14] in stack


def test_who_sees_the_environment_in_the_form_or_over_rest_is_in_the_audit(operator: Client) -> None:
    seen = AuditEntry.objects.filter(action="service.reveal", target="web", host="swarm", actor__username="otto")
    api = f"/api/v1{PAGE.removesuffix('/')}"
    assert "canary-of-a-row" not in operator.get(api).content.decode() and not seen.exists()
    assert "canary-of-a-row" in operator.get(f"{PAGE}edit/").content.decode() and seen.count() == 1
    assert "canary-of-a-row" in operator.get(f"{api}?reveal=1").content.decode() and seen.count() == 2
    hidden = {"spec": {"env": {"TOKEN": "(hidden)"}}}
    kept = operator.patch(api, hidden, "application/json")
    assert kept.status_code == 422 and "Values are hidden here" in kept.json()["title"]


def test_who_may_not_see_the_environment_is_refused_and_leaves_no_trace(viewer: Client) -> None:
    assert viewer.get(f"/api/v1{PAGE.removesuffix('/')}?reveal=1").status_code == 403
    assert viewer.get(f"{PAGE}edit/").status_code == 403
    assert not AuditEntry.objects.filter(action="service.reveal").exists()


def test_a_viewer_changes_nothing(viewer: Client) -> None:
    page = viewer.get(PAGE).content.decode()
    assert "/edit/" not in page and "/ask/" not in page
    for path in ("/services/create/", f"{PAGE}edit/", f"{PAGE}ask/remove/", "/stacks/swarm/shop/remove/"):
        assert viewer.get(path).status_code == 403
        assert viewer.post(path).status_code == 403


def test_a_stack_without_services_is_one_and_pages_lead_from_one_to_the_other(viewer: Client) -> None:
    swarm = some_services(Host.objects.get(name="buoy-a"))
    labels = {"com.docker.stack.namespace": "vault"}
    told = {"ID": "k" * 25, "Spec": {"Name": "key", "Labels": labels}}
    secret = parse_swarms.secret_row(told)
    assert secret is not None
    swarms.apply_objects(swarm, "secret", [secret])
    service = parse_services.service_row(service_json("web"))
    assert service is not None
    service["data"]["secrets"] = ["k" * 25]
    swarms.apply_objects(swarm, "service", [service])
    assert "/stacks/swarm/vault/" in viewer.get("/stacks/").content.decode()
    row = next(row for row in viewer.get("/api/v1/stacks").json()["items"] if row["name"] == "vault")
    assert (row["services"], row["desired"], row["swarm"]) == (0, 0, "swarm")
    page = viewer.get(f"/secrets/swarm/{'k' * 25}/").content.decode()
    assert f"/services/swarm/{SERVICE[:12]}/" in page and "/stacks/swarm/vault/" in page
    page = viewer.get(PAGE).content.decode()
    assert f"/secrets/swarm/{'k' * 25}/" in page and "/images/?search=nginx%3A1.27" in page


def test_dialogs_say_what_will_happen(operator: Client) -> None:
    remove = operator.get(f"{PAGE}ask/remove/").content.decode()
    assert "1 task ends" in remove and "8080:80" in remove and "stack shop" in remove
    assert "replaced" in operator.get(f"{PAGE}ask/redeploy/").content.decode()
    assert "specification before the last change" in operator.get(f"{PAGE}ask/rollback/").content.decode()
    refused = operator.post(f"{PAGE}ask/scale/", {"replicas": "many"})
    assert (
        refused.status_code == 422 and "whole number" in refused.content.decode() and "many" in refused.content.decode()
    )
    assert operator.get(f"{PAGE}ask/explode/").status_code == 404
    assert "web" in operator.get("/stacks/swarm/shop/remove/").content.decode()


def test_what_was_typed_stays_and_the_field_is_marked(operator: Client) -> None:
    typed = {
        "view": "form",
        "swarm": "swarm",
        "name": "two words",
        "image": "nginx",
        "mode.kind": "global",
        "mode.replicas": "3",
    }
    page = operator.post("/services/create/", typed)
    text = page.content.decode()
    assert page.status_code == 422 and "two words" in text
    assert 'id="name_error"' in text and 'id="mode.replicas_error"' in text
    compose = operator.post("/services/create/", typed | {"name": "web2", "mode.replicas": "", "show": "compose"})
    assert "mode: global" in html.unescape(compose.content.decode())
    pasted = {"view": "compose", "swarm": "swarm", "compose": "services: {a: {image: b, deploy: {replica: 1}}}"}
    assert "has no key replica" in operator.post("/services/create/", pasted).content.decode()
    taken = operator.post("/services/create/", typed | {"name": "web", "mode.replicas": ""})
    assert "service called web already" in taken.content.decode()


def test_a_log_view_of_a_service_has_its_tasks_containers_and_no_others(db: None) -> None:
    host = a_host("buoy-a")
    some_services(host)
    labels = {"com.docker.swarm.service.name": "web"}
    containers(host, container_json("web.1.abc", Id="1" * 64, Labels=labels), container_json("other", Id="2" * 64))
    containers(a_host("pier"), container_json("web.9.xyz", Id="3" * 64, Labels=labels))
    found = chosen(person("vera", "viewer"), LogChoice(services=("swarm/web",)))
    assert [container.name for container in found.logs] == ["web.1.abc"]
    assert chosen(person("nina", "viewer"), LogChoice(services=("swarm/nobody",))).logs == []


# ---------------------------------------------------------------- on a real swarm
@pytest.fixture
def fleet(product: Product, swarm: RealSwarm, known: str) -> Iterator[Fleet]:
    found = Fleet(product, swarm, known)
    yield found
    found.clear()


def job_of(answer: Any) -> int:
    """The job whose page an act led to."""
    found = re.search(r"/jobs/(\d+)/$", answer.url)
    assert answer.ok and found, answer.text[:3000]
    return int(found[1])


def value_of(page: str, name: str) -> str:
    found = re.search(
        rf'name="{name}"(?: data-column="\w+" aria-label="[^"]*")? (?:value="([^"]*)"|rows[^>]*>\n([^<]*)<)', page
    )
    assert found, name
    return html.unescape(found[1] if found[1] is not None else found[2])


def test_a_person_makes_changes_and_removes_a_service(fleet: Fleet) -> None:
    product, name = fleet.product, fleet.new_name()
    typed: dict[str, Any] = {
        "view": "form",
        "swarm": fleet.name,
        "name": name,
        "image": "busybox",
        "mode.kind": "replicated",
        "mode.replicas": "3",
        "command": "sh -c 'echo hello of $HOSTNAME; sleep 1000'",
        "env": "GREETING=ahoy",
        "endpoint_mode": "dnsrr",
        "stop_signal": "KILL",
        "update.monitor": "500ms",
    }
    assert fleet.end(job_of(product.post("/services/create/", **typed)))["state"] == "done"
    fleet.runs(name, 3)
    page = product.http.get(f"{product.url}/services/{fleet.name}/{name}/").text
    assert "3 / 3" in page and "/containers/buoy-b/" in page

    edit = f"/services/{fleet.name}/{name}/edit/"
    form = product.http.get(f"{product.url}{edit}").text
    assert value_of(form, "update.monitor") == "500ms" and value_of(form, "env.0.value") == "ahoy"
    sent = typed | {"whole": value_of(form, "whole"), "revision": value_of(form, "revision")}
    sent |= {"as.env": "rows", "env.0.name": "GREETING", "env.0.value": "salam"}
    assert fleet.end(job_of(product.post(edit, **sent)))["state"] == "done"
    assert fleet.spec(name)["TaskTemplate"]["ContainerSpec"]["Env"] == ["GREETING=salam"]
    late = product.post(edit, **sent)
    assert late.status_code == 422 and "changed by somebody else" in late.text

    with product.socket(f"/ws/logs?service={quote(f'{fleet.name}/{name}')}&tail=all") as socket:
        said: set[str] = set()

        def all_three() -> bool:
            message = json.loads(socket.recv(timeout=20))
            if message["t"] == "lines":
                said.update(line[3] for line in message["lines"] if line[3].startswith("hello of"))
            return len(said) >= 3

        until(all_three, "each task's line")
    assert product.post(f"/services/{fleet.name}/{name}/ask/remove/").ok
    assert not fleet.is_there(f"services/{fleet.name}/{name}")
