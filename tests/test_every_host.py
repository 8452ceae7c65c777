"""The main path on hosts over TLS and SSH, on newer Docker engines and on two of Podman: all of them watched at once."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hosts.specs.spec import to_json
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_layered
from tests.engines.podman_engine import PodmanEngine
from tests.engines.ways import AnyEngine, way_to
from tests.hosts.policy.test_paths import CARRIED, NAME, Olga
from tests.servers.product import Product
from tests.waiting import until

KINDS = ["tls", "ssh", "podman", "podman_5", "newer", "newest"]


class Place:
    """One of the hosts, and its own command line."""

    def __init__(self, product: Product, name: str, engine: AnyEngine) -> None:
        self.product = product
        self.name = name
        self.engine = engine

    def row(self, container: str) -> dict[str, Any]:
        """What the tables say of a container; {} when there is none."""
        found = self.product.api(f"containers?host={self.name}&search={container}")["items"]
        return next((row for row in found if row["name"] == container), {})

    def until(self, container: str, what: str, **values: Any) -> None:
        """Until the row has these values."""
        until(lambda: all(self.row(container).get(key) == value for key, value in values.items()), what, 20)


@pytest.fixture(scope="module")
def places(product: Product, request: pytest.FixtureRequest) -> Iterator[dict[str, Place]]:
    """All of them, online."""
    found = {kind: Place(product, kind.replace("_", "-"), request.getfixturevalue(f"{kind}_engine")) for kind in KINDS}
    for place in found.values():
        product.api("hosts", "POST", name=place.name, **way_to(place.engine))
    for place in found.values():
        until(lambda p=place: product.api(f"hosts/{p.name}")["state"] == "online", f"{place.name} is online")
    yield found
    for place in found.values():
        product.api(f"hosts/{place.name}", "DELETE")


@pytest.fixture(params=KINDS)
def place(places: dict[str, Place], request: pytest.FixtureRequest) -> Place:
    """One after the other."""
    return places[request.param]


def test_what_the_command_line_does_shows_by_itself(place: Place) -> None:
    place.engine.docker("run", "-d", "--name", "seen", "busybox", "sleep", "1000")
    place.until("seen", "it shows as running", state="running")
    place.engine.docker("rename", "seen", "renamed")
    place.until("renamed", "the new name shows", state="running")
    place.engine.docker("pause", "renamed")
    place.until("renamed", "it shows as paused", state="paused")
    place.engine.docker("unpause", "renamed")
    place.until("renamed", "it shows as running again", state="running")
    place.engine.docker("kill", "renamed")
    place.until("renamed", "it shows how it ended", state="exited", exit_code=137)
    place.engine.docker("rm", "renamed")
    until(lambda: not place.row("renamed"), "it is gone")


def test_health_shows_and_changes(place: Place) -> None:
    place.engine.docker("run", "-d", "--name", "checked", "dermaga/web")

    def becomes(health: str) -> bool:
        if isinstance(place.engine, PodmanEngine):
            place.engine.check_health("checked")
        return bool(place.row("checked").get("health") == health)

    try:
        until(lambda: becomes("healthy"), "it is healthy")
        place.engine.docker("exec", "checked", "rm", "/healthy")
        until(lambda: becomes("unhealthy"), "it is unhealthy")
    finally:
        place.engine.docker("rm", "-f", "checked")


def test_each_act_does_what_it_says(place: Place) -> None:
    place.engine.docker("create", "--name", "acted", "busybox", "sleep", "1000")
    place.until("acted", "it shows", state="created")
    for verb, after in (("start", "running"), ("pause", "paused"), ("unpause", "running"), ("kill", "exited")):
        place.product.api(f"containers/{place.name}/acted/{verb}", "POST")
        place.until("acted", f"after {verb} it is {after}", state=after)
    place.product.api(f"containers/{place.name}/acted/rename", "POST", name="acted-2")
    place.until("acted-2", "the new name shows", state="exited")
    place.product.api(f"containers/{place.name}/acted-2/remove", "POST")
    until(lambda: not place.row("acted-2"), "it is gone")
    assert "acted" not in place.engine.docker("ps", "-a", "--format", "{{.Names}}")


def test_stopping_is_a_job(place: Place) -> None:
    place.engine.docker("run", "-d", "--name", "stopped", "busybox", "sleep", "1000")
    place.until("stopped", "it shows", state="running")
    job = place.product.api(f"containers/{place.name}/stopped/stop", "POST", timeout=1)["job"]
    until(lambda: place.product.api(f"jobs/{job}")["state"] == "done", "the job is done")
    place.until("stopped", "it has ended", state="exited")
    place.engine.docker("rm", "stopped")


def test_the_log_and_the_pages_are_there(place: Place) -> None:
    place.engine.docker("run", "-d", "--name", "paged", "busybox", "sh", "-c", "seq 1 5000; sleep 1000")
    try:
        place.until("paged", "it shows", state="running")
        session = place.product.http
        address = f"{place.product.url}/containers/{place.name}/paged"
        until(lambda: "seq 1 5000" in session.get(f"{address}/", timeout=10).text, "its detail is known")
        text = session.get(f"{address}/logs/download/", timeout=20).text
        assert text == "".join(f"{number}\n" for number in range(1, 5001))
        assert "sleep 1000" in session.get(f"{address}/processes/?part=1", timeout=10).text
        assert session.get(f"{address}/inspect/?part=1", timeout=10).status_code == 200
        assert session.get(f"{address}/changes/?part=1", timeout=10).status_code == 200
    finally:
        place.engine.docker("rm", "-f", "paged")


@pytest.fixture(scope="module")
def olga(product: Product) -> Iterator[Olga]:
    """A deployer, whom the built-in policy holds for."""
    yield Olga(product)
    product.api(f"users/{NAME}", "DELETE")


def test_a_deployer_gets_an_ordinary_container_and_no_way_out(place: Place, olga: Olga) -> None:
    """What an engine says of its own defaults is no way out: the container is made anew and gone into."""
    work, engine = Work(place), place.engine
    ordinary = {"image": work.image, "name": "ordinary", "command": ["sleep", "1000"], **work.more}

    def done(path: str, **body: Any) -> None:
        answer = olga.ask(path, **body)
        assert answer.status_code == 202, answer.text
        job = until(lambda: olga._ended(answer.json()["job"]), "the job ends", 60)
        assert job["state"] == "done", job

    try:
        done(f"containers/{place.name}", **ordinary)
        place.until("ordinary", "it runs", state="running")
        done(f"containers/{place.name}/ordinary/recreate", specification=ordinary | {"labels": {"tide": "low"}})
        place.until("ordinary", "it runs again", state="running")
        with place.product.websocket(f"/ws/terminal?target={place.name}/ordinary", olga.session) as socket:
            assert json.loads(socket.recv(timeout=20))["t"] == "ready"
        before = set(engine.docker("ps", "-aq").split())
        tried, passed = 0, []
        for name, (rule, spec) in CARRIED.items():
            spec.name = "escaped"
            answer = olga.ask(f"containers/{place.name}", **to_json(spec))
            refused = answer.status_code in {403, 422} and f"({rule})" in answer.text
            tried += refused
            if not refused and answer.status_code != 422:  # what this engine does not know is refused before
                passed.append((name, answer.status_code, answer.text[:200]))
        assert passed == [] and tried >= 55, tried
        assert set(engine.docker("ps", "-aq").split()) == before
    finally:
        engine.docker("rm", "-f", "ordinary")


def test_images_networks_and_volumes_are_listed(place: Place) -> None:
    place.engine.docker("volume", "create", "seen-volume")
    place.engine.docker("network", "create", "seen-network")
    session = place.product.http
    try:
        for path, name in (("volumes", "seen-volume"), ("networks", "seen-network"), ("images", "busybox")):
            page = f"{place.product.url}/{path}/?host={place.name}&search={name}"
            until(lambda page=page, name=name: name in session.get(page, timeout=10).text, f"{name} shows")
    finally:
        place.engine.docker("volume", "rm", "seen-volume")
        place.engine.docker("network", "rm", "seen-network")


def test_an_image_is_copied_there_and_back_without_a_registry(place: Place, docker_engine: DockerEngine) -> None:
    """The longest way of bytes: saved by one engine, loaded by the other one, over this host's kind of connection."""
    name = f"quay/copied-{place.name}:1"
    make_layered(docker_engine, name, layers=1, megabytes=8)
    image = docker_engine.docker("images", "-q", "--no-trunc", name).strip()

    def copy(source: str, to: str) -> dict[str, Any]:
        until(lambda: image in str(place.product.api(f"images?host={source}&limit=200")), "the image shows")
        job = place.product.api(f"images/{source}/{image}/copy", "POST", to=to)["job"]
        until(lambda: place.product.api(f"jobs/{job}")["state"] not in {"queued", "running"}, "the job ends", 60)
        found = place.product.api(f"jobs/{job}")
        assert (found["state"], found["error"]) == ("done", ""), found
        return found["result"]

    try:
        assert copy("local", place.name)["sent"] > 8 << 20
        assert image.removeprefix("sha256:") in place.engine.docker("images", "-q", "--no-trunc")
        assert copy("local", place.name)["sent"] == 0  # it is there already
        docker_engine.docker("rmi", name)
        assert copy(place.name, "local")["sent"] > 8 << 20
        assert image in docker_engine.docker("images", "-q", "--no-trunc")
    finally:
        docker_engine.docker("rmi", "-f", image)
        place.engine.docker("rmi", "-f", image)


class Work:
    """Acts on a host over REST, and their jobs."""

    def __init__(self, place: Place) -> None:
        self.product, self.host, self.engine = place.product, place.name, place.engine
        self.image = "localhost/busybox:latest" if isinstance(place.engine, PodmanEngine) else "busybox:latest"
        # Podman's own limits are more than some kernels allow
        limits = [{"name": name, "soft": 1024, "hard": 1024} for name in ("nofile", "nproc")]
        self.more = {"ulimits": limits} if isinstance(place.engine, PodmanEngine) else {}

    def job(self, path: str, **body: Any) -> dict[str, Any]:
        """Runs it to its end, which must be a good one."""
        job = self.product.api(f"{path}", "POST", **body)["job"]
        until(lambda: self.product.api(f"jobs/{job}")["state"] not in {"queued", "running"}, "the job ends", 60)
        found = dict(self.product.api(f"jobs/{job}"))
        assert found["state"] == "done", f"{found['kind']} is {found['state']}: {found['error']}"
        return found

    def shown(self, noun: str, name: str) -> bool:
        return bool(self.product.api(f"{noun}?host={self.host}&search={name}")["count"])


def test_what_is_made_here_is_used_edited_and_removed(place: Place) -> None:
    """A network, a volume and a container in them, from the first to the last act."""
    work = Work(place)
    product, host, engine = work.product, work.host, work.engine
    product.api(f"networks/{host}", "POST", name="made-net", pools=[{"subnet": "10.99.7.0/24"}])
    product.api(f"volumes/{host}", "POST", name="made-data", labels={"team": "web"})
    specification = {
        "image": work.image,
        "name": "made",
        "command": ["sh", "-c", "echo $GREETING > /data/told; exec sleep 1000"],
        "env": {"GREETING": "good morning"},
        "labels": {"team": "web"},
        "mounts": [{"target": "/data", "source": "made-data"}],
        "networks": [{"name": "made-net", "aliases": ["moored"], "ipv4": "10.99.7.9"}],
        "limits": {"memory": 64 << 20},
        "stop_timeout": 0,
        **work.more,
    }
    work.job(f"containers/{host}", **specification)
    place.until("made", "it runs", state="running")
    assert engine.docker("exec", "made", "cat", "/data/told") == "good morning\n"
    told = json.loads(engine.docker("inspect", "made"))[0]
    assert told["NetworkSettings"]["Networks"]["made-net"]["IPAddress"] == "10.99.7.9"
    assert told["HostConfig"]["Memory"] == 64 << 20

    listed = product.api(f"containers/{host}/made/files?path=/data")
    assert [entry["name"] for entry in listed["items"]] == ["told"]
    work.job(f"containers/{host}/made/commit", image="made/kept:1")
    until(lambda: work.shown("images", "made/kept"), "the image shows")

    specification["env"] = {"GREETING": "good evening"}
    work.job(f"containers/{host}/made/recreate", specification=specification)
    until(lambda: engine.docker("exec", "made", "cat", "/data/told") == "good evening\n", "the new one has written")
    assert engine.docker("ps", "-a", "--filter", "name=made", "--format", "{{.Names}}").split() == ["made"]

    until(lambda: work.shown("containers", "made"), "the new one shows")
    product.api(f"containers/{host}/made/remove", "POST", force=True)
    product.api(f"networks/{host}/made-net/remove", "POST")
    until(lambda: not product.api(f"containers?host={host}&search=made")["count"], "it is gone")
    product.api(f"volumes/{host}/made-data/remove", "POST")
    kept = product.api(f"images?host={host}&search=made/kept")["items"][0]
    work.job(f"images/{host}/{kept['id']}/remove")
    assert "made" not in engine.docker("volume", "ls", "-q") + engine.docker("network", "ls") + engine.docker("images")
