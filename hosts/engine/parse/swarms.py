"""What a swarm's manager answers becomes row values: as in hosts.engine.parse nothing in it is trusted, and every length
is bounded. What is secret (join tokens, the contents of configs) is left out."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import (
    ENTRIES_AT_MOST,
    NAME_AT_MOST,
    at,
    dicts_of,
    labels_of,
    list_of,
    text,
    time_of,
    whole,
)

ID_AT_MOST = 64
STACK = "com.docker.stack.namespace"
KEPT_TASKS = 5  # of each slot
MODES = ("Replicated", "Global", "ReplicatedJob", "GlobalJob")
SPEC_AT_MOST = 400_000  # characters of a service's specification, written as JSON
DEEPEST = 24


class MemberInfo(TypedDict):
    """What an engine's /info says of the swarm that it is in."""

    state: str  # inactive pending active error locked
    node_id: str
    address: str
    control: bool  # whether it is a manager that answers for the swarm
    error: str
    managers: list[dict[str, str]]  # [{"node_id", "address"}]
    swarm_id: str  # a manager's alone: workers do not know it


class SwarmRow(TypedDict):
    """The values of hosts.models.Swarm that GET /swarm says. Join tokens are left out."""

    engine_id: str
    created: datetime | None
    updated: datetime | None
    version: int
    labels: dict[str, str]
    autolock: bool
    data: dict[str, Any]  # see swarm_row


class ObjectRow(TypedDict):
    """What all objects of a swarm have."""

    engine_id: str
    name: str
    created: datetime | None
    updated: datetime | None
    version: int
    labels: dict[str, str]
    data: dict[str, Any]


class NodeRow(ObjectRow):
    """The values of hosts.models.Node."""

    role: str
    availability: str
    state: str
    message: str
    address: str
    engine_version: str
    os: str
    arch: str
    cpus: float
    memory: int
    leader: bool
    reachability: str


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


class SecretRow(ObjectRow):
    """The values of hosts.models.Secret."""

    driver: str
    templating: str


class ConfigRow(ObjectRow):
    """The values of hosts.models.Config."""

    templating: str
    size: int


def member_of(raw: Any) -> MemberInfo:
    """The "Swarm" of an /info answer; Podman and old engines have none."""
    swarm = raw if isinstance(raw, dict) else {}
    return {
        "state": text(swarm.get("LocalNodeState"), 20) or "inactive",
        "node_id": text(swarm.get("NodeID"), ID_AT_MOST),
        "address": text(swarm.get("NodeAddr"), 100),
        "control": swarm.get("ControlAvailable") is True,
        "error": text(swarm.get("Error"), 500),
        "managers": sorted(
            (
                {"node_id": text(one.get("NodeID"), ID_AT_MOST), "address": text(one.get("Addr"), 100)}
                for one in dicts_of(swarm.get("RemoteManagers"))
            ),
            key=lambda one: one["address"],
        )[:50],
        "swarm_id": text(at(swarm, "Cluster", "ID"), ID_AT_MOST),
    }


def swarm_row(raw: Any) -> SwarmRow | None:
    """An answer to GET /swarm; None when it has no id.

    `data`: task_history, snapshot_interval, keep_snapshots, log_entries, election_tick, heartbeat_tick (whole numbers),
    heartbeat_period and cert_expiry (nanoseconds), external_cas (a count), pools, subnet_size, data_path_port,
    rotating (whether the root certificate is being replaced), trust_root.
    """
    if not isinstance(raw, dict) or not text(raw.get("ID")):
        return None
    spec, raft = at(raw, "Spec"), at(raw, "Spec", "Raft")
    return {
        "engine_id": text(raw["ID"], ID_AT_MOST),
        "created": time_of(raw.get("CreatedAt")),
        "updated": time_of(raw.get("UpdatedAt")),
        "version": whole(at(raw, "Version", "Index")),
        "labels": labels_of(at(spec, "Labels")),
        "autolock": at(spec, "EncryptionConfig", "AutoLockManagers") is True,
        "data": {
            "task_history": whole(at(spec, "Orchestration", "TaskHistoryRetentionLimit")),
            "snapshot_interval": whole(at(raft, "SnapshotInterval")),
            "keep_snapshots": whole(at(raft, "KeepOldSnapshots")),
            "log_entries": whole(at(raft, "LogEntriesForSlowFollowers")),
            "election_tick": whole(at(raft, "ElectionTick")),
            "heartbeat_tick": whole(at(raft, "HeartbeatTick")),
            "heartbeat_period": whole(at(spec, "Dispatcher", "HeartbeatPeriod")),
            "cert_expiry": whole(at(spec, "CAConfig", "NodeCertExpiry")),
            "external_cas": len(list_of(at(spec, "CAConfig", "ExternalCAs"))),
            "pools": [text(pool, 64) for pool in list_of(raw.get("DefaultAddrPool"))][:20],
            "subnet_size": whole(raw.get("SubnetSize")),
            "data_path_port": whole(raw.get("DataPathPort")),
            "rotating": raw.get("RootRotationInProgress") is True,
            "trust_root": text(at(raw, "TLSInfo", "TrustRoot"), 20_000),
        },
    }


# ---------------------------------------------------------------- objects
def _object(raw: Any, name: Any, labels: Any) -> ObjectRow | None:
    if not isinstance(raw, dict) or not text(raw.get("ID")):
        return None
    return {
        "engine_id": text(raw["ID"], ID_AT_MOST),
        "name": text(name, NAME_AT_MOST) or text(raw["ID"], ID_AT_MOST)[:12],
        "created": time_of(raw.get("CreatedAt")),
        "updated": time_of(raw.get("UpdatedAt")),
        "version": whole(at(raw, "Version", "Index")),
        "labels": labels_of(labels),
        "data": {},
    }


def node_row(raw: Any) -> NodeRow | None:
    """An entry of /nodes. `data`: {"plugins": {type: [name]}, "engine_labels": {}, "resources": [...],
    "manager_address": its Raft address}."""
    base = _object(raw, at(raw, "Description", "Hostname"), at(raw, "Spec", "Labels"))
    if base is None:
        return None
    description, manager = at(raw, "Description"), at(raw, "ManagerStatus")
    plugins: dict[str, list[str]] = defaultdict(list)
    for plugin in list(dicts_of(at(description, "Engine", "Plugins")))[:ENTRIES_AT_MOST]:
        plugins[text(plugin.get("Type"), 40)].append(text(plugin.get("Name"), NAME_AT_MOST))
    return {
        **base,
        "role": text(at(raw, "Spec", "Role"), 20),
        "availability": text(at(raw, "Spec", "Availability"), 20),
        "state": text(at(raw, "Status", "State"), 20) or "unknown",
        "message": text(at(raw, "Status", "Message"), 500),
        "address": text(at(raw, "Status", "Addr"), 100),
        "engine_version": text(at(description, "Engine", "EngineVersion"), 100),
        "os": text(at(description, "Platform", "OS"), 50),
        "arch": text(at(description, "Platform", "Architecture"), 50),
        "cpus": max(0, whole(at(description, "Resources", "NanoCPUs"))) / 1e9,
        "memory": max(0, whole(at(description, "Resources", "MemoryBytes"))),
        "leader": at(manager, "Leader") is True,
        "reachability": text(at(manager, "Reachability"), 20),
        "data": {
            "plugins": {kind: sorted(names) for kind, names in sorted(plugins.items())},
            "engine_labels": labels_of(at(description, "Engine", "Labels")),
            "manager_address": text(at(manager, "Addr"), 100),
        },
    }


def service_row(raw: Any) -> ServiceRow | None:
    """An entry of /services. `spec` is the engine's own, environment included: pages hide its values.

    `data`: {"secrets", "configs", "networks": ids that it uses, "previous": whether it can be rolled back,
    "update_started", "update_completed": RFC 3339 or "", "spec_cut": whether `spec` was too long to keep}.
    """
    base = _object(raw, at(raw, "Spec", "Name"), at(raw, "Spec", "Labels"))
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
            "previous": previous,
            "update_started": text(at(update, "StartedAt"), 40),
            "update_completed": text(at(update, "CompletedAt"), 40),
            "spec_cut": not spec and isinstance(at(raw, "Spec"), dict),
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
    base = _object(raw, at(raw, "Name"), raw.get("Labels") if isinstance(raw, dict) else None)
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


def secret_row(raw: Any) -> SecretRow | None:
    """An entry of /secrets; an engine never tells its value."""
    base = _object(raw, at(raw, "Spec", "Name"), at(raw, "Spec", "Labels"))
    if base is None:
        return None
    return {
        **base,
        "driver": text(at(raw, "Spec", "Driver", "Name"), 100),
        "templating": text(at(raw, "Spec", "Templating", "Name"), 100),
    }


def config_row(raw: Any) -> ConfigRow | None:
    """An entry of /configs without what is in it: only how many bytes."""
    base = _object(raw, at(raw, "Spec", "Name"), at(raw, "Spec", "Labels"))
    if base is None:
        return None
    encoded = at(raw, "Spec", "Data")
    size = len(encoded.rstrip("=")) * 3 // 4 if isinstance(encoded, str) else 0
    return {**base, "templating": text(at(raw, "Spec", "Templating", "Name"), 100), "size": size}


# ---------------------------------------------------------------- a specification as it is
def bounded(value: Any) -> dict[str, Any]:
    """An engine's JSON object as databases take it; {} for one that is too long or too deep to keep."""
    budget = [SPEC_AT_MOST]
    try:
        found = _bounded(value, budget, 0)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _bounded(value: Any, budget: list[int], depth: int) -> Any:
    budget[0] -= 8 + (len(value) if isinstance(value, str) else 0)
    if budget[0] < 0 or depth > DEEPEST:
        raise ValueError
    if isinstance(value, dict):
        return {_plain(key): _bounded(entry, budget, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_bounded(entry, budget, depth + 1) for entry in value]
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return whole(value)
    return value if isinstance(value, float) and abs(value) < 1e300 else None


def _plain(value: object) -> str:
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()
