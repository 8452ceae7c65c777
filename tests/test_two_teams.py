"""Two teams on one real engine, as programs with tokens of their own: each makes, runs and removes what is its own, and
comes to nothing of the other's."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.registry import PASSWORD, USER, Registry
from tests.servers.member import Member, members
from tests.servers.product import Product
from tests.waiting import until


@pytest.fixture
def teams(product: Product, docker_engine: DockerEngine) -> Iterator[tuple[Member, Member]]:
    with members(product, docker_engine, "blue", "red") as (blue, red):
        yield blue, red


def test_a_team_has_its_own_containers_volumes_and_networks(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    net, web, data = f"{blue.team}-net", f"{blue.team}-web", f"{blue.team}-data"
    blue.does("networks/local", name=net)
    spec: dict[str, Any] = {
        "image": "busybox",
        "name": web,
        "command": ["sleep", "1000"],
        "networks": [{"name": net}],
        "mounts": [{"type": "volume", "source": data, "target": "/data"}],
    }
    job = blue.does("containers/local", **spec)
    assert job["state"] == "done", job
    inspect = json.loads(docker_engine.docker("inspect", web))[0]
    assert inspect["Config"]["Labels"]["dermaga.team"] == blue.team
    volume = json.loads(docker_engine.docker("volume", "inspect", data))[0]
    assert volume["Labels"]["dermaga.team"] == blue.team
    for noun, name in (("containers", web), ("networks", net), ("volumes", data)):
        until(lambda noun=noun, name=name: name in blue.names(noun), f"{name} shows")  # type: ignore[misc]
        assert name not in red.names(noun)
    # what it may do with them
    blue.does(f"containers/local/{web}/stop", timeout=0)
    until(lambda: blue.ask(f"containers/local/{web}").json()["state"] == "exited", "it is stopped")
    blue.does(f"containers/local/{web}/start")
    assert blue.ask(f"containers/local/{web}/files?path=/").ok and blue.ask(f"containers/local/{web}/logs").ok
    made = blue.does(f"containers/local/{web}/recreate", specification=spec | {"env": {"A": "1"}}, settle=0)
    assert made["state"] == "done", made
    again = json.loads(docker_engine.docker("inspect", web))[0]
    assert again["Config"]["Labels"]["dermaga.team"] == blue.team and "A=1" in again["Config"]["Env"]
    until(lambda: web in blue.names("containers"), "the new one shows")
    # what the other may not
    assert red.ask(f"containers/local/{web}").status_code == 404
    assert red.ask(f"containers/local/{web}/stop", "POST").status_code == 404
    for part in ({"networks": [{"name": net}]}, {"mounts": spec["mounts"]}, {"network_mode": f"container:{web}"}):
        refused = red.ask("containers/local", "POST", image="busybox", command=["true"], **part)
        assert refused.status_code == 422, refused.text
    assert not red.ask("volumes/local/prune", "POST", all=True).ok
    blue.does(f"containers/local/{web}/remove", force=True)
    until(lambda: web not in blue.names("containers"), "it is gone")


def test_what_is_adopted_stays_the_teams_when_it_is_made_anew(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    blue, red = teams
    name = f"found-{blue.team}"
    docker_engine.docker("run", "-d", "--name", name, "busybox", "sleep", "1000")
    try:
        until(lambda: name in {row["name"] for row in product.api("containers?limit=500")["items"]}, "it is there")
        assert name not in blue.names("containers")
        product.api("owners", "PUT", noun="container", host="local", ref=name, team=blue.team)
        assert name in blue.names("containers") and name not in red.names("containers")
        docker_engine.docker("rm", "-f", name)
        until(lambda: name not in blue.names("containers"), "it is gone")
        docker_engine.docker("run", "-d", "--name", name, "busybox", "sleep", "1000")
        until(lambda: name in blue.names("containers"), "the new one is the team's")
        refused = red.ask("containers/local", "POST", image="busybox", name=name, command=["true"])
        assert refused.status_code == 422 and refused.json()["field"] == "name"
    finally:
        docker_engine.docker("rm", "-f", name)


def test_an_image_is_of_who_pulls_it(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine, registry: Registry
) -> None:
    """What a team has pulled another one uses only after a pull of its own, by its own login."""
    blue, red = teams
    docker_engine.docker("build", "-t", "secret-base", "-", stdin=f"FROM busybox\nLABEL of={blue.team}\n".encode())
    full = registry.push(docker_engine, "secret-base", f"{blue.team}/app:1")
    docker_engine.docker("rmi", "-f", full, "secret-base")
    until(lambda: full not in product.api("images?limit=500")["items"].__repr__(), "it is gone from the host")
    assert blue.does("images/local/pull", image=full)["state"] == "done"
    until(lambda: full in blue.names("images"), "it is blue's")
    assert full not in red.names("images")
    job = red.does("containers/local", image=full, command=["true"])
    assert job["state"] == "failed" and "pulled always" in job["error"], job
    assert red.does("images/local/pull", image=full)["state"] == "done"
    until(lambda: full in red.names("images"), "it is red's too")
    made = red.does("containers/local", image=full, name=f"{red.team}-app", command=["true"], start=False)
    assert made["state"] == "done", made
    docker_engine.docker("rm", "-f", f"{red.team}-app")
    docker_engine.docker("rmi", "-f", full)


def test_a_team_pulls_with_its_own_account_and_nobody_else_does(
    teams: tuple[Member, Member], product: Product, docker_engine: DockerEngine, locked_registry: Registry
) -> None:
    blue, red = teams
    full = locked_registry.push(docker_engine, "busybox", f"{blue.team}/private:1")
    product.api("registries", "POST", name=blue.team, address=locked_registry.address, plain_http=True)
    try:
        login: dict[str, Any] = {"username": USER, "secret": PASSWORD, "team": blue.team}
        account = product.api(f"registries/{blue.team}/accounts", "POST", **login)["id"]
        assert red.does("images/local/pull", image=full)["state"] == "failed"
        refused = red.ask("images/local/pull", "POST", image=full, account=account)
        assert (refused.status_code, refused.json()["field"]) == (422, "account")
        assert red.ask(f"registries/{blue.team}").status_code == 404
        assert red.does("containers/local", image=full, pull="always", command=["true"])["state"] == "failed"
        assert blue.does("images/local/pull", image=full)["state"] == "done"
        until(lambda: full in blue.names("images"), "it is blue's")
        docker_engine.docker("rmi", full)
    finally:
        product.api(f"registries/{blue.team}", "DELETE")
