"""Rows of a swarm's services without an engine."""

from typing import Any

from hosts.engine.parse import services as parse_services
from hosts.engine.parse import swarms as parse_swarm
from hosts.inventory import swarms
from hosts.models import Host, Swarm

SERVICE = "5" * 25
TASK = "7" * 25


def service_json(name: str, **more: Any) -> dict[str, Any]:
    """An entry of /services."""
    container = {"Image": "nginx:1.27@sha256:" + "a" * 64, "Env": ["TOKEN=canary-of-a-row"]}
    spec = {
        "Name": name,
        "Labels": {"com.docker.stack.namespace": "shop"},
        "TaskTemplate": {"ContainerSpec": container},
        "Mode": {"Replicated": {"Replicas": 2}},
    }
    ports = [{"Protocol": "tcp", "TargetPort": 80, "PublishedPort": 8080, "PublishMode": "host"}]
    return {
        "ID": SERVICE,
        "Version": {"Index": 7},
        "CreatedAt": "2026-11-20T10:00:00Z",
        "UpdatedAt": "2026-11-21T10:00:00Z",
        "Spec": spec,
        "PreviousSpec": spec,
        "Endpoint": {"Ports": ports},
        "UpdateStatus": {"State": "paused", "Message": "update paused due to failure"},
    } | more


def task_json(slot: int, **more: Any) -> dict[str, Any]:
    """An entry of /tasks."""
    status = {"Timestamp": "2026-11-21T10:00:00Z", "State": "running", "ContainerStatus": {"ContainerID": "c" * 64}}
    return {
        "ID": TASK[:-1] + str(slot),
        "ServiceID": SERVICE,
        "NodeID": "n" * 25,
        "Slot": slot,
        "CreatedAt": "2026-11-21T10:00:00Z",
        "DesiredState": "running",
        "Status": status,
    } | more


def some_services(host: Host) -> Swarm:
    """The swarm called `swarm`, which `host` is a manager of, with the service `web` of the stack `shop` in it: two
    tasks, one of which has no image."""
    swarm = Swarm.objects.filter(name="swarm").first()
    if swarm is None:
        told = {"LocalNodeState": "active", "NodeID": "n" * 25, "ControlAvailable": True, "Cluster": {"ID": "w" * 25}}
        swarms.apply_member(host.pk, parse_swarm.member_of(told))
        swarm = Swarm.objects.get(name="swarm")
    failed = {"State": "rejected", "Err": "No such image: nginx:1.27", "Timestamp": "2026-11-21T10:00:00Z"}
    row = parse_services.service_row(service_json("web"))
    tasks = parse_services.told(
        [task for task in map(parse_services.task_row, [task_json(1), task_json(2, Status=failed)]) if task],
        {SERVICE: "web"},
        {"n" * 25: "buoy-a"},
    )
    assert row is not None
    swarms.apply_objects(swarm, "service", [{**row, **parse_services.counted(row, tasks)}])
    swarms.apply_objects(swarm, "task", tasks)
    return swarm
