"""Creating containers as a program does it, on real engines: what is made is what `docker create` makes of the same line."""

import json
import shlex
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest
import requests

from hosts.specs.check import problems
from hosts.specs.compose_out import to_compose
from hosts.specs.inspected import Defaults, from_inspect
from hosts.specs.spec import to_json
from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import Registry
from tests.engines.ways import AnyEngine
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Hang
from tests.servers.product import Product
from tests.waiting import until

OPEN = {"queued", "running"}
CANARY = "canary-of-the-environment-8123"


class Dock:
    """A host of the product, and the containers that a test makes on it."""

    def __init__(self, product: Product, engine: AnyEngine, host: str) -> None:
        self.product, self.engine, self.host = product, engine, host
        self.names: list[str] = []

    def name(self) -> str:
        """A name that goes when the test ends."""
        self.names.append(f"made-{uuid4().hex[:8]}")
        return self.names[-1]

    def ask(self, **body: Any) -> int:
        """Starts a job that creates; its id."""
        return int(self.product.api(f"containers/{self.host}", "POST", **body)["job"])

    def end(self, job: int, seconds: float = 30) -> Any:
        """The job when it is over."""
        return until(lambda: _ended(self.product.api(f"jobs/{job}")), f"job {job} ends", seconds)

    def create(self, **body: Any) -> Any:
        """Creates, and gives the job when it is over."""
        return self.end(self.ask(**body))

    def refused(self, **body: Any) -> Any:
        """The problem that is answered instead of a job."""
        answer = requests.post(
            f"{self.product.url}/api/v1/containers/{self.host}",
            json=body,
            headers={"Authorization": f"Bearer {self.product.token}"},
            timeout=30,
        )
        assert answer.status_code == 422, f"{answer.status_code} {answer.text}"
        return answer.json()

    def inspect(self, ref: str) -> Any:
        return json.loads(self.engine.docker("inspect", ref))[0]

    def image(self, ref: str) -> Any:
        return json.loads(self.engine.docker("image", "inspect", ref))[0]

    def exists(self, ref: str) -> bool:
        return bool(self.engine.docker("ps", "-aq", "--filter", f"name=^{ref}$").strip())

    def clean(self) -> None:
        found = [name for name in self.names if self.exists(name)]
        if found:
            self.engine.docker("rm", "-f", "-v", *found)


def _ended(job: Any) -> Any:
    return job if job["state"] not in OPEN else None


@pytest.fixture
def dock(product: Product, docker_engine: DockerEngine) -> Iterator[Dock]:
    until(lambda: product.api("hosts/local")["state"] == "online", "local is online")
    found = Dock(product, docker_engine, "local")
    yield found
    found.clean()


def another(product: Product, engine: AnyEngine, host: str) -> Iterator[Dock]:
    product.api("hosts", "POST", name=host, url=engine.url)
    until(lambda: product.api(f"hosts/{host}")["state"] == "online", f"{host} is online")
    found = Dock(product, engine, host)
    yield found
    found.clean()
    product.api(f"hosts/{host}", "DELETE")


@pytest.fixture
def newer_dock(product: Product, newer_engine: DockerEngine) -> Iterator[Dock]:
    yield from another(product, newer_engine, "steamer")


@pytest.fixture
def podman_dock(product: Product, podman_engine: PodmanEngine) -> Iterator[Dock]:
    yield from another(product, podman_engine, "raft")


# ---------------------------------------------------------------- the same as the command line
PROCESS = (
    "--hostname h --domainname d -u 65534:65534 -w /tmp -it -e 'A=two words' -e B= -l x=y -l z --init --stop-signal USR1"
    " --stop-timeout 7 --restart on-failure:3 --log-driver local --log-opt max-size=1m --log-opt max-file=2"
    " --health-cmd 'test -f /x || exit 1' --health-interval 1m30s --health-timeout 5s --health-start-period 10s"
    " --health-retries 4 --entrypoint echo busybox 'hello  $HOME' '' -x"
)
NETWORK = (
    "--network @NET --network-alias one --network-alias two --ip 10.99.7.9 -p 127.0.0.1:18080:80 -p 18081-18082:81-82"
    " -p 53/udp -p 19000-19010:90 --expose 70 --expose 71-72/udp --dns 10.0.0.1 --dns-search example.com"
    " --dns-option ndots:2 --add-host a:10.0.0.3 busybox sleep 1"
)
FILES = (
    "-v @VOLUME:/named -v @VOLUME2:/ro:ro -v /anonymous -v /tmp/@FOLDER:/bind:ro,rslave -v /tmp/@FOLDER2:/made"
    " --mount type=bind,src=/etc,dst=/etc2,readonly,bind-propagation=rprivate"
    " --mount type=volume,src=@VOLUME3,dst=/labelled,volume-label=a=b,volume-opt=type=tmpfs,volume-opt=device=tmpfs"
    " --mount type=tmpfs,dst=/t,tmpfs-size=8m,tmpfs-mode=1770 --tmpfs /run:size=4m,mode=755 --tmpfs /run2 --read-only"
    " --shm-size 16m busybox sleep 1"
)
LIMITS = (
    "--cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 -m 64m --memory-reservation 32m --memory-swap 128m"
    " --memory-swappiness 10 --pids-limit 50 --ulimit nofile=512:1024 --ulimit core=0 --oom-score-adj 10"
    " --sysctl net.ipv4.ip_forward=1 --device /dev/null:/dev/nothing:r --device /dev/zero --gpus 2"
    " --device-cgroup-rule 'c 1:3 rwm' --cap-add NET_ADMIN --cap-drop MKNOD --security-opt no-new-privileges"
    " --security-opt systempaths=unconfined --group-add 10 --pid host --ipc shareable --uts host --userns host"
    " --cgroupns private --device-read-bps /dev/null:1m --device-write-iops /dev/null:100 --blkio-weight 300 -P"
    " busybox sleep 1"
)
LINES = {"process": PROCESS, "network": NETWORK, "files": FILES, "limits": LIMITS, "plain": "dermaga/web"}


@pytest.fixture(scope="module")
def places(docker_engine: DockerEngine) -> Iterator[dict[str, str]]:
    """What the lines name: a network and volumes, of this test alone."""
    mark = uuid4().hex[:6]
    docker_engine.docker("network", "create", "--subnet", "10.99.7.0/24", f"net-{mark}")
    yield {"@NET": f"net-{mark}", "@VOLUME": f"vol{mark}-", "@FOLDER": f"made-{mark}-"}
    docker_engine.docker("network", "rm", f"net-{mark}")
    volumes = docker_engine.docker("volume", "ls", "-q", "--filter", f"name=vol{mark}").split()
    if volumes:
        docker_engine.docker("volume", "rm", *volumes)


def filled(line: str, places: dict[str, str], tail: str) -> str:
    for word, real in places.items():
        line = line.replace(f"{word}3", f"{real}three-{tail}").replace(f"{word}2", f"{real}two").replace(word, real)
    return line


def essence(answer: Any) -> Any:
    """What two containers made of the same line have in common: nothing that is empty, and no name by chance."""
    made = answer["Id"][:12]
    networks = {
        name: {key: value for key, value in network.items() if key in {"IPAMConfig", "Aliases", "Links", "DriverOpts"}}
        for name, network in answer["NetworkSettings"]["Networks"].items()
    }
    # who types `docker create` is taken for somebody who will attach
    config = {key: value for key, value in answer["Config"].items() if not key.startswith(("Attach", "StdinOnce"))}
    host = answer["HostConfig"]
    for name in ("CapAdd", "CapDrop"):  # newer command lines write CAP_ before each
        host[name] = [word.removeprefix("CAP_") for word in host[name] or []]
    # written in any order by the command line or the engine
    host["Binds"], config["Env"] = sorted(host["Binds"] or []), sorted(config["Env"] or [])
    host["Ulimits"] = sorted(host["Ulimits"] or [], key=lambda limit: limit["Name"])
    mounts = sorted(
        (
            {key: mount.get(key) for key in ("Type", "Destination", "Mode", "RW", "Propagation")}
            for mount in answer["Mounts"]
        ),
        key=lambda mount: str(mount["Destination"]),
    )
    whole = {"Config": config, "HostConfig": host, "Networks": networks, "Mounts": mounts}
    return _said(json.loads(json.dumps(whole).replace(made, "ITSELF")))


def _said(value: Any) -> Any:
    if isinstance(value, dict):
        found = {key: _said(entry) for key, entry in value.items() if key not in {"ConsoleSize"}}
        return {key: entry for key, entry in found.items() if entry not in (None, "", 0, False, [], {})}
    return [_said(entry) for entry in value] if isinstance(value, list) else value


def differences(ours: Any, theirs: Any, path: str = "") -> list[str]:
    """Where two answers differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        keys = sorted({*ours, *theirs})
        return [line for key in keys for line in differences(ours.get(key), theirs.get(key), f"{path}.{key}")]
    return [] if ours == theirs else [f"{path}: {ours!r} and not {theirs!r}"]


def compare(dock: Dock, line: str, places: dict[str, str]) -> None:
    ours, theirs = dock.name(), dock.name()
    # two containers of one engine may not have one volume with other options each: the third volume is their own
    job = dock.create(run=f"docker create --name {ours} {filled(line, places, 'a')}")
    assert job["state"] == "done", job["error"]
    dock.engine.docker("create", "--name", theirs, *shlex.split(filled(line, places, "b")))
    made, expected = dock.inspect(ours), dock.inspect(theirs)
    told = json.loads(json.dumps(essence(expected)).replace("three-b", "three-a"))
    assert differences(essence(made), told) == []
    assert made["State"]["Status"] == "created"


@pytest.mark.parametrize("line", LINES)
def test_it_makes_what_the_command_line_makes(dock: Dock, places: dict[str, str], line: str) -> None:
    compare(dock, LINES[line], places)


@pytest.mark.parametrize("line", ["process", "limits"])
def test_it_makes_on_a_newer_engine_what_the_command_line_makes_there(newer_dock: Dock, line: str) -> None:
    compare(newer_dock, LINES[line], {})


@pytest.mark.parametrize("line", LINES)
def test_what_an_engine_tells_of_a_container_makes_the_same_one(dock: Dock, places: dict[str, str], line: str) -> None:
    name, again = dock.name(), dock.name()
    text = f"docker create --name {name} {filled(LINES[line], places, 'c')}"
    assert dock.create(run=text)["state"] == "done"
    answer = dock.inspect(name)
    spec = from_inspect(answer, dock.image(answer["Image"]), Defaults(cgroupns="host"))
    assert problems(spec) == []
    if line == "plain":  # what came from the image is not repeated
        assert to_json(spec) == {"image": "dermaga/web", "name": name}
    spec.name = again
    for network in spec.networks:
        network.ipv4 = ""  # two cannot have one address
    job = dock.create(compose=to_compose(spec), start=False)
    assert job["state"] == "done", job["error"]
    expected = essence(answer)
    for network in expected.get("Networks", {}).values():
        network.pop("IPAMConfig", None)
    assert differences(essence(dock.inspect(again)), expected) == []


def test_a_newer_engine_gives_each_network_the_mac_address_that_was_asked_for(newer_dock: Dock) -> None:
    name, nets = newer_dock.name(), [f"mac-{uuid4().hex[:6]}" for _ in range(2)]
    wanted = dict(zip(nets, ("02:42:0a:61:00:77", "02:42:0a:61:00:78"), strict=True))
    try:
        for net in nets:
            newer_dock.engine.docker("network", "create", net)
        networks = [{"name": net, "mac_address": address, "aliases": ["shop"]} for net, address in wanted.items()]
        job = newer_dock.create(image="busybox", name=name, command=["sleep", "60"], networks=networks)
        assert job["state"] == "done", job["error"]
        told = newer_dock.inspect(name)["NetworkSettings"]["Networks"]
        assert {net: endpoint["MacAddress"] for net, endpoint in told.items()} == wanted
        assert all("shop" in endpoint["Aliases"] for endpoint in told.values())
    finally:
        newer_dock.clean()
        newer_dock.names.clear()
        for net in nets:
            newer_dock.engine.docker("network", "rm", net)


# ---------------------------------------------------------------- creating
def test_it_creates_from_a_specification_and_starts_it(dock: Dock) -> None:
    name = dock.name()
    job = dock.create(image="busybox", name=name, command=["sleep", "60"], env={"A": CANARY}, labels={"a": "b"})
    assert (job["state"], job["error"], job["kind"], job["target"]) == ("done", "", "container.create", name)
    answer = dock.inspect(name)
    assert job["result"] == {"id": answer["Id"], "name": name}
    assert answer["State"]["Running"] is True
    assert f"A={CANARY}" in answer["Config"]["Env"]


def test_it_creates_from_compose_with_several_networks(dock: Dock, places: dict[str, str]) -> None:
    name = dock.name()
    text = f"""
name: shop
services:
  web:
    image: busybox
    container_name: {name}
    command: sleep 60
    networks: {{front: {{aliases: [shop]}}, bridge: null}}
    deploy: {{resources: {{limits: {{memory: 32M}}}}}}
networks:
  front: {{name: {places["@NET"]}, external: true}}
"""
    job = dock.create(compose=text)
    assert job["state"] == "done", job["error"]
    answer = dock.inspect(name)
    assert set(answer["NetworkSettings"]["Networks"]) == {places["@NET"], "bridge"}
    assert "shop" in answer["NetworkSettings"]["Networks"][places["@NET"]]["Aliases"]
    assert answer["HostConfig"]["Memory"] == 32 << 20


def test_an_image_is_pulled_as_it_was_wanted(dock: Dock, registry: Registry) -> None:
    reference = registry.push(dock.engine, "busybox", f"made{uuid4().hex[:6]}")
    first, second, third = dock.name(), dock.name(), dock.name()
    refused = dock.create(image=reference, name=first, pull="never")
    assert refused["state"] == "failed"
    assert "pulling it was not wanted" in refused["error"]
    assert dock.create(image=reference, name=first, command=["sleep", "60"])["state"] == "done"
    registry.push(dock.engine, "dermaga/stubborn", reference.partition("/")[2])  # another image of the same name
    dock.engine.docker("pull", "-q", registry.push(dock.engine, "busybox", f"other{uuid4().hex[:6]}"))
    assert dock.create(image=reference, name=second, pull="always", command=["sleep", "60"])["state"] == "done"
    assert dock.inspect(second)["Image"] == dock.image("dermaga/stubborn")["Id"]
    assert dock.create(image="dermaga/none:1", name=third)["state"] == "failed"
    dock.clean()
    dock.engine.docker("rmi", "-f", reference)


# ---------------------------------------------------------------- what fails is taken back
def test_what_fails_at_the_start_leaves_nothing(dock: Dock) -> None:
    holder, name, volume = dock.name(), dock.name(), f"vol-{uuid4().hex[:6]}"
    dock.engine.docker("run", "-d", "--name", holder, "-p", "18099:80", "busybox", "sleep", "60")
    ports = [{"container": 80, "host": "18099"}]
    mounts = [{"target": "/data", "source": volume}]
    job = dock.create(image="busybox", name=name, command=["sleep", "60"], ports=ports, mounts=mounts)
    assert job["state"] == "failed"
    assert "18099" in job["error"] and "port is already allocated" in job["error"]
    assert job["left"] == []
    assert not dock.exists(name)
    assert dock.engine.docker("volume", "ls", "-q", "--filter", f"name={volume}").strip() == ""


def test_what_fails_at_a_further_network_leaves_nothing(dock: Dock) -> None:
    name = dock.name()
    job = dock.create(image="busybox", name=name, networks=[{"name": "bridge"}, {"name": "no-such-network"}])
    assert job["state"] == "failed"
    assert "no-such-network" in job["error"]
    assert not dock.exists(name)


def test_a_name_that_is_taken_is_said_and_the_other_container_stays(dock: Dock) -> None:
    name = dock.name()
    assert dock.create(image="busybox", name=name, command=["sleep", "60"])["state"] == "done"
    known = dock.inspect(name)["Id"]
    job = dock.create(image="busybox", name=name, command=["sleep", "61"])
    assert job["state"] == "failed"
    assert f"a container called {name} already" in job["error"]
    assert dock.inspect(name)["Id"] == known


def test_cancelling_a_create_that_hangs_says_what_may_be_left(product: Product, fake_engine: FakeEngine) -> None:
    host = f"fake{uuid4().hex[:6]}"
    product.api("hosts", "POST", name=host, url=fake_engine.url)
    until(lambda: product.api(f"hosts/{host}")["state"] == "online", "it is online")
    dock = Dock(product, fake_engine, host)  # type: ignore[arg-type]
    fake_engine.misbehave("/containers/create", Hang())
    job = dock.ask(image="busybox:latest")
    until(lambda: product.api(f"jobs/{job}")["progress"] >= 0.85, "it asks the engine")
    began = time.monotonic()
    product.api(f"jobs/{job}/cancel", "POST")
    end = dock.end(job, 5)
    assert time.monotonic() - began < 2.5
    assert end["state"] == "cancelled"
    assert "there may be a container" in end["left"][0]
    product.api(f"hosts/{host}", "DELETE")


# ---------------------------------------------------------------- refusals, rights, secrets
def test_a_wrong_field_is_named_with_its_reason(dock: Dock) -> None:
    told = dock.refused(image="busybox", limits={"memory": 64, "memory_reservation": 128}, ports=[{"container": 0}])
    assert told["field"] == "ports.0.container"
    assert {error["field"] for error in told["errors"]} == {"ports.0.container", "limits.memory_reservation"}
    assert all(len(error["reason"]) > 15 for error in told["errors"])
    assert "--no-such-flag" in dock.refused(run="docker run --no-such-flag busybox")["title"]
    assert "no_such_key" in dock.refused(compose="services: {a: {image: x, no_such_key: 1}}")["title"]
    assert "1.43" in dock.refused(image="busybox", annotations={"a": "b"})["title"]  # this engine is older
    assert dock.refused(run="docker run busybox", compose="image: x")["field"] == "run"
    assert "nothing" in dock.refused(image="busybox", nothing=1)["errors"][0]["field"]


def test_a_viewer_may_not_create(product: Product) -> None:
    name = f"vera{uuid4().hex[:6]}"
    product.post("/users/add/", username=name, password="looks-at-ships-4711", role="viewer", is_active="on")
    token = product.manage("token", "create", name, "--name", "t")
    url = f"{product.url}/api/v1/containers/local"
    answer = requests.post(url, json={"image": "busybox"}, headers={"Authorization": f"Bearer {token}"}, timeout=20)
    assert answer.status_code == 403
    assert requests.post(url, json={"image": "busybox"}, timeout=20).status_code in {401, 403}


def test_values_of_the_environment_show_nowhere(dock: Dock) -> None:
    name = dock.name()
    script = f"echo {CANARY} >/dev/null; exec no-such-program-{CANARY}"
    job = dock.create(image="busybox", name=name, entrypoint=[f"/bin/{CANARY}"], command=[script], env={"A": CANARY})
    assert job["state"] == "failed"
    product = dock.product
    pages = [
        product.http.get(f"{product.url}/jobs/{job['id']}/").text,
        product.http.get(f"{product.url}/jobs/").text,
        json.dumps(product.api("jobs?limit=50")),
        product.http.get(f"{product.url}/api/v1/jobs/{job['id']}/log").text,
        product.output,
    ]
    assert [page for page in pages if CANARY in page] == []
    assert "•••" in job["error"]


# ---------------------------------------------------------------- Podman
def test_podman_creates_and_says_what_it_cannot(podman_dock: Dock) -> None:
    name = podman_dock.name()
    job = podman_dock.create(
        image="localhost/busybox:latest",
        name=name,
        command=["sleep", "60"],
        env={"A": "b"},
        ports=[{"container": 80, "host": "18070"}],
        limits={"memory": 64 << 20},
        restart={"policy": "on-failure", "retries": 2},
    )
    assert job["state"] == "done", job["error"]
    answer = podman_dock.inspect(name)
    assert answer["HostConfig"]["Memory"] == 64 << 20
    assert "A=b" in answer["Config"]["Env"]
    told = podman_dock.create(image="localhost/busybox:latest", name=podman_dock.name(), networks=[{"name": "no-such"}])
    assert told["state"] == "failed"
    assert "no-such" in told["error"]
