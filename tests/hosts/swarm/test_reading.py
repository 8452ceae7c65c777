"""A real swarm in the tables: who is in it, what it has, and that it goes on being true when its manager is lost."""

from typing import Any

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.podman_engine import PodmanEngine
from tests.engines.swarm import RealSwarm
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core


def nodes(product: Product, swarm: str) -> dict[str, Any]:
    return {node["name"]: node for node in product.api(f"nodes?swarm={swarm}&limit=500")["items"]}


def test_a_swarm_and_its_nodes_are_known_by_themselves(product: Product, swarm: RealSwarm, known: str) -> None:
    shown = product.api(f"swarms/{known}")
    assert shown["managers"] == 3 and shown["read_through"] in swarm.engines
    assert {m["node_id"] for m in shown["members"]} == {swarm.node_id(name) for name in swarm.engines}
    found = nodes(product, known)
    assert {(n["host"], n["role"], n["state"], n["availability"]) for n in found.values()} == {
        (name, "manager", "ready", "active") for name in swarm.engines
    }
    assert [n["name"] for n in found.values() if n["leader"]] == [
        name for name in swarm.engines if swarm.inspect("node", name)["ManagerStatus"].get("Leader")
    ]
    assert product.api(f"swarms/{shown['id']}")["name"] == known


def test_what_the_command_line_changes_shows_by_itself(product: Product, swarm: RealSwarm, known: str) -> None:
    swarm.first.docker("node", "update", "--label-add", "deck=upper", "--availability", "pause", "buoy-c")
    try:
        until(lambda: nodes(product, known)["buoy-c"]["availability"] == "pause", "the node is paused")
        assert [n["name"] for n in product.api("nodes?label=deck%3Dupper")["items"]] == ["buoy-c"]
    finally:
        swarm.first.docker("node", "update", "--label-rm", "deck", "--availability", "active", "buoy-c")


def test_another_manager_takes_over_from_one_that_is_cut_off(product: Product, swarm: RealSwarm, known: str) -> None:
    lost = product.api(f"swarms/{known}")["read_through"]
    swarm.engines[lost].cut("drop")
    other = next(engine for name, engine in swarm.engines.items() if name != lost)

    def moved() -> Any:
        return product.api(f"swarms/{known}")["read_through"] not in {"", lost}

    until(moved, "another manager is read")
    name = other.docker("info", "--format", "{{.Name}}").strip()
    other.docker("node", "update", "--label-add", "seen=after", name)
    try:
        until(lambda: nodes(product, known)[name]["labels"] == {"seen": "after"}, "what changed then shows")
        assert product.api(f"swarms/{known}")["state"] == "active"
    finally:
        other.docker("node", "update", "--label-rm", "seen", name)


def test_an_engine_in_no_swarm_and_podman_have_none(
    product: Product, docker_engine: DockerEngine, podman_engine: PodmanEngine
) -> None:
    product.api("hosts", "POST", name="skiff", url=podman_engine.url)
    try:
        until(lambda: product.api("hosts/skiff")["state"] == "online", "skiff is online")
        names = {m["host"] for s in product.api("swarms")["items"] for m in s["members"]}
        assert not names & {"skiff", "local"}
        assert product.api("nodes?search=skiff")["count"] == 0
    finally:
        product.api("hosts/skiff", "DELETE")
