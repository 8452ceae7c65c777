"""A volume's files on real engines, through the pages and routes that a container's files have."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.hosts.containers.files_box import Box
from tests.rows import a_host, person
from tests.servers.product import Product
from tests.waiting import until


@pytest.fixture
def volume(docker_engine: DockerEngine) -> Iterator[str]:
    name = f"cargo-{uuid4().hex[:8]}"
    script = "mkdir -p /data/hold && echo tea > /data/hold/list.txt"
    docker_engine.docker("run", "--rm", "-v", f"{name}:/data", "busybox", "sh", "-c", script)
    yield name
    for helper in helpers(docker_engine, name):
        docker_engine.docker("rm", "-f", helper)
    docker_engine.docker("volume", "rm", "-f", name)


def helpers(engine: DockerEngine | PodmanEngine, volume: str) -> list[str]:
    return engine.docker("ps", "-aq", "--no-trunc", "--filter", f"label=org.dermaga.volume={volume}").split()


def known(product: Product, host: str, name: str) -> None:
    until(lambda: product.api(f"volumes?search={name}&host={host}")["count"], "the product knows the volume")


def opened(product: Product, host: str, volume: str) -> Box:
    """Its helper, opened over REST."""
    answer = product.api(f"volumes/{host}/{volume}/files", "POST")
    assert answer["path"] == "/volume"
    helper = answer["container"][:12]
    return Box(product, helper, host)


def test_the_page_of_a_volume_leads_to_its_files(product: Product, docker_engine: DockerEngine, volume: str) -> None:
    known(product, "local", volume)
    assert "Browse files" in product.http.get(f"{product.url}/volumes/local/{volume}/").text
    page = product.post(f"/volumes/local/{volume}/files/")
    (helper,) = helpers(docker_engine, volume)
    assert page.url == f"{product.url}/containers/local/{helper[:12]}/files/?path=%2Fvolume"
    assert f'href="/volumes/local/{volume}/"' in page.text
    assert "list.txt" in Box(product, helper[:12]).get(path="/volume/hold", part="1").text


def test_files_of_a_volume_are_read_written_renamed_and_deleted(
    product: Product, docker_engine: DockerEngine, volume: str
) -> None:
    known(product, "local", volume)
    box = opened(product, "local", volume)
    assert box.rest("/content", path="/volume/hold/list.txt").text == "tea\n"
    assert box.rest("/make", "POST", json={"path": "/volume/crew", "kind": "folder"}).ok
    assert box.rest("/rename", "POST", json={"path": "/volume/hold/list.txt", "new": "/volume/crew/list.txt"}).ok
    stamp = box.rest("/stat", path="/volume/crew/list.txt").json()["stamp"]
    assert box.rest("/content", "PUT", path="/volume/crew/list.txt", json={"text": "rum\n", "stamp": stamp}).ok
    assert box.rest("/delete", "POST", json={"path": "/volume/hold"}).ok
    seen = docker_engine.docker(
        "run", "--rm", "-v", f"{volume}:/data", "busybox", "sh", "-c", "cd /data; find; cat crew/*"
    )
    assert sorted(seen.split()) == sorted([".", "./crew", "./crew/list.txt", "rum"])


def test_one_helper_serves_all_who_look_and_goes_with_the_volume(
    product: Product, docker_engine: DockerEngine, volume: str
) -> None:
    known(product, "local", volume)
    box = opened(product, "local", volume)
    assert product.api(f"volumes/local/{volume}/files", "POST")["container"].startswith(box.name)
    host_config: Any = json.loads(docker_engine.docker("inspect", box.name))[0]["HostConfig"]
    assert (host_config["AutoRemove"], host_config["NetworkMode"], host_config["CapDrop"]) == (True, "none", ["ALL"])
    product.api(f"volumes/local/{volume}/remove", "POST")
    assert not helpers(docker_engine, volume)
    assert volume not in docker_engine.docker("volume", "ls", "-q").split()


def test_a_volume_of_podman_is_opened_too(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="raft-of-volumes", url=podman_engine.url)
    podman_engine.docker("run", "--rm", "-v", "keg:/data", "busybox", "sh", "-c", "echo rum > /data/label")
    try:
        known(product, "raft-of-volumes", "keg")
        until(lambda: product.api("images?host=raft-of-volumes")["count"], "its images are in the table")
        box = opened(product, "raft-of-volumes", "keg")
        assert [item["name"] for item in box.rest(path="/volume").json()["items"]] == ["label"]
        assert box.rest("/delete", "POST", json={"path": "/volume/label"}).ok
        assert box.rest(path="/volume").json()["items"] == []
    finally:
        for helper in helpers(podman_engine, "keg"):
            podman_engine.docker("rm", "-f", helper)
        podman_engine.docker("volume", "rm", "-f", "keg")
        product.api("hosts/raft-of-volumes", "DELETE")


@pytest.mark.django_db
def test_a_viewer_opens_nothing(client: Client) -> None:
    host = a_host()
    row = parse.volume_row({"Name": "cargo", "Driver": "local"})
    assert row is not None
    apply.apply_rows(host, "volume", [row])
    client.force_login(person("vera", "viewer"))
    assert client.post("/volumes/quay/cargo/files/").status_code == 403
    assert client.post("/api/v1/volumes/quay/cargo/files").status_code == 403
