"""What the files of the lists hold: nothing that their pages do not show to the same people."""

from operator import attrgetter
from typing import Any

from common.exports import Columns


def _columns(*names: str, **more: Any) -> Columns:
    return {"host": attrgetter("host.name"), **{name: attrgetter(name) for name in names}, **more}


CONTAINERS = _columns(
    *("name", "engine_id", "image", "image_id", "state", "health", "project", "service", "exit_code"),
    *("ports", "created", "started", "labels", "seen"),
)
IMAGES = _columns("name", "engine_id", "tags", "digests", "size", "created", "use", "labels", "seen")
NETWORKS = _columns(
    *("name", "engine_id", "driver", "scope", "internal", "use", "created", "labels"),
    subnets=lambda row: row.data.get("subnets", []),
    seen=attrgetter("seen"),
)
VOLUMES = _columns("name", "driver", "scope", "mountpoint", "size", "use", "created", "labels", "seen")
PLUGINS = _columns("name", "engine_id", "reference", "state", "kind", "description", "seen")
EVENTS = _columns("time", "kind", "action", "actor_id", "actor_name", "data")
HOSTS: Columns = {
    name: attrgetter(name)
    for name in (
        *("name", "url", "kind", "enabled", "state", "reason", "since", "last_seen", "engine", "engine_version"),
        *("api_version", "os", "arch", "cpus", "memory", "labels"),
    )
}
