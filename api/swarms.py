"""Swarms over REST."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from hosts import filters
from hosts.access import get_host, get_swarm
from hosts.actions.short import soon
from hosts.actions.swarm import swarm_hosts, swarms
from hosts.models import Node, Swarm
from hosts.swarm_plan import InitPlan, NodePlan, SettingsPlan

router = Router(tags=["swarms"])


class NodeIn(Schema):
    """How a host takes part; what is empty the engine chooses."""

    advertise: str = Field("", description="where the others reach it")
    listen: str = ""
    data_path: str = Field("", description="for the traffic of containers")
    availability: str = Field("active", description="active, pause or drain")


class Init(NodeIn):
    """A swarm to make of a host."""

    host: str
    data_path_port: int = 0
    pools: list[str] = Field(default=[], description="of which overlay networks get their subnets")
    subnet_size: int = 24
    autolock: bool = False
    force_new_cluster: bool = Field(False, description="of a manager that has lost the others for good")


class Join(NodeIn):
    """A host that joins: a `swarm` known here in a `role`, or with a `token` the one at `remotes`."""

    host: str
    swarm: str = ""
    role: str = "worker"
    token: str = ""
    remotes: list[str] = []


class Leave(Schema):
    """`force`: a manager leaves only so."""

    host: str
    force: bool = False


class Unlock(Schema):
    """The key of a locked manager."""

    host: str
    key: str


class Settings(Schema):
    """What is left out stays. `version` is that of the swarm which was looked at: 409 when it has moved on."""

    name: str | None = None
    task_history: int | None = None
    snapshot_interval: int | None = None
    keep_snapshots: int | None = None
    log_entries: int | None = None
    heartbeat_seconds: float | None = None
    cert_hours: float | None = None
    autolock: bool | None = None
    labels: dict[str, str] | None = None
    version: int | None = None


class Rotate(Schema):
    """Which: the token of a role (worker, manager), or the unlock `key`."""

    what: str


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


# ---------------------------------------------------------------- hosts in swarms
def _node(body: NodeIn) -> NodePlan:
    return NodePlan(body.advertise, body.listen, body.data_path, body.availability)


@router.post("/init", response={202: dict})
@needs(Right.SWARM_MANAGE)
def swarm_init(request: HttpRequest, body: Init) -> Any:
    """Starts a job that makes a swarm."""
    plan = InitPlan(
        _node(body), body.data_path_port, tuple(body.pools), body.subnet_size, body.autolock, body.force_new_cluster
    )
    return 202, {"job": swarm_hosts.start_init(request.user, get_host(request.user, body.host), plan).pk}


@router.post("/join", response={202: dict})
@needs(Right.SWARM_MANAGE)
def swarm_join(request: HttpRequest, body: Join) -> Any:
    """Starts a job that lets a host join."""
    swarm = get_swarm(request.user, body.swarm, Right.SWARM_MANAGE) if body.swarm else None
    job = swarm_hosts.start_join(
        request.user,
        get_host(request.user, body.host),
        _node(body),
        swarm=swarm,
        role=body.role,
        token=body.token,
        remotes=body.remotes,
    )
    return 202, {"job": job.pk}


@router.post("/leave", response={202: dict})
@needs(Right.SWARM_MANAGE)
def swarm_leave(request: HttpRequest, body: Leave) -> Any:
    """Starts a job that takes a host out of its swarm."""
    job = swarm_hosts.start_leave(request.user, get_host(request.user, body.host), force=body.force)
    return 202, {"job": job.pk}


@router.post("/unlock", response={202: dict})
@needs(Right.SWARM_MANAGE)
def swarm_unlock(request: HttpRequest, body: Unlock) -> Any:
    """Starts a job that unlocks a manager."""
    job = swarm_hosts.start_unlock(request.user, get_host(request.user, body.host), body.key)
    return 202, {"job": job.pk}


# ---------------------------------------------------------------- one swarm
@router.get("/{swarm}", response=dict)
@needs(Right.SWARM_VIEW)
def swarm_get(request: HttpRequest, swarm: str) -> Any:
    """One swarm, by its name here or its id."""
    found = get_swarm(request.user, swarm)
    return show(found, _nodes([found.pk]))


@router.patch("/{swarm}", response={200: dict, 202: Started})
@needs(Right.SWARM_MANAGE)
def swarm_change(request: HttpRequest, swarm: str, body: Settings) -> Any:
    """Changes its settings, and our name of it."""
    found = get_swarm(request.user, swarm, Right.SWARM_MANAGE)
    told = body.dict(exclude_unset=True)
    name, version = told.pop("name", None), told.pop("version", None)
    if told:
        soon(swarms.change, request.user, found, SettingsPlan(**told), version=version, name=name)
    elif name is not None and name != found.name:
        swarms.rename(request.user, found, name)
    return show(get_swarm(request.user, found.engine_id), _nodes([found.pk]))


@router.post("/{swarm}/tokens", response=dict)
@needs(Right.SWARM_MANAGE)
def swarm_tokens(request: HttpRequest, swarm: str) -> Any:
    """The join tokens by role; a secret, and looking is recorded."""
    return swarms.tokens(request.user, get_swarm(request.user, swarm, Right.SWARM_MANAGE))


@router.post("/{swarm}/unlock-key", response=dict)
@needs(Right.SWARM_MANAGE)
def swarm_unlock_key(request: HttpRequest, swarm: str) -> Any:
    """The unlock key; a secret, and looking is recorded."""
    return {"key": swarms.unlock_key(request.user, get_swarm(request.user, swarm, Right.SWARM_MANAGE))}


@router.post("/{swarm}/rotate", response={200: dict, 202: Started})
@needs(Right.SWARM_MANAGE)
def swarm_rotate(request: HttpRequest, swarm: str, body: Rotate) -> Any:
    """Makes a new token or key; the old one no longer holds."""
    found = get_swarm(request.user, swarm, Right.SWARM_MANAGE)
    if body.what == "key":
        soon(swarms.rotate_unlock_key, request.user, found)
    else:
        soon(swarms.rotate_token, request.user, found, body.what)
    return {"done": "rotate"}
