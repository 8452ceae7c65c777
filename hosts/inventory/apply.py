"""Writes mirrored rows: what an engine says becomes the tables, and open pages hear what changed."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from common.events import changed
from hosts.engine import disk
from hosts.inventory.backups import follow_rows
from hosts.inventory.owners import Owners, forget_words, owner_of_event
from hosts.models import Container, ContainerDetail, DiskReading, Event, Host, Image, Network, Plugin, Use, Volume
from hosts.models.owners import OWNED
from hosts.policy.allotted import of_inspect

NOUNS: dict[str, type[models.Model]] = {
    "container": Container,
    "image": Image,
    "network": Network,
    "volume": Volume,
    "plugin": Plugin,
}
KEY = {"container": "engine_id", "image": "engine_id", "network": "engine_id", "volume": "name", "plugin": "engine_id"}
BATCH = 200
WITHOUT_HEALTH = {"Podman"}  # engines whose lists do not tell it: inspect answers do

# columns of a container that an inspect answer says
OF_INSPECT = [
    *("started", "finished", "restart_count", "exit_code", "health"),
    *("nano_cpus", "memory_limit", "pids_limit", "ports_published"),
]


def apply_rows(
    host: Host, noun: str, rows: Iterable[Any], *, only: set[str] | None = None
) -> tuple[set[str], set[str]]:
    """Makes the table equal to `rows` (from hosts.engine.parse) and returns (changed, removed) keys.

    `only`: the engine was asked for these keys alone, so others are left as they are.
    """
    model, key = NOUNS[noun], KEY[noun]
    if noun in OWNED:
        rows = Owners(host, noun).given(rows)
    wanted = {row[key]: row for row in rows}
    known = model._default_manager.filter(host=host)
    if only is not None:
        known = known.filter(**{f"{key}__in": only})
    old = {getattr(row, key): row for row in known}
    if noun == "container" and host.engine in WITHOUT_HEALTH:
        wanted = {k: row | {"health": _health(row, old.get(k))} for k, row in wanted.items()}
    now = timezone.now()
    fresh = [model(host=host, seen=now, **row) for k, row in wanted.items() if k not in old or differs(old[k], row)]
    gone = old.keys() - wanted.keys()
    with transaction.atomic():
        if gone:
            forget_words(host, noun, [old[one] for one in gone])
            model._default_manager.filter(host=host, **{f"{key}__in": gone}).delete()
        if fresh:
            names = [name for name in next(iter(wanted.values())) if name != key]
            model._default_manager.bulk_create(
                fresh,
                batch_size=BATCH,
                update_conflicts=True,
                unique_fields=["host", key],
                update_fields=[*names, "seen"],
            )
            if noun == "container":
                _apply_uses(fresh, old)
            if noun == "volume":
                follow_rows(host, fresh, old)
        touched = {getattr(row, key) for row in fresh}
        if touched or gone:
            changed(noun, host.name, *sorted(touched | gone))
    return touched, gone


def _health(row: Any, old: Any) -> str:
    """What the list tells, else what was known of a container that still runs."""
    known = old.health if old is not None and row["state"] == "running" else ""
    return str(row["health"] or known)


def _apply_uses(rows: list[Any], old: dict[str, Any]) -> None:
    """Writes which networks and volumes `rows`, just stored, use; `old` is what was known by engine id."""
    known = [row for row in rows if row.engine_id in old]
    moved = [row for row in known if _uses(row) != _uses(old[row.engine_id])]
    if moved:
        Use.objects.filter(container__in=[row.pk for row in moved]).delete()
    moved += [row for row in rows if row.engine_id not in old]
    uses = [Use(container=row, host_id=row.host_id, noun=noun, name=name) for row in moved for noun, name in _uses(row)]
    # who has just made a container puts it into the table as the watcher does: each use is there once
    Use.objects.bulk_create(uses, batch_size=BATCH, ignore_conflicts=True)


def _uses(container: Container) -> set[tuple[str, str]]:
    networks = {("network", name) for name in container.data.get("networks", {})}
    return networks | {("volume", mount["name"]) for mount in container.data.get("mounts", []) if mount.get("name")}


def differs(row: models.Model, values: dict[str, Any]) -> bool:
    """Whether a stored row says something else than the engine; comparing is cheaper than writing."""
    return any(getattr(row, name) != value for name, value in values.items())


def apply_details(host: Host, inspects: dict[str, Any]) -> None:
    """Stores inspect answers by container id, and what only they say (finished, restart count) in the rows."""
    from hosts.engine.parse import container_row_from_inspect

    now = timezone.now()
    rows = {row.engine_id: row for row in Container.objects.filter(host=host, engine_id__in=inspects)}
    details, moved = [], []
    for engine_id, inspect in inspects.items():
        row = rows.get(engine_id)
        if row is None:
            continue
        details.append(ContainerDetail(container=row, inspect=inspect, seen=now))
        parsed = container_row_from_inspect(inspect)
        before = [getattr(row, name) for name in OF_INSPECT]
        row.started, row.finished = parsed["started"], parsed["finished"]
        row.restart_count = parsed["restart_count"]
        if row.state == "exited":
            row.exit_code = parsed["exit_code"]
        if row.state == "running" and host.engine in WITHOUT_HEALTH:
            row.health = parsed["health"]
        wants = of_inspect(inspect)
        row.nano_cpus, row.memory_limit, row.pids_limit = wants.nano_cpus, wants.memory, wants.pids
        row.ports_published = wants.ports
        if before != [getattr(row, name) for name in OF_INSPECT]:
            moved.append(row)
    with transaction.atomic():
        ContainerDetail.objects.bulk_create(
            details,
            batch_size=BATCH,
            update_conflicts=True,
            unique_fields=["container"],
            update_fields=["inspect", "seen"],
        )
        # not bulk_update, which builds an expression for each value and takes ten times as long
        Container.objects.bulk_create(
            moved, batch_size=BATCH, update_conflicts=True, unique_fields=["pk"], update_fields=OF_INSPECT
        )
        if moved:
            changed("container", host.name, *(row.engine_id for row in moved))


def apply_look(container: Container, inspect: Any, asked: datetime) -> None:
    """Stores an inspect answer that a page asked for at `asked`, unless the watcher has stored one since."""
    ContainerDetail.objects.filter(container=container, seen__lt=asked).update(inspect=inspect, seen=timezone.now())


def apply_events(host: Host, rows: list[Any]) -> None:
    """Keeps events; one that came twice (after a reconnect) is kept once."""
    with transaction.atomic():
        found = [Event(host=host, owner_id=owner_of_event(host, row), **row) for row in rows]
        Event.objects.bulk_create(found, batch_size=BATCH, ignore_conflicts=True)
        changed("event", host.name)


def forget_events(before: datetime) -> None:
    """Deletes the events that are older."""
    Event.objects.filter(time__lt=before).delete()


def apply_state(host_id: int, state: str, error: Any = None) -> bool:
    """Writes a host's state with its reason; `since` moves only when the state does. True when anything changed.

    `error` is a hosts.engine EngineError or None.
    """
    host = Host.objects.filter(pk=host_id).first()
    if host is None:
        return False
    now = timezone.now()
    code = error.code if error else ""
    template, params = (error.template, dict(error.params)) if error else ("", {})
    values: dict[str, Any] = {}
    if host.state != state:
        values |= {"state": state, "since": now}
    if (host.reason_code, host.reason_template, host.reason_params) != (code, template, params):
        values |= {"reason_code": code, "reason_template": template, "reason_params": params}
    if not values:
        return False
    with transaction.atomic():
        Host.objects.filter(pk=host_id).update(**values)
        changed("host", host.name)
    return True


def apply_info(host: Host, info: Any, at: datetime | None = None) -> None:
    """Stores what the engine says of itself (hosts.engine.connect.EngineInfo)."""
    values = {
        "engine": info["engine"],
        "engine_version": info["version"],
        "api_version": info["api_version"],
        "os": info["os"],
        "arch": info["arch"],
        "kernel": info["kernel"],
        "cpus": info["cpus"] or None,
        "memory": info["memory"] or None,
        "storage_driver": info["storage_driver"],
        "warnings": info["warnings"],
        "info": {key: info.get(key) for key in ("name", "cgroup_version", "labels", "swarm", "min_api_version")},
    }
    with transaction.atomic():
        old = Host.objects.filter(pk=host.pk).values(*values).first()
        Host.objects.filter(pk=host.pk).update(**values, last_seen=at or timezone.now())
        if old != values:
            changed("host", host.name)


def apply_alive(host_id: int, state: str) -> None:
    """The engine just answered: notes when, and the state if that is another than before."""
    same = Host.objects.filter(pk=host_id, state=state, reason_code="")
    if not same.update(last_seen=timezone.now()):
        Host.objects.filter(pk=host_id).update(last_seen=timezone.now())
        apply_state(host_id, state)


def apply_disk(host: Host, found: disk.Reading, seconds: float) -> None:
    """Stores what its objects take: Host.disk = {images, containers, volumes, build_cache (bytes), "free" and "counts"
    by kind, "at", "seconds" that it took, "failed": None}."""
    now = timezone.now()
    summary = {
        **found["use"],
        "free": found["free"],
        "counts": found["counts"],
        "at": now.isoformat(),
        "seconds": round(seconds, 1),
        "failed": None,
    }
    sizes = found["volumes"]
    moved = [
        volume
        for volume in Volume.objects.filter(host=host).only("name", "size")
        if volume.size != sizes.get(volume.name, volume.size)
    ]
    for volume in moved:
        volume.size = sizes[volume.name]
    with transaction.atomic():
        Host.objects.filter(pk=host.pk).update(disk=summary)
        DiskReading.objects.update_or_create(
            host=host, defaults={"containers": found["containers"], "cache": found["cache"], "taken": now}
        )
        Volume.objects.bulk_update(moved, ["size"], batch_size=BATCH)
        changed("host", host.name)
        if moved:
            changed("volume", host.name, *sorted(volume.name for volume in moved))


def apply_disk_failed(host: Host, error: Any) -> None:
    """Notes why the disk could not be looked at (an EngineError); what was found before stays, with its age."""
    with transaction.atomic():
        row = Host.objects.select_for_update().filter(pk=host.pk).first()
        if row is None:
            return
        reason = {"template": error.template, "params": dict(error.params)}
        Host.objects.filter(pk=host.pk).update(disk={**(row.disk or {}), "failed": reason})
        changed("host", host.name)
