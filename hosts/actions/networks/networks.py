"""What can be done to networks: create, connect, disconnect, remove."""

import ipaddress
import re
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, DermagaError, Failure, Invalid
from hosts.actions.act import on_engine
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Container, Host, Network, Use
from hosts.network_plan import PAIRS_AT_MOST, NetworkPlan, address

ALIAS = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,252}")
ALIASES_AT_MOST = 50
SHOWN = 4
SECONDS = 60.0


def create(actor: Any, host: Host, plan: NetworkPlan) -> str:
    """Makes a network and gives its id. Raises Invalid for a wrong value, also one that only the engine knows to be."""
    plan.check()
    try:
        with on_engine(
            actor,
            Right.NETWORKS_MANAGE,
            host,
            "network.create",
            plan.name,
            timeout=SECONDS,
            detail={"driver": plan.driver, "subnets": [pool.subnet for pool in plan.pools]},
        ) as api:
            # the SDK's own function knows nothing of configurations
            made = api._result(api._post_json(api._url("/networks/create"), data=plan.body()), json=True)
            made_id = str((made or {}).get("Id") or plan.name)
            found = parse.network_row(api.inspect_network(made_id))
    except Failure as error:
        raise _explained(error, host, plan) from error
    if found:  # not every engine has an event for it
        apply.apply_rows(host, "network", [found], only={found["engine_id"]})
    return made_id


def _explained(error: Failure, host: Host, plan: NetworkPlan) -> DermagaError:
    """Which field the engine means."""
    said = error.detail.lower()
    if "already exists" in said or "already used" in said:
        return Invalid("name", gettext_noop("There is a network called %(name)s already."), {"name": plan.name})
    if plan.config_from and plan.config_from.lower() in said:
        return Invalid(
            "config_from", gettext_noop("There is no configuration called %(name)s."), {"name": plan.config_from}
        )
    if "overlap" in said or "already being used" in said:
        place, other = _overlapping(host, plan)
        if other is not None:
            return Invalid(
                place,
                gettext_noop("It overlaps with %(subnet)s of the network %(network)s."),
                {"subnet": other[1], "network": other[0]},
            )
    return error


def _overlapping(host: Host, plan: NetworkPlan) -> tuple[str, tuple[str, str] | None]:
    """(field, (name, subnet) of the network that has these addresses, as far as the table knows)."""
    taken = [
        (network.name, subnet)
        for network in Network.objects.filter(host=host)
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
) -> None:
    """Puts a container into it, with further names, fixed addresses and options of the driver if they are given."""
    aliases = aliases or []
    if container.host_id != network.host_id:
        raise Invalid("container", gettext_noop("The container is on another host."))
    if wrong := next((alias for alias in aliases if not ALIAS.fullmatch(alias)), None):
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
    detail = {"container": container.name, "aliases": aliases, "ipv4": ipv4, "ipv6": ipv6}
    with _engine(actor, network, "connect", **{k: v for k, v in detail.items() if v}) as api:
        api.connect_container_to_network(
            container.engine_id,
            network.engine_id,
            ipv4_address=ipv4 or None,
            ipv6_address=ipv6 or None,
            aliases=aliases or None,
            driver_opt=driver_options or None,
        )


def disconnect(actor: Any, network: Network, container: Container, *, force: bool = False) -> None:
    """Takes a container out of it; by `force` also one that the engine has lost."""
    with _engine(actor, network, "disconnect", container=container.name, force=force) as api:
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
            raise _in_use(network) from error
        raise


def _in_use(network: Network) -> Conflict:
    uses = Use.objects.filter(noun="network", host=network.host_id, name=network.name).order_by("container__name")
    names = list(uses.values_list("container__name", flat=True)[: SHOWN + 1])
    shown = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return Conflict(
        gettext_noop("Containers are still in %(network)s: %(names)s. Disconnect them first."),
        {"network": network.name, "names": shown or "?"},
    )


def _engine(actor: Any, network: Network, verb: str, **detail: Any) -> Any:
    return on_engine(
        actor,
        Right.NETWORKS_MANAGE,
        network.host,
        f"network.{verb}",
        network.name,
        timeout=SECONDS,
        detail={"id": network.engine_id[:12], **detail},
    )
