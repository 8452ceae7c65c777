"""Removes a stack: exactly what somebody was shown of it. Volumes stay on their nodes."""

import time
from functools import partial
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure, Invalid
from hosts.access import may
from hosts.actions import removals
from hosts.actions.act import demand
from hosts.actions.asking import Asking
from hosts.actions.swarm.manager import on_manager
from hosts.engine.answers import Answered, NotFound
from hosts.engine.errors import EngineError
from hosts.inventory import apply, swarms
from hosts.models import Network, Swarm
from hosts.models.swarms import SwarmCorner
from hosts.stacks import Stack
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

# in this order: what is used goes after what uses it
RIGHTS = {
    "service": Right.SERVICES_MANAGE,
    "secret": Right.SECRETS_MANAGE,
    "config": Right.CONFIGS_MANAGE,
    "network": Right.NETWORKS_MANAGE,
}
IN_USE_SECONDS = 60.0  # that tasks may take to leave a network
GONE_SECONDS = 10.0
AGAIN_SECONDS = 0.3


def start_remove(actor: Any, stack: Stack) -> Job:
    """Starts a job that removes what is in `stack`."""
    found: dict[str, list[Any]] = {
        "service": stack.services,
        "secret": stack.secrets,
        "config": stack.configs,
        "network": stack.networks,
    }
    for noun, rows in found.items():
        for owner in {row.owner_id for row in rows}:
            demand(actor, RIGHTS[noun], SwarmCorner(stack.swarm, owner))
    owners = {row.owner_id for rows in found.values() for row in rows}
    targets = [[noun, row.engine_id, row.name] for noun, rows in found.items() for row in rows]
    if not targets:
        raise Invalid("stack", gettext_noop("There is nothing to remove."))
    return queue.start(
        actor,
        "stack.remove",
        team=owners.pop() if len(owners) == 1 else None,
        target=f"{stack.swarm.name}/{stack.name}",
        params={"swarm": stack.swarm.name, "stack": stack.name, "targets": targets},
        locks=[lock(stack.swarm.engine_id, "service", row.name) for row in stack.services],
    )


def run_remove(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other. What cannot be removed stays, with the reason."""
    swarm = Swarm.objects.filter(name=context.params["swarm"]).first()
    if swarm is None:
        raise Failure("no_swarm", 404, gettext_noop("The swarm %(swarm)s is gone."), {"swarm": context.params["swarm"]})
    targets = context.params["targets"]
    names = [f"{noun} {name}" for noun, _id, name in targets]
    gone = removals.one_by_one(context, names, [partial(_remove, context, swarm, *target) for target in targets])
    if kept := [name for name, went in zip(names, gone, strict=True) if not went]:
        sentence = gettext_noop("Not all of the stack %(stack)s is gone: %(kept)s. The list says why.")
        raise Failure("kept", 409, sentence, {"stack": context.params["stack"], "kept": ", ".join(kept)[:300]})
    return {"removed": len(gone)}


def _remove(context: JobContext, swarm: Swarm, noun: str, engine_id: str, name: str) -> str:
    owners = _owners_of(swarm, noun, engine_id)
    if not owners and not may(context.job.by, RIGHTS[noun], swarm):
        return ""  # it is gone
    # a network is a row of each host: all have to say the same
    corner = SwarmCorner(swarm, owners.pop() if len(owners) == 1 else None)
    with on_manager(context.job.by, RIGHTS[noun], corner, f"{noun}.remove", name, context=context) as manager:
        until = time.monotonic() + IN_USE_SECONDS
        while True:
            try:
                manager.ask("DELETE", f"/{noun}s/{quote(engine_id, safe='')}", seconds=30)
                break
            except NotFound:
                break
            except EngineError as error:
                # the tasks of the services that were removed before this take a moment to end
                if not isinstance(error, Answered) or not _is_used(error.detail) or time.monotonic() > until:
                    raise
            context.pause(AGAIN_SECONDS)
        if noun == "network":
            _wait_until_gone(context, manager, engine_id)
    if noun in swarms.OBJECTS:
        swarms.apply_objects(swarm, noun, [], only={engine_id})
    else:
        for member in swarm.members.select_related("host"):
            apply.apply_rows(member.host, "network", [], only={engine_id})
    return ""


def _owners_of(swarm: Swarm, noun: str, engine_id: str) -> set[int | None]:
    if noun in swarms.OBJECTS:
        rows: Any = swarms.OBJECTS[noun]._default_manager.filter(swarm=swarm, engine_id=engine_id)
    else:
        rows = Network.objects.filter(host__member__swarm=swarm, engine_id=engine_id)
    return set(rows.values_list("owner", flat=True))


def _wait_until_gone(context: JobContext, manager: Asking, network: str) -> None:
    """An engine answers at once, and the network leaves its nodes a moment later."""
    until = time.monotonic() + GONE_SECONDS
    while time.monotonic() < until and manager.find(f"/networks/{quote(network, safe='')}") is not None:
        context.pause(AGAIN_SECONDS)


def _is_used(detail: str) -> bool:
    return any(words in detail.lower() for words in ("in use", "active endpoints"))
