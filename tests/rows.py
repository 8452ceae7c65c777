"""Rows for tests that need no engine: made through the inventory, as the watcher makes them."""

import json
from pathlib import Path
from typing import Any

from django.utils import timezone

from accounts.models import User
from hosts.engine import parse
from hosts.engine.parse import services as parse_services
from hosts.engine.parse import swarms as parse_swarm
from hosts.inventory import apply, swarms
from hosts.inventory.swarm_reader import ROWS
from hosts.models import Host, Swarm


def person(name: str, role: str) -> User:
    """An account."""
    return User.objects.create_user(name, password="quay-side-4711", role=role)


def a_host(name: str = "quay", state: str = "online") -> Host:
    """A host that the watcher has seen."""
    return Host.objects.create(
        name=name, url=f"unix:///run/{name}.sock", kind="unix", state=state, last_seen=timezone.now()
    )


def container_json(name: str, **more: Any) -> dict[str, Any]:
    """An entry of /containers/json."""
    number = sum(map(ord, name))
    return {
        "Id": f"{number:08x}".ljust(64, "c"),
        "Names": [f"/{name}"],
        "Image": "acme/web:1",
        "ImageID": "sha256:" + "1" * 64,
        "Command": "run",
        "Created": 1_760_000_000,
        "State": "running",
        "Status": "Up 3 hours",
        "Labels": {},
        "Ports": [],
        "Mounts": [],
        **more,
    }


def containers(host: Host, *entries: dict[str, Any]) -> None:
    """Makes the host's table equal to what an engine would list."""
    apply.apply_rows(host, "container", [parse.container_row(entry) for entry in entries])


RECORDED_SWARM = Path(__file__).parent / "hosts/engine/recorded/docker_20_10_swarm.json"


def a_swarm(host: Host) -> Swarm:
    """A swarm whose manager the host is, with what a Docker 20.10 told of one: nodes buoy-a and buoy-c, the service web,
    the secret s1 and the config c1."""
    told = json.loads(RECORDED_SWARM.read_text())
    swarms.apply_member(host.pk, parse_swarm.member_of(told["info"]))
    swarms.take(host.pk)
    swarms.apply_swarm(host.pk, parse_swarm.swarm_row(told["swarm"]))
    names: tuple[dict[str, str], ...] = ({}, {})
    for noun, known in (("node", names[0]), ("service", names[1]), ("secret", {}), ("config", {})):
        rows = [row for raw in told[f"{noun}s"] if (row := ROWS[noun](raw))]
        known |= {row["engine_id"]: row["name"] for row in rows}
        swarms.apply_read(host.pk, noun, rows)
    tasks = [row for raw in told["tasks"] if (row := parse_services.task_row(raw))]
    swarms.apply_read(host.pk, "task", parse_services.told(tasks, names[1], names[0]))
    return Swarm.objects.get()
