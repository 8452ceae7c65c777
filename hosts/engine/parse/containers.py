"""Containers, as a list and as an inspect answer say them."""

import re
from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import (
    ENTRIES_AT_MOST,
    NAME_AT_MOST,
    TEXT_AT_MOST,
    at,
    dicts_of,
    first_of,
    items_of,
    labels_of,
    list_of,
    text,
    time_of,
    whole,
)

EXITED = re.compile(r"(?:Exited|Restarting) \((-?\d{1,10})\)")
STATES = {"created", "running", "paused", "restarting", "removing", "exited", "dead"}
# what Podman says instead
STATE_NAMES = {"configured": "created", "initialized": "created", "stopped": "exited", "stopping": "running"}
HEALTHS = (("unhealthy", "(unhealthy)"), ("healthy", "(healthy)"), ("starting", "(health: starting)"))
PROJECTS = ("com.docker.compose.project", "com.docker.stack.namespace", "io.podman.compose.project")
SERVICES = ("com.docker.compose.service", "com.docker.swarm.service.name", "io.podman.compose.service")
EVERYWHERE, LOOPBACK = {"0.0.0.0", "::", ""}, {"127.0.0.1", "::1"}


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
        "project": first_of(labels, PROJECTS),
        "service": first_of(labels, SERVICES),
        "labels": labels,
        "ports": ports_of(raw.get("Ports")),
        "data": {
            "networks": _networks(at(raw, "NetworkSettings", "Networks")),
            "mounts": _mounts(raw.get("Mounts")),
        },
    }


def container_row_from_inspect(raw: Any) -> InspectRow:
    """A /containers/ID/json answer; whatever it lacks is empty."""
    raw = raw if isinstance(raw, dict) else {}
    state, config = at(raw, "State"), at(raw, "Config")
    arguments = raw.get("Args") if isinstance(raw.get("Args"), list) else []
    row = container_row(
        {
            **raw,
            "Id": text(raw.get("Id")) or "?",
            "Names": [raw.get("Name")],
            "Image": at(config, "Image"),
            "ImageID": raw.get("Image"),
            "Command": [raw.get("Path"), *arguments],
            "State": at(state, "Status"),
            "Status": "",
            "Health": at(state, "Health") or at(state, "Healthcheck"),
            "Labels": at(config, "Labels"),
            "Ports": _inspected_ports(at(raw, "NetworkSettings", "Ports")),
        }
    )
    assert row is not None
    row["engine_id"] = text(raw.get("Id"), 80)
    row["exit_code"] = _code(at(state, "ExitCode")) if row["state"] in {"exited", "dead", "restarting"} else None
    return {
        **row,
        "started": time_of(at(state, "StartedAt")),
        "finished": time_of(at(state, "FinishedAt")),
        "restart_count": max(0, min(whole(raw.get("RestartCount")), 2**31 - 1)),
    }


def _name(raw: dict[str, Any]) -> str:
    names = [text(name, NAME_AT_MOST + 1) for name in list_of(raw.get("Names"))]
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
    name = text(at(told, "Status") if isinstance(told, dict) else told, 20).lower()
    if name:
        return name if name in {"starting", "healthy", "unhealthy"} else ""
    return next((health for health, sign in HEALTHS if sign in status), "starting" if "(starting)" in status else "")


def ports_of(value: Any) -> list[dict[str, Any]]:
    """Published and exposed ports, sorted; one entry where IPv4 and IPv6 say the same."""
    found: dict[tuple[int, int, str, str], dict[str, Any]] = {}
    for port in dicts_of(value):
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
    for name, bindings in items_of(value):
        number, _, kind = text(name, 40).partition("/")
        if not (number.isascii() and number.isdecimal()):
            continue
        for binding in list(dicts_of(bindings)) or [{}]:
            host_port = text(binding.get("HostPort"), 5)
            public = int(host_port) if host_port.isascii() and host_port.isdecimal() else 0
            ip = binding.get("HostIp")
            ports.append({"PrivatePort": int(number), "PublicPort": public, "Type": kind, "IP": ip})
    return ports


def _networks(networks: Any) -> dict[str, str]:
    pairs = [(text(name, NAME_AT_MOST), entry) for name, entry in items_of(networks)[:ENTRIES_AT_MOST]]
    return {
        name: text(at(entry, "IPAddress"), 64) or text(at(entry, "GlobalIPv6Address"), 64)
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
        for mount in dicts_of(value)
    ]
    return sorted(found, key=lambda mount: str(mount["target"]))[:ENTRIES_AT_MOST]
