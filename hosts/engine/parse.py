"""An engine's JSON becomes row values. Nothing in it is trusted: lengths are bounded, types are checked, and NUL
characters go (PostgreSQL refuses them)."""

import re
from datetime import UTC, datetime
from typing import Any, TypedDict

NAME_AT_MOST, TEXT_AT_MOST, LABELS_AT_MOST, LABEL_AT_MOST = 255, 4000, 200, 4096
EXITED = re.compile(r"(?:Exited|Restarting) \((-?\d+)\)")
STATES = {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
# what other engines say instead
STATE_NAMES = {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}
PROJECT, SERVICE, STACK = "com.docker.compose.project", "com.docker.compose.service", "com.docker.stack.namespace"
TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)")


class ContainerRow(TypedDict):
    """The values of hosts.models.Container."""

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
    ports: list[dict[str, Any]]
    data: dict[str, Any]


class ContainerTimes(TypedDict):
    """What only an inspect answer says."""

    started: datetime | None
    finished: datetime | None
    restart_count: int
    exit_code: int | None


def text(value: Any, most: int = TEXT_AT_MOST) -> str:
    """A bounded string without NUL; "" for anything that is no string or number."""
    if not isinstance(value, str | int | float):
        return ""
    return str(value).replace("\0", "")[:most]


def whole(value: Any) -> int:
    """A whole number that fits a column; 0 for anything else."""
    return min(max(value, -(2**62)), 2**62) if isinstance(value, int) else 0


def labels_of(value: Any) -> dict[str, str]:
    """Bounded labels."""
    if not isinstance(value, dict):
        return {}
    pairs = list(value.items())[:LABELS_AT_MOST]
    return {text(name, NAME_AT_MOST): text(content, LABEL_AT_MOST) for name, content in pairs}


def time_of(value: Any) -> datetime | None:
    """A Unix time in seconds or RFC 3339 text; None for Go's zero time and for nonsense."""
    if isinstance(value, int | float) and 0 < value < 2**35:
        return datetime.fromtimestamp(value, UTC)
    found = TIME.fullmatch(value) if isinstance(value, str) else None
    if not found or value.startswith("0001"):
        return None
    zone = "+00:00" if found[3] == "Z" else found[3]
    try:
        return datetime.fromisoformat(f"{found[1]}.{(found[2] or '0')[:6].ljust(6, '0')}{zone}")
    except ValueError:
        return None


def container_row(raw: Any) -> ContainerRow | None:
    """An entry of /containers/json."""
    if not isinstance(raw, dict) or not raw.get("Id"):
        return None
    status, labels = text(raw.get("Status")), labels_of(raw.get("Labels"))
    names = raw.get("Names") or []
    # linked containers have names like /other/alias beside their own
    own = next((n for n in names if isinstance(n, str) and n.count("/") <= 1), "") or text(raw["Id"])[:12]
    exited = EXITED.search(status)
    state = text(raw.get("State"), 20).lower()
    state = STATE_NAMES.get(state, state)
    return {
        "engine_id": text(raw["Id"], 80),
        "name": text(own, NAME_AT_MOST).lstrip("/"),
        "image": text(raw.get("Image"), 500),
        "image_id": text(raw.get("ImageID"), 100),
        "command": _command(raw.get("Command")),
        "state": state if state in STATES else "dead",
        "health": _health(raw, status),
        "exit_code": int(exited[1]) if exited and abs(int(exited[1])) < 2**31 else None,
        "created": time_of(raw.get("Created")),
        "project": labels.get(PROJECT) or labels.get(STACK, ""),
        "service": labels.get(SERVICE, "")[:NAME_AT_MOST],
        "labels": labels,
        "ports": ports_of(raw.get("Ports")),
        "data": {"networks": _networks(raw), "mounts": _mounts(raw.get("Mounts"))},
    }


def _command(value: Any) -> str:
    return " ".join(text(v) for v in value)[:TEXT_AT_MOST] if isinstance(value, list) else text(value)


def _health(raw: dict[str, Any], status: str) -> str:
    told = raw.get("Health")  # API 1.52 and newer
    if isinstance(told, dict):
        name = text(told.get("Status"), 20)
        return "" if name == "none" else name
    for name, sign in (("unhealthy", "(unhealthy)"), ("healthy", "(healthy)"), ("starting", "(health: starting)")):
        if sign in status:
            return name
    return ""


def ports_of(value: Any) -> list[dict[str, Any]]:
    """Published and exposed ports, sorted; one entry where IPv4 and IPv6 say the same."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for port in value if isinstance(value, list) else []:
        if isinstance(port, dict):
            public, private = whole(port.get("PublicPort")), whole(port.get("PrivatePort"))
            kind, ip = text(port.get("Type"), 10) or "tcp", text(port.get("IP"), 64)
            key = (private, public, kind, ip if ip not in {"0.0.0.0", "::", ""} else "")
            found.setdefault(key, {"ip": ip, "private": private, "public": public, "type": kind})
    return [found[key] for key in sorted(found)][:200]


def _networks(raw: dict[str, Any]) -> dict[str, str]:
    networks = (raw.get("NetworkSettings") or {}).get("Networks")
    if not isinstance(networks, dict):
        return {}
    return {
        text(name, NAME_AT_MOST): text((entry or {}).get("IPAddress"), 64) for name, entry in list(networks.items())[:100]
    }


def _mounts(value: Any) -> list[dict[str, Any]]:
    return [
        {
            "type": text(mount.get("Type"), 20),
            "name": text(mount.get("Name"), NAME_AT_MOST),
            "source": text(mount.get("Source"), 1000),
            "target": text(mount.get("Destination"), 1000),
            "rw": bool(mount.get("RW")),
        }
        for mount in (value if isinstance(value, list) else [])[:100]
        if isinstance(mount, dict)
    ]


def container_row_from_inspect(raw: Any) -> ContainerTimes:
    """What /containers/ID/json says beyond the list."""
    state = raw.get("State") if isinstance(raw, dict) else None
    state = state if isinstance(state, dict) else {}
    code = state.get("ExitCode")
    return {
        "started": time_of(state.get("StartedAt")),
        "finished": time_of(state.get("FinishedAt")),
        "restart_count": max(0, min(whole(raw.get("RestartCount")), 2**31 - 1)),
        "exit_code": code if isinstance(code, int) and abs(code) < 2**31 else None,
    }


def image_row(raw: Any) -> dict[str, Any] | None:
    """An entry of /images/json."""
    if not isinstance(raw, dict) or not raw.get("Id"):
        return None
    tags = sorted(text(tag, 500) for tag in raw.get("RepoTags") or [] if tag != "<none>:<none>")
    digests = sorted(text(digest, 500) for digest in raw.get("RepoDigests") or [] if "<none>" not in str(digest))
    return {
        "engine_id": text(raw["Id"], 100),
        "name": tags[0] if tags else "",
        "tags": tags[:200],
        "digests": digests[:200],
        "size": max(0, whole(raw.get("Size"))),
        "created": time_of(raw.get("Created")),
        "dangling": not tags,
        "labels": labels_of(raw.get("Labels")),
    }


def network_row(raw: Any) -> dict[str, Any] | None:
    """An entry of /networks."""
    if not isinstance(raw, dict) or not (raw.get("Id") or raw.get("Name")):
        return None
    pools = (raw.get("IPAM") or {}).get("Config") or []
    return {
        "engine_id": text(raw.get("Id") or raw["Name"], 100),
        "name": text(raw.get("Name"), NAME_AT_MOST),
        "driver": text(raw.get("Driver"), 100),
        "scope": text(raw.get("Scope"), 20),
        "internal": bool(raw.get("Internal")),
        "created": time_of(raw.get("Created")),
        "labels": labels_of(raw.get("Labels")),
        "data": {"subnets": [text(p.get("Subnet"), 64) for p in pools[:20] if isinstance(p, dict)]},
    }


def volume_row(raw: Any) -> dict[str, Any] | None:
    """An entry of /volumes."""
    if not isinstance(raw, dict) or not raw.get("Name"):
        return None
    return {
        "name": text(raw["Name"], NAME_AT_MOST),
        "driver": text(raw.get("Driver"), 100),
        "mountpoint": text(raw.get("Mountpoint"), 1000),
        "scope": text(raw.get("Scope"), 20),
        "created": time_of(raw.get("CreatedAt")),
        "labels": labels_of(raw.get("Labels")),
    }


def event_row(raw: Any) -> dict[str, Any] | None:
    """A line of /events."""
    if not isinstance(raw, dict):
        return None
    actor = raw.get("Actor") if isinstance(raw.get("Actor"), dict) else {}
    kind, action = text(raw.get("Type"), 40), text(raw.get("Action") or raw.get("status"), 255)
    nano = whole(raw.get("timeNano")) or whole(raw.get("time")) * 1_000_000_000
    time = time_of(nano / 1e9)
    if not kind or not action or time is None:
        return None
    attributes = labels_of(actor.get("Attributes"))
    return {
        "time": time,
        "time_nano": nano,
        "kind": kind,
        "action": {"died": "die"}.get(action, action),
        "actor_id": text(actor.get("ID") or raw.get("id"), NAME_AT_MOST),
        "actor_name": attributes.get("name", "")[:NAME_AT_MOST],
        # labels come as attributes as well: only what says something about the event is kept
        "data": {
            name: attributes[name] for name in ("exitCode", "signal", "oldName", "container", "image") if name in attributes
        },
    }


def disk_use(raw: Any) -> dict[str, int]:
    """/system/df as bytes by kind."""
    raw = raw if isinstance(raw, dict) else {}

    def total(key: str, *path: str) -> int:
        sum_ = 0
        for entry in raw.get(key) or []:
            value: Any = entry
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            sum_ += max(0, whole(value))
        return sum_

    return {
        "images": whole(raw.get("LayersSize")) or total("Images", "Size"),
        "containers": total("Containers", "SizeRw"),
        "volumes": total("Volumes", "UsageData", "Size"),
        "build_cache": total("BuildCache", "Size"),
    }
