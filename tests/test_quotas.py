"""Quotas on a real engine: what a team may not have is refused before the engine is asked, also when many ask at once."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.registry import Registry
from tests.servers.member import Member, members
from tests.servers.product import Product
from tests.waiting import until

MIB = 1024 * 1024


@pytest.fixture
def both(product: Product, docker_engine: DockerEngine) -> Iterator[tuple[Member, Member]]:
    with members(product, docker_engine, "green", "grey") as (green, grey):
        yield green, grey


@pytest.fixture
def green(both: tuple[Member, Member]) -> Member:
    return both[0]


def bound(product: Product, member: Member, host: str = "local", **bounds: Any) -> None:
    product.api("quotas", "PUT", team=member.team, host=host, **bounds)


def used(member: Member, host: str = "local") -> dict[str, Any]:
    (found,) = member.ask(f"quotas?host={host}&team={member.team}").json()["items"]
    return dict(found["used"])


def make(member: Member, name: str = "", **more: Any) -> Any:
    """A container that is made and not started, or why not: {"code", "field", "error"}."""
    body = {"image": "busybox", "name": f"{member.team}-{name}" if name else "", "command": ["sleep", "1000"], **more}
    answer = member.ask("containers/local?start=false", "POST", **body)
    if answer.status_code == 403:
        return answer.json()
    assert answer.status_code == 202, answer.text
    return member.end(answer.json()["job"])


def allowed(said: Any) -> bool:
    assert said.get("state") in {None, "done", "failed"}, said
    if said.get("state") == "failed":
        assert "The quota of the team" in said["error"], said
    return bool(said.get("state") == "done")


def refused(said: Any, field: str) -> str:
    assert said.get("code") == "quota_exceeded" and said["field"] == field, said
    return str(said["title"])


def of_team(engine: DockerEngine, member: Member, what: str = "ps -aq") -> list[str]:
    return engine.docker(*what.split(), "--filter", f"label=dermaga.team={member.team}").split()


# ---------------------------------------------------------------- containers
def test_a_team_has_so_many_containers_and_another_is_not_bound(
    both: tuple[Member, Member], product: Product, docker_engine: DockerEngine
) -> None:
    green, grey = both
    bound(product, green, containers=2)
    assert allowed(make(green, "a")) and allowed(make(green, "b"))
    assert used(green) == {"containers": 2}
    words = refused(make(green, "c"), "name")
    assert f"the team {green.team} on local is used up. Containers: 2 of 2." in words
    assert allowed(make(grey, "c"))
    rows = product.api("audit?action=container.create&outcome=refused")["items"]
    assert rows[0]["detail"] == {"reason": "quota_exceeded", "what": ["containers"]} and rows[0]["actor"] == green.name
    # what is removed is free at once
    green.does(f"containers/local/{green.team}-a/remove", force=True)
    until(lambda: used(green) == {"containers": 1}, "one is free")
    assert allowed(make(green, "c"))
    assert len(of_team(docker_engine, green)) == 2


def test_of_many_that_ask_at_once_no_more_get_it_than_there_is(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    bound(product, green, containers=4, memory=64 * MIB)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda n: make(green, f"n{n}", limits={"memory": 20 * MIB}), range(8)))
    assert sum(map(allowed, said)) == 3
    assert len(of_team(docker_engine, green)) == 3
    assert used(green) == {"containers": 3, "memory": 60 * MIB}


def test_what_says_no_limit_counts_as_its_whole_host_or_gets_the_teams_own(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    host = product.api("hosts/local")
    bound(product, green, cpus=host["cpus"] / 2, memory=256 * MIB, pids=300)
    said = make(green, "greedy")
    assert "Give it a limit" in refused(said, "limits.cpus")
    assert [one["field"] for one in said["errors"]] == ["limits.cpus", "limits.memory", "limits.pids"]
    bound(product, green, default_cpus=0.25, default_memory=32 * MIB, default_pids=50)
    assert allowed(make(green, "small"))
    config = json.loads(docker_engine.docker("inspect", f"{green.team}-small"))[0]["HostConfig"]
    assert (config["NanoCpus"], config["Memory"], config["PidsLimit"]) == (250_000_000, 32 * MIB, 50)
    assert used(green) == {"cpus": 0.25, "memory": 32 * MIB, "pids": 50}
    assert allowed(make(green, "own", limits={"memory": 64 * MIB, "cpus": 0.1, "pids": 20}))
    assert used(green) == {"cpus": 0.35, "memory": 96 * MIB, "pids": 70}


def test_no_limit_and_no_name_gets_around_it(green: Member, product: Product) -> None:
    bound(product, green, cpus=1, containers=2)
    for wrong, field in (
        ({"limits": {"cpus": 0.000001}}, "limits.cpus"),
        ({"name": "Dermaga-Files-1", "limits": {"cpus": 0.1}}, "name"),
        ({"name": f"/{green.team}", "limits": {"cpus": 0.1}}, "name"),
    ):
        body: dict[str, Any] = {"image": "busybox", "command": ["true"], **wrong}
        answer = green.ask("containers/local", "POST", **body)
        assert (answer.status_code, answer.json()["field"]) == (422, field), answer.text
    assert used(green) == {"containers": 0, "cpus": 0}


def test_what_came_by_another_way_counts_too(green: Member, product: Product, docker_engine: DockerEngine) -> None:
    bound(product, green, containers=1, memory=64 * MIB)
    label = ("--label", f"dermaga.team={green.team}")
    docker_engine.docker("create", "--name", f"{green.team}-x", *label, "busybox", "true")
    memory = product.api("hosts/local")["memory"]
    until(lambda: used(green) == {"containers": 1, "memory": memory}, "it is counted with all of its host's memory")
    refused(make(green, "more", limits={"memory": 8 * MIB}), "name")


def test_more_by_a_change_in_place_is_refused_and_less_is_not(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    bound(product, green, memory=64 * MIB, cpus=1)
    limits = {"memory": 32 * MIB, "memory_swap": 32 * MIB, "cpus": 0.5, "pids": 100}
    assert allowed(make(green, "a", limits=limits)) and allowed(make(green, "b", limits=limits))
    path = f"containers/local/{green.team}-a/update"
    answer = green.ask(path, "POST", limits={"memory": 40 * MIB, "memory_swap": 40 * MIB})
    refused(answer.json(), "limits.memory")
    refused(green.ask(path, "POST", limits={"cpus": 0.75}).json(), "limits.cpus")
    bound(product, green, pids=1000)
    for none in (-1, 0):  # both are no limit for an engine
        refused(green.ask(path, "POST", limits={"pids": none}).json(), "limits.pids")
    bound(product, green, pids=None)
    green.does(path, limits={"memory": 16 * MIB, "memory_swap": 16 * MIB})
    assert used(green) == {"memory": 48 * MIB, "cpus": 1}
    green.does(f"containers/local/{green.team}-b/update", limits={"memory": 48 * MIB, "memory_swap": 48 * MIB})
    assert used(green) == {"memory": 64 * MIB, "cpus": 1}


def test_at_the_bound_a_container_is_made_anew_but_not_greater(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    bound(product, green, containers=1, memory=32 * MIB)
    assert allowed(make(green, "a", limits={"memory": 32 * MIB}))
    until(lambda: f"{green.team}-a" in green.names("containers"), "it shows")
    spec = {"image": "busybox", "name": f"{green.team}-a", "command": ["sleep", "1000"]}
    path = f"containers/local/{green.team}-a/recreate"
    made = green.does(path, specification=spec | {"limits": {"memory": 32 * MIB}, "env": {"A": "1"}}, settle=0)
    assert made["state"] == "done", made
    until(lambda: used(green) == {"containers": 1, "memory": 32 * MIB}, "it is one again")
    said = green.ask(path, "POST", specification=spec | {"limits": {"memory": 33 * MIB}}, settle=0)
    refused(said.json(), "limits.memory")
    # a bound that is less than what is there takes nothing away, and keeps nothing from being made anew
    bound(product, green, memory=16 * MIB)
    assert green.does(path, specification=spec | {"limits": {"memory": 32 * MIB}}, settle=0)["state"] == "done"


def test_an_image_that_says_whose_it_is_makes_no_container_that_nobody_counts(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    """What a container has from its image says nothing of its owner."""
    bound(product, green, containers=1)
    tag = f"trick-{green.team}"
    docker_engine.docker("build", "-t", tag, "-", stdin=f"FROM busybox\nLABEL dermaga.team={green.team}\n".encode())
    try:
        until(lambda: tag in json.dumps(product.api("images?limit=500")["items"]), "it is known")
        product.api("owners", "PUT", noun="image", host="local", ref=tag, shared=[green.team])
        job = make(green, "free", image=tag)
        assert job["state"] == "failed" and "has the label dermaga.team itself" in job["error"]
        assert docker_engine.docker("ps", "-aq", "--filter", f"name={green.team}-free") == ""
    finally:
        docker_engine.docker("rmi", "-f", tag)


def test_no_container_passes_for_a_task_of_a_service(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    """Those count with their service."""
    bound(product, green, containers=1)
    label, tag = "com.docker.swarm.service.id", f"task-{green.team}"
    docker_engine.docker("build", "-t", tag, "-", stdin=f"FROM busybox\nLABEL {label}=web\n".encode())
    try:
        until(lambda: tag in json.dumps(product.api("images?limit=500")["items"]), "it is known")
        product.api("owners", "PUT", noun="image", host="local", ref=tag, shared=[green.team])
        words, spec = "are for the containers of a swarm's tasks", {"name": f"{green.team}-x", "command": ["true"]}
        answer = green.ask("containers/local", "POST", image="busybox", labels={label: "web"}, **spec)
        assert (answer.status_code, answer.json()["field"]) == (422, "labels") and words in answer.text
        job = make(green, "free", image=tag)
        assert job["state"] == "failed" and words in job["error"], job
        # who may make any container says whose it is, and no more may it pass for a task
        labels = {label: "web", "dermaga.team": green.team}
        made = product.api("containers/local", "POST", image="busybox", labels=labels, **spec)
        job = until(
            lambda: (found := product.api(f"jobs/{made['job']}"))["state"] == "failed" and found, "it is refused"
        )
        assert words in job["error"]
        assert of_team(docker_engine, green) == [] and used(green) == {"containers": 0}
    finally:
        docker_engine.docker("rmi", "-f", tag)


# ---------------------------------------------------------------- what else there is
def test_volumes_are_bound_also_those_that_come_with_a_container(
    green: Member, product: Product, docker_engine: DockerEngine
) -> None:
    bound(product, green, volumes=2)
    green.does("volumes/local", name=f"{green.team}-one")
    mounts = [{"type": "volume", "source": f"{green.team}-{name}", "target": f"/{name}"} for name in ("two", "three")]
    said = refused(make(green, "a", mounts=mounts), "name")
    assert "there are 1 of 2, and this asks for 2" in said
    assert allowed(make(green, "a", mounts=mounts[:1]))
    assert used(green) == {"volumes": 2}
    refused(green.ask("volumes/local", "POST", name=f"{green.team}-three").json(), "name")
    assert len(of_team(docker_engine, green, "volume ls -q")) == 2


def test_full_volumes_let_no_new_one_in(green: Member, product: Product, docker_engine: DockerEngine) -> None:
    name = f"{green.team}-full"
    green.does("volumes/local", name=name)
    docker_engine.docker(
        "run", "--rm", "-v", f"{name}:/v", "busybox", "dd", "if=/dev/zero", "of=/v/x", "bs=1M", "count=3"
    )
    bound(product, green, volume_bytes=2 * MIB)
    job = product.api("disk/local/measure", "POST")["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] == "done", "it is measured")
    until(lambda: used(green)["volume_bytes"] >= 3 * MIB, "its size is known")
    assert "may hold 2.0 MiB" in refused(green.ask("volumes/local", "POST", name=f"{name}-2").json(), "name")


def test_published_ports_are_bound(green: Member, product: Product, docker_engine: DockerEngine) -> None:
    product.api("policies", "POST", host="local", rules={"ports": ["20000-29999"]})
    policy = next(one["id"] for one in product.api("policies")["items"] if one["host"] == "local")
    try:
        bound(product, green, ports=2)
        ports = [{"host": str(23000 + n), "container": str(80 + n)} for n in range(3)]
        assert allowed(make(green, "a", ports=ports[:2]))
        assert used(green) == {"ports": 2}
        refused(make(green, "b", ports=ports[2:]), "ports")
        refused(make(green, "b", publish_all=True, expose=["80/tcp"]), "ports")
        bound(product, green, ports=3)
        assert allowed(make(green, "all", publish_all=True, expose=["80/tcp"]))
        assert used(green) == {"ports": 3}
        refused(make(green, "b", publish_all=True, expose=["80/tcp"]), "ports")
        assert allowed(make(green, "b"))
    finally:
        product.api(f"policies/{policy}", "DELETE")


def test_so_many_images_are_pulled_a_day_and_what_failed_does_not_count(
    green: Member, product: Product, docker_engine: DockerEngine, registry: Registry
) -> None:
    docker_engine.docker("build", "-t", "pulled", "-", stdin=f"FROM busybox\nLABEL of={green.team}\n".encode())
    full = registry.push(docker_engine, "pulled", f"{green.team}/app:1")
    bound(product, green, pulls=2)
    try:
        assert green.does("images/local/pull", image=f"{full}-none")["state"] == "failed"
        assert used(green) == {"pulls": 0}
        assert green.does("images/local/pull", image=full)["state"] == "done"
        assert allowed(make(green, "a", image=full, pull="always"))
        assert used(green) == {"pulls": 2}
        job = green.does("images/local/pull", image=full)
        assert job["state"] == "failed" and "pulled in 24 hours: 2 of 2" in job["error"]
    finally:
        docker_engine.docker("rm", "-f", *of_team(docker_engine, green))
        docker_engine.docker("rmi", "-f", full, "pulled")


# ---------------------------------------------------------------- all hosts, and who sees what
def test_a_bound_for_all_hosts_holds_beside_that_of_one(green: Member, product: Product) -> None:
    bound(product, green, containers=5)
    bound(product, green, host="", containers=1)
    assert allowed(make(green, "a"))
    assert "on all hosts together is used up. Containers: 1 of 1" in refused(make(green, "b"), "name")
    product.api(f"quotas?team={green.team}", "DELETE")
    assert allowed(make(green, "b"))


def test_a_team_sees_its_own_quota_and_no_others_and_sets_none(both: tuple[Member, Member], product: Product) -> None:
    green, grey = both
    for member in both:
        bound(product, member, containers=3)
    assert [one["team"] for one in green.ask("quotas").json()["items"]] == [green.team]
    assert green.ask(f"quotas?team={grey.team}").json()["count"] == 0
    assert green.ask("quotas", "PUT", team=green.team, host="local", containers=100).status_code == 403
    assert green.ask(f"quotas?team={green.team}&host=local", "DELETE").status_code == 403
    assert used(green) == {"containers": 0}
