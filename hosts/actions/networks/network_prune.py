"""Removes networks that no container uses: exactly those that somebody was shown, and of those only what is still unused.

An engine's own prune also takes the networks of containers that do not run now, which then cannot start, so it is not used.
"""

import json
from functools import partial
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from hosts.actions import removals
from hosts.actions.act import host_of, recorded
from hosts.actions.asking import Asking
from hosts.engine.answers import BadRequest, Conflict, NotFound
from hosts.inventory import apply
from hosts.models import Host, Network
from jobs.models import Job
from jobs.run import JobContext


def start_prune(actor: Any, host: Host, networks: list[Network], *, rule: dict[str, Any] | None = None) -> Job:
    """Starts a job that removes these networks of one host. By the `rule` that made the list goes a schedule of the job."""
    return removals.start(
        actor,
        Right.NETWORKS_MANAGE,
        "network",
        host,
        networks,
        rule=rule,
        none=gettext_noop("There is no network to remove."),
        too_many=gettext_noop("At most %(most)s networks at once."),
    )


def run_prune(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other; what is used meanwhile is kept."""
    host, targets = host_of(context), context.params["targets"]
    actor, target = context.job.by, context.job.target
    with recorded(actor, Right.NETWORKS_MANAGE, host, "network.prune", target, detail={"n": len(targets)}):
        remover = NetworkRemover(host, context)

        def remove(engine_id: str) -> str:
            why = remover.remove(engine_id)
            if not why:
                apply.apply_rows(host, "network", [], only={engine_id})
            return why

        gone = removals.one_by_one(
            context,
            [name for _engine_id, name in targets],
            [partial(remove, engine_id) for engine_id, _name in targets],
        )
    return {"networks": sum(gone), "kept": gone.count(False)}


class NetworkRemover(Asking):
    """Removes networks, as a job."""

    def remove(self, engine_id: str) -> str:
        """Why it is kept; "" when it is gone."""
        params = {"all": "1", "filters": json.dumps({"network": [engine_id]})}
        users = self.ask("GET", "/containers/json", params) or []
        if users:
            names = ", ".join(str(name).lstrip("/") for user in users[:4] for name in (user.get("Names") or [])[:1])
            return _("in use by %(names)s") % {"names": names}
        try:
            self.ask("DELETE", f"/networks/{engine_id}")
        except NotFound:
            return ""
        except (BadRequest, Conflict) as error:  # 403: in use after all, or the engine's own
            return error.detail
        return ""
