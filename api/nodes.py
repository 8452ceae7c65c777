"""Nodes of swarms over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from hosts import filters
from hosts.access import get_of_swarm
from hosts.actions.short import soon
from hosts.actions.swarm import nodes
from hosts.models import Node, SwarmMember

router = Router(tags=["nodes"])


class Change(Schema):
    """What is left out stays. `version` is that of the node whose labels were looked at: 409 when it has moved on."""

    availability: str | None = None
    labels: dict[str, str] | None = None
    version: int | None = None


class Remove(Schema):
    """`force`: also one that is up."""

    force: bool = False


def show(node: Node, hosts: dict[str, str]) -> dict[str, Any]:
    """A node as JSON; `host` is our host that it is, "" when it is none of them."""
    return {
        "swarm": node.swarm.name,
        "id": node.engine_id,
        "name": node.name,
        "host": hosts.get(node.engine_id, ""),
        "role": node.role,
        "availability": node.availability,
        "state": node.state,
        "message": node.message,
        "leader": node.leader,
        "reachability": node.reachability,
        "address": node.address,
        "engine_version": node.engine_version,
        "os": node.os,
        "arch": node.arch,
        "cpus": node.cpus,
        "memory": node.memory,
        "labels": node.labels,
        "plugins": node.data.get("plugins", {}),
        "created": node.created,
        "updated": node.updated,
        "version": node.version,
        "swarm_state": node.swarm.state,
        "seen": node.seen,
    }


def hosts_of(nodes: Any) -> dict[str, str]:
    """Names of the hosts that these nodes are, by node id."""
    ids = nodes.values("engine_id") if hasattr(nodes, "values") else [node.engine_id for node in nodes]
    return dict(SwarmMember.objects.filter(node_id__in=ids).values_list("node_id", "host__name"))


@router.get("", response=Many)
@needs(Right.SWARM_VIEW)
def node_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All nodes; the same filters as the page: search, swarm, role, state, availability, label."""
    rows = filters.NODES.narrow(Node.objects.visible_to(request.user).current(), request.GET)
    hosts = hosts_of(rows.order_by())
    ordered, _ = filters.NODES.ordered(rows, sort)
    return many(ordered, limit, offset, lambda node: show(node, hosts))


@router.get("/{swarm}/{node}", response=dict)
@needs(Right.SWARM_VIEW)
def node_get(request: HttpRequest, swarm: str, node: str) -> Any:
    """One node, by name, id or unique prefix of its id."""
    found = get_of_swarm(request.user, Node, swarm, node)
    return show(found, hosts_of([found]))


@router.patch("/{swarm}/{node}", response={200: dict, 202: Started})
@needs(Right.SWARM_OPERATE)
def node_change(request: HttpRequest, swarm: str, node: str, body: Change) -> Any:
    """Its availability (active, pause, drain) and its labels."""
    found = get_of_swarm(request.user, Node, swarm, node, Right.SWARM_OPERATE)
    if body.labels is not None or body.availability is not None:
        soon(nodes.change, request.user, found, **body.dict())
    return node_get(request, swarm, found.engine_id)


@router.post("/{swarm}/{node}/promote", response={200: dict, 202: Started})
@needs(Right.SWARM_MANAGE)
def node_promote(request: HttpRequest, swarm: str, node: str) -> Any:
    """Makes it a manager."""
    soon(nodes.set_role, request.user, get_of_swarm(request.user, Node, swarm, node, Right.SWARM_MANAGE), "manager")
    return {"done": "promote"}


@router.post("/{swarm}/{node}/demote", response={200: dict, 202: Started})
@needs(Right.SWARM_MANAGE)
def node_demote(request: HttpRequest, swarm: str, node: str) -> Any:
    """Makes it a worker; 409 when too few managers would be left."""
    soon(nodes.set_role, request.user, get_of_swarm(request.user, Node, swarm, node, Right.SWARM_MANAGE), "worker")
    return {"done": "demote"}


@router.post("/{swarm}/{node}/remove", response={200: dict, 202: Started})
@needs(Right.SWARM_OPERATE)
def node_remove(request: HttpRequest, swarm: str, node: str, body: Remove | None = None) -> Any:
    """Forgets it; 409 while it is up or a manager."""
    found = get_of_swarm(request.user, Node, swarm, node, Right.SWARM_OPERATE)
    soon(nodes.remove, request.user, found, force=body.force if body else False)
    return {"done": "remove"}
