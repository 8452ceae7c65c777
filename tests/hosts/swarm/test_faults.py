"""Managers that fail on purpose: no leader, cut off in the middle of an act, overtaken, forbidden to answer."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour, Cut, Fail, Hang
from tests.fake_engine.managers import NODE, RECORDED, Says, manage
from tests.fake_engine.wire import Connection, Request
from tests.hosts.watched import Watched
from tests.servers.product import Product
from tests.waiting import until

NO_LEADER = Fail(503, "rpc error: code = Unknown desc = The swarm does not have a leader. It's possible that ...")


@dataclass
class InTurn(Behaviour):
    """The first call meets the first behaviour, and so on; the last one stays."""

    steps: list[Behaviour] = field(default_factory=list)

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        await step(request, connection, normal)


@pytest.fixture
def managers(product: Product) -> Iterator[tuple[FakeEngine, FakeEngine]]:
    """Two managers of one swarm, as hosts `reef-1` and `reef-2`."""
    with FakeEngine(tcp=True) as first, FakeEngine(tcp=True) as second:
        for number, engine in enumerate((first, second), 1):
            manage(engine, f"reef-{number}")
            product.api("hosts", "POST", name=f"reef-{number}", url=engine.url)
        try:
            until(lambda: len(swarm(product).get("members", [])) == 2, "both are known")
            until(lambda: product.api(f"nodes?swarm={swarm(product)['name']}")["count"] == 2, "its nodes are known")
            yield first, second
        finally:
            for number in (1, 2):
                product.api(f"hosts/reef-{number}", "DELETE")


def swarm(product: Product) -> dict[str, Any]:
    return next((one for one in product.api("swarms")["items"] if one["id"] == "fake-swarm"), {})


def updates(*engines: FakeEngine) -> list[int]:
    """How many updates of nodes each engine was asked for."""
    return [sum(request.path.endswith("/update") for request in engine.requests) for engine in engines]


def drain(product: Product) -> Any:
    return product.post(f"/nodes/{swarm(product)['name']}/{NODE['ID']}/availability/", availability="drain")


def test_a_swarm_without_a_leader_says_so_and_comes_back(
    product: Product, managers: tuple[FakeEngine, FakeEngine]
) -> None:
    for engine in managers:
        engine.misbehave("/swarm", NO_LEADER)
    until(lambda: swarm(product)["state"] == "no_leader", "it has no leader")
    page = product.http.get(f"{product.url}/swarms/{swarm(product)['name']}/").text
    assert "Its managers have no leader" in page and "The swarm does not have a leader." in page
    assert "more than half of its managers must be up" in drain(product).text
    assert product.api("hosts/reef-1")["state"] == "online"
    assert product.api(f"nodes?swarm={swarm(product)['name']}")["count"] == 2  # as they were known
    for engine in managers:
        engine.misbehave("/swarm", Says(RECORDED["swarm"] | {"ID": "fake-swarm"}))
    until(lambda: swarm(product)["state"] == "active", "it has a leader")


def test_an_act_goes_to_another_manager_only_before_it_was_sent(
    product: Product, managers: tuple[FakeEngine, FakeEngine]
) -> None:
    first, second = managers
    if swarm(product)["read_through"] == "reef-2":  # the one that is asked first
        first, second = second, first
    first.misbehave("/swarm", NO_LEADER, 1)
    assert "gives its tasks to other nodes" in drain(product).text
    assert updates(first, second) == [0, 1]
    until(lambda: swarm(product)["read_through"] != "", "one of them reads")
    for engine in managers:
        engine.misbehave(f"/nodes/{NODE['ID']}/update", Cut())
    assert "The connection to" in drain(product).text
    assert sum(updates(first, second)) == 2


def test_an_act_that_was_overtaken_is_tried_again(product: Product, managers: tuple[FakeEngine, FakeEngine]) -> None:
    overtaken = Fail(500, "rpc error: code = Unknown desc = update out of sequence")
    for engine in managers:
        engine.misbehave(f"/nodes/{NODE['ID']}/update", InTurn([overtaken, Says({})]))
    assert "gives its tasks to other nodes" in drain(product).text
    assert sum(updates(*managers)) == 2
    for engine in managers:
        engine.misbehave(f"/nodes/{NODE['ID']}/update", overtaken)
    assert "was changed by somebody else meanwhile" in drain(product).text


def test_an_engine_that_may_not_tell_of_its_swarm_is_watched_all_the_same(
    product: Product, managers: tuple[FakeEngine, FakeEngine]
) -> None:
    for engine in managers:
        engine.misbehave("/swarm", Fail(403, "forbidden by the proxy"))
    until(lambda: swarm(product)["read_through"] == "", "nobody reads it")
    assert [product.api(f"hosts/reef-{number}")["state"] for number in (1, 2)] == ["online", "online"]


def test_making_a_swarm_is_cancelled_within_a_moment_and_says_what_may_be_left(
    product: Product, fake_engine: FakeEngine
) -> None:
    fake_engine.misbehave("/swarm/init", Hang())
    product.api("hosts", "POST", name="sandbank", url=fake_engine.url)
    try:
        until(lambda: product.api("hosts/sandbank")["state"] == "online", "sandbank is online")
        number = product.api("swarms/init", "POST", host="sandbank")["job"]
        until(lambda: any(r.path.endswith("/swarm/init") for r in fake_engine.requests), "the engine is asked")
        with Watched(product, number) as job:
            product.api(f"jobs/{number}/cancel", "POST")
            end = job.end(3)
        assert end["state"] == "cancelled"
        assert "may do it all the same" in product.http.get(f"{product.url}/jobs/{number}/").text
    finally:
        product.api("hosts/sandbank", "DELETE")
