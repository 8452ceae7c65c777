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
SERVICES: Columns = {
    "swarm": attrgetter("swarm.name"),
    **{
        name: attrgetter(name)
        for name in (
            *("name", "engine_id", "stack", "image", "mode", "replicas", "running", "desired", "completed"),
            *("ports", "update_state", "created", "updated", "labels", "seen"),
        )
    },
}
TASKS: Columns = {
    "swarm": attrgetter("swarm.name"),
    **{
        name: attrgetter(name)
        for name in (
            *("name", "engine_id", "service_name", "slot", "node_name", "state", "desired", "current", "error"),
            *("exit_code", "container_id", "image", "since", "created", "seen"),
        )
    },
}
EVENTS = _columns("time", "kind", "action", "actor_id", "actor_name", "data")
SWARMS: Columns = {
    name: attrgetter(name) for name in ("name", "engine_id", "state", "autolock", "created", "labels", "seen")
}


def _of_swarm(*names: str) -> Columns:
    return {"swarm": attrgetter("swarm.name"), **{name: attrgetter(name) for name in names}}


NODES = _of_swarm(
    *("name", "engine_id", "role", "leader", "state", "availability", "reachability", "address", "engine_version"),
    *("os", "arch", "cpus", "memory", "labels", "created", "seen"),
)
SECRETS = _of_swarm("name", "engine_id", "driver", "templating", "created", "updated", "labels", "seen")
CONFIGS = _of_swarm("name", "engine_id", "templating", "size", "created", "updated", "labels", "seen")
BACKUPS: Columns = {
    "host": attrgetter("host"),
    "volume": attrgetter("volume"),
    "team": lambda backup: backup.owner.name if backup.owner else "",
    "destination": attrgetter("destination.name"),
    **{
        name: attrgetter(name)
        for name in ("key", "bytes", "content_bytes", "entries", "sha256", "created", "by_name", "checked")
    },
}
DESTINATIONS: Columns = {name: attrgetter(name) for name in ("name", "kind", "place", "added")}
DESTINATION_NAMES = {name: value for name, value in DESTINATIONS.items() if name != "place"}
RECORDINGS: Columns = {
    name: attrgetter(name)
    for name in ("pk", "host", "container", "by_name", "mode", "command", "began", "seconds", "bytes", "end")
}
FORWARDS: Columns = {
    name: attrgetter(name)
    for name in ("name", "kind", "address", "enabled", "sent", "sent_at", "behind", "failures", "retry_at", "error")
}
REGISTRIES: Columns = {
    **{name: attrgetter(name) for name in ("name", "address", "plain_http")},
    "users": lambda row: [account.username for account in row.accounts.all()],
}
HOSTS: Columns = {
    name: attrgetter(name)
    for name in (
        *("name", "url", "kind", "enabled", "state", "reason", "since", "last_seen", "engine", "engine_version"),
        *("api_version", "os", "arch", "cpus", "memory", "labels"),
    )
}
