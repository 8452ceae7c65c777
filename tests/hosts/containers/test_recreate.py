"""A container is made anew: all that it has comes along, and whatever fails on the way, the old one runs again."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.registry import Registry
from tests.engines.ways import AnyEngine
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour, Fail, Hang
from tests.fake_engine.things import FakeContainer
from tests.fake_engine.wire import Connection, Request
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

OPEN = {"queued", "running"}
AT_ONCE = ("--stop-signal", "KILL")  # a shell or sleep as first process hears no TERM
MAC = "02:42:0a:61:00:77"


def shows(product: Product, host: str, name: str, state: str = "running") -> str:
    """The id of the container that the tables have under this name, once it is in this state."""

    def found() -> Any:
        rows = product.api(f"containers?host={host}&search={name}")["items"]
        return next((row["id"] for row in rows if row["name"] == name and row["state"] == state), None)

    return str(until(found, f"{name} shows as {state}"))


def inspect(engine: AnyEngine, ref: str) -> Any:
    return json.loads(engine.docker("inspect", ref))[0]


def _redirect(session: requests.Session, url: str) -> str:
    return session.get(url, headers={"HX-Request": "true"}, timeout=10).headers.get("HX-Redirect", "")


# ---------------------------------------------------------------- on a real engine
@dataclass
class Shop:
    """A container with all that is easily lost, its image in a registry, and what is to go at the end."""

    product: Product
    engine: DockerEngine
    registry: Registry
    name: str = field(default_factory=lambda: f"shop-{uuid4().hex[:6]}")

    def __post_init__(self) -> None:
        self.nets = [f"{self.name}-{side}" for side in ("front", "back")]
        docker = self.engine.docker
        octet = int(self.name[-2:], 16)
        for at, net in enumerate(self.nets):
            docker("network", "create", "--subnet", f"10.{97 + at}.{octet}.0/24", net)
        self.addresses = [f"10.{97 + at}.{octet}.9" for at in range(2)]
        self.image = self.registry.push(self.engine, "dermaga/web", self.name)
        docker("pull", "-q", self.image)
        self.first_image = inspect(self.engine, self.image)["Id"]
        labels = {"project": "shop", "service": self.name, "config-hash": "f00d", "image": self.first_image}
        aliases = (["till"], ["store"])
        spec: dict[str, Any] = {
            "image": self.image,
            "name": self.name,
            "networks": [
                {"name": net, "ipv4": address, "aliases": alias}
                for net, address, alias in zip(self.nets, self.addresses, aliases, strict=True)
            ],
            "mac_address": MAC,  # the command line is too new to give one to this engine
            "stop_signal": "KILL",
            "env": {"A": "two words"},
            "limits": {"memory": 64 << 20},
            "mounts": [{"target": "/data", "source": f"{self.name}-data"}, {"target": "/scratch"}],
            "labels": {f"com.docker.compose.{name}": value for name, value in labels.items()},
        }
        job = ended(self.product, self.product.api("containers/local", "POST", **spec)["job"])
        assert job["state"] == "done", job["error"]
        docker("exec", self.name, "sh", "-c", "echo kept > /scratch/x; echo kept > /data/x")

    def newer(self, dockerfile: str) -> str:
        """Puts another image under the name in the registry, and not on the engine; gives its id."""
        docker = self.engine.docker
        docker("build", "-q", "-t", self.image, "-", stdin=dockerfile.encode())
        docker("push", "-q", self.image)
        made = str(inspect(self.engine, self.image)["Id"])
        docker("tag", self.first_image, self.image)
        return made

    def remove(self) -> None:
        docker = self.engine.docker
        if found := docker("ps", "-aq", "--filter", f"name={self.name}").split():
            docker("rm", "-f", "-v", *found)
        docker("network", "rm", *self.nets)
        docker("volume", "rm", f"{self.name}-data")
        docker("rmi", "-f", self.image)


@pytest.fixture
def shop(product: Product, docker_engine: DockerEngine, registry: Registry) -> Iterator[Shop]:
    found = Shop(product, docker_engine, registry)
    yield found
    found.remove()


def test_from_a_newer_image_with_all_that_it_has(product: Product, shop: Shop) -> None:
    old_id, old = shows(product, "local", shop.name), inspect(shop.engine, shop.name)
    newest = shop.newer("FROM dermaga/web\nENV NEW=1\nLABEL version=2\n")
    job = ended(product, product.api(f"containers/local/{shop.name}/recreate", "POST")["job"])
    assert job["state"] == "done", job["error"]
    new = inspect(shop.engine, shop.name)
    assert job["result"] == {"newer": True, "id": new["Id"], "name": shop.name, "replaced": old_id}
    assert new["Id"] != old_id
    assert new["Image"] == newest
    assert {"A=two words", "NEW=1"} <= set(new["Config"]["Env"])
    networks = new["NetworkSettings"]["Networks"]
    assert [networks[net]["IPAddress"] for net in shop.nets] == shop.addresses
    assert "till" in networks[shop.nets[0]]["Aliases"]
    assert "store" in networks[shop.nets[1]]["Aliases"]
    assert networks[shop.nets[0]]["MacAddress"] == MAC
    volumes = [{mount["Destination"]: mount["Name"] for mount in one["Mounts"]} for one in (old, new)]
    assert volumes[0] == volumes[1]
    assert shop.engine.docker("exec", shop.name, "cat", "/scratch/x", "/data/x") == "kept\nkept\n"
    labels = new["Config"]["Labels"]
    assert (labels["com.docker.compose.config-hash"], labels["version"]) == ("f00d", "2")
    assert labels["com.docker.compose.image"] == newest
    assert new["HostConfig"]["Memory"] == 64 << 20
    assert shop.engine.docker("ps", "-aq", "--filter", f"name={shop.name}").split() == [new["Id"][:12]]
    # the old one's page leads to the new one's, and so do its live parts
    session = product.http
    page = session.get(f"{product.url}/containers/local/{old_id}/logs/?x=1", allow_redirects=False)
    assert page.headers["Location"] == f"/containers/local/{new['Id'][:12]}/logs/?x=1"
    part = f"{product.url}/containers/local/{old_id[:12]}/?part=head&tab=stats&named={shop.name}"
    until(lambda: _redirect(session, part) == f"/containers/local/{shop.name}/stats/", "its parts lead on")
    # once more: there is nothing newer, and nothing happens
    again = ended(product, product.api(f"containers/local/{shop.name}/recreate", "POST")["job"])
    assert again["result"] == {"newer": False, "id": new["Id"], "name": shop.name}
    # and with other settings: the anonymous volume is still the same
    spec = product.api(f"containers/local/{shop.name}/specification")
    assert spec["env"] == {"A": "two words"}
    spec["env"]["B"] = "three"
    body = {"specification": spec, "healthy_within": 60}
    edited = ended(product, product.api(f"containers/local/{shop.name}/recreate", "POST", **body)["job"])
    assert edited["state"] == "done", edited["error"]
    last = inspect(shop.engine, shop.name)
    assert "B=three" in last["Config"]["Env"]
    assert {mount["Destination"]: mount["Name"] for mount in last["Mounts"]} == volumes[0]
    assert last["NetworkSettings"]["Networks"][shop.nets[1]]["IPAddress"] == shop.addresses[1]


def test_a_new_image_that_crashes_leaves_the_old_one_running(product: Product, shop: Shop) -> None:
    shop.newer("FROM dermaga/web\nHEALTHCHECK NONE\nCMD echo no such table; exit 7\n")
    old_id = shows(product, "local", shop.name)
    job = ended(product, product.api(f"containers/local/{shop.name}/recreate", "POST")["job"])
    assert job["state"] == "failed"
    assert f"The new {shop.name} ended, with exit code 7" in job["error"]
    assert job["left"] == []
    now = inspect(shop.engine, shop.name)
    assert (now["Id"], now["State"]["Running"]) == (old_id, True)
    assert now["NetworkSettings"]["Networks"][shop.nets[0]]["IPAddress"] == shop.addresses[0]
    assert shop.engine.docker("exec", shop.name, "cat", "/scratch/x") == "kept\n"
    assert shop.engine.docker("ps", "-aq", "--filter", f"name={shop.name}").split() == [old_id[:12]]
    log = requests.get(
        f"{product.url}/api/v1/jobs/{job['id']}/log", headers={"Authorization": f"Bearer {product.token}"}, timeout=10
    ).text
    assert f"{shop.name}: no such table" in log
    assert f"{shop.name} is as it was before" in log


def test_what_shares_its_network_comes_along(product: Product, docker_engine: DockerEngine) -> None:
    docker = docker_engine.docker
    docker("run", "-d", "--name", "pilot", *AT_ONCE, "busybox", "sleep", "1000")
    docker("run", "-d", "--name", "tender", *AT_ONCE, "--network", "container:pilot", "busybox", "sleep", "1000")
    try:
        old_id = shows(product, "local", "tender")
        url = f"{product.url}/containers/local/pilot/recreate/"
        until(lambda: "made anew with it: tender" in product.http.get(url).text, "the dialog says who is affected")
        body = {"specification": product.api("containers/local/pilot/specification"), "settle": 0}
        job = ended(product, product.api("containers/local/pilot/recreate", "POST", **body)["job"])
        assert (job["state"], job["left"]) == ("done", []), job["error"]
        tender = inspect(docker_engine, "tender")
        assert tender["HostConfig"]["NetworkMode"] == f"container:{inspect(docker_engine, 'pilot')['Id']}"
        assert tender["State"]["Running"]
        assert job["result"]["along"] == {old_id[:12]: tender["Id"]}
        url = f"{product.url}/containers/local/{old_id[:12]}/logs/"
        until(lambda: _redirect(product.http, url) == f"/containers/local/{tender['Id'][:12]}/logs/", "it leads on")
    finally:
        docker("rm", "-f", "pilot", "tender")


def test_what_another_tool_makes_anew_is_found_by_its_name(product: Product, docker_engine: DockerEngine) -> None:
    """docker compose calls the old one ID_NAME while it makes the new one."""
    docker = docker_engine.docker
    docker("run", "-d", "--name", "skiff", *AT_ONCE, "busybox", "sleep", "1000")
    try:
        old_id = shows(product, "local", "skiff")
        docker("rename", "skiff", f"{old_id[:12]}_skiff")
        docker("run", "-d", "--name", "skiff", *AT_ONCE, "busybox", "sleep", "1000")
        docker("rm", "-f", f"{old_id[:12]}_skiff")
        new_id = inspect(docker_engine, "skiff")["Id"]
        old = f"{product.url}/containers/local/{old_id[:12]}/logs/"
        until(lambda: _redirect(product.http, old) == f"/containers/local/{new_id[:12]}/logs/", "it leads on")
        said = f"The container {old_id[:12]} is gone. This is the one that is called skiff now."
        assert said in product.http.get(old, timeout=10).text
    finally:
        docker("rm", "-f", "skiff")


def test_one_that_removes_itself_is_refused(product: Product, docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "-d", "--rm", "--name", "fleeting", "busybox", "sleep", "1000")
    old_id = shows(product, "local", "fleeting")
    job = ended(product, product.api("containers/local/fleeting/recreate", "POST")["job"])
    assert "removes itself when it stops" in job["error"]
    assert inspect(docker_engine, "fleeting")["Id"] == old_id
    docker_engine.docker("rm", "-f", "fleeting")


def test_podman_does_it_too(product: Product, podman_engine: PodmanEngine) -> None:
    product.api("hosts", "POST", name="raft", url=podman_engine.url)
    podman_engine.docker("network", "create", "--subnet", "10.96.7.0/24", "raft-net")
    more = ("--network", "raft-net", "--ip", "10.96.7.9", "-v", "/scratch", "-e", "A=b", "-l", "team=blue", *AT_ONCE)
    podman_engine.docker("run", "-d", "--name", "oar", *more, "busybox", "sh", "-c", "sleep 1000")
    try:
        old_id = shows(product, "raft", "oar")
        podman_engine.docker("exec", "oar", "sh", "-c", "echo kept > /scratch/x")
        spec = product.api("containers/raft/oar/specification")
        spec["env"]["C"] = "d"
        body = {"specification": spec, "settle": 1}
        job = ended(product, product.api("containers/raft/oar/recreate", "POST", **body)["job"], 60)
        assert job["state"] == "done", f"{job['error']} {job['left']}"
        new = inspect(podman_engine, "oar")
        assert new["Id"] != old_id
        assert {"A=b", "C=d"} <= set(new["Config"]["Env"])
        assert new["NetworkSettings"]["Networks"]["raft-net"]["IPAddress"] == "10.96.7.9"
        assert podman_engine.docker("exec", "oar", "cat", "/scratch/x") == "kept\n"
        assert podman_engine.docker("ps", "-aq", "--filter", "name=oar").split() == [new["Id"][:12]]
    finally:
        podman_engine.docker("rm", "-f", "-v", "oar")
        podman_engine.docker("network", "rm", "raft-net")
        product.api("hosts/raft", "DELETE")


# ---------------------------------------------------------------- faults at every step
@dataclass
class Nth(Behaviour):
    """Normal answers, but for the `n`th, which meets another behaviour."""

    n: int
    then: Behaviour
    seen: int = 0

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        self.seen += 1
        if self.seen == self.n:
            await self.then(request, connection, normal)
        else:
            await normal(connection)


@dataclass
class Quay:
    """A fake engine that is a host of the product, with a container `web` in two networks."""

    product: Product
    engine: FakeEngine
    host: str = field(default_factory=lambda: f"quay{uuid4().hex[:6]}")

    def __post_init__(self) -> None:
        self.product.api("hosts", "POST", name=self.host, url=self.engine.url)
        until(lambda: self.product.api(f"hosts/{self.host}")["state"] == "online", "it is online")

    def web(self) -> FakeContainer:
        """A new `web`, with nothing else there."""
        for container in list(self.engine.containers):
            self.engine.remove(container)
        networks: dict[str, Any] = {"front": {"IPAMConfig": {"IPv4Address": "10.9.9.9"}}, "back": {}}
        made = {"HostConfig": {"NetworkMode": "front"}}
        web = FakeContainer("web", created=time.time(), networks=networks, made=made)
        self.engine.add(web)
        until(lambda: shows(self.product, self.host, "web") == web.id, "the new web shows")
        return web

    def ask(self) -> int:
        """A job that makes it anew."""
        spec = self.product.api(f"containers/{self.host}/web/specification")
        body = {"specification": spec, "settle": 0, "healthy_within": 1}
        return int(self.product.api(f"containers/{self.host}/web/recreate", "POST", **body)["job"])

    @property
    def there(self) -> list[tuple[str, str, str]]:
        """(name, id, state) of all."""
        return [(one.name, one.id, one.state) for one in self.engine.containers]


@pytest.fixture
def quay(product: Product, fake_engine: FakeEngine) -> Iterator[Quay]:
    found = Quay(product, fake_engine)
    yield found
    fake_engine.behave()
    product.api(f"hosts/{found.host}", "DELETE")


BROKEN = Fail(500, "no space left on device")
FAULTS: dict[str, tuple[str, Behaviour, str]] = {  # what fails: the path, how, and what the job says
    "creating": ("/containers/create", BROKEN, "no space left"),
    "connecting": ("/networks/*/connect", BROKEN, "no space left"),
    "stopping": ("/containers/*/stop", Nth(1, BROKEN), "no space left"),
    "renaming the old one": ("/containers/*/rename", Nth(1, BROKEN), "no space left"),
    "renaming the new one": ("/containers/*/rename", Nth(2, BROKEN), "no space left"),
    "starting": ("/containers/*/start", Nth(1, BROKEN), "no space left"),
    "starting, and putting back at first": ("/containers/*/start", Nth(2, BROKEN), "ended, with exit code 3"),
}


def test_whatever_fails_the_old_one_runs_again(quay: Quay) -> None:
    for what, (path, behaviour, words) in FAULTS.items():
        web = quay.web()
        quay.engine.next_one = {"dies": True} if "exit code" in words else {}
        quay.engine.misbehave(path, behaviour)
        job = ended(quay.product, quay.ask())
        quay.engine.behave()
        assert job["state"] == "failed", what
        assert words in job["error"], what
        assert job["left"] == [], what
        assert quay.there == [("web", web.id, "running")], what


@pytest.mark.parametrize(
    ("like", "words"),
    [
        ({"dies": True}, "ended, with exit code 3"),
        ({"health": "unhealthy"}, "is unhealthy"),
        ({"health": "starting"}, "was not healthy within 1 seconds"),
    ],
)
def test_a_new_one_that_is_not_well_goes_again(quay: Quay, like: dict[str, Any], words: str) -> None:
    web = quay.web()
    quay.engine.next_one = like
    job = ended(quay.product, quay.ask())
    assert (job["state"], job["left"]) == ("failed", [])
    assert words in job["error"]
    assert quay.there == [("web", web.id, "running")]


def test_an_old_one_that_cannot_be_removed_runs_again(quay: Quay) -> None:
    web = quay.web()
    quay.engine.misbehave(f"/containers/{web.id}", BROKEN)
    job = ended(quay.product, quay.ask())
    assert (job["state"], job["left"]) == ("failed", [])
    assert quay.there == [("web", web.id, "running")]


def test_what_cannot_be_put_back_is_said_with_its_place(quay: Quay) -> None:
    web = quay.web()
    quay.engine.next_one = {"dies": True}
    quay.engine.misbehave("/containers/*/start", _All(1))
    number = quay.ask()
    job = ended(quay.product, number)
    quay.engine.behave()
    assert job["state"] == "failed"
    assert "could not be put back: " in job["left"][0]
    assert [(name, ref) for name, ref, _ in quay.there] == [("web", web.id)]


@dataclass
class _All(Behaviour):
    """Fails from the `after`th request on."""

    after: int
    seen: int = 0

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        self.seen += 1
        await (normal(connection) if self.seen <= self.after else BROKEN(request, connection, normal))


@pytest.mark.parametrize("path", ["/containers/create", "/containers/*/stop", "/containers/*/start"])
def test_cancelling_puts_it_back_within_two_seconds(quay: Quay, path: str) -> None:
    web = quay.web()
    quay.engine.misbehave(path, Nth(1, Hang()))
    job = quay.ask()
    until(lambda: [one for one in quay.engine.requests if _fits(one, path)], "it hangs there")
    began = time.monotonic()
    quay.product.api(f"jobs/{job}/cancel", "POST")
    end = ended(quay.product, job, 10)
    assert time.monotonic() - began < 3
    assert end["state"] == "cancelled"
    assert quay.there == [("web", web.id, "running")]


def _fits(request: Request, path: str) -> bool:
    return request.method == "POST" and request.path.endswith(path.rpartition("/")[2])


# ---------------------------------------------------------------- a worker that dies
def _is_ready(product: Product) -> bool:
    try:
        return requests.get(f"{product.url}/readyz", timeout=2).ok
    except OSError:
        return False


def test_what_a_killed_worker_left_is_said_and_put_back() -> None:
    with FakeEngine(tcp=True) as one, FakeEngine(tcp=True) as other, Product("") as product:
        hung = []
        for engine, path, nth in ((one, "/containers/*/rename", 2), (other, "/containers/*/start", 1)):
            quay, behaviour = Quay(product, engine), Nth(nth, Hang())
            web = quay.web()
            engine.misbehave(path, behaviour)
            hung.append((quay, web, quay.ask(), behaviour))
        until(lambda: all(behaviour.seen >= behaviour.n for *_, behaviour in hung), "both hang")
        product.kill("up")
        one.behave()
        other.behave()
        product.start_process("up")
        until(lambda: _is_ready(product), "it is there again", 40)
        for quay, web, job, _ in hung:
            told = ended(product, job)
            assert told["state"] == "interrupted"
            assert "“Put back” makes all as it was" in told["left"][0]
            aside = f"web.dermaga-old-{job}"
            shows(product, quay.host, aside, "exited")
            page = product.http.get(f"{product.url}/containers/{quay.host}/{aside}/").text
            assert f"/containers/{quay.host}/{web.id[:12]}/put-back/" in page
            end = ended(product, product.api(f"containers/{quay.host}/{aside}/put-back", "POST")["job"])
            assert (end["state"], end["error"]) == ("done", "")
            assert quay.there == [("web", web.id, "running")]
