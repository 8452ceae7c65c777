"""The same act on several containers: a job that works on them in parallel, with a result for each."""

import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.rights import Right
from common.errors import DermagaError, Failure, Invalid, NotFound
from hosts.access import get_container
from hosts.actions.act import cancelled_with, demand_each, may_go_on
from hosts.actions.containers import containers
from hosts.models import Container
from hosts.options import check
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

AT_ONCE = 8
LISTEN_SECONDS = 0.2
END_SECONDS = 1.0  # that acts get to end by themselves when the job is cancelled
TARGETS_AT_MOST = 500
VERBS = ("start", "stop", "restart", "kill", "pause", "unpause", "remove")


def start_bulk(actor: Any, verb: str, targets: list[Container], options: dict[str, Any]) -> Job:
    """Starts the job. `options` are the act's own: timeout, signal, volumes, force."""
    demand_each(actor, Right.CONTAINERS_OPERATE, targets)
    if verb not in VERBS:
        raise Invalid("verb", gettext_noop("There is no act %(verb)s for several containers."), {"verb": verb[:40]})
    if not targets:
        raise Invalid("targets", gettext_noop("No container was chosen."))
    if len(targets) > TARGETS_AT_MOST:
        raise Invalid("targets", gettext_noop("At most %(most)s containers at once."), {"most": TARGETS_AT_MOST})
    check(options)
    hosts = {container.host.name for container in targets}
    record(actor, f"containers.{verb}", f"{len(targets)} containers", host=hosts.pop() if len(hosts) == 1 else "")
    one_place = len({(c.host_id, c.owner_id) for c in targets}) == 1
    return queue.start(
        actor,
        "containers.bulk",
        host=targets[0].host.name if one_place else "",
        team=targets[0].owner_id if one_place else None,
        target=f"{verb}: {', '.join(c.name for c in targets)}",
        params={
            "verb": verb,
            "options": options,
            "targets": [[c.host.name, c.engine_id, c.name] for c in targets],
        },
        locks=[lock(c.host.name, "container", c.engine_id) for c in targets],
    )


def run_bulk(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: each target in turn as threads get free; a failure of one does not stop the others."""
    verb, options = context.params["verb"], context.params["options"]
    actor, by_name = context.job.by, bool(context.job.schedule_id or context.job.again_of_id)
    parts = [
        {"id": f"{host}/{name}", "host": host, "engine_id": engine_id, "state": "queued", "error": ""}
        for host, engine_id, name in context.params["targets"]
    ]
    context.progress(0, parts=parts, now=True)
    pool = ThreadPoolExecutor(AT_ONCE)
    futures = {pool.submit(_one, context, actor, verb, options, part, by_name): part for part in parts}
    try:
        _follow(context, futures, parts)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # one that still connects ends by its own deadline
    _say_what_is_left(context, parts)
    failed = sum(part["state"] == "failed" for part in parts)
    if failed:
        raise Failure(
            "some_failed",
            409,
            gettext_noop("%(failed)s of %(all)s failed; the list says why."),
            {"failed": failed, "all": len(parts)},
        )
    return {"done": len(parts)}


def _follow(context: JobContext, futures: dict["Future[tuple[str, str]]", Any], parts: list[dict[str, Any]]) -> None:
    """Until all have ended, or soon after the job is cancelled."""
    waiting, until = set(futures), float("inf")
    while waiting and time.monotonic() < until:
        done, waiting = wait(waiting, LISTEN_SECONDS, FIRST_COMPLETED)
        for future in done:
            part = futures[future]
            part["state"], part["error"] = future.result()
            if part["state"] != "skipped":
                context.log(f"{part['id']}: {part['state']}" + (f": {part['error']}" if part["error"] else ""))
        context.job.parts = parts
        if context.cancelled:
            until = min(until, time.monotonic() + END_SECONDS)
        elif done:
            context.progress((len(parts) - len(waiting)) / len(parts), parts=parts)


def _say_what_is_left(context: JobContext, parts: list[dict[str, Any]]) -> None:
    """Raises Cancelled if somebody asked to stop."""
    if not context.cancelled:
        return
    unknown = [part for part in parts if part["state"] == "running"]
    for part in unknown:
        part |= {"state": "skipped", "error": _("no answer came")}
    context.job.parts = parts
    done = sum(part["state"] == "done" for part in parts)
    context.leaves(_("%(done)s of %(all)s were done before it was stopped.") % {"done": done, "all": len(parts)})
    if unknown:
        may_go_on(context, ", ".join(part["id"] for part in unknown))
    raise Cancelled


def _one(
    context: JobContext, actor: Any, verb: str, options: dict[str, Any], part: dict[str, Any], by_name: bool
) -> tuple[str, str]:
    if context.cancelled:
        return "skipped", ""
    part["state"] = "running"
    try:
        with cancelled_with(context):
            ACTS[verb](actor, _target(actor, part, by_name), **options)
    except Cancelled:
        return "running", ""
    except DermagaError as error:
        return "failed", str(error)
    finally:
        connection.close()
    return "done", ""


def _target(actor: Any, part: dict[str, Any], by_name: bool) -> Container:
    """What was chosen; with `by_name`, as on a schedule, also the one that was made anew under its name since."""
    try:
        return get_container(actor, part["host"], part["engine_id"])
    except NotFound:
        if not by_name:
            raise
        return get_container(actor, part["host"], part["id"].partition("/")[2])


ACTS: dict[str, Callable[..., None]] = {
    "start": containers.start,
    "stop": containers.stop,
    "restart": containers.restart,
    "kill": containers.kill,
    "pause": containers.pause,
    "unpause": containers.unpause,
    "remove": containers.remove,
}
