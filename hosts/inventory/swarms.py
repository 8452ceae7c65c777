"""Writes what is known of swarms: which hosts are in which, through which manager each is read, and its objects."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from common.events import changed
from hosts.inventory.apply import BATCH, differs
from hosts.inventory.swarm_owners import given, hand_down
from hosts.models import Config, Host, Node, Secret, Service, Swarm, SwarmMember, Task
from hosts.models.hosts import LIVE_STATES
from hosts.models.swarms import SwarmMirrored, SwarmOwned

OBJECTS: dict[str, type[SwarmMirrored]] = {
    "node": Node,
    "service": Service,
    "task": Task,
    "secret": Secret,
    "config": Config,
}
READING = timedelta(seconds=12)  # that a manager keeps the swarm after its last word
RENEW_BELOW = timedelta(seconds=7)


# ---------------------------------------------------------------- members
def apply_member(host_id: int, info: Any) -> int | None:
    """Stores what a host's engine says of its swarm (hosts.engine.parse.swarms.MemberInfo); gives the swarm's key."""
    with transaction.atomic():
        old = SwarmMember.objects.filter(host=host_id).first()
        if info["state"] == "inactive":
            if old is not None:
                old.delete()
                _tell(host_id)
                forget_empty()
            return None
        swarm = _swarm_of(info, old)
        values = {name: info[name] for name in ("address", "state", "control", "error", "managers")}
        # a locked engine no longer knows who it is
        values |= {"node_id": info["node_id"] or (old.node_id if old else ""), "swarm_id": swarm}
        if old is None or differs(old, values):
            SwarmMember.objects.update_or_create(host_id=host_id, defaults={**values, "seen": timezone.now()})
            _tell(host_id)
            if old is not None and old.swarm_id not in {None, swarm}:
                forget_empty()
        return swarm


def _tell(host_id: int) -> None:
    """Open pages of swarms and of the host."""
    changed("swarm")
    changed("host", *Host.objects.filter(pk=host_id).values_list("name", flat=True))


def _swarm_of(info: Any, old: SwarmMember | None) -> int | None:
    if info["swarm_id"]:
        return _named(info["swarm_id"]).pk
    if old is not None and old.swarm_id and info["node_id"] in {"", old.node_id}:
        return old.swarm_id
    node = Node.objects.filter(engine_id=info["node_id"]).first() if info["node_id"] else None
    return node.swarm_id if node else None


def _named(engine_id: str) -> Swarm:
    found = Swarm.objects.filter(engine_id=engine_id).first()
    if found:
        return found
    taken = set(Swarm.objects.filter(name__startswith="swarm").values_list("name", flat=True))
    name = next(n for n in ("swarm", *(f"swarm-{i}" for i in range(2, len(taken) + 3))) if n not in taken)
    return Swarm.objects.create(engine_id=engine_id, name=name)


def forget_empty() -> None:
    """Swarms that no host is in any more are forgotten with all that was known of them."""
    gone = Swarm.objects.filter(members=None)
    if gone.exists():
        gone.delete()
        changed("swarm")
        for noun in OBJECTS:
            changed(noun)


def rename(swarm: Swarm, name: str) -> None:
    """Our own name of a swarm; the engines know nothing of it."""
    with transaction.atomic():
        Swarm.objects.filter(pk=swarm.pk).update(name=name)
        swarm.name = name
        changed("swarm", name)


# ---------------------------------------------------------------- who reads
def take(host_id: int) -> bool:
    """Whether the swarm of this manager is to be read through it: then it keeps it for READING."""
    now = timezone.now()
    with transaction.atomic():
        swarm = Swarm.objects.select_for_update().filter(members__host=host_id, members__control=True).first()
        if swarm is None:
            return False
        if swarm.reader_id == host_id:
            if swarm.reader_until is None or swarm.reader_until < now + RENEW_BELOW:
                Swarm.objects.filter(pk=swarm.pk).update(reader_until=now + READING)
            return True
        reader = swarm.reader
        if (
            reader
            and swarm.reader_until
            and swarm.reader_until > now
            and reader.enabled
            and reader.state in LIVE_STATES
        ):
            return False
        Swarm.objects.filter(pk=swarm.pk).update(reader=host_id, reader_until=now + READING)
        changed("swarm", swarm.name)
        return True


def give_up(host_id: int, reason: str = "", leaderless: bool = False) -> None:
    """Another manager may read the swarm at once. `leaderless` and `reason`: what this one said."""
    with transaction.atomic():
        for swarm in Swarm.objects.filter(reader=host_id):
            values: dict[str, Any] = {"reader": None, "reader_until": None}
            if leaderless:
                values |= {"leaderless": True, "reason": reason[:500]}
            Swarm.objects.filter(pk=swarm.pk).update(**values)
            if leaderless and not swarm.leaderless:
                changed("swarm", swarm.name)


def apply_swarm(host_id: int, row: Any) -> bool:
    """Stores an answer to GET /swarm (hosts.engine.parse.swarms.SwarmRow): there is a leader. False when another host
    reads the swarm by now."""
    with transaction.atomic():
        swarm = Swarm.objects.filter(reader=host_id, engine_id=row["engine_id"]).first()
        if swarm is None:
            return False
        values = {**row, "leaderless": False, "reason": ""}
        if differs(swarm, values):
            Swarm.objects.filter(pk=swarm.pk).update(**values)
            changed("swarm", swarm.name)
        return True


def apply_settings(swarm: Swarm, row: Any) -> None:
    """Stores what a manager said after an act."""
    with transaction.atomic():
        Swarm.objects.filter(pk=swarm.pk, version__lte=row["version"]).update(**row)
        changed("swarm", swarm.name)


# ---------------------------------------------------------------- objects
def apply_read(host_id: int, noun: str, rows: Iterable[Any]) -> bool:
    """Makes the table equal to what the manager lists. False when another host reads the swarm by now."""
    with transaction.atomic():
        swarm = Swarm.objects.filter(reader=host_id).first()
        if swarm is None:
            return False
        apply_objects(swarm, noun, rows)
        Swarm.objects.filter(pk=swarm.pk).update(seen=timezone.now())
        return True


def apply_objects(swarm: Swarm, noun: str, rows: Iterable[Any], *, only: set[str] | None = None) -> None:
    """Makes the table equal to `rows` (from hosts.engine.parse.swarms); what is older than what is known is left out.

    `only`: these ids alone were asked for, so others are left as they are.
    """
    model = OBJECTS[noun]
    if issubclass(model, SwarmOwned):
        rows = given(swarm, noun, rows)
    wanted = {row["engine_id"]: row for row in rows}
    known = model._default_manager.filter(swarm=swarm)
    if only is not None:
        known = known.filter(engine_id__in=only)
    old = {row.engine_id: row for row in known}
    now = timezone.now()
    fresh = [model(swarm=swarm, seen=now, **row) for key, row in wanted.items() if _is_news(old.get(key), row)]
    gone = old.keys() - wanted.keys()
    with transaction.atomic():
        if gone:
            model._default_manager.filter(swarm=swarm, engine_id__in=gone).delete()
        if fresh:
            names = [name for name in next(iter(wanted.values())) if name != "engine_id"]
            model._default_manager.bulk_create(
                fresh,
                batch_size=BATCH,
                update_conflicts=True,
                unique_fields=["swarm", "engine_id"],
                update_fields=[*names, "seen"],
            )
        if noun == "node" and wanted:
            _link_members(swarm, set(wanted))
        if noun == "service":
            hand_down(swarm, {row.engine_id: getattr(row, "owner_id", None) for row in fresh if _moved(old, row)})
        if touched := {row.engine_id for row in fresh} | gone:
            changed(noun, swarm.name, *sorted(touched))


def _moved(old: dict[str, Any], row: Any) -> bool:
    """Whether it is another team's than before."""
    known = old.get(row.engine_id)
    return row.owner_id != (known.owner_id if known else None)


def _is_news(old: Any, row: dict[str, Any]) -> bool:
    if old is None:
        return True
    return old.version <= row["version"] and differs(old, row)


def _link_members(swarm: Swarm, nodes: set[str]) -> None:
    """Workers, which do not know their swarm, are known by their node's id."""
    if SwarmMember.objects.filter(swarm=None, node_id__in=nodes).update(swarm=swarm):
        changed("swarm", swarm.name)
