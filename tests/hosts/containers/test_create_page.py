"""The page that creates a container, as a person uses it: three views of one thing, and a duplicate of what runs."""

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.engines.docker_engine import DockerEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

LINE = """docker run -d --name shop -e 'GREETING=two words' -e "QUOTED=\\"x\\"" -p 127.0.0.1:8080:80 -v data:/data:ro \\
  --mount type=bind,source=/srv,target=/srv,bind-propagation=rslave --network name=front,alias=shop,ip=10.0.0.9 \\
  --restart on-failure:3 --health-cmd 'test -f /x' --health-interval 5s --memory 64m --cpus 0.5 --gpus all --init \\
  --device-read-bps /dev/sda:1m --tmpfs /run:size=4m --log-opt max-size=1m --cap-drop ALL acme/web:1 serve 'a b'"""


class Page:
    """The form of an answer: what a browser would send back."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]+>", html):
            told = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            if told.get("type") != "checkbox" or re.search(r"\schecked", tag):
                self.fields[told.get("name", "")] = unescape(told.get("value", ""))
        for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', html, re.S):
            self.fields[name] = unescape(text).replace("\n", "\r\n")
        for name, body in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
            chosen = re.search(r"<option[^>]* selected[^>]*>([^<]*)", body)
            self.fields[name] = unescape(chosen[1]) if chosen else ""

    @property
    def whole(self) -> Any:
        return json.loads(self.fields["whole"])


@pytest.fixture
def otto(client: Client) -> Client:
    containers(a_host(), container_json("web"))
    client.force_login(person("otto", "operator"))
    return client


def send(client: Client, fields: dict[str, str], status: int = 200) -> Page:
    answer = client.post("/containers/create/", fields, headers={"HX-Request": "true"})
    assert answer.status_code == status, answer.content.decode()[:2000]
    assert answer["Cache-Control"] == "no-store"
    return Page(answer.content.decode())


def pasted(view: str, text: str, show: str) -> dict[str, str]:
    """What a browser sends for a text in one view when another is asked for."""
    return {"view": view, view: text, "whole": "{}", "show": show}


@pytest.mark.django_db
def test_what_is_pasted_in_one_view_is_in_the_others_and_nothing_is_lost_on_the_way(otto: Client) -> None:
    form = send(otto, pasted("run", LINE, "form"))
    assert form.fields["image"] == "acme/web:1"
    assert form.fields["env"] == 'GREETING=two words\r\nQUOTED="\\"x\\""'
    assert form.fields["ports"] == "127.0.0.1:8080:80"
    assert form.fields["networks"] == "name=front,alias=shop,ip=10.0.0.9"
    assert form.fields["health.interval"] == "5s"
    assert form.fields["command"] == "serve 'a b'"
    compose = send(otto, form.fields | {"show": "compose"})
    assert "container_name: shop" in compose.fields["compose"]
    assert compose.whole == form.whole
    again = send(otto, compose.fields | {"show": "form"})
    line = send(otto, again.fields | {"show": "run"})
    assert line.whole == form.whole
    # typed afresh, without what the page remembers, it is the same too
    assert send(otto, line.fields | {"whole": "{}", "show": "form"}).whole == form.whole
    assert send(otto, form.fields | {"whole": "{}", "show": "run"}).whole == form.whole
    assert send(otto, compose.fields | {"whole": "{}", "show": "run"}).whole == form.whole


@pytest.mark.django_db
def test_what_a_view_cannot_say_is_said_and_kept(otto: Client) -> None:
    text = (
        "image: busybox\nhealthcheck: {test: [CMD, test, -f, 'a b']}\nvolumes: [{type: bind, source: /a, target: /b}]"
    )
    line = send(otto, pasted("compose", text, "run"))
    assert "without one" in line.html
    back = send(otto, line.fields | {"show": "compose"})
    assert back.whole["health"]["test"] == ["CMD", "test", "-f", "a b"]
    form = send(otto, back.fields | {"show": "form"})
    changed = send(otto, form.fields | {"name": "other", "show": "compose"})
    assert changed.whole == back.whole | {"name": "other"}


@pytest.mark.django_db
def test_wrong_values_are_marked_at_their_fields_and_everything_typed_stays(otto: Client) -> None:
    form = send(otto, pasted("run", LINE, "form"))
    typed = form.fields | {"ports": "80:x", "limits.memory": "lots", "name": "-", "show": "run"}
    page = send(otto, typed, 422)
    for name in ("ports", "limits.memory"):
        assert f'id="{name}_error"' in page.html
    stays = {name: value for name, value in typed.items() if name not in {"show", "whole", "csrfmiddlewaretoken"}}
    assert {name: page.fields.get(name) for name in stays} == stays
    late = send(otto, form.fields | {"name": "-", "limits.memory_reservation": "1g"}, 422)
    assert 'id="name_error"' in late.html and 'id="limits.memory_reservation_error"' in late.html
    wrong = send(otto, pasted("run", "docker run --nothing x", "form"), 422)
    assert "--nothing" in wrong.fields["run"] and 'id="run_error"' in wrong.html
    several = send(otto, pasted("compose", "services: {a: {image: x}, b: {image: y}}", "form"), 422)
    assert 'id="service_error"' in several.html and "a, b" in several.html


@pytest.mark.django_db
def test_a_viewer_gets_no_form_and_no_button(client: Client) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("vera", "viewer"))
    assert client.get("/containers/create/").status_code == 403
    assert client.post("/containers/create/", {"image": "x"}).status_code == 403
    assert client.get("/containers/create/?from=quay/web").status_code == 403
    assert b"/containers/create/" not in client.get("/containers/").content
    assert b"/containers/create/" not in client.get("/containers/quay/web/").content


def test_a_container_is_created_from_the_page_and_duplicated(product: Product, docker_engine: DockerEngine) -> None:
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online", 20)
    first, second = (f"page-{uuid4().hex[:6]}" for _ in range(2))
    try:
        empty = Page(product.http.get(f"{product.url}/containers/create/").text)
        create(
            product, empty.fields | {"host": "local", "image": "dermaga/web", "name": first, "env": "A='x y'\n# no\n"}
        )
        until(lambda: product.api(f"containers?search={first}")["count"] == 1, "it is in the table")
        page = product.http.get(f"{product.url}/containers/create/?from=local/{first}").text
        part = re.search(r'hx-get="([^"]+part=form)"', page)
        assert part
        filled = Page(product.http.get(f"{product.url}{unescape(part[1])}", headers={"HX-Request": "true"}).text)
        assert (filled.fields["image"], filled.fields["env"], filled.fields["name"]) == ("dermaga/web", "A=x y", "")
        assert filled.fields["host"] == "local"
        create(product, filled.fields | {"name": second})
        one, two = (json.loads(docker_engine.docker("inspect", name))[0] for name in (first, second))
        for answer in (one, two):
            answer["Config"].pop("Hostname")
        assert one["Config"] == two["Config"]
        assert one["HostConfig"] == two["HostConfig"]
    finally:
        docker_engine.docker(
            "rm", "-f", "-v", *(n for n in (first, second) if docker_engine.docker("ps", "-aq", "-f", f"name={n}"))
        )


def create(product: Product, fields: dict[str, str]) -> None:
    """Sends the form, and waits until its job is done."""
    sent: dict[str, Any] = fields | {"start": "1"}
    answer = product.post("/containers/create/", **sent)
    found = re.fullmatch(rf"{product.url}/jobs/(\d+)/", answer.url)
    assert answer.ok and found, f"{answer.status_code} {answer.text[-3000:]}"
    job = until(
        lambda: (row := product.api(f"jobs/{found[1]}"))["state"] not in {"queued", "running"} and row,
        "the job ends",
        30,
    )
    assert job["state"] == "done", job["error"]


def test_a_container_is_edited_in_the_same_form(product: Product, docker_engine: DockerEngine) -> None:
    name = f"edited-{uuid4().hex[:6]}"
    docker_engine.docker(
        "run", "-d", "--name", name, "-e", "A=1", "-v", "/scratch", "--stop-signal", "KILL", "busybox", "sleep", "1000"
    )
    try:
        until(lambda: product.api(f"containers?search={name}&state=running")["count"] == 1, "it shows", 20)
        url = f"{product.url}/containers/create/?edit=local/{name}"
        assert f"Edit {name}" in product.http.get(url).text
        part = product.http.get(f"{url}&part=form", headers={"HX-Request": "true"})
        form = Page(part.text)
        old = product.api(f"containers/local/{name}")["id"]
        assert (form.fields["name"], form.fields["env"], form.fields["edits"]) == (name, "A=1", f"local/{old}")
        assert form.fields["start"] == "1"
        wrong = product.post("/containers/create/", None, **form.fields | {"settle": "soon", "env": "A=2"})
        assert wrong.status_code == 422
        assert Page(wrong.text).fields["settle"] == "soon"
        assert Page(wrong.text).fields["env"] == "A=2"
        assert "Nothing was changed." in wrong.text
        sent = product.post("/containers/create/", None, **form.fields | {"settle": "0", "env": "A=2"})
        job = re.fullmatch(rf"{product.url}/jobs/(\d+)/", sent.url)
        assert job, sent.text[:2000]
        end = until(
            lambda: (row := product.api(f"jobs/{job[1]}"))["state"] not in {"queued", "running"} and row, "done"
        )
        assert end["state"] == "done", end["error"]
        assert "A=2" in json.loads(docker_engine.docker("inspect", name))[0]["Config"]["Env"]
    finally:
        docker_engine.docker("rm", "-f", "-v", name)


@pytest.mark.django_db
def test_a_viewer_edits_and_recreates_nothing(client: Client) -> None:
    containers(a_host(), container_json("web"), container_json("web.dermaga-old-7"))
    client.force_login(person("vera", "viewer"))
    assert client.get("/containers/create/?edit=quay/web").status_code == 403
    for path in ("web/recreate/", "web.dermaga-old-7/put-back/"):
        assert client.post(f"/containers/quay/{path}").status_code == 403
    assert client.post("/containers/recreate/", {"target": "quay/web"}).status_code == 403
    page = client.get("/containers/quay/web.dermaga-old-7/").content.decode()
    assert "This is web as it was before" in page
    assert "put-back" not in page
    client.force_login(person("otto", "operator"))
    answer = client.post("/containers/recreate/", {"target": ["quay/web", "quay/web.dermaga-old-7"]})
    assert answer.headers["Location"] == "/jobs/"
    assert client.get("/containers/quay/web/put-back/").status_code == 405
    assert client.post("/containers/quay/web/recreate/", {"settle": "9999"}).status_code == 422
