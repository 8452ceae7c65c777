"""What a swarm's manager answers of services and their tasks becomes row values."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from hosts.engine.parse.service_tasks import tasks_of
from hosts.engine.parse.swarms import ID_AT_MOST, STACK, ObjectRow, object_of
from hosts.engine.parse.values import (
    ENTRIES_AT_MOST,
    NAME_AT_MOST,
    at,
    bounded,
    dicts_of,
    list_of,
    text,
    time_of,
    whole,
)

KEPT_TASKS = 5  # of each slot
MODES = ("Replicated", "Global", "ReplicatedJob", "GlobalJob")


class ServiceRow(ObjectRow):
    """The values of hosts.models.Service, but for the counts of its tasks: see `counted`."""

    mode: str
    replicas: int | None
    image: str
    stack: str
    endpoint_mode: str
    ports: list[dict[str, Any]]
    update_state: str
    update_message: str
    spec: dict[str, Any]


class TaskRow(ObjectRow):
    """The values of hosts.models.Task."""

    service_ref: str
    service_name: str
    node_ref: str
    node_name: str
    slot: int | None
    state: str
    desired: str
    message: str
    error: str
    container_id: str
    image: str
    exit_code: int | None
    since: datetime | None
    current: bool


def service_row(raw: Any) -> ServiceRow | None:
    """An entry of /services. `spec` is the engine's own, environment included: pages hide its values.

    `data`: {"secrets", "configs", "networks": ids that it uses, "volumes": names of those
    that it mounts, "previous": whether it can be rolled back,
    "update_started", "update_completed": RFC 3339 or "", "spec_cut": whether `spec` was too long to keep,
    "tasks": hosts.engine.parse.service_tasks.Tasks}.
    """
    base = object_of(raw, at(raw, "Spec", "Name"), at(raw, "Spec", "Labels"))
    if base is None:
        return None
    spec, container = bounded(at(raw, "Spec")), at(raw, "Spec", "TaskTemplate", "ContainerSpec")
    mode = next((name for name in MODES if isinstance(at(raw, "Spec", "Mode", name), dict)), "")
    count = at(raw, "Spec", "Mode", mode, "Replicas" if mode == "Replicated" else "TotalCompletions")
    update, previous = at(raw, "UpdateStatus"), isinstance(raw.get("PreviousSpec"), dict)
    networks = [*dicts_of(at(raw, "Spec", "TaskTemplate", "Networks")), *dicts_of(at(raw, "Spec", "Networks"))]
    return {
        **base,
        "mode": {"ReplicatedJob": "replicated-job", "GlobalJob": "global-job"}.get(mode, mode.lower()),
        "replicas": max(0, min(whole(count), 2**31 - 1)) if mode.startswith("Replicated") else None,
        "image": text(at(container, "Image"), 500),
        "stack": base["labels"].get(STACK, "")[:NAME_AT_MOST],
        "endpoint_mode": text(at(raw, "Endpoint", "Spec", "Mode") or at(raw, "Spec", "EndpointSpec", "Mode"), 20),
        "ports": [_port(port) for port in dicts_of(at(raw, "Endpoint", "Ports"))][:ENTRIES_AT_MOST],
        "update_state": text(at(update, "State"), 40),
        "update_message": text(at(update, "Message"), 500),
        "spec": spec,
        "data": {
            "secrets": _ids(at(container, "Secrets"), "SecretID"),
            "configs": sorted(
                {
                    *_ids(at(container, "Configs"), "ConfigID"),
                    *filter(None, [text(at(container, "Privileges", "CredentialSpec", "Config"), ID_AT_MOST)]),
                }
            ),
            "networks": sorted({text(network.get("Target"), 100) for network in networks})[:ENTRIES_AT_MOST],
            "volumes": sorted(
                {
                    text(mount.get("Source"), NAME_AT_MOST)
                    for mount in dicts_of(at(container, "Mounts"))
                    if mount.get("Type") in ("volume", "cluster") and mount.get("Source")
                }
            )[:ENTRIES_AT_MOST],
            "previous": previous,
            "update_started": text(at(update, "StartedAt"), 40),
            "update_completed": text(at(update, "CompletedAt"), 40),
            "spec_cut": not spec and isinstance(at(raw, "Spec"), dict),
            "tasks": tasks_of(at(raw, "Spec")),
        },
    }


def _ids(value: Any, key: str) -> list[str]:
    return sorted({text(entry.get(key), ID_AT_MOST) for entry in dicts_of(value)})[:ENTRIES_AT_MOST]


def _port(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": text(raw.get("Protocol"), 10) or "tcp",
        "private": max(0, min(whole(raw.get("TargetPort")), 65535)),
        "public": max(0, min(whole(raw.get("PublishedPort")), 65535)),
        "mode": text(raw.get("PublishMode"), 20),
    }


def task_row(raw: Any) -> TaskRow | None:
    """An entry of /tasks; its names and `current` come from `told`."""
    base = object_of(raw, at(raw, "Name"), raw.get("Labels") if isinstance(raw, dict) else None)
    if base is None:
        return None
    status, container = at(raw, "Status"), at(raw, "Status", "ContainerStatus")
    slot, code = whole(raw.get("Slot")), at(container, "ExitCode")
    state = text(at(status, "State"), 20)
    ended = state in {"complete", "shutdown", "failed", "rejected", "orphaned"}
    known = isinstance(code, int) and ended and bool(text(at(container, "ContainerID")))
    return {
        **base,
        "service_ref": text(raw.get("ServiceID"), ID_AT_MOST),
        "service_name": "",
        "node_ref": text(raw.get("NodeID"), ID_AT_MOST),
        "node_name": "",
        "slot": min(slot, 2**31 - 1) if slot > 0 else None,
        "state": state,
        "desired": text(raw.get("DesiredState"), 20),
        "message": text(at(status, "Message"), 500),
        "error": text(at(status, "Err"), 1000),
        "container_id": text(at(container, "ContainerID"), 80),
        "image": text(at(raw, "Spec", "ContainerSpec", "Image"), 500),
        "exit_code": code if known and abs(code) < 2**31 else None,
        "since": time_of(at(status, "Timestamp")),
        "current": False,
        "data": {
            "ports": [_port(port) for port in dicts_of(at(status, "PortStatus", "Ports"))][:ENTRIES_AT_MOST],
            "addresses": [
                text(address, 64)
                for attachment in dicts_of(raw.get("NetworksAttachments"))
                for address in list_of(attachment.get("Addresses"))
            ][:20],
        },
    }


def told(
    tasks: Iterable[TaskRow], services: dict[str, str], nodes: dict[str, str], *, kept: int = KEPT_TASKS
) -> list[TaskRow]:
    """The newest `kept` tasks of each slot (of a global service: of each node) with their names; the newest of a slot is
    its current one. `services` and `nodes` are names by id."""
    slots: dict[tuple[str, str], list[TaskRow]] = defaultdict(list)
    for task in tasks:
        slots[task["service_ref"] or task["engine_id"], str(task["slot"] or task["node_ref"])].append(task)
    found: list[TaskRow] = []
    for rows in slots.values():
        # one that is to run comes first: during an update the slot's new task may be older than the one it replaces
        rows.sort(key=lambda row: (row["desired"] in {"running", "ready"}, _stamp(row["created"])), reverse=True)
        for place, task in enumerate(rows[:kept]):
            service = services.get(task["service_ref"], task["service_ref"][:12])
            node = nodes.get(task["node_ref"], task["node_ref"][:12])
            name = f"{service}.{task['slot'] or node}" if service else task["name"]
            named: TaskRow = {**task, "service_name": service, "node_name": node, "name": name[:NAME_AT_MOST]}
            named["current"] = place == 0
            found.append(named)
    return found


def _stamp(moment: datetime | None) -> float:
    return moment.timestamp() if moment else 0.0


def counted(service: ServiceRow, tasks: Iterable[TaskRow]) -> dict[str, int]:
    """How many tasks of the service run, should run, and are complete."""
    own = list(tasks)
    meant = [task for task in own if task["desired"] in {"running", "ready"}]
    desired = service["replicas"] if service["replicas"] is not None else len(meant)
    return {
        "running": sum(task["state"] == "running" for task in own if task["desired"] == "running"),
        "desired": desired,
        "completed": sum(task["state"] == "complete" for task in own),
    }
