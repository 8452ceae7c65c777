"""Stacks: what of a swarm bears one label. No engine knows them as things of their own."""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, Sum
from django.db.models.fields.json import KT

from accounts.rights import Right, allows
from common.errors import Denied, NotFound
from hosts.access import may
from hosts.engine.parse.swarms import STACK
from hosts.models import Config, Network, Secret, Service, Swarm
from hosts.models.swarms import SwarmCorner

AT_MOST = 1000  # things of one stack


@dataclass
class Stack:
    """What a stack has, within what a user may see."""

    swarm: Swarm
    name: str
    services: list[Service] = field(default_factory=list)
    networks: list[Network] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    configs: list[Config] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many things there are."""
        return sum(len(rows) for rows in (self.services, self.networks, self.secrets, self.configs))


def names_of(user: Any) -> list[dict[str, Any]]:
    """The stacks that `user` sees any of: {"swarm__name", "stack", "count" (of services), "running", "wanted", "moving"}."""
    rows = Service.objects.visible_to(user).exclude(stack="")
    moving = Count("pk", filter=Q(update_state__in=["updating", "rollback_started"]))
    grouped = rows.values("swarm__name", "stack").annotate(
        count=Count("pk"), running=Sum("running"), wanted=Sum("desired"), moving=moving
    )
    found = {(row["swarm__name"], row["stack"]): row for row in grouped}
    for swarm, name in _labelled(user):
        nothing = {"swarm__name": swarm, "stack": name, "count": 0, "running": 0, "wanted": 0, "moving": 0}
        found.setdefault((swarm, name), nothing)
    return sorted(found.values(), key=lambda row: (row["stack"], row["swarm__name"]))


def _labelled(user: Any) -> set[tuple[str, str]]:
    """Swarm and stack of each network, secret and config that bears the label."""
    if not allows(user, Right.SERVICES_VIEW):
        return set()
    shared = {"scope": "swarm", "host__member__swarm__isnull": False}
    of_swarms = [
        (Secret.objects.visible_to(user), "swarm__name"),
        (Config.objects.visible_to(user), "swarm__name"),
        (Network.objects.visible_to(user).filter(**shared), "host__member__swarm__name"),
    ]
    found: set[tuple[str, str]] = set()
    for rows, swarm in of_swarms:
        named = rows.filter(labels__has_key=STACK).order_by().values_list(swarm, KT(f"labels__{STACK}"))
        found |= {(swarm_name, str(name)) for swarm_name, name in named.distinct()[: 10 * AT_MOST] if name}
    return found


def get_stack(user: Any, swarm_name: str, name: str, right: Right = Right.SERVICES_VIEW) -> Stack:
    """The stack `name` of a swarm, if `user` may see any of it and has `right`. Raises NotFound, and Denied."""
    if "\0" in swarm_name + name:
        raise NotFound
    swarm = Swarm.objects.prefetch_related("members__host").filter(name=swarm_name).first()
    if swarm is None or not allows(user, Right.SERVICES_VIEW):
        raise NotFound
    found = stack_of(user, swarm, name)
    own = found.services or found.secrets or found.configs
    if not found.total or not (own or may(user, Right.SERVICES_VIEW, swarm)):
        raise NotFound
    return found if right == Right.SERVICES_VIEW else _changeable(user, found, right)


def _changeable(user: Any, stack: Stack, right: Right) -> Stack:
    """What of it `user` may change: a team what is its own, and not what is shared with it. Raises Denied when that is
    nothing."""

    def kept(rows: list[Any], needed: Right) -> list[Any]:
        return [row for row in rows if may(user, needed, SwarmCorner(stack.swarm, row.owner_id))]

    if may(user, right, stack.swarm):
        return stack
    services, networks = kept(stack.services, right), kept(stack.networks, Right.NETWORKS_MANAGE)
    secrets, configs = kept(stack.secrets, Right.SECRETS_MANAGE), kept(stack.configs, Right.CONFIGS_MANAGE)
    found = Stack(stack.swarm, stack.name, services, networks, secrets, configs)
    if not found.total:
        raise Denied
    return found


def stack_of(user: Any, swarm: Swarm, name: str) -> Stack:
    """What `user` sees of it; of networks those that the whole swarm has, each once."""

    def rows(model: Any) -> list[Any]:
        labelled = model.objects.visible_to(user).filter(swarm=swarm, **{f"labels__{STACK}": name})
        return list(labelled.order_by("name")[:AT_MOST])

    services = list(
        Service.objects.visible_to(user).current().filter(swarm=swarm, stack=name).order_by("name")[:AT_MOST]
    )
    networks: dict[str, Network] = {}
    members = Network.objects.visible_to(user).select_related("host").filter(host__member__swarm=swarm, scope="swarm")
    for network in members.order_by("name", "host__name"):
        if network.labels.get(STACK) == name:
            networks.setdefault(network.engine_id, network)
    return Stack(swarm, name, services, list(networks.values()), rows(Secret), rows(Config))


def only(stack: Stack, ids: set[str]) -> Stack:
    """What of it has one of these ids."""

    def kept(rows: list[Any]) -> list[Any]:
        return [row for row in rows if row.engine_id in ids]

    services, networks = kept(stack.services), kept(stack.networks)
    return Stack(stack.swarm, stack.name, services, networks, kept(stack.secrets), kept(stack.configs))
