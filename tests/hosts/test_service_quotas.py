"""What the services of a team count: by their specifications, in all and on each host of their swarm."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, Grant, Membership, Quota, Team
from accounts.rights import Role
from common.errors import QuotaExceeded
from hosts.engine import parse
from hosts.engine.parse.service_tasks import tasks_of
from hosts.inventory import apply, swarms
from hosts.inventory.swarm_reader import ROWS
from hosts.models import Container, Host, Node, Reservation, Service, Swarm
from hosts.quotas.services import check_service_now, service_allotted
from hosts.quotas.usage import used
from jobs.models import Job
from tests.hosts.swarm.rows import service_json
from tests.rows import a_host, a_swarm, container_json, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
GIB = 1024**3
CPU = 10**9
LIMITS = {"NanoCPUs": CPU // 2, "MemoryBytes": GIB, "Pids": 100}
SERVICE, TASKS_CONTAINER = "s" * 25, "e" * 64


@pytest.fixture
def fleet(client: Client) -> Swarm:
    """A swarm of two nodes, of which the host dock is one; north has a quota on it and one in all. The admin is logged in."""
    dock, team = a_host("dock"), Team.objects.create(name="north")
    Host.objects.update(cpus=8, memory=16 * GIB)
    swarm = a_swarm(dock)
    Swarm.objects.update(name="fleet")
    Service.objects.all().delete()
    Grant.objects.create(team=team, role=Role.DEPLOYER, host=dock, own=True)
    Membership.objects.create(team=team, user=person("nils", "member"))
    Quota.objects.create(team=team, host=dock, containers=5, cpus=20, memory=50 * GIB, pids=10**9, ports=9)
    Quota.objects.create(team=team, containers=5, cpus=20, memory=50 * GIB, pids=10**9, ports=9)
    client.force_login(person("ada", "admin"))
    return Swarm.objects.get(pk=swarm.pk)


def spec(mode: Any = None, limits: Any = None, team: str = "north", **more: Any) -> dict[str, Any]:
    task = {"ContainerSpec": {"Image": "a"}, "Resources": {"Limits": LIMITS if limits is None else limits}}
    task |= {"Placement": {"MaxReplicas": more.pop("max_replicas", 0)}}
    mode = {"Replicated": {"Replicas": mode}} if isinstance(mode, int) else mode
    labels = {"dermaga.team": team} if team else {}
    return {"Name": "web", "Labels": labels, "TaskTemplate": task, "Mode": mode or {"Replicated": {}}, **more}


def store(swarm: Swarm, body: dict[str, Any], key: str = SERVICE, version: int = 7) -> Service:
    row = ROWS["service"](service_json("web", ID=key, Spec=body, Version={"Index": version}))
    swarms.apply_objects(swarm, "service", [row], only={key})
    return Service.objects.get(engine_id=key)


def a_task(host: Host, number: int = 1, **more: Any) -> Container:
    """A container of the service's task that runs on the host."""
    key = f"{number}".ljust(64, "e")
    labels = {"com.docker.swarm.service.id": SERVICE, "com.docker.swarm.task.id": f"t{number}"}
    entry = container_json(f"web.{number}", **{"Id": key, "Labels": labels, **more})
    apply.apply_rows(host, "image", [parse.image_row({"Id": "sha256:" + "1" * 64, "Size": 1})])
    apply.apply_rows(host, "container", [parse.container_row(entry)], only={key})
    return Container.objects.get(engine_id=key)


def shares(client: Client) -> dict[str, Any]:
    """What is used, as the API says it: on the host, and in all as ""."""
    return {quota["host"]: quota["used"] for quota in client.get("/api/v1/quotas").json()["items"]}


def refused(swarm: Swarm, body: dict[str, Any], old: Service | None = None) -> list[tuple[str, str, str]]:
    """(place, field, what) of each bound that does not suffice."""
    team, ada = Team.objects.get(name="north"), person(f"eve{Quota.objects.count()}{id(body)}", "admin")
    try:
        check_service_now(ada, team.pk, swarm, body, "service.create", "web", old)
    except QuotaExceeded as error:
        found = [error, *error.others]
        return [(str(one.params["place"]), one.field, str(one.params["what"])) for one in found]  # type: ignore[attr-defined]
    return []


# ---------------------------------------------------------------- how many
@pytest.mark.parametrize(
    ("mode", "max_replicas", "in_all", "on_host"),
    [
        (3, 0, 3, 3),
        (3, 2, 3, 2),
        (1, 2, 1, 1),
        (0, 0, 0, 0),
        ({"Replicated": {}}, 0, 1, 1),
        ({"Global": {}}, 0, 2, 1),
        ({"GlobalJob": {}}, 0, 2, 1),
        ({"ReplicatedJob": {"MaxConcurrent": 2, "TotalCompletions": 9}}, 0, 2, 2),
        ({"ReplicatedJob": {"MaxConcurrent": 4, "TotalCompletions": 3}}, 0, 3, 3),
        ({"ReplicatedJob": {"MaxConcurrent": 0, "TotalCompletions": 3}}, 0, 3, 3),
        ({"ReplicatedJob": {}}, 0, 1, 1),
    ],
)
def test_a_service_counts_with_its_tasks_in_all_and_with_as_many_as_may_run_on_a_host(
    client: Client, fleet: Swarm, mode: Any, max_replicas: int, in_all: int, on_host: int
) -> None:
    store(fleet, spec(mode, max_replicas=max_replicas))
    found = shares(client)
    for place, number in (("", in_all), ("dock", on_host)):
        assert found[place] == {
            "containers": number,
            "cpus": number / 2,
            "memory": number * GIB,
            "pids": number * 100,
            "ports": 0,
        }


def test_tasks_without_limits_count_as_a_whole_host_each(client: Client, fleet: Swarm) -> None:
    pier = a_host("pier")
    Host.objects.filter(pk=pier.pk).update(cpus=32, memory=GIB)
    fleet.members.create(host=pier, node_id="z" * 25, state="active")
    store(fleet, spec(2, limits={}))
    found = shares(client)
    assert (found["dock"]["cpus"], found["dock"]["memory"]) == (16, 32 * GIB)
    assert (found[""]["cpus"], found[""]["memory"]) == (64, 32 * GIB)  # as the biggest of the swarm's hosts
    assert found[""]["pids"] == 2 * 2**22


def test_ports_of_the_service_count_once_and_those_of_tasks_for_each(client: Client, fleet: Swarm) -> None:
    ports = [{"TargetPort": 80, "PublishedPort": 80}, {"TargetPort": 81, "PublishMode": "ingress"}]
    ports += [{"TargetPort": 82, "PublishMode": "host"}]
    store(fleet, spec(3, max_replicas=2, EndpointSpec={"Ports": ports}))
    assert (shares(client)[""]["ports"], shares(client)["dock"]["ports"]) == (5, 4)


def test_a_specification_that_is_too_long_to_keep_counts_too(client: Client, fleet: Swarm) -> None:
    row = store(fleet, spec(3, TooLong="x" * 500_000))
    assert row.spec == {} and shares(client)[""]["containers"] == 3


def test_so_does_one_that_an_older_release_has_read(client: Client, fleet: Swarm) -> None:
    row = store(fleet, spec(3))
    del row.data["tasks"]
    row.save()
    assert shares(client)[""]["memory"] == 3 * GIB


def test_labels_by_the_hundred_do_not_hide_whose_it_is(client: Client, fleet: Swarm) -> None:
    many = {f"a{n}": "b" for n in range(400)}
    store(fleet, spec(3, Labels=many | {"dermaga.team": "north"}))
    assert shares(client)[""]["containers"] == 3
    a_task(Host.objects.get(name="dock"), 2, Labels=many | {"dermaga.team": "north"})
    assert shares(client)[""]["containers"] == 4


def test_a_service_of_nobody_or_of_another_team_counts_for_none(client: Client, fleet: Swarm) -> None:
    Team.objects.create(name="south")
    for team in ("", "south", "nobody-called-so"):
        store(fleet, spec(3, team=team))
        assert shares(client)[""]["containers"] == 0


# ---------------------------------------------------------------- their containers
def test_containers_of_tasks_do_not_count_once_more(client: Client, fleet: Swarm) -> None:
    store(fleet, spec(2))
    dock = Host.objects.get(name="dock")
    assert a_task(dock).owner is not None
    for number, state in ((2, "running"), (3, "exited"), (4, "exited")):
        a_task(dock, number, State=state)
    assert shares(client)[""]["containers"] == shares(client)["dock"]["containers"] == 2
    assert shares(client)[""]["cpus"] == 1
    page = client.get("/quotas/north/").content.decode()
    assert "What its services may use" in page and "/services/fleet/web/" in page and "web.2" not in page


def test_more_than_it_says_counts_while_it_runs(client: Client, fleet: Swarm) -> None:
    """What an update starts first, and what is slow to stop."""
    row, dock = store(fleet, spec(1)), Host.objects.get(name="dock")
    for number in (1, 2, 3):
        a_task(dock, number)
    assert shares(client)["dock"]["containers"] == 3 and shares(client)["dock"]["cpus"] == 1.5
    Container.objects.filter(name="web.3").update(nano_cpus=2 * CPU, memory_limit=GIB, pids_limit=1, ports_published=0)
    assert shares(client)["dock"]["cpus"] == 3  # by what it has, as soon as that is known
    # to scale it does not free what still runs
    assert refused(fleet, spec(4), row) == [
        ("dock", "mode.replicas", "containers"),
        ("", "mode.replicas", "containers"),
    ]
    Container.objects.exclude(name="web.1").update(state="exited")
    assert shares(client)["dock"]["containers"] == 1 and refused(fleet, spec(4), row) == []


def test_the_label_of_a_service_of_another_swarm_or_team_hides_no_container(client: Client, fleet: Swarm) -> None:
    store(fleet, spec(1))
    pier, team = a_host("pier"), Team.objects.get(name="north")
    elsewhere = a_task(pier, 2)
    Container.objects.filter(pk=elsewhere.pk).update(owner=team)
    assert shares(client)[""]["containers"] == 2
    south = Team.objects.create(name="south")
    Container.objects.filter(pk=a_task(Host.objects.get(name="dock"), 3).pk).update(owner=south)
    assert used(south.pk).containers == 1 and shares(client)[""]["containers"] == 2


def test_a_team_without_services_asks_the_database_once_more(fleet: Swarm) -> None:
    a_task(Host.objects.get(name="dock"), 2, Labels={"dermaga.team": "north"})
    team = Team.objects.get(name="north").pk
    with CaptureQueriesContext(
        connection,
    ) as asked:
        used(team)
    assert len(asked) == 5  # services, containers, volumes and their size, what is being made
    store(fleet, spec(2))
    with CaptureQueriesContext(connection) as asked:
        used(team)
    assert len(asked) == 8  # and of the swarm its hosts, its nodes, and what runs


# ---------------------------------------------------------------- what is refused
def test_what_is_too_much_is_said_at_the_field_that_asks_for_it(fleet: Swarm) -> None:
    assert refused(fleet, spec(5)) == []
    assert refused(fleet, spec(6)) == [("dock", "mode.replicas", "containers"), ("", "mode.replicas", "containers")]
    assert refused(fleet, spec(6, max_replicas=3)) == [("", "mode.replicas", "containers")]
    job = {"ReplicatedJob": {"MaxConcurrent": 6, "TotalCompletions": 6}}
    assert {field for _place, field, _what in refused(fleet, spec(job))} == {"mode.concurrent"}
    none = refused(fleet, spec(4, limits={}))
    assert none[:2] == [("dock", "limits.cpus", "cpus"), ("dock", "limits.memory", "memory")]
    ports = {"Ports": [{"TargetPort": n, "PublishMode": "host"} for n in range(1, 6)]}
    assert refused(fleet, spec(2, EndpointSpec=ports))[0] == ("dock", "ports", "ports")
    old = store(fleet, spec(4, limits=LIMITS | {"NanoCPUs": 4 * CPU}))
    assert refused(fleet, spec(5, limits=LIMITS | {"NanoCPUs": 5 * CPU}), old)[0][1] == "limits.cpus"
    Quota.objects.update(containers=None)
    assert refused(fleet, spec(6, limits=LIMITS | {"NanoCPUs": 4 * CPU}), old)[0] == ("dock", "mode.replicas", "cpus")


def test_the_sentence_says_what_to_do(fleet: Swarm) -> None:
    team, ada = Team.objects.get(name="north").pk, person("eve", "admin")
    with pytest.raises(QuotaExceeded, match=r"on dock does not suffice.*of this service 6 tasks may run there"):
        check_service_now(ada, team, fleet, spec(6), "service.create", "web")
    with pytest.raises(QuotaExceeded, match="a task without a limit counts as all of its host. Give it a limit"):
        check_service_now(ada, team, fleet, spec(4, limits={}), "service.create", "web")
    with pytest.raises(QuotaExceeded) as caught:
        check_service_now(ada, team, fleet, spec(6), "service.scale", "web", number="replicas")
    assert caught.value.field == "replicas"


def test_only_more_than_it_has_is_refused(fleet: Swarm) -> None:
    old = store(fleet, spec(4))
    Quota.objects.update(containers=2)
    assert refused(fleet, spec(4), old) == refused(fleet, spec(3), old) == []
    assert refused(fleet, spec(5), old) and refused(fleet, spec(4))
    Team.objects.create(name="south")
    store(fleet, spec(4, team="south"), version=8)
    assert refused(fleet, spec(3), Service.objects.get())  # what another team had is no part of north's


def test_what_is_being_made_counts_on_each_host_until_it_shows(client: Client, fleet: Swarm) -> None:
    team = Team.objects.get(name="north").pk
    with service_allotted(team, fleet, spec(3, max_replicas=2)) as held:
        assert held is not None
        assert (shares(client)[""]["containers"], shares(client)["dock"]["containers"]) == (3, 2)
        with pytest.raises(QuotaExceeded), service_allotted(team, fleet, spec(3)):
            pass
        held.later(SERVICE)
    assert shares(client)[""]["containers"] == 3
    old = store(fleet, spec(1))
    assert shares(client)[""]["containers"] == 3  # no more than once
    with service_allotted(team, fleet, spec(5), old):
        assert shares(client)[""]["containers"] == 5
    Reservation.objects.update(until=timezone.now() - timedelta(seconds=1))
    assert (
        shares(client)[""]["containers"] == 1 and a_host("pier") and used(team, Host.objects.get(name="pier")).cpus == 0
    )


def test_who_sees_what_of_the_services(client: Client, fleet: Swarm) -> None:
    store(fleet, spec(3))
    client.force_login(Membership.objects.get().user)
    told = {quota["host"]: quota["services"] for quota in client.get("/api/v1/quotas").json()["items"]}
    one = {"swarm": "fleet", "name": "web", "containers": 3, "cpus": 1.5, "memory": 3 * GIB, "pids": 300, "ports": 0}
    assert told == {"dock": [one], "": [one]}
    fleet.members.create(host=a_host("pier"), node_id="z" * 25, state="active")  # a host that is not granted
    told = {quota["host"]: quota for quota in client.get("/api/v1/quotas").json()["items"]}
    assert told[""]["services"] == [] and told[""]["used"]["containers"] == 3
    assert "What its services may use" not in client.get("/quotas/north/").content.decode()


def test_what_is_no_specification_counts_as_what_an_engine_makes_of_it() -> None:
    for nonsense in (
        {},
        None,
        [],
        {"Mode": 1, "TaskTemplate": [], "EndpointSpec": {"Ports": 1}},
        {"Mode": {"Global": 1}},
    ):
        found = tasks_of(nonsense)
        assert (found["mode"], found["tasks"], found["memory"], found["ports"]) == ("replicated", 1, 0, 0), nonsense
    huge = tasks_of(
        {"Mode": {"Replicated": {"Replicas": 2**80}}, "TaskTemplate": {"Resources": {"Limits": {"Pids": -1}}}}
    )
    assert huge["tasks"] == 2**31 - 1 and huge["pids"] == 0


# ---------------------------------------------------------------- through the door
def asks(client: Client, path: str, method: str = "post", **body: Any) -> Any:
    answer = getattr(client, method)(f"/api/v1/{path}", json.dumps(body), content_type="application/json")
    return answer.json() | {"status": answer.status_code}


WANTED: dict[str, Any] = {"name": "new", "image": "example.org/app", "limits": {"cpus": 0.5, "memory": GIB}}


@pytest.mark.parametrize("role", ["member", "admin"])
def test_who_makes_one_for_the_team_is_refused_at_once_be_it_a_member_or_who_may_make_any(
    client: Client, fleet: Swarm, role: str
) -> None:
    Node.objects.exclude(engine_id=fleet.members.get().node_id).delete()  # a team works where all nodes are hosts
    if role == "member":
        client.force_login(Membership.objects.get().user)
    wanted = WANTED | {"labels": {"dermaga.team": "north"}}
    said = asks(client, "services/fleet", **wanted, mode={"replicas": 6})
    assert (said["status"], said["code"], said["field"]) == (403, "quota_exceeded", "mode.replicas")
    assert AuditEntry.objects.get(action="service.create").outcome == "refused"
    assert not Job.objects.exists() and not Reservation.objects.exists()
    assert asks(client, "services/fleet", **wanted, mode={"replicas": 5})["status"] == 202
    store(fleet, spec(2))
    assert asks(client, "services/fleet/web/scale", replicas=6)["field"] == "replicas"
    said = asks(client, "services/fleet/web", "patch", spec={"limits": {"cpus": 12}})
    assert (said["code"], said["field"]) == ("quota_exceeded", "limits.cpus")
    if role == "admin":
        assert (
            asks(client, "services/fleet", **WANTED, mode={"replicas": 6})["status"] == 202
        )  # nobody's is bounded by nothing


def test_a_form_says_it_at_its_field(client: Client, fleet: Swarm) -> None:
    store(fleet, spec(2))
    typed = {"view": "form", "swarm": "fleet", "name": "new", "image": "example.org/app", "mode.kind": "replicated"}
    typed |= {"mode.replicas": "6", "as.labels": "text", "labels": "dermaga.team=north", "limits.memory": "1g"}
    page = client.post("/services/create/", typed)
    assert page.status_code == 422 and 'id="mode.replicas_error"' in page.content.decode(), page.content.decode()[:3000]
    dialog = client.post("/services/fleet/web/ask/scale/", {"replicas": "6"})
    assert dialog.status_code == 422 and "of this service 6 tasks may run there" in dialog.content.decode()
