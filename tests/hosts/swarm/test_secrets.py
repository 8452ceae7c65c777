"""Secrets and configs on a real swarm: made, used, labelled and removed; a secret's value shows nowhere."""

import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests
from django.test import Client

from hosts.swarm_plan import next_name
from tests.engines.swarm import RealSwarm
from tests.hosts.swarm.test_acts import audit
from tests.hosts.watched import Watched, send
from tests.rows import a_host, a_swarm, person
from tests.servers.product import Product
from tests.waiting import until

CANARY = "hush-canary-4711"


@pytest.fixture
def name(swarm: RealSwarm) -> Iterator[str]:
    """A name; what has it goes when the test ends."""
    name = f"thing-{uuid4().hex[:8]}"
    yield name
    for noun in ("service", "secret", "config"):
        if name in swarm.first.docker(noun, "ls", "--format", "{{.Name}}").split():
            swarm.first.docker(noun, "rm", name)


def sent(product: Product, path: str, file: bytes, **fields: Any) -> requests.Response:
    """A form with a file, as a browser sends it."""
    headers = {"Referer": f"{product.url}/", "X-CSRFToken": product.http.cookies.get("csrftoken") or ""}
    files = {"file": ("nginx.conf", file)}
    return product.http.post(f"{product.url}{path}", fields, files=files, headers=headers, timeout=30)


@pytest.mark.core
def test_a_secret_is_made_labelled_and_removed_and_its_value_shows_nowhere(
    product: Product, swarm: RealSwarm, known: str, name: str
) -> None:
    typed: dict[str, Any] = {"swarm": known, "name": name, "value": CANARY, "templating": "golang", "labels": "a=b"}
    refused = product.post("/secrets/create/", **typed | {"name": "no name"})
    assert refused.status_code == 422 and "begins and ends with a letter or digit" in refused.text
    made = product.post("/secrets/create/", **typed)
    assert made.ok and f"Made {name} in {known}." in made.text
    told = swarm.inspect("secret", name)
    assert told["Spec"]["Labels"] == {"a": "b"} and told["Spec"]["Templating"] == {"Name": "golang"}
    again = product.post("/secrets/create/", **typed)
    assert again.status_code == 422 and f"There is one called {name} already." in again.text
    service = ["--name", name, "--secret", name, "--replicas", "0", "--endpoint-mode", "dnsrr", "busybox"]
    swarm.first.docker("service", "create", "-d", *service)
    until(lambda: product.api(f"secrets/{known}/{name}")["services"] == [name], "the service uses it")
    kept = product.post(f"/secrets/{known}/{name}/remove/")
    assert f"Services use {name}: {name}. Take it from them first." in kept.text
    swarm.first.docker("service", "rm", name)
    assert product.api(f"secrets/{known}/{name}", "PATCH", labels={"c": "d"})["labels"] == {"c": "d"}
    page = product.http.get(f"{product.url}/secrets/{known}/{name}/labels/").text
    version = re.search(r'name="version" value="(\d+)"', page)
    assert version and product.post(f"/secrets/{known}/{name}/labels/", labels="e=f", version=version[1]).ok
    assert swarm.inspect("secret", name)["Spec"]["Labels"] == {"e": "f"}
    everywhere = [refused.text, made.text, again.text, kept.text, page, json.dumps(product.api("secrets?limit=500"))]
    everywhere += [audit(product, "secret.create"), product.output, product.http.get(f"{product.url}/jobs/").text]
    assert not [text for text in everywhere if CANARY in text]
    events = f"events?kind=secret&action=create&name={name}"
    until(lambda: product.api(events)["count"] == 1, "of three managers that report it one is heard")
    assert product.post(f"/secrets/{known}/{name}/remove/").ok
    assert product.api(f"secrets?search={name}")["count"] == 0
    assert name not in swarm.first.docker("secret", "ls", "--format", "{{.Name}}").split()


@pytest.mark.core
def test_a_config_is_made_of_a_file_read_labelled_and_removed(
    product: Product, swarm: RealSwarm, known: str, name: str
) -> None:
    file = b"server {\r\n  listen 80; # <b>\r\n}\n"
    made = sent(product, "/configs/create/", file, swarm=known, name=name, value="", templating="", labels="")
    assert made.ok and f"Made {name} in {known}." in made.text
    answer = product.http.get(f"{product.url}/configs/{known}/{name}/content/?download=1")
    assert answer.content == file and "attachment" in answer.headers["Content-Disposition"]
    shown = product.http.get(f"{product.url}/configs/{known}/{name}/content/").text
    assert "listen 80; # &lt;b&gt;" in shown and f"'{name}', 'done'" in audit(product, "config.reveal")
    assert product.api(f"configs/{known}/{name}")["size"] == len(file)
    assert product.api(f"configs/{known}/{name}", "PATCH", labels={"c": "d"})["labels"] == {"c": "d"}
    assert product.api(f"configs/{known}/{name}/remove", "POST") == {"done": "remove"}
    product.api(f"configs/{known}", "POST", name=name, data="aGVsbG8=")
    row = until(lambda: product.api(f"configs?search={name}")["items"], "it is listed")[0]
    token = {"Authorization": f"Bearer {product.token}"}
    raw = requests.get(f"{product.url}/api/v1/configs/{known}/{row['id']}/content", headers=token, timeout=10)
    assert raw.content == b"hello"
    swarm.first.docker("config", "rm", name)
    until(lambda: product.api(f"configs?search={name}")["count"] == 0, "what the command line removes is gone")
    long = sent(product, "/configs/create/", b"x" * 600_000, swarm=known, name=name, value="", templating="")
    assert long.status_code == 422 and "The value is longer than 500 KB" in long.text


@pytest.mark.core
def test_another_value_takes_the_place_of_the_old_in_all_services(
    product: Product, swarm: RealSwarm, known: str, name: str
) -> None:
    product.api(f"secrets/{known}", "POST", name=name, value="first-canary-4711", labels={"a": "b"})
    options = ["--secret", f"source={name},target=db,mode=0400", "--replicas", "0", "--endpoint-mode", "dnsrr"]
    swarm.first.docker("service", "create", "-d", "--name", name, *options, "busybox")
    until(lambda: product.api(f"secrets/{known}/{name}")["services"] == [name], "the service uses it")
    page = f"/secrets/{known}/{name}/replace/"
    empty = product.post(page, value="")
    assert empty.status_code == 422 and "Enter the value, or choose a file." in empty.text
    with Watched(product, send(product, page, value=CANARY)) as job:
        end = job.end(60)
    assert (end["error"], end["state"]) == ("", "done")
    told = json.dumps(product.api(f"jobs/{job.job}")) + json.dumps(job.messages) + audit(product, "secret.replace")
    assert CANARY not in told and f"{name} uses {name}-v2 now." in json.dumps(job.messages)
    used = swarm.inspect("service", name)["Spec"]["TaskTemplate"]["ContainerSpec"]["Secrets"]
    assert [(entry["SecretName"], entry["File"]["Name"], entry["File"]["Mode"]) for entry in used] == [
        (f"{name}-v2", "db", 0o400)
    ]
    assert swarm.inspect("secret", f"{name}-v2")["Spec"]["Labels"] == {"a": "b"}
    until(lambda: product.api(f"secrets/{known}/{name}-v2")["services"] == [name], "the new one is used")
    assert product.api(f"secrets/{known}/{name}")["services"] == []
    swarm.first.docker("service", "rm", name)
    product.api(f"secrets/{known}/{name}-v2/remove", "POST")


@pytest.mark.core
def test_the_value_of_a_config_is_replaced_and_a_driver_that_nobody_has_is_refused(
    product: Product, swarm: RealSwarm, known: str, name: str
) -> None:
    product.api(f"configs/{known}", "POST", name=name, data="aGVsbG8=")
    options = ["--config", f"source={name},target=/etc/greeting", "--replicas", "0", "--endpoint-mode", "dnsrr"]
    swarm.first.docker("service", "create", "-d", "--name", name, *options, "busybox")
    until(lambda: product.api(f"configs/{known}/{name}")["services"] == [name], "the service uses it")
    number = product.api(f"configs/{known}/{name}/replace", "POST", data="c2FsYW0=")["job"]
    with Watched(product, number) as job:
        assert job.end(60)["state"] == "done"
    used = swarm.inspect("service", name)["Spec"]["TaskTemplate"]["ContainerSpec"]["Configs"]
    assert [(entry["ConfigName"], entry["File"]["Name"]) for entry in used] == [(f"{name}-v2", "/etc/greeting")]
    assert swarm.inspect("config", f"{name}-v2")["Spec"]["Data"] == "c2FsYW0="
    swarm.first.docker("service", "rm", name)
    swarm.first.docker("config", "rm", f"{name}-v2")
    typed: dict[str, Any] = {"swarm": known, "name": name, "value": "", "templating": "", "driver": "vault"}
    refused = product.post("/secrets/create/", **typed)
    assert refused.status_code == 422 and f"No manager of {known} has a secret driver called vault." in refused.text


# ---------------------------------------------------------------- without an engine
@pytest.mark.core
def test_a_new_version_has_the_next_free_number() -> None:
    assert next_name("db", set()) == "db-v2" and next_name("db-v2", {"db-v3"}) == "db-v4"
    assert next_name("x" * 64, set()) == "x" * 61 + "-v2"


@pytest.fixture
def viewer(client: Client, db: None) -> Client:
    a_swarm(a_host())
    client.force_login(person("vera", "viewer"))
    return client


@pytest.mark.core
def test_a_viewer_looks_and_changes_nothing(viewer: Client) -> None:
    for path in ("/swarms/", "/swarms/swarm/", "/nodes/", "/nodes/swarm/buoy-a/", "/secrets/", "/secrets/swarm/s1/"):
        page = viewer.get(path)
        assert page.status_code == 200, path
        acts = re.findall(r'action="(/(?:swarms|nodes|secrets|configs)/[^"]*)"', page.content.decode())
        assert acts == [], path
    assert "web" in viewer.get("/configs/swarm/c1/").content.decode()
    for path in (
        *("/swarms/init/", "/swarms/join/", "/swarms/hosts/quay/leave/", "/swarms/hosts/quay/unlock/"),
        *("/swarms/swarm/settings/", "/swarms/swarm/tokens/", "/swarms/swarm/unlock-key/", "/swarms/swarm/rotate/"),
        *(f"/nodes/swarm/buoy-a/{act}/" for act in ("labels", "promote", "demote", "availability", "remove")),
        *("/secrets/create/", "/secrets/swarm/s1/labels/", "/secrets/swarm/s1/replace/", "/secrets/swarm/s1/remove/"),
        *("/configs/create/", "/configs/swarm/c1/labels/", "/configs/swarm/c1/remove/"),
    ):
        assert viewer.post(path, {"swarm": "swarm"}).status_code == 403, path
    assert viewer.get("/configs/swarm/c1/content/").status_code == 403
    for path in ("secrets/swarm", "secrets/swarm/s1/remove", "configs/swarm", "configs/swarm/c1/remove", "swarms/init"):
        body = {"name": "a", "host": "quay"}
        assert viewer.post(f"/api/v1/{path}", body, "application/json").status_code == 403, path
    assert viewer.get("/api/v1/configs/swarm/c1/content").status_code == 403
    for path in ("/swarms/none/", "/nodes/swarm/none/", "/secrets/swarm/c1/", "/configs/none/c1/"):
        assert viewer.get(path).status_code == 404, path


@pytest.mark.core
def test_lists_ask_few_questions(viewer: Client, django_assert_max_num_queries: Any) -> None:
    for path in ("/swarms/", "/nodes/", "/secrets/", "/configs/"):
        with django_assert_max_num_queries(14):
            assert viewer.get(path, headers={"HX-Request": "true"}).status_code == 200
