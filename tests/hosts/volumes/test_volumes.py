"""Volumes on a real engine: made, used, removed; passwords in their options are shown nowhere."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from hosts.engine import disk, parse
from hosts.engine.errors import TimedOut
from hosts.inventory import apply
from hosts.models import Host
from tests.engines.docker_engine import DockerEngine
from tests.rows import a_host, container_json, containers, person
from tests.servers.jobs import ended
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


# ---------------------------------------------------------------- sizes, pruning, removing several
@pytest.fixture
def names(docker_engine: DockerEngine) -> Iterator[Any]:
    """Makes names of volumes; they go when the test ends."""
    made: list[str] = []

    def name(anonymous: bool = False) -> str:
        made.append(uuid4().hex * 2 if anonymous else f"vol-{uuid4().hex[:8]}")
        return made[-1]

    yield name
    docker_engine.docker("volume", "rm", "-f", *made)


def there(engine: DockerEngine) -> set[str]:
    return set(engine.docker("volume", "ls", "-q").split())


def known(product: Product, *volumes: str) -> None:
    for volume in volumes:
        until(lambda v=volume: product.api(f"volumes?search={v}")["count"], f"{volume} is in the table")


def test_a_prune_takes_what_was_shown_and_is_still_unused(
    product: Product, docker_engine: DockerEngine, names: Any, run: Any
) -> None:
    anonymous, named, labelled, taken = names(True), names(), names(), names()
    for volume in (anonymous, named, taken):
        docker_engine.docker("volume", "create", volume)
    docker_engine.docker("volume", "create", "--label", "old=yes", labelled)
    known(product, anonymous, named, labelled, taken)

    def dry(**body: Any) -> set[str]:
        listed = product.api("volumes/local/prune", "POST", dry_run=True, **body)["items"]
        return {row["name"] for row in listed} & {anonymous, named, labelled, taken}

    assert dry() == {anonymous}
    assert dry(all=True) == {anonymous, named, labelled, taken}
    assert dry(all=True, label="old=yes") == dry(all=True, label="old") == {labelled}
    assert dry(volumes=[named, taken]) == {named, taken}
    page = product.http.get(f"{product.url}/volumes/prune/?host=local&everything=1").text
    assert all(f'name="target" value="{volume}"' in page for volume in (anonymous, named, labelled, taken))
    page = product.http.get(f"{product.url}/volumes/prune/?host=local").text
    assert f'value="{anonymous}"' in page and named not in page
    box = run("sleep 300", "-v", f"{taken}:/data")  # after it was looked at
    answer = product.post("/volumes/prune/", host="local", target=[named, taken])
    job = ended(product, int(answer.url.rstrip("/").rpartition("/")[2]))
    assert (job["state"], job["result"]["volumes"]) == ("done", 1)
    assert {anonymous, labelled, taken} <= there(docker_engine) and named not in there(docker_engine)
    log = product.http.get(f"{product.url}/jobs/{job['id']}/log/").text
    assert f"{named}: removed" in log
    if job["result"]["kept"]:  # else its use was known already, and it was not asked for
        assert f"{taken}: kept: the container {box} uses it" in log
    job = ended(product, product.api("volumes/local/prune", "POST", label="old=yes", all=True)["job"])
    assert job["result"] == {"volumes": 1, "kept": 0, "size": 0}
    assert labelled not in there(docker_engine)


def test_several_are_removed_and_what_is_used_or_new_is_kept(
    product: Product, docker_engine: DockerEngine, names: Any, run: Any
) -> None:
    free, used, renewed = names(), names(), names()
    for volume in (free, used, renewed):
        docker_engine.docker("volume", "create", volume)
    box = run("sleep 300", "-v", f"{used}:/data")
    known(product, free, used, renewed)
    docker_engine.docker("volume", "rm", renewed)
    answer = product.post("/volumes/remove/", target=[f"local/{free}", f"local/{used}"])
    job = ended(product, int(answer.url.rstrip("/").rpartition("/")[2]))
    assert (job["state"], job["result"]["volumes"], job["result"]["kept"]) == ("done", 1, 1)
    log = product.http.get(f"{product.url}/jobs/{job['id']}/log/").text
    assert f"{used}: kept: the container {box} uses it" in log
    assert {free, used} & there(docker_engine) == {used}
    until(lambda: not product.api(f"volumes?search={free}")["count"], "it is out of the table")
    assert "/again/" not in product.http.get(f"{product.url}/jobs/{job['id']}/").text
    job = ended(product, product.api("volumes/local/remove", "POST", volumes=[used])["job"])
    assert (job["result"]["volumes"], job["result"]["kept"]) == (0, 1)


@pytest.mark.core
@pytest.mark.django_db
def test_sizes_show_with_their_age_and_sort(admin: Client) -> None:
    host = Host.objects.get(name="quay")
    rows = [parse.volume_row({"Name": name}) for name in ("data", "large", "odd", "new")]
    apply.apply_rows(host, "volume", rows)
    used = [("data", 2048, 1), ("large", 5 << 30, 0), ("odd", -1, 0)]
    found = disk.reading(
        {"Volumes": [{"Name": name, "UsageData": {"Size": size, "RefCount": n}} for name, size, n in used]}
    )
    apply.apply_disk(host, found, 1.0)
    html = admin.get("/volumes/?sort=-size").content.decode()
    assert "5.0 GiB" in html and "measured at" in html
    order = [row.name for row in admin.get("/volumes/?sort=-size").context["page"].items]
    assert order[:2] == ["large", "data"] and set(order[2:]) == {"odd", "new"}
    assert [row.name for row in admin.get("/volumes/?sort=size").context["page"].items][2:] == ["data", "large"]
    told = admin.get("/api/v1/volumes/quay/large").json()
    assert told["size"] == 5 << 30 and told["measured"]
    assert admin.get("/api/v1/volumes/quay/odd").json()["size"] is None
    host.refresh_from_db()
    assert host.disk["free"]["volumes"] == 5 << 30
    page = admin.get("/volumes/prune/?host=quay&everything=1").content.decode()
    assert "5.0 GiB as last measured" in page and "2 have not been measured yet." in page
    assert 'value="data"' not in page
    apply.apply_disk_failed(host, TimedOut("slow", where="quay", seconds=1800))
    host.refresh_from_db()
    assert host.disk["volumes"] == (5 << 30) + 2048 and "did not answer" in host.disk_failed


@pytest.mark.core
@pytest.mark.django_db
def test_a_viewer_removes_and_prunes_nothing(admin: Client) -> None:
    admin.force_login(person("vera", "viewer"))
    html = admin.get("/volumes/").content.decode()
    assert "/volumes/prune/" not in html and 'name="target"' not in html
    assert admin.get("/volumes/prune/").status_code == 403
    for path in ("/volumes/prune/", "/volumes/remove/"):
        assert admin.post(path, {"host": "quay", "target": "quay/data"}).status_code == 403
    for path, body in (("prune", {}), ("remove", {"volumes": ["data"]})):
        answer = admin.post(f"/api/v1/volumes/quay/{path}", body, content_type="application/json")
        assert answer.status_code == 403
