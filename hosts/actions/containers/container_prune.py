"""Removes containers that do not run: exactly those that somebody was shown, and of those only what still does not run.

An engine's own prune takes whatever has stopped by the time it is asked, so it is not used.
"""

import json
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Invalid
from hosts.actions.act import demand, host_of, recorded, saying_what_went
from hosts.actions.asking import Asking
from hosts.engine.errors import Conflict, NotFound
from hosts.models import Container, Host
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

AT_ONCE = 500  # containers of one job
SIZE_SECONDS, REMOVE_SECONDS = 600.0, 120.0


def start_prune(actor: Any, host: Host, containers: list[Container]) -> Job:
    """Starts a job that removes these containers of one host, without their volumes."""
    demand(actor, Right.CONTAINERS_OPERATE)
    if not containers:
        raise Invalid("targets", gettext_noop("There is no container to remove."))
    if len(containers) > AT_ONCE:
        raise Invalid("targets", gettext_noop("At most %(most)s containers at once."), {"most": AT_ONCE})
    return queue.start(
        actor,
        "container.prune",
        host=host.name,
        target=", ".join(container.name for container in containers),
        params={"host": host.name, "targets": sorted([c.engine_id, c.name] for c in containers)},
        locks=[lock(host.name, "container", container.engine_id) for container in containers],
    )


def run_prune(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other; what runs again meanwhile is kept."""
    host, targets = host_of(context), context.params["targets"]
    parts = [{"id": name, "engine_id": engine_id, "state": "queued", "error": ""} for engine_id, name in targets]
    with recorded(
        context.job.by, Right.CONTAINERS_OPERATE, host, "container.prune", context.job.target, detail={"n": len(parts)}
    ):
        caller = ContainerRemover(host, context)
        sizes = caller.sizes([part["engine_id"] for part in parts])
        freed = 0
        with saying_what_went(context, parts):
            for n, part in enumerate(parts):
                context.progress(n / len(parts), part["id"], parts)
                part["state"] = "running"
                part["state"], part["error"] = caller.remove(part["engine_id"])
                context.log(f"{part['id']}: {part['state']} {part['error']}".rstrip())
                freed += sizes.get(part["engine_id"], 0) if part["state"] == "done" else 0
    context.progress(1, "", parts, now=True)
    done = sum(part["state"] == "done" for part in parts)
    return {"containers": done, "kept": len(parts) - done, "bytes": freed}


class ContainerRemover(Asking):
    """Removes containers, as a job."""

    def sizes(self, ids: list[str]) -> dict[str, int]:
        """Bytes that each has written."""
        params = {"all": "1", "size": "1", "filters": json.dumps({"id": ids})}
        found = self.ask("GET", "/containers/json", params, seconds=SIZE_SECONDS) or []
        return {str(entry.get("Id")): int(entry.get("SizeRw") or 0) for entry in found}

    def remove(self, engine_id: str) -> tuple[str, str]:
        """(state, error): "skipped" for one that runs again."""
        try:
            self.ask("DELETE", f"/containers/{engine_id}", {"v": "0", "force": "0"}, seconds=REMOVE_SECONDS)
        except NotFound:
            return "done", ""
        except Conflict as error:
            return "skipped", error.detail
        return "done", ""
