"""Rows for tests that need no engine: made through the inventory, as the watcher makes them."""

from typing import Any

from django.utils import timezone

from accounts.models import User
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host


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
