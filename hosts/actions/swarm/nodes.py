"""What can be done to nodes of a swarm: promote, demote, active, pause, drain, labels, remove."""

from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from hosts.actions.swarm.manager import on_manager, refresh, setting, update
from hosts.inventory import swarms
from hosts.models import Node
from hosts.swarm_plan import AVAILABILITIES, ROLES, check_labels


def set_role(actor: Any, node: Node, role: str) -> None:
    """Makes a worker a manager, or a manager a worker."""
    if role not in ROLES:
        raise Invalid("role", gettext_noop("Choose worker or manager."))
    verb = "promote" if role == "manager" else "demote"
    detail: dict[str, Any] = {}  # what was and what is comes in when it is known
    with on_manager(actor, Right.SWARM_MANAGE, node.swarm, f"node.{verb}", node.name, detail=detail) as manager:
        if role == "worker":
            _keeps_quorum(node)
        update(manager, "node", node.engine_id, setting(detail, {"Role": role}))
        refresh(manager, node.swarm, "node", node.engine_id)


def _keeps_quorum(node: Node) -> None:
    """The last manager cannot go, and one fewer must not cost the rest their leader."""
    managers = list(Node.objects.filter(swarm=node.swarm, role="manager").exclude(pk=node.pk))
    if not managers:
        raise Conflict(
            gettext_noop("%(name)s is the only manager of %(swarm)s. Promote another node first."),
            {"name": node.name, "swarm": node.swarm.name},
        )
    up = sum(manager.reachability == "reachable" for manager in managers)
    if 2 * up <= len(managers):
        words = {"name": node.name, "up": up, "all": len(managers)}
        raise Conflict(
            gettext_noop("Without %(name)s only %(up)s of %(all)s managers can be reached: too few for a leader."),
            words,
        )


def change(
    actor: Any,
    node: Node,
    *,
    availability: str | None = None,
    labels: dict[str, str] | None = None,
    version: int | None = None,
) -> None:
    """Both at once, or what is given. `availability`: active takes tasks, pause takes no new ones, drain gives away those
    that it has. `labels` take the place of those by which services choose where they run; with the `version` that
    somebody has looked at, not if the node was changed since."""
    if availability not in {None, *AVAILABILITIES}:
        raise Invalid("availability", gettext_noop("Choose active, pause or drain."))
    check_labels(labels)
    told = {"Availability": availability, "Labels": labels}
    changed = {name: value for name, value in told.items() if value is not None}
    verb = "change" if len(changed) > 1 else "availability" if labels is None else "labels"
    detail: dict[str, Any] = {}
    with on_manager(actor, Right.SWARM_OPERATE, node.swarm, f"node.{verb}", node.name, detail=detail) as manager:
        seen = version if labels is not None else None
        update(manager, "node", node.engine_id, setting(detail, changed), seen)
        refresh(manager, node.swarm, "node", node.engine_id)


def remove(actor: Any, node: Node, *, force: bool = False) -> None:
    """Forgets a node that has left or is down; one that is up, or a manager, by `force` only, if at all."""
    try:
        with on_manager(
            actor, Right.SWARM_OPERATE, node.swarm, "node.remove", node.name, detail={"force": force}
        ) as manager:
            query = {"force": "1"} if force else {}
            manager.ask("DELETE", f"/nodes/{quote(node.engine_id, safe='')}", query, seconds=30)
    except Failure as error:
        words = {"name": node.name}
        if "is not down" in error.detail:
            template = gettext_noop("%(name)s is up: let it leave the swarm first, or remove it by force.")
            raise Conflict(template, words) from error
        if "is a cluster manager" in error.detail:
            raise Conflict(gettext_noop("%(name)s is a manager. Demote it first."), words) from error
        raise
    swarms.apply_objects(node.swarm, "node", [], only={node.engine_id})
