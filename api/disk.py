"""Disk use of hosts over REST: what was last measured, measuring, and pruning exactly what was shown."""

from dataclasses import asdict
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from common.errors import Denied
from hosts import prunable, prune_plan
from hosts.access import get_host, may
from hosts.actions.system import disk, system_prune
from hosts.models import DiskReading, Host
from hosts.prune_plan import Choice

router = Router(tags=["disk"])
KINDS = ("images", "containers", "volumes", "build_cache")


class Prune(Schema):
    """With `dry_run` the choice: stopped containers and unused networks always, `images`, `volumes`, `build_cache`. Without
    it the `plan` that a dry run gave, which is what is removed."""

    dry_run: bool = False
    images: Literal["none", "dangling", "all"] = "dangling"
    volumes: Literal["none", "anonymous", "all"] = "none"
    build_cache: bool = True
    plan: str = Field(default="", max_length=1_000_000)


def show(host: Host) -> dict[str, Any]:
    """What a host's objects take, in bytes; null where nothing was measured yet."""
    told = host.disk or {}
    free, counts = told.get("free") or {}, told.get("counts") or {}
    kinds = {k: {"bytes": told.get(k), "free": free.get(k), "count": counts.get(k)} for k in KINDS}
    more = {"measured": told.get("at"), "seconds": told.get("seconds"), "problem": host.disk_failed}
    return {"host": host.name, **kinds, **more, "host_state": host.state}


@router.get("", response=Many)
@needs(Right.HOSTS_VIEW)
def disk_list(request: HttpRequest, limit: int = Limit, offset: int = Offset) -> Any:
    """What the objects of each host take by kind, and what of it nobody uses, as last measured."""
    rows = Host.objects.visible_to(request.user).granted(request.user, Right.CONTAINERS_VIEW)  # of all on them
    return many(rows.filter(enabled=True).order_by("name"), limit, offset, show)


@router.get("/{host}", response=dict)
@needs(Right.HOSTS_VIEW)
def disk_get(request: HttpRequest, host: str) -> Any:
    """The same of one host, with the records of its build cache."""
    on = get_host(request.user, host)
    if not may(request.user, Right.CONTAINERS_VIEW, on):
        raise Denied  # it is of all on it
    reading = DiskReading.objects.filter(host=on).first()
    return {**show(on), "cache": reading.cache if reading else []}


@router.post("/{host}/measure", response={202: dict})
@needs(Right.HOSTS_VIEW)
def disk_measure(request: HttpRequest, host: str) -> Any:
    """Starts a job that measures it anew, which may take minutes on a large host."""
    return 202, {"job": disk.start_measure(request.user, get_host(request.user, host)).pk}


@router.post("/{host}/prune", response={200: dict, 202: dict})
@needs(Right.SYSTEM_PRUNE)
def disk_prune(request: HttpRequest, host: str, body: Prune) -> Any:
    """With `dry_run` lists what would go by kind, and gives a `plan`; with that `plan` starts the job that removes it."""
    on = get_host(request.user, host)
    if not body.dry_run:
        plan = prune_plan.signed_plan(request.user, body.plan, on.name)
        return 202, {"job": system_prune.start_prune(request.user, on, plan).pk}
    plan = prunable.plan_of(request.user, on, Choice(body.images, body.volumes, body.build_cache))
    items = {kind: [asdict(item) for item in found] for kind, found in plan.items.items()}
    return 200, {**items, "more": plan.more, "count": plan.count, "size": plan.size, "plan": plan.signed(request.user)}
