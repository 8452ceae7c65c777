"""Volumes on a real engine: made, used, removed; passwords in their options are shown nowhere."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from tests.engines.docker_engine import DockerEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

SECRET = "s3cret-of-the-nas"


@pytest.fixture
def name(docker_engine: DockerEngine) -> Iterator[str]:
    """A volume's name; the volume goes when the test ends."""
    name = f"vol-{uuid4().hex[:8]}"
    yield name
    docker_engine.docker("volume", "rm", "-f", name)


def inspect(engine: DockerEngine, name: str) -> dict[str, Any]:
    return dict(json.loads(engine.docker("volume", "inspect", name))[0])


def test_a_volume_is_made_used_and_removed(product: Product, docker_engine: DockerEngine, run: Any, name: str) -> None:
    typed: dict[str, Any] = {"host": "local", "name": name, "kind": "driver", "driver": "local"}
    typed |= {"options": "type=tmpfs\r\ndevice=tmpfs\r\no=size=1m", "labels": "team=web"}
    answer = product.post("/volumes/create/", **typed)
    assert answer.ok and f"Made the volume {name} on local." in answer.text
    made = inspect(docker_engine, name)
    assert (made["Options"], made["Labels"]) == (
        {"type": "tmpfs", "device": "tmpfs", "o": "size=1m"},
        {"team": "web"},
    )
    again = product.post("/volumes/create/", **typed)
    assert again.status_code == 422 and f"There is a volume called {name} already." in again.text
    box = run("sleep 300", "-v", f"{name}:/data:ro")
    until(lambda: product.api(f"volumes/local/{name}")["containers"] == [box], "the container uses it")
    page = product.http.get(f"{product.url}/volumes/local/{name}/").text
    assert box in page and "/data" in page and "read-only" in page and made["Mountpoint"] in page
    refused = product.post(f"/volumes/local/{name}/remove/")
    assert f"Containers use {name}: {box}. Remove them first." in refused.text
    docker_engine.docker("rm", "-f", box)
    assert product.post(f"/volumes/local/{name}/remove/").ok
    assert not product.api(f"volumes?search={name}")["count"]
    assert name not in docker_engine.docker("volume", "ls", "-q").split()
    product.api("volumes/local", "POST", name=name, labels={"by": "api"})
    assert inspect(docker_engine, name)["Labels"] == {"by": "api"}
    product.api(f"volumes/local/{name}/remove", "POST", force=True)
    assert name not in docker_engine.docker("volume", "ls", "-q").split()


def test_shares_become_options_of_the_local_driver_and_their_password_shows_nowhere(
    product: Product, docker_engine: DockerEngine, name: str
) -> None:
    typed: dict[str, Any] = {"host": "local", "name": name, "kind": "cifs", "share": "//nas.example.com/data"}
    typed |= {"username": "ada", "password": SECRET, "mount_options": "vers=3.0"}
    answer = product.post("/volumes/create/", **typed)
    assert answer.ok
    assert inspect(docker_engine, name)["Options"] == {
        "type": "cifs",
        "device": "//nas.example.com/data",
        "o": f"addr=nas.example.com,username=ada,password={SECRET},vers=3.0",
    }
    assert "username=ada,password=•••,vers=3.0" in answer.text
    told = [answer.text, json.dumps(product.api(f"volumes/local/{name}")), json.dumps(product.api("volumes?limit=500"))]
    told.append(product.post("/volumes/create/", **typed).text)  # refused: the form keeps what was typed, but for this
    assert not [text for text in told if SECRET in text]
    docker_engine.docker("volume", "rm", name)
    typed = {"host": "local", "name": name, "kind": "nfs", "server": "10.0.0.5", "export": "/export/x"}
    assert product.post("/volumes/create/", **typed, mount_options="rw,nfsvers=4").ok
    assert inspect(docker_engine, name)["Options"] == {
        "type": "nfs",
        "device": ":/export/x",
        "o": "addr=10.0.0.5,rw,nfsvers=4",
    }


# ---------------------------------------------------------------- without an engine
@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    host = a_host()
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data", "Options": {"api_key": SECRET, "<b>": "1"}})])
    mounts = [{"Type": "volume", "Name": "data", "Destination": "/data", "RW": True}]
    containers(host, container_json("web", Mounts=mounts))
    return client


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"name": "a"}, "name"),
        ({"name": "a b"}, "name"),
        ({"host": "gone"}, "host"),
        ({"driver": "a b"}, "driver"),
        ({"options": "=x"}, "options"),
        ({"kind": "nfs", "export": "/x"}, "server"),
        ({"kind": "nfs", "server": "nas", "export": "x"}, "export"),
        ({"kind": "cifs", "share": "nas/data"}, "share"),
        ({"kind": "cifs", "share": "//nas/data", "username": "a,b"}, "username"),
        ({"kind": "cifs", "share": "//nas/data", "username": "a", "password": "a,b"}, "password"),
    ],
)
def test_a_wrong_value_is_said_at_its_field(admin: Client, typed: dict[str, str], field: str) -> None:
    answer = admin.post("/volumes/create/", {"host": "quay", "name": "new", "kind": "driver"} | typed)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert f'id="id_{field}_error"' in answer.content.decode()


@pytest.mark.core
@pytest.mark.django_db
def test_a_page_hides_secrets_and_escapes_the_rest(admin: Client) -> None:
    html = admin.get("/volumes/quay/data/").content.decode()
    assert SECRET not in html and "&lt;b&gt;" in html and "<b>" not in html
    assert "1 container uses it: the engine will refuse." in html
    assert admin.get("/volumes/quay/gone/").status_code == 404
    assert admin.get("/volumes/quay/data/remove/").status_code == 405


@pytest.mark.core
@pytest.mark.django_db
def test_a_viewer_looks_and_changes_nothing(admin: Client) -> None:
    admin.force_login(person("vera", "viewer"))
    assert "/remove/" not in admin.get("/volumes/quay/data/").content.decode()
    for path in ("/volumes/create/", "/volumes/quay/data/remove/"):
        assert admin.post(path, {"host": "quay", "name": "new"}).status_code == 403
    for path in ("quay", "quay/data/remove"):
        answer = admin.post(f"/api/v1/volumes/{path}", {"name": "new"}, content_type="application/json")
        assert answer.status_code == 403
