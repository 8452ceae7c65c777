"""The page that creates a container, as a person uses it: three views of one thing, and a duplicate of what runs."""

import json
import re
from html import unescape
from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from hosts.forms.create import CreateForm
from hosts.specs.inspected import Defaults, from_inspect
from hosts.specs.spec import from_json, to_json
from tests.engines.docker_engine import DockerEngine
from tests.hosts.specs.every_field import EVERY, NOT_EVERYWHERE, NOT_TOGETHER
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

LINE = """docker run -d --name shop -e 'GREETING=two words' -e "QUOTED=\\"x\\"" -p 127.0.0.1:8080:80 -v data:/data:ro \\
  --mount type=bind,source=/srv,target=/srv,bind-propagation=rslave --network name=front,alias=shop,ip=10.0.0.9 \\
  --restart on-failure:3 --health-cmd 'test -f /x' --health-interval 5s --memory 64m --cpus 0.5 --gpus all --init \\
  --device-read-bps /dev/sda:1m --tmpfs /run:size=4m --log-opt max-size=1m --cap-drop ALL acme/web:1 serve 'a b'"""


def row(page: "Page", part: str, number: int) -> dict[str, str]:
    """The fields of one row."""
    prefix = f"{part}.{number}."
    return {name.removeprefix(prefix): value for name, value in page.fields.items() if name.startswith(prefix)}


class Page:
    """The form of an answer: what a browser would send back."""

    def __init__(self, html: str) -> None:
        self.html = html
        html = re.sub(r"<template>.*?</template>", "", html, flags=re.S)
        self.fields: dict[str, str] = {}
        for tag in re.findall(r"<input[^>]+>", html):
            told = dict(re.findall(r'([\w-]+)="([^"]*)"', tag))
            if told.get("type") != "checkbox" or re.search(r"\schecked", tag):
                self.fields[told.get("name", "")] = unescape(told.get("value", ""))
        for name, text in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n?(.*?)</textarea>', html, re.S):
            self.fields[name] = unescape(text).replace("\n", "\r\n")
        for name, body in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html, re.S):
            chosen = re.search(r"<option[^>]* selected[^>]*>([^<]*)", body)
            named = re.search(r'<option value="([^"]*)" selected', body)
            self.fields[name] = unescape((named or chosen or ["", ""])[1])

    @property
    def whole(self) -> Any:
        return json.loads(self.fields["whole"])


@pytest.fixture
def otto(client: Client) -> Client:
    containers(a_host(), container_json("web"))
    client.force_login(person("otto", "deployer"))
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
    assert row(form, "env", 1) == {"name": "QUOTED", "value": '"x"'}
    assert row(form, "ports", 0) == {"address": "127.0.0.1", "host": "8080", "container": "80", "protocol": "tcp"}
    assert row(form, "networks", 0) | {"name": "front", "aliases": "shop", "ipv4": "10.0.0.9"} == row(
        form, "networks", 0
    )
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
    typed = form.fields | {"ports.0.container": "x", "limits.memory": "lots", "name": "-", "show": "run"}
    page = send(otto, typed, 422)
    for name in ("ports.0.container", "limits.memory"):
        assert f'id="{name}_error"' in page.html
    stays = {name: value for name, value in typed.items() if name not in {"show", "whole", "csrfmiddlewaretoken"}}
    assert {name: page.fields.get(name) for name in stays} == stays
    late = send(otto, form.fields | {"name": "-", "limits.memory_reservation": "1g"}, 422)
    assert 'id="name_error"' in late.html and 'id="limits.memory_reservation_error"' in late.html
    wrong = send(otto, pasted("run", "docker run --nothing x", "form"), 422)
    assert "--nothing" in wrong.fields["run"] and 'id="run_error"' in wrong.html
    several = send(otto, pasted("compose", "services: {a: {image: x}, b: {image: y}}", "form"), 422)
    assert 'id="service_error"' in several.html and "a, b" in several.html


# ---------------------------------------------------------------- rows
HARD = {
    "A": "x=y=z",
    "EMPTY": "",
    "QUOTED": 'it\'s "so"',
    "LINES": "one\n  two\n",
    "DOLLAR": "$HOME ${X}",
    "PASSWORD": " p# ",
}


@pytest.mark.django_db
def test_variables_and_labels_go_between_rows_and_text_without_loss(otto: Client) -> None:
    run = send(
        otto,
        {
            "view": "form",
            "image": "x",
            "pull": "missing",
            "whole": json.dumps({"env": HARD, "labels": HARD}),
            "show": "run",
            "as.env": "rows",
            "as.labels": "rows",
        }
        | fields_of(HARD),
    )
    assert run.whole["env"] == HARD and run.whole["labels"] == HARD
    form = send(otto, run.fields | {"show": "form"})
    for number, (name, value) in enumerate(HARD.items()):
        shown = {"name": name, "value": value.replace("\n", "\r\n")}
        assert row(form, "env", number) == shown and row(form, "labels", number) == shown
    assert form.html.count("row-line secret") == 2  # PASSWORD, of each
    text = send(otto, form.fields | {"turn": "env.text"})
    text = send(otto, text.fields | {"turn": "labels.text"})
    assert text.fields["as.env"] == text.fields["as.labels"] == "text"
    assert "DOLLAR='$HOME ${X}'" in text.fields["env"] and "DOLLAR=$HOME ${X}" in text.fields["labels"]
    again = send(otto, text.fields | {"whole": "{}", "turn": "env.rows"})
    assert again.whole["env"] == HARD and again.whole["labels"] == HARD
    assert row(again, "env", 3)["value"] == "one\r\n  two\r\n"


def fields_of(pairs: dict[str, str]) -> dict[str, str]:
    """The rows of two mappings as a browser sends them."""
    cells: dict[str, str] = {}
    for number, (name, value) in enumerate(pairs.items()):
        for part in ("env", "labels"):
            cells |= {f"{part}.{number}.name": name, f"{part}.{number}.value": value.replace("\n", "\r\n")}
    return cells


@pytest.mark.django_db
def test_rows_come_and_go_without_scripts_and_nothing_else_changes(otto: Client) -> None:
    form = send(otto, pasted("run", LINE, "form"))
    typed = form.fields | {"limits.memory": "lots", "env.0.value": "typed"}
    more = send(otto, typed | {"turn": "env.add"})
    assert row(more, "env", 2) == {"name": "", "value": ""}
    assert (more.fields["limits.memory"], more.fields["env.0.value"]) == ("lots", "typed")
    less = send(otto, more.fields | {"turn": "mounts.drop.0"})
    assert row(less, "mounts", 0) == {} and row(less, "mounts", 1)["target"] == "/srv"
    end = send(otto, less.fields | {"limits.memory": "64m", "show": "compose"})
    assert [mount["target"] for mount in end.whole["mounts"]] == ["/srv"]
    assert end.whole["env"]["GREETING"] == "typed"


@pytest.mark.django_db
def test_a_wrong_row_is_marked_where_it_is(otto: Client) -> None:
    text = "docker run -p 80:80 -p 8000-8005:8000-8005 -p 90:90 -v a:/a --network front x"
    form = send(otto, pasted("run", text, "form"))
    assert row(form, "ports", 1)["host"] == "8000-8005"
    cells = {
        ("ports.2.container", "x"): "“x” is no port",
        ("ports.1.host", "1-3"): "the two ranges",
        ("ports.2.address", "here"): "“here” is no address of the host.",
        ("mounts.0.target", ""): "The path in the container is missing.",
        ("mounts.0.type", "tmpfs"): "A tmpfs has no source.",
        ("mounts.0.driver_options", "type"): "“type” is not name=value",
        ("mounts.0.size", "64m"): "Size at most: this is for a mount of the type tmpfs, and not for volume.",
        ("networks.0.ipv4", "10.0.0"): "“10.0.0” is no IPv4 address.",
        ("networks.0.name", "host"): "",
        ("env.0.name", "A=B"): "A name has no “=” in it.",
        ("limits.cpus", "many"): "CPUs: “many” is no number",
    }
    for (name, value), sentence in cells.items():
        late = "show" if not sentence else "none"
        page = send(otto, form.fields | {name: value, late: "run"}, 422 if sentence else 200)
        if sentence:
            assert name.startswith("limits") or f'id="{name}_error"' in page.html or "source_error" in page.html, name
            assert sentence in unescape(page.html), name
            assert page.fields[name] == value
    twice = form.fields | {"env.0.name": "A", "env.7.name": "A"}
    assert "“A” is there twice." in send(otto, twice, 422).html.split('id="env.7.name_error"')[1]


@pytest.mark.django_db
def test_a_dot_env_file_is_read_into_the_rows_and_its_wrong_lines_are_named(otto: Client) -> None:
    form = send(otto, pasted("run", "docker run -e A=old -e KEPT=1 x", "form"))

    def picked(content: bytes, status: int = 200) -> Page:
        file = SimpleUploadedFile(".env", content)
        sent: dict[str, Any] = form.fields | {"turn": "env.file"}
        return send(otto, sent | {"env_file": file}, status)

    good = picked(b"# mine\nA='new $x'\nexport B=\"two\nlines\"\n")
    assert good.whole["env"] == {"A": "new $x", "KEPT": "1", "B": "two\nlines"}
    assert "Variables read from the file: 2; 1 of them were there" in good.html
    wrong = picked(b"A=1\nno value\nB=$NOPE\n", 422)
    assert "Line 2: “no value” has no value here" in wrong.html and "Line 3: the variable NOPE" in wrong.html
    assert row(wrong, "env", 0) == {"name": "A", "value": "old"}
    assert "is no .env file" in picked(b"\x89PNG\xff\xfe", 422).html
    assert "Choose a .env file first." in send(otto, form.fields | {"turn": "env.file"}, 422).html


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
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    first, second = (f"page-{uuid4().hex[:6]}" for _ in range(2))
    try:
        empty = Page(product.http.get(f"{product.url}/containers/create/").text)
        create(
            product,
            empty.fields
            | {"host": "local", "image": "dermaga/web", "name": first, "as.env": "text", "env": "A='x y'\n# no\n"},
        )
        until(lambda: product.api(f"containers?search={first}")["count"] == 1, "it is in the table")
        page = product.http.get(f"{product.url}/containers/create/?from=local/{first}").text
        part = re.search(r'hx-get="([^"]+part=form)"', page)
        assert part
        filled = Page(product.http.get(f"{product.url}{unescape(part[1])}", headers={"HX-Request": "true"}).text)
        assert (filled.fields["image"], filled.fields["name"]) == ("dermaga/web", "")
        assert row(filled, "env", 0) == {"name": "A", "value": "x y"}
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


def test_an_engine_makes_what_every_field_of_the_form_says(product: Product, docker_engine: DockerEngine) -> None:
    name = f"every-{uuid4().hex[:6]}"
    told = {field: value for field, value in EVERY.items() if field not in NOT_TOGETHER}
    limits = {key: value for key, value in EVERY["limits"].items() if key not in NOT_EVERYWHERE}
    told |= {"image": "busybox", "name": name, "limits": limits}
    docker_engine.docker("network", "create", "--subnet", "10.98.7.0/24", "front")
    try:
        form = CreateForm.of(from_json(told))
        modes = {f"as.{part.name}": "rows" for part in form.parts if part.table}
        create(product, {"host": "local", "view": "form", "whole": "{}", **modes, **form.values}, start="")
        answer = json.loads(docker_engine.docker("inspect", name))[0]
        assert answer["State"]["Status"] == "created"
        image = json.loads(docker_engine.docker("image", "inspect", "busybox"))[0]
        made = to_json(from_inspect(answer, image, Defaults(cgroupns="host")))
        made["cap_add"], made["cap_drop"] = ([c.removeprefix("CAP_") for c in made[k]] for k in ("cap_add", "cap_drop"))
        wanted = to_json(from_json(told))
        assert made.pop("limits") == wanted.pop("limits")
        assert in_order(made) == in_order(wanted)
    finally:
        if docker_engine.docker("ps", "-aq", "-f", f"name={name}").strip():
            docker_engine.docker("rm", "-f", "-v", name)
        docker_engine.docker("network", "rm", "front")
        docker_engine.docker("volume", "rm", "-f", "every-data", "every-driver")


def in_order(spec: dict[str, Any]) -> dict[str, Any]:
    """With the lists whose order an engine does not keep in one order."""
    lists = {"mounts", "ports", "expose", "ulimits"}
    return {key: sorted(value, key=json.dumps) if key in lists else value for key, value in spec.items()}


def create(product: Product, fields: dict[str, str], start: str = "1") -> None:
    """Sends the form, and waits until its job is done."""
    sent: dict[str, Any] = fields | {"start": start}
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
        until(lambda: product.api(f"containers?search={name}&state=running")["count"] == 1, "it shows")
        url = f"{product.url}/containers/create/?edit=local/{name}"
        assert f"Edit {name}" in product.http.get(url).text
        part = product.http.get(f"{url}&part=form", headers={"HX-Request": "true"})
        form = Page(part.text)
        old = product.api(f"containers/local/{name}")["id"]
        assert (form.fields["name"], form.fields["edits"]) == (name, f"local/{old}")
        assert row(form, "env", 0) == {"name": "A", "value": "1"}
        assert form.fields["start"] == "1"
        wrong = product.post("/containers/create/", None, **form.fields | {"settle": "soon", "env.0.value": "2"})
        assert wrong.status_code == 422
        assert Page(wrong.text).fields["settle"] == "soon"
        assert row(Page(wrong.text), "env", 0) == {"name": "A", "value": "2"}
        assert "Nothing was changed." in wrong.text
        sent = product.post("/containers/create/", None, **form.fields | {"settle": "0", "env.0.value": "2"})
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
    client.force_login(person("otto", "deployer"))
    answer = client.post("/containers/recreate/", {"target": ["quay/web", "quay/web.dermaga-old-7"]})
    assert answer.headers["Location"] == "/jobs/"
    assert client.get("/containers/quay/web/put-back/").status_code == 405
    assert client.post("/containers/quay/web/recreate/", {"settle": "9999"}).status_code == 422
