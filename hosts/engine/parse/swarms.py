"""What a swarm's manager answers becomes row values: as in hosts.engine.parse nothing in it is trusted, and every length
is bounded. What is secret (join tokens, the contents of configs) is left out."""

from collections import defaultdict
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
def object_of(raw: Any, name: Any, labels: Any) -> ObjectRow | None:
    """What objects of all kinds have; None for what has no id."""
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
    base = object_of(raw, at(raw, "Description", "Hostname"), at(raw, "Spec", "Labels"))
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


def secret_row(raw: Any) -> SecretRow | None:
    """An entry of /secrets; an engine never tells its value."""
    base = object_of(raw, at(raw, "Spec", "Name"), at(raw, "Spec", "Labels"))
    if base is None:
        return None
    return {
        **base,
        "driver": text(at(raw, "Spec", "Driver", "Name"), 100),
        "templating": text(at(raw, "Spec", "Templating", "Name"), 100),
    }


def config_row(raw: Any) -> ConfigRow | None:
    """An entry of /configs without what is in it: only how many bytes."""
    base = object_of(raw, at(raw, "Spec", "Name"), at(raw, "Spec", "Labels"))
    if base is None:
        return None
    encoded = at(raw, "Spec", "Data")
    size = len(encoded.rstrip("=")) * 3 // 4 if isinstance(encoded, str) else 0
    return {**base, "templating": text(at(raw, "Spec", "Templating", "Name"), 100), "size": size}


# ---------------------------------------------------------------- a specification as it is
