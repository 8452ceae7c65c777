"""What can be done to networks: create, connect, disconnect, remove."""

import ipaddress
import re
from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, DermagaError, Failure, Invalid
from hosts.access import may
from hosts.actions import policing
from hosts.actions.act import demand, on_engine
from hosts.actions.asking import Asking
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Container, Host, Network, Use
from hosts.models.base import OnHost
from hosts.network_plan import PAIRS_AT_MOST, NetworkPlan, address
from hosts.owning import Corner, claimed, is_usable
from hosts.specs.body import demand_version, endpoint_body
from hosts.specs.check import MAC
from hosts.specs.spec import Network as SpecNetwork

ALIAS = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}")
ALIASES_AT_MOST = 50
OPTION_AT_MOST = 255
OPTION, VALUE = re.compile(rf"[^\0\s]{{1,{OPTION_AT_MOST}}}"), re.compile(r"[^\0\r\n]{0,4096}")
INT32 = 2**31 - 1
FORGETS_MAC = re.compile(r"(1[0-9]|2[0-8])\.|29\.[0-2](\.|$)")
SHOWN = 4
SECONDS = 60.0


def create(actor: Any, host: Host, plan: NetworkPlan) -> str:
    """Makes a network and gives its id. Raises Invalid for a wrong value, also one that only the engine knows to be."""
    plan.check()
    labels, corner = claimed(actor, Right.NETWORKS_MANAGE, host, plan.labels, "network", plan.name)
    plan = replace(plan, labels=labels)
    try:
        with on_engine(
            actor,
            Right.NETWORKS_MANAGE,
            corner,
            "network.create",
            plan.name,
            timeout=SECONDS,
            detail={"driver": plan.driver, "subnets": [pool.subnet for pool in plan.pools]},
        ) as api:
            policing.allow_network(actor, host, plan.body(), Asking(host))
            # the SDK's own function knows nothing of configurations
            made = api._result(api._post_json(api._url("/networks/create"), data=plan.body()), json=True)
            made_id = str((made or {}).get("Id") or plan.name)
            found = parse.network_row(api.inspect_network(made_id))
    except Failure as error:
        raise _explained(actor, error, host, plan) from error
    if found:  # not every engine has an event for it
        apply.apply_rows(host, "network", [found], only={found["engine_id"]})
    return made_id


def _explained(actor: Any, error: Failure, host: Host, plan: NetworkPlan) -> DermagaError:
    """Which field the engine means."""
    said = error.detail.lower()
    if "already exists" in said or "already used" in said:
        return Invalid("name", gettext_noop("There is a network called %(name)s already."), {"name": plan.name})
    if plan.config_from and plan.config_from.lower() in said:
        return Invalid(
            "config_from", gettext_noop("There is no configuration called %(name)s."), {"name": plan.config_from}
        )
    if "overlap" in said or "already being used" in said:
        place, other = _overlapping(actor, host, plan)
        if other is not None:
            return Invalid(
                place,
                gettext_noop("It overlaps with %(subnet)s of the network %(network)s."),
                {"subnet": other[1], "network": other[0]},
            )
    return error


def _overlapping(actor: Any, host: Host, plan: NetworkPlan) -> tuple[str, tuple[str, str] | None]:
    """(field, (name, subnet) of the network that has these addresses, as far as the table knows)."""
    taken = [
        (network.name, subnet)
        for network in Network.objects.visible_to(actor).filter(host=host)
        for subnet in network.data.get("subnets", [])
    ]
    for n, pool in enumerate(plan.pools):
        wanted = ipaddress.ip_network(pool.subnet)
        for name, subnet in taken:
            try:
                other = ipaddress.ip_network(subnet, strict=False)
            except ValueError:
                continue
            if other.version == wanted.version and other.overlaps(wanted):
                return f"pools.{n}.subnet", (name, subnet)
    return "", None


def connect(
    actor: Any,
    network: Network,
    container: Container,
    *,
    aliases: list[str] | None = None,
    ipv4: str = "",
    ipv6: str = "",
    driver_options: dict[str, str] | None = None,
    mac_address: str = "",
    gateway_priority: int = 0,
) -> None:
    """Puts a container into it, with further names, fixed addresses, options of the driver and a priority of its gateway
    if they are given. Raises Invalid also for what this engine is too old for."""
    aliases = aliases or []
    if container.host_id != network.host_id:
        raise Invalid("container", gettext_noop("The container is on another host."))
    wrong = next((alias for alias in aliases if not ALIAS.fullmatch(alias)), None)
    if wrong is not None:
        raise Invalid(
            "aliases",
            gettext_noop("%(alias)s is no host name: use letters, digits, dots, dashes and underscores."),
            {"alias": wrong[:80]},
        )
    if len(aliases) > ALIASES_AT_MOST:
        raise Invalid("aliases", gettext_noop("At most %(most)s aliases."), {"most": ALIASES_AT_MOST})
    for name, value, version in (("ipv4", ipv4, 4), ("ipv6", ipv6, 6)):
        if value:
            address(name, value, version)
    if len(driver_options or ()) > PAIRS_AT_MOST:
        raise Invalid("driver_options", gettext_noop("At most %(most)s entries."), {"most": PAIRS_AT_MOST})
    if any(not OPTION.fullmatch(name) or not VALUE.fullmatch(value) for name, value in (driver_options or {}).items()):
        sentence = gettext_noop("An option has a name of up to %(most)s characters, and neither has a line break.")
        raise Invalid("driver_options", sentence, {"most": OPTION_AT_MOST})
    endpoint = SpecNetwork(network.name, aliases, ipv4, ipv6, mac_address=mac_address.lower())
    endpoint.driver_options, endpoint.gateway_priority = driver_options or {}, gateway_priority
    _check_endpoint(network.host, endpoint)
    detail = {"container": container.name, "aliases": aliases, "ipv4": ipv4, "ipv6": ipv6, "mac_address": mac_address}
    with _engine(
        actor, network, "connect", _part(actor, network, container), **{k: v for k, v in detail.items() if v}
    ) as api:
        body = endpoint_body(endpoint, network.host.spoken_version, endpoint.mac_address)
        # the SDK's own function knows no priority
        told = {"Container": container.engine_id, "EndpointConfig": body}
        policing.allow_connection(actor, network.host, network.engine_id, told, Asking(network.host))
        api._raise_for_status(api._post_json(api._url("/networks/{0}/connect", network.engine_id), data=told))
        if endpoint.mac_address:
            _check_mac(api, network, container, endpoint.mac_address)


def _check_endpoint(host: Host, endpoint: SpecNetwork) -> None:
    """Raises Invalid for a value that is wrong, or that this engine does not know."""
    if endpoint.mac_address:
        if not MAC.fullmatch(endpoint.mac_address):
            raise Invalid(
                "mac_address",
                gettext_noop("“%(value)s” is no MAC address. Write one like 02:42:ac:11:00:02."),
                {"value": endpoint.mac_address[:80]},
            )
        demand_version("mac_address", "1.44", host.spoken_version)
    if endpoint.gateway_priority:
        if abs(endpoint.gateway_priority) > INT32:
            raise Invalid("gateway_priority", gettext_noop("The number is too large."))
        demand_version("gateway_priority", "1.48", host.spoken_version)


def _check_mac(api: Any, network: Network, container: Container, wanted: str) -> None:
    """Takes the container out again where the engine has given it another address than was asked for: those up to
    Docker 29.2 take the address and forget it (moby/moby#48192). One that does not run has none until it starts; what
    it will get is not known then, and is refused as well on an engine that is known to forget."""
    told = api.inspect_container(container.engine_id)
    given = told["NetworkSettings"]["Networks"].get(network.name, {}).get("MacAddress") or ""
    runs = bool(told["State"].get("Running"))
    if given.lower() == wanted if runs else not FORGETS_MAC.match(network.host.engine_version):
        return
    api.disconnect_container_from_network(container.engine_id, network.engine_id)
    raise Invalid(
        "mac_address",
        gettext_noop(
            "This engine (%(version)s) gives another MAC address than it is asked for here, so %(container)s was not "
            "connected. Edit the container and give it the network with the address there."
        ),
        {"version": network.host.engine_version, "container": container.name},
    )


def disconnect(actor: Any, network: Network, container: Container, *, force: bool = False) -> None:
    """Takes a container out of it; by `force` also one that the engine has lost."""
    with _engine(
        actor, network, "disconnect", _part(actor, network, container), container=container.name, force=force
    ) as api:
        api.disconnect_container_from_network(container.engine_id, network.engine_id, force=force)


def remove(actor: Any, network: Network) -> None:
    """Removes it. Raises Conflict for one of the engine's own, and for one that running containers are in."""
    if not network.is_own:
        raise Conflict(gettext_noop("%(name)s is the engine's own: it cannot be removed."), {"name": network.name})
    try:
        with _engine(actor, network, "remove") as api:
            api.remove_network(network.engine_id)
        apply.apply_rows(network.host, "network", [], only={network.engine_id})
    except Failure as error:
        said = error.detail.lower()
        if "active endpoints" in said or "in use" in said or "being used" in said:
            raise _in_use(actor, network) from error
        raise


def _in_use(actor: Any, network: Network) -> Conflict:
    uses = Use.objects.filter(noun="network", host=network.host_id, name=network.name).order_by("container__name")
    uses = uses.filter(container__in=Container.objects.visible_to(actor))
    names = list(uses.values_list("container__name", flat=True)[: SHOWN + 1])
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return Conflict(
        gettext_noop("Containers are still in %(network)s: %(names)s. Disconnect them first."),
        {"network": network.name, "names": shown or "?"},
    )


def _part(actor: Any, network: Network, container: Container) -> OnHost:
    """What the right has to hold on: the network, or, of one that is shared with the container's team, the container."""
    demand(actor, Right.CONTAINERS_OPERATE, container)
    shared = not may(actor, Right.NETWORKS_MANAGE, network) and is_usable(actor, network, container.owner_id)
    return Corner(network.host, container.owner_id) if shared else network


def _engine(actor: Any, network: Network, verb: str, part: OnHost | None = None, **detail: Any) -> Any:
    return on_engine(
        actor,
        Right.NETWORKS_MANAGE,
        part or network,
        f"network.{verb}",
        network.name,
        timeout=SECONDS,
        detail={"id": network.engine_id[:12], **detail},
    )
