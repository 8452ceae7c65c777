"""Removes networks that no container uses: exactly those that somebody was shown, and of those only what is still unused.

An engine's own prune also takes the networks of containers that do not run now, which then cannot start, so it is not used.
"""

import json
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Invalid
from hosts.actions.act import demand, host_of, recorded, saying_what_went
from hosts.actions.asking import Asking
from hosts.engine.errors import BadRequest, Conflict, NotFound
from hosts.inventory import apply
from hosts.models import Host, Network
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

AT_ONCE = 500  # networks of one job


def start_prune(actor: Any, host: Host, networks: list[Network]) -> Job:
    """Starts a job that removes these networks of one host."""
    demand(actor, Right.NETWORKS_MANAGE)
    if not networks:
        raise Invalid("targets", gettext_noop("There is no network to remove."))
    if len(networks) > AT_ONCE:
        raise Invalid("targets", gettext_noop("At most %(most)s networks at once."), {"most": AT_ONCE})
    return queue.start(
        actor,
        "network.prune",
        host=host.name,
        target=", ".join(network.name for network in networks),
        params={"host": host.name, "targets": sorted([n.engine_id, n.name] for n in networks)},
        locks=[lock(host.name, "network", network.engine_id) for network in networks],
    )


def run_prune(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other; what is used meanwhile is kept."""
    host, targets = host_of(context), context.params["targets"]
    parts = [{"id": name, "state": "queued", "error": ""} for _engine_id, name in targets]
    actor, target = context.job.by, context.job.target
    with recorded(actor, Right.NETWORKS_MANAGE, host, "network.prune", target, detail={"n": len(parts)}):
        remover = NetworkRemover(host, context)
        with saying_what_went(context, parts):
            for n, (part, (engine_id, name)) in enumerate(zip(parts, targets, strict=True)):
                context.progress(n / len(parts), name, parts)
                part["state"] = "running"
                part["error"] = remover.remove(engine_id)
                part["state"] = "skipped" if part["error"] else "done"
                if not part["error"]:
                    apply.apply_rows(host, "network", [], only={engine_id})
                context.log(f"{name}: {part['state']} {part['error']}".rstrip())
    context.progress(1, "", parts, now=True)
    done = sum(part["state"] == "done" for part in parts)
    return {"networks": done, "kept": len(parts) - done}


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
