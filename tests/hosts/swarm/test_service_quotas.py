"""Quotas of teams in a real swarm: services count by what they say, and what is too much never reaches the swarm."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.engines.swarm import RealSwarm
from tests.hosts.swarm.services import QUIET, Fleet
from tests.servers.product import Product
from tests.waiting import until

MIB = 1024 * 1024
SMALL = {"limits": {"cpus": 0.1, "memory": 16 * MIB, "pids": 20}}


class TeamFleet(Fleet):
    """One whose services are a team's."""

    def __init__(self, product: Product, swarm: RealSwarm, name: str) -> None:
        super().__init__(product, swarm, name)
        self.team = f"crew-{uuid4().hex[:6]}"
        self.label = {"labels": {"dermaga.team": self.team}}
        product.api("teams", "POST", name=self.team)

    def bound(self, host: str = "", **bounds: Any) -> None:
        self.product.api("quotas", "PUT", team=self.team, host=host, **bounds)

    def used(self, host: str = "") -> dict[str, Any]:
        found = self.product.api(f"quotas?team={self.team}")["items"]
        return next(dict(quota["used"]) for quota in found if quota["host"] == host)

    def spec_of(self, replicas: int = 1, **more: Any) -> dict[str, Any]:
        return QUIET | self.label | SMALL | {"mode": {"replicas": replicas}, "pin": False} | more

    def make(self, replicas: int = 1, **more: Any) -> str:
        """A service of the team; its name."""
        return self.create(**self.spec_of(replicas, **more))

    def not_made(self, replicas: int = 1, **more: Any) -> Any:
        """What is answered to who asks for too much."""
        body = self.spec_of(replicas, **more) | {"name": self.new_name()}
        said = self.refused(f"services/{self.name}", **body)
        assert said["code"] == "quota_exceeded", said
        return said

    def services(self) -> list[str]:
        """Names of those that the engine has."""
        listed = ("service", "ls", "--filter", f"label=dermaga.team={self.team}", "--format", "{{.Name}}")
        return self.swarm.first.docker(*listed).split()


@pytest.fixture
def fleet(product: Product, swarm: RealSwarm, known: str) -> Iterator[TeamFleet]:
    found = TeamFleet(product, swarm, known)
    yield found
    found.clear()
    product.api(f"teams/{found.team}", "DELETE")


def test_a_service_counts_with_all_its_tasks_and_their_containers_do_not(fleet: TeamFleet) -> None:
    fleet.bound(containers=4, memory=100 * MIB)
    name = fleet.make(3)
    fleet.runs(name, 3)
    until(lambda: fleet.product.api(f"containers?search={name}")["count"] == 3, "its containers are in the table")
    assert fleet.used() == {"containers": 3, "memory": 48 * MIB}
    said = fleet.not_made(2)
    assert said["field"] == "mode.replicas" and "Containers: 3 of 4" in said["title"]
    assert fleet.not_made(1, limits={"memory": 64 * MIB})["field"] == "limits.memory"
    assert "Give it a limit" in fleet.not_made(1, limits={})["title"]
    assert fleet.services() == [name]
    refusals = fleet.product.api("audit?action=service.create&outcome=refused")["items"]
    assert refusals[0]["detail"] == {"reason": "quota_exceeded", "what": ["memory"]}
    fleet.do(f"services/{fleet.name}/{name}/redeploy")  # with old containers beside new ones
    until(lambda: fleet.used() == {"containers": 3, "memory": 48 * MIB}, "no old one counts")
    fleet.product.api(f"services/{fleet.name}/{name}/remove", "POST")
    until(lambda: fleet.used() == {"containers": 0, "memory": 0}, "what is removed is free")


def test_more_by_scaling_editing_or_going_back_is_refused_and_less_is_not(fleet: TeamFleet) -> None:
    fleet.bound(containers=3, cpus=0.5)
    name = fleet.make(2)
    path = f"services/{fleet.name}/{name}"
    said = fleet.refused(f"{path}/scale", replicas=4)
    assert (said["code"], said["field"]) == ("quota_exceeded", "replicas")
    fleet.do(f"{path}/scale", replicas=3)
    assert fleet.used() == {"containers": 3, "cpus": 0.3}
    assert fleet.refused(path, "PATCH", spec={"limits": {"cpus": 0.2}})["field"] == "limits.cpus"
    assert fleet.refused(path, "PATCH", spec={"mode": {"replicas": 4}})["field"] == "mode.replicas"
    fleet.do(f"{path}/scale", replicas=1)
    fleet.runs(name, 1)
    until(lambda: fleet.used() == {"containers": 1, "cpus": 0.1}, "what is stopped is free")
    other = fleet.make(2)
    # the specification before had three tasks: the engine would take it back, whatever is sent
    job = fleet.end(fleet.start(f"{path}/rollback"))
    assert job["state"] == "failed" and "of this service 3 tasks may run there" in job["error"], job
    assert fleet.spec(name)["Mode"]["Replicated"]["Replicas"] == 1
    assert fleet.used() == {"containers": 3, "cpus": 0.3}
    fleet.bound(containers=1)  # less than there is: nothing stops, and what stays as it is can be changed
    fleet.do(f"services/{fleet.name}/{other}", "PATCH", spec={"env": {"A": "1"}}, pin=False)


def test_on_a_host_as_many_count_as_may_run_there(fleet: TeamFleet) -> None:
    fleet.bound("buoy-b", containers=2)
    said = fleet.not_made(3)
    assert "on buoy-b does not suffice" in said["title"] and "of this service 3 tasks may run there" in said["title"]
    name = fleet.make(3, placement={"max_replicas": 1})
    assert fleet.used("buoy-b") == {"containers": 1}
    fleet.make(1, mode={"kind": "global"})
    assert fleet.used("buoy-b") == {"containers": 2}
    assert fleet.not_made(1, mode={"kind": "global"})["field"] == "name"
    path = f"services/{fleet.name}/{name}"
    assert fleet.refused(path, "PATCH", spec={"placement": {}})["code"] == "quota_exceeded"


def test_of_many_that_ask_at_once_no_more_get_it_than_there_is(fleet: TeamFleet) -> None:
    fleet.bound(memory=6 * 16 * MIB)
    names = [fleet.new_name() for _ in range(6)]

    def make(name: str) -> bool:
        spec = fleet.spec_of(2, name=name)
        headers = {"Authorization": f"Bearer {fleet.product.token}"}
        url = f"{fleet.product.url}/api/v1/services/{fleet.name}"
        answer = requests.post(url, json=spec, headers=headers, timeout=30)
        if answer.status_code == 403:
            assert answer.json()["code"] == "quota_exceeded"
            return False
        job = fleet.end(answer.json()["job"])
        assert job["state"] == "done" or "The quota of the team" in job["error"], job
        return bool(job["state"] == "done")

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(make, names)) == 3
    assert len(fleet.services()) == 3 and fleet.used() == {"memory": 96 * MIB}


def test_a_task_gets_no_more_than_its_service_says(fleet: TeamFleet) -> None:
    fleet.bound(memory=100 * MIB)
    name = fleet.make(1)
    (task,) = [task for task in fleet.runs(name, 1)["tasks"] if task["current"]]
    found = until(lambda: fleet.product.api(f"containers?search={name}")["items"], "its container is in the table")
    said = fleet.refused(
        f"containers/{task['node']}/{found[0]['name']}/update", limits={"memory": 64 * MIB, "memory_swap": 64 * MIB}
    )
    assert said["status"] == 409 and f"runs for the service {name}" in said["title"], said
