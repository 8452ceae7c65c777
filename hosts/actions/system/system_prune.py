"""Removes what nobody uses from a host: exactly the plan that somebody was shown, as far as it is still so."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Invalid
from hosts.actions import removals
from hosts.actions.act import demand, host_of, recorded
from hosts.actions.asking import Asking
from hosts.actions.containers.container_prune import ContainerRemover
from hosts.actions.images.image_prune import ImageRemover
from hosts.actions.networks.network_prune import NetworkRemover
from hosts.actions.volumes.volume_removals import VolumeRemover
from hosts.engine.answers import Answered
from hosts.models import Host
from hosts.prune_plan import KINDS, Plan
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

NEEDED = {
    "containers": Right.CONTAINERS_OPERATE,
    "networks": Right.NETWORKS_MANAGE,
    "images": Right.IMAGES_MANAGE,
    "volumes": Right.VOLUMES_MANAGE,
    "build_cache": Right.IMAGES_MANAGE,
}
CACHE_SECONDS = 900.0  # for one record


def start_prune(actor: Any, host: Host, plan: Plan) -> Job:
    """Starts a job that removes what the plan names."""
    demand(actor, Right.SYSTEM_PRUNE, host)
    for kind in plan.items:
        demand(actor, NEEDED[kind], host)
    if not plan.count:
        raise Invalid("plan", gettext_noop("There is nothing to remove."))
    nouns = {"containers": "container", "networks": "network", "images": "image", "volumes": "volume"}
    return queue.start(
        actor,
        "system.prune",
        host=host.name,
        target=host.name,
        params={"host": host.name, "targets": plan.rows, "rule": plan.rule},
        locks=[
            lock(host.name, "system", "prune"),
            *(lock(host.name, noun, item.id) for kind, noun in nouns.items() for item in plan.items.get(kind, [])),
        ],
    )


def run_prune(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: kind after kind, containers first, since they hold the others."""
    host, targets = host_of(context), context.params["targets"]
    todo = [(kind, *row) for kind in KINDS for row in targets.get(kind, [])]
    actor = context.job.by
    with recorded(actor, Right.SYSTEM_PRUNE, host, "system.prune", host.name, detail={"n": len(todo)}):
        for kind in targets:
            demand(actor, NEEDED[kind], host)
        removers = _removers(context, host)
        gone = removals.one_by_one(
            context,
            [f"{_said(kind)}: {name}" for kind, _id, name, _size, _was in todo],
            [partial(removers[kind], thing, was) for kind, thing, _name, _size, was in todo],
        )
    went = [(kind, size) for (kind, _id, _name, size, _was), went in zip(todo, gone, strict=True) if went]
    result = {kind: sum(kind == it for it, _size in went) for kind in KINDS if kind in targets}
    return {**result, "kept": gone.count(False), "freed": sum(size for _kind, size in went)}


def _said(kind: str) -> str:
    return {
        "containers": _("container"),
        "networks": _("network"),
        "images": _("image"),
        "volumes": _("volume"),
        "build_cache": _("build cache"),
    }[kind]


def _removers(context: JobContext, host: Host) -> dict[str, Callable[[str, Any], str]]:
    """By kind: removes a thing; says why not, "" when it is gone."""
    containers, networks = ContainerRemover(host, context), NetworkRemover(host, context)
    images, volumes, cache = ImageRemover(host, context), VolumeRemover(context, host.name), CacheRemover(host, context)
    return {
        "containers": lambda thing, was: containers.remove(thing),
        "networks": lambda thing, was: networks.remove(thing),
        "images": lambda thing, was: images.remove_shown(thing, was),
        "volumes": lambda thing, was: volumes.remove(thing, was),
        "build_cache": lambda thing, was: cache.remove(thing),
    }


class CacheRemover(Asking):
    """Removes records of the build cache."""

    def remove(self, record: str) -> str:
        """Why it is kept; "" when it is gone."""
        params = {"all": "1", "filters": json.dumps({"id": [record]})}
        try:
            answer = self.ask("POST", "/build/prune", params, seconds=CACHE_SECONDS) or {}
        except Answered as error:
            return error.detail
        if record in (answer.get("CachesDeleted") or []):
            return ""
        return _("kept: it is used, others are built upon it, or it is gone already")
