"""Pulling and pruning as a person does it: a form is sent, and the job is watched through its socket."""

import os
import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.images import LAYERED, import_busybox, make_layered
from tests.engines.registry import Registry
from tests.engines.slow import SlowProxy
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Held
from tests.hosts.watched import Watched, send
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core


def pull(product: Product, reference: str, host: str = "local") -> Watched:
    return Watched(product, send(product, "/images/pull/", host=host, reference=reference))


def has_image(engine: DockerEngine, reference: str) -> bool:
    return bool(engine.docker("images", "-q", reference).strip())


def is_online(product: Product, host: str) -> None:
    until(lambda: product.api(f"hosts/{host}")["state"] == "online", f"{host} is online")


@pytest.fixture(scope="module")
def layered(docker_engine: DockerEngine, registry: Registry) -> None:
    """An image of four layers of 2 MB on top of busybox, in the registry and not on the engine."""
    make_layered(docker_engine)
    registry.push(docker_engine, LAYERED)
    docker_engine.docker("rmi", LAYERED)


@pytest.fixture
def slow(docker_engine: DockerEngine, registry: Registry, layered: None) -> Iterator[SlowProxy]:
    """The registry, slowly; what was pulled from it goes afterwards."""
    with registry.slow(2_500_000) as proxy:
        yield proxy
        if has_image(docker_engine, f"{proxy.address}/{LAYERED}"):
            docker_engine.docker("rmi", f"{proxy.address}/{LAYERED}")


@pytest.fixture(scope="module")
def lighter(product: Product) -> Iterator[DockerEngine]:
    """Another engine, a host of the product, whose images may all go."""
    with DockerEngine("lighter", tcp=True) as engine:
        import_busybox(engine)
        product.api("hosts", "POST", name="lighter", url=engine.url)
        is_online(product, "lighter")
        yield engine
        product.api("hosts/lighter", "DELETE")


# ---------------------------------------------------------------- pulling
def test_a_pull_tells_of_each_layer_and_never_goes_back(
    product: Product, docker_engine: DockerEngine, registry: Registry, slow: SlowProxy
) -> None:
    is_online(product, "local")
    with pull(product, f"{slow.address}/{LAYERED}") as first:
        first.until(lambda message: 0.2 < message["progress"] < 1)
        with Watched(product, first.job) as second:  # somebody else opens the page meanwhile
            joined = second.until(lambda message: True)
            assert joined["state"] == "running"
            assert joined["progress"] > 0.2
            assert any(part["state"] == "downloading" and part["current"] for part in joined["parts"])
            ends = [first.end(), second.end()]
    percents = [message["percent"] for message in first.messages]
    assert percents == sorted(percents)
    assert len(set(percents)) > 5
    assert [p for m in first.messages if m["state"] != "done" for p in [m["percent"]] if p == 100] == []
    seen = {part["state"] for message in first.messages for part in message["parts"]}
    assert {"waiting", "downloading", "done"} <= seen
    amounts = [(part["current"], part["total"]) for m in first.messages for part in m["parts"] if part["total"]]
    assert all(0 <= current <= total and total > 2_000_000 for current, total in amounts)
    for end in ends:
        assert (end["state"], end["percent"], end["error"]) == ("done", 100, "")
        assert sorted(part["state"] for part in end["parts"]) == ["done"] * 4 + ["exists"]
    assert first.log == second.log
    assert product.api(f"jobs/{first.job}")["result"]["digest"] == registry.digest(LAYERED)
    assert has_image(docker_engine, f"{slow.address}/{LAYERED}")


def test_cancelling_ends_the_pull_on_the_engine_and_it_can_be_started_again(
    product: Product, docker_engine: DockerEngine, slow: SlowProxy
) -> None:
    slow.bytes_per_second = 200_000
    reference = f"{slow.address}/{LAYERED}"
    with pull(product, reference) as watched:
        watched.until(lambda message: message["progress"] > 0)
        began = time.monotonic()
        product.post(f"/jobs/{watched.job}/cancel/")
        end = watched.end(5)
        assert time.monotonic() - began < 2
        assert (end["state"], end["error"]) == ("cancelled", "")
    until(slow.is_still, "the engine asks the registry for no more")
    assert not has_image(docker_engine, reference)
    slow.bytes_per_second = 50_000_000
    again = send(product, f"/jobs/{watched.job}/again/")
    with Watched(product, again) as repeated:
        assert repeated.end()["state"] == "done"
    assert again != watched.job
    assert has_image(docker_engine, reference)


def test_a_refusal_is_told_in_the_engine_s_own_words(
    product: Product, docker_engine: DockerEngine, registry: Registry, locked_registry: Registry, layered: None
) -> None:
    private = locked_registry.push(docker_engine, "busybox", "private")
    for reference, words in (
        (private, ["no basic auth credentials", "may be private"]),
        (f"{registry.address}/{LAYERED}:none", ["manifest unknown", "Check the name and the tag"]),
        ("127.0.0.1:1/nothing/here:1", ["connection refused", "cannot reach the registry"]),
    ):
        with pull(product, reference) as watched:
            end = watched.end()
            assert end["state"] == "failed"
            assert end["percent"] < 100
            assert all(word in end["error"] for word in words), end["error"]
            assert "\n" not in end["error"]  # its words are in the sentence already


@pytest.fixture
def mortal(product: Product, docker_engine: DockerEngine) -> Iterator[Product]:
    """A product whose worker may be killed: the shared one where the worker is a process of its own."""
    if product.full:
        yield product
    else:
        with Product(docker_engine.url) as another:
            yield another


def test_a_pull_of_a_killed_worker_is_interrupted_and_can_be_started_again(mortal: Product, slow: SlowProxy) -> None:
    slow.bytes_per_second = 300_000
    is_online(mortal, "local")
    with pull(mortal, f"{slow.address}/{LAYERED}") as watched:
        watched.until(lambda message: message["progress"] > 0)
    worker = "worker" if mortal.full else "up"
    process = mortal.processes[worker]
    os.killpg(process.pid, signal.SIGKILL)  # a worker has children
    process.wait()
    until(slow.is_still, "the engine stops when its client is gone")
    if mortal.full:
        mortal.start_process("worker")
    else:
        mortal.start()
    until(lambda: mortal.api(f"jobs/{watched.job}")["state"] == "interrupted", "it is interrupted")
    assert "worker that ran this job died" in mortal.api(f"jobs/{watched.job}")["error"]
    with Watched(mortal, send(mortal, f"/jobs/{watched.job}/again/")) as repeated:
        assert repeated.end()["state"] == "done"


def test_a_pull_is_cancelled_while_its_host_does_not_answer(product: Product, lighter: DockerEngine) -> None:
    lighter.cut("drop")
    try:
        with pull(product, "busybox", "lighter") as watched:
            watched.until(lambda message: message["state"] == "running")
            began = time.monotonic()
            product.post(f"/jobs/{watched.job}/cancel/")
            assert watched.end(5)["state"] == "cancelled"
            assert time.monotonic() - began < 2
    finally:
        lighter.heal()
        is_online(product, "lighter")


# ---------------------------------------------------------------- pruning
def build(engine: DockerEngine, name: str, content: str) -> str:
    """An image on top of busybox; its id."""
    dockerfile = f"FROM busybox\nRUN echo {content} > /content\n"
    return engine.docker("build", "-q", "-t", name, "-", stdin=dockerfile.encode()).strip()


def listed(product: Product, *ids: str) -> None:
    until(lambda: {row["id"] for row in product.api("images?host=lighter")["items"]} >= set(ids), "the images show")


def test_pruning_removes_what_it_says_and_tells_the_result(product: Product, lighter: DockerEngine) -> None:
    old, new, used = (build(lighter, *pair) for pair in (("app", "one"), ("app", "two"), ("used", "three")))
    lighter.docker("create", "--name", "user", "used")
    listed(product, old, new, used)
    with Watched(product, send(product, "/images/prune/", host="lighter")) as dangling:
        assert dangling.end()["state"] == "done"
    result = product.api(f"jobs/{dangling.job}")["result"]
    assert result["images"] == 1
    assert result["bytes"] > 0
    assert f"Deleted: {old}" in dangling.log
    assert new in lighter.docker("images", "-q", "--no-trunc")
    listed(product, new, used)
    with Watched(product, send(product, "/images/prune/", host="lighter", everything="1")) as unused:
        assert unused.end()["state"] == "done"
    assert product.api(f"jobs/{unused.job}")["result"]["images"] >= 1
    left = lighter.docker("images", "-q", "--no-trunc").split()
    assert used in left
    assert new not in left


def test_a_prune_is_cancelled_by_hanging_up(product: Product, fake_engine: FakeEngine) -> None:
    held = Held()
    fake_engine.misbehave("/images/prune", held)
    product.api("hosts", "POST", name="fake", url=fake_engine.url)
    try:
        is_online(product, "fake")
        with Watched(product, send(product, "/images/prune/", host="fake")) as watched:
            assert held.asked.wait(10)
            product.post(f"/jobs/{watched.job}/cancel/")
            assert held.left.wait(2)
            assert watched.end(2)["state"] == "cancelled"
    finally:
        product.api("hosts/fake", "DELETE")


def test_what_was_done_here_shows_although_the_engine_told_nothing_of_it(
    product: Product, fake_engine: FakeEngine
) -> None:
    """An engine drops events of a reader that was busy."""
    product.api("hosts", "POST", name="fake", url=fake_engine.url)
    try:
        is_online(product, "fake")
        fake_engine.mute = True
        with Watched(product, send(product, "/images/pull/", host="fake", reference="acme/quiet:1")) as watched:
            assert watched.end()["state"] == "done"
        until(lambda: product.api("images?host=fake&search=acme/quiet")["count"] == 1, "it shows", 20)
    finally:
        product.api("hosts/fake", "DELETE")


def targets(product: Product, **fields: str) -> list[str]:
    """What the dialog of a prune shows, in its order: an id and names each."""
    page = product.http.get(f"{product.url}/images/prune/", params={"host": "lighter", **fields}, timeout=20).text
    return re.findall(r'name="target" value="([^"]+)"', page)


def test_a_prune_removes_exactly_what_was_shown_and_says_what_changed(product: Product, lighter: DockerEngine) -> None:
    import_busybox(lighter)  # another prune may have taken it
    gone, renamed, used, later = (build(lighter, f"shown:{n}", f"shown {n}") for n in range(4))
    listed(product, gone, renamed, used, later)
    shown = targets(product, everything="1")
    assert {gone, renamed, used, later} <= {target.split()[0] for target in shown}
    sizes = product.api("images/lighter/prune", "POST", all=True, dry_run=True)
    assert [" ".join([row["id"], *row["tags"]]) for row in sizes["items"]] == [target.strip() for target in shown]
    assert sizes["size"] == sum(row["size"] for row in sizes["items"]) > 0
    chosen = [target for target in shown if target.split()[0] in {gone, renamed, used}]
    lighter.docker("tag", "shown:1", "shown:other")
    listed(product, gone)
    until(lambda: "shown:other" in str(product.api("images?host=lighter&search=shown:1")), "the new name is known")
    lighter.docker("create", "--name", "shown-user", "shown:2")
    with Watched(product, send(product, "/images/prune/", host="lighter", shown="1", target=chosen)) as watched:
        end = watched.end()
    assert end["state"] == "done"
    parts = {part["id"]: (part["state"], part["error"]) for part in end["parts"]}
    assert parts["shown:0"] == ("done", "")
    assert parts["shown:1"][0] == "skipped" and "shown:other" in parts["shown:1"][1]
    assert parts["shown:2"][0] == "skipped" and "shown-user" in parts["shown:2"][1]
    result = product.api(f"jobs/{watched.job}")["result"]
    assert (result["images"], result["kept"]) == (1, 2)
    left = lighter.docker("images", "-q", "--no-trunc").split()
    assert gone not in left
    assert {renamed, used, later} <= set(left)
    lighter.docker("rm", "shown-user")
