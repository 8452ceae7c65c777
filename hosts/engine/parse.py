"""An engine's JSON becomes row values.

Nothing in it is trusted: lengths are bounded, wrong types become empty values, NUL characters and lone surrogates go
(databases refuse them). What an engine lists in random order is sorted, so that equal rows compare as equal.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, TypedDict

NAME_AT_MOST, TEXT_AT_MOST, LABELS_AT_MOST, LABEL_AT_MOST = 255, 4000, 200, 4096
ENTRIES_AT_MOST = 200  # of lists inside an object: ports, mounts, tags
BIGGEST = 2**62
EXITED = re.compile(r"(?:Exited|Restarting) \((-?\d{1,10})\)")
STATES = {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
# what Podman says instead
STATE_NAMES = {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}
ACTION_NAMES = {"died": "die", "remove": "destroy"}
HEALTHS = (("unhealthy", "(unhealthy)"), ("healthy", "(healthy)"), ("starting", "(health: starting)"))
PROJECTS = ("com.docker.compose.project", "com.docker.stack.namespace", "io.podman.compose.project")
SERVICES = ("com.docker.compose.service", "com.docker.swarm.service.name", "io.podman.compose.service")
TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))? ?(Z|[+-]\d\d:?\d\d)?(?: [A-Z]{3,5})?")
SECRET = re.compile(r"pass|secret|token|cred|key", re.IGNORECASE)
HIDDEN = "•••"
EVERYWHERE, LOOPBACK = {"0.0.0.0", "::", ""}, {"127.0.0.1", "::1"}
EVENT_KEEPS = ("exitCode", "signal", "oldName", "container", "image")  # stored with an event
EVENT_READS = ("name", "containerExitCode", "health_status")  # the last two are Podman's


class ContainerRow(TypedDict):
    """The values of hosts.models.Container that a list says."""

    engine_id: str
    name: str
    image: str
    image_id: str
    command: str
    state: str
    health: str
    exit_code: int | None
    created: datetime | None
    project: str
    service: str
    labels: dict[str, str]
    ports: list[dict[str, Any]]  # [{"ip", "private", "public" (0: not published), "type"}]
    data: dict[str, Any]  # {"networks": {name: address}, "mounts": [{"type", "name", "source", "target", "rw"}]}


class InspectRow(ContainerRow):
    """And what only an inspect answer says."""

    started: datetime | None
    finished: datetime | None
    restart_count: int


class ImageRow(TypedDict):
    """The values of hosts.models.Image."""

    engine_id: str
    name: str
    tags: list[str]
    digests: list[str]
    size: int  # bytes
    created: datetime | None
    dangling: bool
    labels: dict[str, str]


class NetworkRow(TypedDict):
    """The values of hosts.models.Network."""

    engine_id: str
    name: str
    driver: str
    scope: str
    internal: bool
    created: datetime | None
    labels: dict[str, str]
    # {"subnets": [...], "pools": [{"subnet", "range", "gateway", "aux": {name: address}}], "ipam": its driver,
    # "ipam_options": {}, "options": {}, "ipv6": bool, "attachable": bool, "ingress": bool}
    data: dict[str, Any]


class VolumeRow(TypedDict):
    """The values of hosts.models.Volume. Of its options, which may hold a share's password, secrets are left out."""

    name: str
    driver: str
    mountpoint: str
    scope: str
    created: datetime | None
    labels: dict[str, str]
    data: dict[str, Any]  # {"options": {name: value}}


class PluginRow(TypedDict):
    """The values of hosts.models.Plugin. Values of its environment are left out: they may be passwords."""

    engine_id: str
    name: str
    reference: str
    enabled: bool
    kind: str
    description: str
    data: dict[str, Any]  # see plugin_row


class EventRow(TypedDict):
    """The values of hosts.models.Event."""

    time: datetime
    time_nano: int
    kind: str
    action: str
    actor_id: str
    actor_name: str
    data: dict[str, str]


# ---------------------------------------------------------------- single values
def text(value: Any, most: int = TEXT_AT_MOST) -> str:
    """A bounded string that every database takes; "" for anything that is no string or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > BIGGEST:
        return ""  # Python refuses to print the longest ones
    short = str(value)[: most + 16].replace("\0", "")[:most]
    return short.encode("utf-8", "replace").decode()  # JSON can spell half a surrogate pair


def whole(value: Any) -> int:
    """A whole number that fits a column; 0 for anything else."""
    return min(max(value, -BIGGEST), BIGGEST) if isinstance(value, int) else 0


def labels_of(value: Any) -> dict[str, str]:
    """Bounded labels."""
    pairs = sorted((text(name, NAME_AT_MOST), text(content, LABEL_AT_MOST)) for name, content in _items(value))
    return dict(pairs[:LABELS_AT_MOST])


def time_of(value: Any) -> datetime | None:
    """A Unix time in seconds or RFC 3339 text (as well as Go's own form); None for Go's zero time and for nonsense."""
    try:
        if isinstance(value, int | float) and 0 < value < 2**35:
            return datetime.fromtimestamp(value, UTC)
        found = TIME.fullmatch(value[:64]) if isinstance(value, str) else None
        if not found or found[1].startswith("000"):
            return None
        zone = "+00:00" if found[3] in {"Z", None} else found[3]
        moment = datetime.fromisoformat(f"{found[1]}.{(found[2] or '0')[:6].ljust(6, '0')}{zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> Iterator[dict[str, Any]]:
    return (entry for entry in _list(value) if isinstance(entry, dict))


def _at(value: Any, *path: str) -> Any:
    """What lies at `path` in nested objects; None where the path breaks off."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _first(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")[:NAME_AT_MOST]


# ---------------------------------------------------------------- containers
def container_row(raw: Any) -> ContainerRow | None:
    """An entry of /containers/json; None when it has no id."""
    if not isinstance(raw, dict) or not text(raw.get("Id")):
        return None
    status, labels = text(raw.get("Status")), labels_of(raw.get("Labels"))
    state = _state(raw.get("State"), status)
    exited = EXITED.search(status) if state in {"exited", "restarting", "dead"} else None
    return {
        "engine_id": text(raw["Id"], 80),
        "name": _name(raw),
        "image": text(raw.get("Image"), 500),
        "image_id": text(raw.get("ImageID"), 100),
        "command": _command(raw.get("Command")),
        "state": state,
        "health": _health(raw.get("Health"), status),
        "exit_code": _code(int(exited[1])) if exited else None,
        "created": time_of(raw.get("Created")),
        "project": _first(labels, PROJECTS),
        "service": _first(labels, SERVICES),
        "labels": labels,
        "ports": ports_of(raw.get("Ports")),
        "data": {
            "networks": _networks(_at(raw, "NetworkSettings", "Networks")),
            "mounts": _mounts(raw.get("Mounts")),
        },
    }


def container_row_from_inspect(raw: Any) -> InspectRow:
    """A /containers/ID/json answer; whatever it lacks is empty."""
    raw = raw if isinstance(raw, dict) else {}
    state, config = _at(raw, "State"), _at(raw, "Config")
    arguments = raw.get("Args") if isinstance(raw.get("Args"), list) else []
    row = container_row(
        {
            **raw,
            "Id": text(raw.get("Id")) or "?",
            "Names": [raw.get("Name")],
            "Image": _at(config, "Image"),
            "ImageID": raw.get("Image"),
            "Command": [raw.get("Path"), *arguments],
            "State": _at(state, "Status"),
            "Status": "",
            "Health": _at(state, "Health") or _at(state, "Healthcheck"),
            "Labels": _at(config, "Labels"),
            "Ports": _inspected_ports(_at(raw, "NetworkSettings", "Ports")),
        }
    )
    assert row is not None
    row["engine_id"] = text(raw.get("Id"), 80)
    row["exit_code"] = _code(_at(state, "ExitCode")) if row["state"] in {"exited", "dead", "restarting"} else None
    return {
        **row,
        "started": time_of(_at(state, "StartedAt")),
        "finished": time_of(_at(state, "FinishedAt")),
        "restart_count": max(0, min(whole(raw.get("RestartCount")), 2**31 - 1)),
    }


def _name(raw: dict[str, Any]) -> str:
    names = [text(name, NAME_AT_MOST + 1) for name in _list(raw.get("Names"))]
    # beside its own name a container has one like /other/alias for each link from another
    own = next((name for name in names if name.strip("/") and "/" not in name[1:]), "")
    return own.lstrip("/")[:NAME_AT_MOST] or text(raw["Id"])[:12]


def _state(value: Any, status: str) -> str:
    said = text(value, 20).lower()
    said = STATE_NAMES.get(said, said)
    if said in STATES:
        return said
    words = (("Up", "running"), ("Exited", "exited"), ("Created", "created"), ("Restarting", "restarting"))
    return next((state for word, state in words if status.startswith(word)), "dead")


def _command(value: Any) -> str:
    parts = [text(part) for part in value[:ENTRIES_AT_MOST]] if isinstance(value, list) else [text(value)]
    return " ".join(part for part in parts if part)[:TEXT_AT_MOST]


def _code(value: Any) -> int | None:
    return value if isinstance(value, int) and abs(value) < 2**31 else None


def _health(told: Any, status: str) -> str:
    """From the list's Health (API 1.52 and newer) or an inspect answer; before, from the status text."""
    name = text(_at(told, "Status") if isinstance(told, dict) else told, 20).lower()
    if name:
        return name if name in {"starting", "healthy", "unhealthy"} else ""
    return next((health for health, sign in HEALTHS if sign in status), "starting" if "(starting)" in status else "")


def ports_of(value: Any) -> list[dict[str, Any]]:
    """Published and exposed ports, sorted; one entry where IPv4 and IPv6 say the same."""
    found: dict[tuple[int, int, str, str], dict[str, Any]] = {}
    for port in _dicts(value):
        private, public = (max(0, min(whole(port.get(key)), 65535)) for key in ("PrivatePort", "PublicPort"))
        kind, ip = text(port.get("Type"), 10) or "tcp", text(port.get("IP"), 64)
        place = "" if ip in EVERYWHERE else "127.0.0.1" if ip in LOOPBACK else ip
        key = (private, public, kind, place)
        if key not in found or ":" in found[key]["ip"]:  # of both families IPv4 is shown, whichever comes first
            found[key] = {"ip": ip, "private": private, "public": public, "type": kind}
    return [found[key] for key in sorted(found)][:ENTRIES_AT_MOST]


def _inspected_ports(value: Any) -> list[dict[str, Any]]:
    """{"80/tcp": [{"HostIp", "HostPort"}]} in the list's form."""
    ports = []
    for name, bindings in _items(value):
        number, _, kind = text(name, 40).partition("/")
        if not (number.isascii() and number.isdecimal()):
            continue
        for binding in list(_dicts(bindings)) or [{}]:
            host_port = text(binding.get("HostPort"), 5)
            public = int(host_port) if host_port.isascii() and host_port.isdecimal() else 0
            ip = binding.get("HostIp")
            ports.append({"PrivatePort": int(number), "PublicPort": public, "Type": kind, "IP": ip})
    return ports


def _networks(networks: Any) -> dict[str, str]:
    pairs = [(text(name, NAME_AT_MOST), entry) for name, entry in _items(networks)[:ENTRIES_AT_MOST]]
    return {
        name: text(_at(entry, "IPAddress"), 64) or text(_at(entry, "GlobalIPv6Address"), 64)
        for name, entry in sorted(pairs, key=lambda pair: pair[0])
    }


def _mounts(value: Any) -> list[dict[str, Any]]:
    found = [
        {
            "type": text(mount.get("Type"), 20),
            "name": text(mount.get("Name"), NAME_AT_MOST),
            "source": text(mount.get("Source"), 1000),
            "target": text(mount.get("Destination"), 1000),
            "rw": bool(mount.get("RW")),
        }
        for mount in _dicts(value)
    ]
    return sorted(found, key=lambda mount: str(mount["target"]))[:ENTRIES_AT_MOST]


# ---------------------------------------------------------------- images, networks, volumes
def image_row(raw: Any) -> ImageRow | None:
    """An entry of /images/json; None when it has no id."""
    if not isinstance(raw, dict) or not text(raw.get("Id")):
        return None
    tags, digests = _names(raw.get("RepoTags")), _names(raw.get("RepoDigests"))
    return {
        "engine_id": text(raw["Id"], 100),
        "name": tags[0] if tags else "",
        "tags": tags,
        "digests": digests,
        "size": max(0, whole(raw.get("Size"))),
        "created": time_of(raw.get("Created")),
        "dangling": not tags,
        "labels": labels_of(raw.get("Labels")),
    }


def _names(value: Any) -> list[str]:
    found = {text(name, 500) for name in _list(value)}
    return sorted(name for name in found if name and "<none>" not in name)[:ENTRIES_AT_MOST]


def network_row(raw: Any) -> NetworkRow | None:
    """An entry of /networks; None when it has neither id nor name."""
    if not isinstance(raw, dict) or not (text(raw.get("Id")) or text(raw.get("Name"))):
        return None
    pools = [_pool(pool) for pool in _dicts(_at(raw, "IPAM", "Config"))][:20]
    return {
        "engine_id": text(raw.get("Id"), 100) or text(raw.get("Name"), 100),
        "name": text(raw.get("Name"), NAME_AT_MOST),
        "driver": text(raw.get("Driver"), 100),
        "scope": text(raw.get("Scope"), 20),
        "internal": bool(raw.get("Internal")),
        "created": time_of(raw.get("Created")),
        "labels": labels_of(raw.get("Labels")),
        "data": {
            "subnets": [pool["subnet"] for pool in pools if pool["subnet"]],
            "pools": pools,
            "ipam": text(_at(raw, "IPAM", "Driver"), 100),
            "ipam_options": labels_of(_at(raw, "IPAM", "Options")),
            "options": labels_of(raw.get("Options")),
            "ipv6": bool(raw.get("EnableIPv6")),
            "attachable": bool(raw.get("Attachable")),
            "ingress": bool(raw.get("Ingress")),
            "config_only": bool(raw.get("ConfigOnly")),
            "config_from": text(_at(raw, "ConfigFrom", "Network"), NAME_AT_MOST),
        },
    }


def _pool(raw: dict[str, Any]) -> dict[str, Any]:
    return {
        "subnet": text(raw.get("Subnet"), 64),
        "range": text(raw.get("IPRange"), 64),
        "gateway": text(raw.get("Gateway"), 64),
        "aux": dict(
            sorted((text(n, NAME_AT_MOST), text(a, 64)) for n, a in _items(raw.get("AuxiliaryAddresses")))[:50]
        ),
    }


def volume_row(raw: Any) -> VolumeRow | None:
    """An entry of /volumes; None when it has no name."""
    if not isinstance(raw, dict) or not text(raw.get("Name")):
        return None
    return {
        "name": text(raw["Name"], NAME_AT_MOST),
        "driver": text(raw.get("Driver"), 100),
        "mountpoint": text(raw.get("Mountpoint"), 1000),
        "scope": text(raw.get("Scope"), 20),
        "created": time_of(raw.get("CreatedAt")),
        "labels": labels_of(raw.get("Labels")),
        "data": {"options": options_of(raw.get("Options"))},
    }


def options_of(value: Any) -> dict[str, str]:
    """Options of a volume's driver, secrets hidden: values whose name says that they are one, in mount options too."""
    return {name: HIDDEN if SECRET.search(name) else _mount_options(told) for name, told in labels_of(value).items()}


def _mount_options(told: str) -> str:
    pairs = (part.partition("=") for part in told.split(","))
    return ",".join(
        f"{name}={HIDDEN}" if sign and SECRET.search(name) else name + sign + rest for name, sign, rest in pairs
    )


# ---------------------------------------------------------------- plugins
def plugin_row(raw: Any) -> PluginRow | None:
    """An entry of /plugins; None when it has neither id nor name.

    `data`: types, documentation, entrypoint (lists of words), user, network, host_namespaces, capabilities,
    all_devices, and what can be set: env [{"name", "description", "settable", "set"}], args {..., "value"},
    mounts [{..., "source", "target"}], devices [{..., "path"}].
    """
    if not isinstance(raw, dict) or not (text(raw.get("Id")) and text(raw.get("Name"))):
        return None
    types = [
        text(kind, 100) if isinstance(kind, str) else _type(kind)
        for kind in _list(_at(raw, "Config", "Interface", "Types"))
    ]
    return {
        "engine_id": text(raw["Id"], 100),
        "name": text(raw["Name"], NAME_AT_MOST),
        "reference": text(raw.get("PluginReference"), 500),
        "enabled": raw.get("Enabled") is True,
        "kind": next((kind for kind in types if kind), ""),
        "description": text(_at(raw, "Config", "Description")),
        "data": _plugin_data(raw, types),
    }


def _type(kind: Any) -> str:
    prefix, capability, version = (text(_at(kind, key), 60) for key in ("Prefix", "Capability", "Version"))
    return f"{prefix}.{capability}/{version}"[:100] if capability else ""


def _plugin_data(raw: dict[str, Any], types: list[str]) -> dict[str, Any]:
    config = _at(raw, "Config")
    namespaces = [name for name, key in (("ipc", "IpcHost"), ("pid", "PidHost")) if _at(config, key) is True]
    known = {text(entry, LABEL_AT_MOST).partition("=")[0] for entry in _list(_at(raw, "Settings", "Env"))}
    args = [text(word, 500) for word in _list(_at(raw, "Settings", "Args"))][:ENTRIES_AT_MOST]
    return {
        "types": types[:20],
        "documentation": text(_at(config, "Documentation"), 1000),
        "entrypoint": [text(word, 500) for word in _list(_at(config, "Entrypoint"))][:ENTRIES_AT_MOST],
        "user": ":".join(str(whole(_at(config, "User", key))) for key in ("UID", "GID")),
        "network": text(_at(config, "Network", "Type"), 100),
        "host_namespaces": namespaces,
        "capabilities": sorted(text(name, 60) for name in _list(_at(config, "Linux", "Capabilities")))[:100],
        "all_devices": _at(config, "Linux", "AllowAllDevices") is True,
        "env": [_setting(entry) | {"set": text(entry.get("Name"), 255) in known} for entry in _settings(config, "Env")],
        "args": _setting(_at(config, "Args") or {}) | {"value": args},
        "mounts": [
            _setting(entry)
            | {"source": text(entry.get("Source"), 1000), "target": text(entry.get("Destination"), 1000)}
            for entry in _dicts(_at(raw, "Settings", "Mounts"))
        ][:ENTRIES_AT_MOST],
        "devices": [
            _setting(entry) | {"path": text(entry.get("Path"), 1000)}
            for entry in _dicts(_at(raw, "Settings", "Devices"))
        ][:ENTRIES_AT_MOST],
    }


def _settings(config: Any, key: str) -> list[dict[str, Any]]:
    return list(_dicts(_at(config, key)))[:ENTRIES_AT_MOST]


def _setting(entry: Any) -> dict[str, Any]:
    return {
        "name": text(_at(entry, "Name"), NAME_AT_MOST),
        "description": text(_at(entry, "Description"), 1000),
        "settable": [text(what, 40) for what in _list(_at(entry, "Settable"))][:10],
    }


def privileges_of(answer: Any) -> list[dict[str, Any]]:
    """/plugins/privileges as [{"name", "description", "value": [...]}]."""
    return [
        {
            "name": text(entry.get("Name"), 100),
            "description": text(entry.get("Description"), 1000),
            "value": sorted(text(value, 1000) for value in _list(entry.get("Value")))[:ENTRIES_AT_MOST],
        }
        for entry in _dicts(answer)
    ][:ENTRIES_AT_MOST]


# ---------------------------------------------------------------- events, disk use
def event_row(raw: Any) -> EventRow | None:
    """A line of /events; None when it says no kind, action or time."""
    if not isinstance(raw, dict):
        return None
    attributes = _at(raw, "Actor", "Attributes")
    said = {name: text(_at(attributes, name), LABEL_AT_MOST) for name in (*EVENT_KEEPS, *EVENT_READS)}
    kind = text(raw.get("Type"), 40)
    nano = whole(raw.get("timeNano")) or whole(raw.get("time")) * 1_000_000_000
    time = time_of(nano / 1e9)
    action = _action(raw, kind, said)
    if not kind or not action or time is None or nano >= BIGGEST:
        return None
    actor_id = text(_at(raw, "Actor", "ID") or raw.get("id"), NAME_AT_MOST)
    name = said["name"][:NAME_AT_MOST]
    said["exitCode"] = said["exitCode"] or said["containerExitCode"]
    return {
        "time": time,
        "time_nano": nano,
        "kind": kind,
        "action": action,
        "actor_id": actor_id,
        "actor_name": name or (actor_id if kind == "volume" else ""),
        # labels come as attributes as well: only what says something about the event is kept
        "data": {name: said[name] for name in EVENT_KEEPS if said[name]},
    }


def _action(raw: dict[str, Any], kind: str, said: dict[str, str]) -> str:
    action = text(raw.get("Action") or raw.get("status"), 255)
    if kind == "container":
        action = ACTION_NAMES.get(action, action)
    if action == "health_status":  # Podman says which one beside it
        told = said["health_status"] or text(raw.get("HealthStatus"), 20)
        return f"health_status: {told}"[:255] if told else action
    return action


def disk_use(raw: Any) -> dict[str, int]:
    """/system/df as bytes by kind: images, containers, volumes, build_cache."""

    def total(key: str, *path: str) -> int:
        return sum(max(0, whole(_at(entry, *path))) for entry in _dicts(_at(raw, key)))

    return {
        "images": max(0, whole(_at(raw, "LayersSize"))) or total("Images", "Size"),
        "containers": total("Containers", "SizeRw"),
        "volumes": total("Volumes", "UsageData", "Size"),
        "build_cache": total("BuildCache", "Size"),
    }
