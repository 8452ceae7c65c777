"""Networks over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.rights import Right, allows
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from hosts import filters
from hosts.access import get_container, get_host, get_network
from hosts.actions.networks import network_prune, networks
from hosts.actions.removals import AT_ONCE
from hosts.actions.short import soon
from hosts.links import add_links
from hosts.models import Container, Network
from hosts.network_plan import NetworkPlan, Pool

MEMBERS_AT_MOST = 1000

router = Router(tags=["networks"])


class PoolIn(Schema):
    """Addresses: those of `subnet`, given out from `range`; `aux` are taken (name: address)."""

    subnet: str
    range: str = ""
    gateway: str = ""
    aux: dict[str, str] = {}


class Create(Schema):
    """A network to make; without `pools` the engine chooses a subnet. `config_only` makes a configuration that others
    are made from, by its name in `config_from`."""

    name: str
    driver: str = "bridge"
    options: dict[str, str] = {}
    internal: bool = False
    attachable: bool = False
    ipv6: bool = False
    ipam_driver: str = ""
    ipam_options: dict[str, str] = {}
    pools: list[PoolIn] = []
    labels: dict[str, str] = {}
    config_only: bool = False
    config_from: str = ""


class Connect(Schema):
    """Which container, by name or id, with further names and fixed addresses, options for the network's driver, and the
    priority by which its gateway becomes the container's (the highest does; API 1.48)."""

    container: str
    aliases: list[str] = []
    ipv4: str = ""
    ipv6: str = ""
    driver_options: dict[str, str] = {}
    mac_address: str = ""
    gateway_priority: int = 0


class Disconnect(Schema):
    """Which container; `force`: also one that the engine has lost."""

    container: str
    force: bool = False


class Prune(Schema):
    """Which networks that no container uses: all, or of these only `networks` (ids, as a dry run listed them)."""

    dry_run: bool = False
    networks: list[str] | None = Field(default=None, max_length=AT_ONCE)


def show(network: Network) -> dict[str, Any]:
    """A network as JSON."""
    names = ("pools", "options", "ipam", "ipam_options", "ipv6", "attachable", "config_only", "config_from")
    return {
        "host": network.host.name,
        "id": network.engine_id,
        "name": network.name,
        "driver": network.driver,
        "scope": network.scope,
        "internal": network.internal,
        "labels": network.labels,
        "created": network.created,
        **{name: network.data.get(name) for name in names},
        "host_state": network.host.state,
        "seen": network.seen,
    }


def members(network: Network, user: Any) -> list[dict[str, Any]]:
    """Who is in it, for those who may see containers."""
    rows = filters.users_of("network", network, Container.objects.visible_to(user))
    found = list(rows.order_by("name", "pk")[:MEMBERS_AT_MOST]) if allows(user, Right.CONTAINERS_VIEW) else []
    add_links(network.name, found)
    return [
        {
            "id": container.engine_id,
            "name": container.name,
            "state": container.state,
            "ipv4": link.ipv4,
            "ipv6": link.ipv6,
            "mac": link.mac,
            "aliases": list(link.aliases),
        }
        for container in found
        for link in [container.link]
    ]


@router.get("", response=Many)
@needs(Right.NETWORKS_VIEW)
def network_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All networks; the same filters as the page: search, host, driver, use (in use, unused)."""
    rows = filters.with_use("network", Network.objects.visible_to(request.user).select_related("host"))
    rows, _ = filters.NETWORKS.ordered(filters.NETWORKS.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("/{host}", response={201: dict, 202: Started})
@needs(Right.NETWORKS_MANAGE)
def network_create(request: HttpRequest, host: str, body: Create) -> Any:
    """Makes a network; answers with its id."""
    values = body.dict() | {"pools": tuple(Pool(**pool.dict()) for pool in body.pools)}
    made = soon(networks.create, request.user, get_host(request.user, host), NetworkPlan(**values))
    return 201, {"id": made, "name": body.name}


@router.post("/{host}/prune", response={200: dict, 202: dict})
@needs(Right.NETWORKS_MANAGE)
def network_prune_run(request: HttpRequest, host: str, body: Prune | None = None) -> Any:
    """Starts a job that removes networks that no container uses; with `dry_run` only lists them."""
    body, on = body or Prune(), get_host(request.user, host)
    found = filters.prunable_networks(request.user, on, body.networks)
    if body.dry_run:
        return 200, {"items": [show(network) for network in found], "count": len(found)}
    rule: dict[str, Any] | None = {} if body.networks is None else None
    return 202, {"job": network_prune.start_prune(request.user, on, found[:AT_ONCE], rule=rule).pk}


@router.get("/{host}/prune", response=dict, include_in_schema=False)
@needs(Right.NETWORKS_VIEW)
def network_called_prune(request: HttpRequest, host: str) -> Any:
    """A network may have that name."""
    return network_get(request, host, "prune")


@router.get("/{host}/{network}", response=dict)
@needs(Right.NETWORKS_VIEW)
def network_get(request: HttpRequest, host: str, network: str) -> Any:
    """One network, by name, id or unique prefix of its id, with its `containers`."""
    found = get_network(request.user, host, network)
    return {**show(found), "containers": members(found, request.user)}


@router.post("/{host}/{network}/connect", response={200: dict, 202: Started})
@needs(Right.NETWORKS_MANAGE)
def network_connect(request: HttpRequest, host: str, network: str, body: Connect) -> Any:
    """Puts a container into it."""
    found = get_network(request.user, host, network, Right.NETWORKS_MANAGE)
    container = get_container(request.user, host, body.container)
    soon(networks.connect, request.user, found, container, **body.dict(exclude={"container"}))
    return {"done": "connect"}


@router.post("/{host}/{network}/disconnect", response={200: dict, 202: Started})
@needs(Right.NETWORKS_MANAGE)
def network_disconnect(request: HttpRequest, host: str, network: str, body: Disconnect) -> Any:
    """Takes a container out of it."""
    found = get_network(request.user, host, network, Right.NETWORKS_MANAGE)
    soon(networks.disconnect, request.user, found, get_container(request.user, host, body.container), force=body.force)
    return {"done": "disconnect"}


@router.post("/{host}/{network}/remove", response={200: dict, 202: Started})
@needs(Right.NETWORKS_MANAGE)
def network_remove(request: HttpRequest, host: str, network: str) -> Any:
    """Removes it; 409 with the names of the containers that are in it."""
    soon(networks.remove, request.user, get_network(request.user, host, network, Right.NETWORKS_MANAGE))
    return {"done": "remove"}
