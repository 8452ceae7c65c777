"""Swarms over REST."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from ninja import Router

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_swarm
from hosts.models import Node, Swarm

router = Router(tags=["swarms"])


def show(swarm: Swarm, nodes: dict[int, dict[str, int]]) -> dict[str, Any]:
    """A swarm as JSON. Durations are in nanoseconds, as the engine's."""
    members = [
        {
            "host": member.host.name,
            "host_state": member.host.state,
            "role": member.role,
            "state": member.state,
            "node_id": member.node_id,
            "address": member.address,
            "error": member.error,
        }
        for member in swarm.members.all()
    ]
    return {
        "name": swarm.name,
        "id": swarm.engine_id,
        "state": swarm.state,
        "reason": swarm.reason,
        "read_through": swarm.reader.name if swarm.reader else "",
        "members": sorted(members, key=lambda member: member["host"]),
        "nodes": sum(nodes.get(swarm.pk, {}).values()),
        "managers": nodes.get(swarm.pk, {}).get("manager", 0),
        "autolock": swarm.autolock,
        "labels": swarm.labels,
        "settings": {key: value for key, value in swarm.data.items() if key != "trust_root"},
        "created": swarm.created,
        "updated": swarm.updated,
        "version": swarm.version,
        "seen": swarm.seen,
    }


def _nodes(swarms: list[int] | None = None) -> dict[int, dict[str, int]]:
    """How many nodes of each role a swarm has, by its key."""
    found: dict[int, dict[str, int]] = {}
    rows = Node.objects.all() if swarms is None else Node.objects.filter(swarm__in=swarms)
    for swarm, role, count in rows.values_list("swarm", "role").annotate(Count("pk")).order_by():
        found.setdefault(swarm, {})[role] = count
    return found


@router.get("", response=Many)
@needs(Right.SWARM_VIEW)
def swarm_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All swarms that a manager among the hosts has told of; `search` as on the page."""
    rows = Swarm.objects.visible_to(request.user).select_related("reader").prefetch_related("members__host")
    ordered, _ = filters.SWARMS.ordered(filters.SWARMS.narrow(rows, request.GET), sort)
    nodes = _nodes()
    return many(ordered, limit, offset, lambda swarm: show(swarm, nodes))


@router.get("/{swarm}", response=dict)
@needs(Right.SWARM_VIEW)
def swarm_get(request: HttpRequest, swarm: str) -> Any:
    """One swarm, by its name here or its id."""
    found = get_swarm(request.user, swarm)
    return show(found, _nodes([found.pk]))
