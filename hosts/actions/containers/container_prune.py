"""Removes containers that do not run: exactly those that somebody was shown, and of those only what still does not run.

An engine's own prune takes whatever has stopped by the time it is asked, so it is not used.
"""

import json
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from hosts.actions import removals
from hosts.actions.act import host_of, recorded
from hosts.actions.asking import Asking
from hosts.engine.answers import Conflict, NotFound
from hosts.models import Container, Host
from jobs.models import Job
from jobs.run import JobContext

SIZE_SECONDS, REMOVE_SECONDS = 600.0, 120.0


def start_prune(actor: Any, host: Host, containers: list[Container], *, rule: dict[str, Any] | None = None) -> Job:
    """Starts a job that removes these containers of one host, without their volumes. By the `rule` that made the list
    goes a schedule of the job."""
    return removals.start(
        actor,
        Right.CONTAINERS_OPERATE,
        "container",
        host,
        containers,
        rule=rule,
        none=gettext_noop("There is no container to remove."),
        too_many=gettext_noop("At most %(most)s containers at once."),
    )


def run_prune(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other; what runs again meanwhile is kept."""
    host, targets = host_of(context), context.params["targets"]
    actor, target = context.job.by, context.job.target
    with recorded(actor, Right.CONTAINERS_OPERATE, host, "container.prune", target, detail={"n": len(targets)}):
        remover = ContainerRemover(host, context)
        sizes = remover.sizes([engine_id for engine_id, _name in targets])
        gone = removals.one_by_one(
            context,
            [name for _engine_id, name in targets],
            [partial(remover.remove, engine_id) for engine_id, _name in targets],
        )
    freed = sum(sizes.get(engine_id, 0) for (engine_id, _name), went in zip(targets, gone, strict=True) if went)
    return {"containers": sum(gone), "kept": gone.count(False), "bytes": freed}


class ContainerRemover(Asking):
    """Removes containers, as a job."""

    def sizes(self, ids: list[str]) -> dict[str, int]:
        """Bytes that each has written."""
        params = {"all": "1", "size": "1", "filters": json.dumps({"id": ids})}
        found = self.ask("GET", "/containers/json", params, seconds=SIZE_SECONDS) or []
        return {str(entry.get("Id")): int(entry.get("SizeRw") or 0) for entry in found}

    def remove(self, engine_id: str) -> str:
        """Why it is kept: it runs again; "" when it is gone."""
        try:
            self.ask("DELETE", f"/containers/{engine_id}", {"v": "0", "force": "0"}, seconds=REMOVE_SECONDS)
        except NotFound:
            return ""
        except Conflict as error:
            return error.detail
        return ""
