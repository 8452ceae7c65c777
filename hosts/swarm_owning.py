"""Whose the services, secrets and configs are that somebody makes in a swarm, and what a service of a team may use: what
is the team's own or shared with it, on every host where its tasks may run."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.utils.translation import gettext_noop

from accounts.rights import Right, standing_of
from common.errors import Conflict, Invalid
from hosts.access import may
from hosts.models import Config, Host, Image, Node, Secret, Service, Swarm, SwarmMember, Volume
from hosts.models.networks import PREDEFINED
from hosts.models.owners import KEY_AT_MOST, TEAM_LABEL
from hosts.models.swarms import SwarmCorner, SwarmOwned
from hosts.owning import (
    NO_IMAGES,
    STAYS,
    check_free,
    check_labels,
    check_not_mounted,
    check_word,
    demand_network,
    demand_usable,
    is_usable,
    labelled,
    team_called,
    team_name,
)
from hosts.service_specs import ids_in
from hosts.specs.services.body import NO_SUCH, Ids
from hosts.specs.services.spec import ServiceSpec

FOREIGN = gettext_noop(
    "The swarm has nodes that are no hosts here, and what is on them is not known: only who may change all services of "
    "%(swarm)s can do this. Ask them to add these nodes as hosts."
)
GIVEN = gettext_noop("It is not your team's any more.")
NOT_BEFORE = gettext_noop(
    "Before its last change it was not your team's: only who may change all services of the swarm goes back to that."
)
NO_TEMPLATE = gettext_noop(
    "A volume's name with a template in it, which a node fills in, is only for who may change all services of the swarm."
)
NO_CLUSTER = gettext_noop("Volumes of the swarm are mounted only by who may change all of its services.")
Files = type[Secret] | type[Config]
Body = Mapping[str, Any]


def teams_in(actor: Any, right: Right, swarm: Swarm) -> list[int]:
    """The keys of the teams for whose own things in the swarm, on all of its hosts, `actor` has `right`."""
    reach, places = standing_of(actor).reach(right), swarm.places
    teams = {team for _place, team in reach.own}
    return sorted(team for team in teams if places and all(reach.covers(at) or reach.owns(at, team) for at in places))


def is_limited_in(actor: Any, swarm: Swarm) -> bool:
    """Whether `actor` may change services there for their teams alone."""
    return not may(actor, Right.SERVICES_MANAGE, swarm)


def claimed_in(actor: Any, right: Right, swarm: Swarm, labels: dict[str, str]) -> tuple[dict[str, str], SwarmCorner]:
    """The labels of a thing that `actor` makes, and where it belongs, as hosts.owning.claimed; the swarm as a whole for who
    may make nothing, which that refuses. Raises Invalid for `labels`."""
    if may(actor, right, swarm):
        return labels, SwarmCorner(swarm, team_called(labels.get(TEAM_LABEL, "")))
    if not (teams := teams_in(actor, right, swarm)):
        return labels, SwarmCorner(swarm, None)
    labels, owner = labelled(teams, labels)
    return labels, SwarmCorner(swarm, owner)


def corner_of(row: SwarmOwned) -> SwarmCorner:
    """Where something belongs that is there."""
    return SwarmCorner(row.swarm, row.owner_id)


def check_stays(actor: Any, right: Right, row: SwarmOwned, labels: dict[str, str]) -> None:
    """Raises Invalid for new labels of it that say another team, unless `actor` says whose what in the swarm is."""
    if not may(actor, right, row.swarm):
        if labels.get(TEAM_LABEL, "") != row.labels.get(TEAM_LABEL, ""):
            raise Invalid("labels", STAYS)
        check_labels(labels)


def check_still(actor: Any, right: Right, row: SwarmOwned, told: Body) -> None:
    """Raises Conflict when the engine's Spec of it says another team than our table, unless `actor` may change any."""
    if not may(actor, right, row.swarm) and _labels(told).get(TEAM_LABEL) != row.labels.get(TEAM_LABEL):
        raise Conflict(GIVEN)


def ids_for(actor: Any, corner: SwarmCorner) -> Ids:
    """The ids by name of the secrets and configs that `actor` may let a service there use."""
    if not is_limited_in(actor, corner.swarm):
        return ids_in(corner.swarm)
    return Ids(_usable(actor, Secret, corner), _usable(actor, Config, corner))


def _usable(actor: Any, model: Files, corner: SwarmCorner) -> dict[str, str]:
    """Ids by name."""
    if may(actor, model.manage_right, corner.swarm):
        return dict(model.objects.filter(swarm=corner.swarm).values_list("name", "engine_id"))
    return _own(model, corner)


def _own(model: Files, corner: SwarmCorner) -> dict[str, str]:
    if corner.owner_id is None:
        return {}
    rows = model.objects.filter(swarm=corner.swarm, owner=corner.owner_id)
    return dict(rows.values_list("name", "engine_id"))


def with_team(actor: Any, corner: SwarmCorner, spec: ServiceSpec, had: Collection[str] = ()) -> None:
    """Lets the volumes that come with it be its team's; `had`: names of those that it mounts already."""
    if is_limited_in(actor, corner.swarm):
        label = {TEAM_LABEL: team_name(corner.owner_id)}
        for mount in spec.mounts:
            if mount.type == "volume" and mount.source not in had:
                mount.labels = mount.labels | label


# ---------------------------------------------------------------- what it uses
def check_service_uses(
    actor: Any,
    corner: SwarmCorner,
    body: Body,
    had: Body | None = None,
    networks: Mapping[str, str] | None = None,
    *,
    back: bool = False,
) -> None:
    """`body` is a Spec as it goes to the engine, or as the engine would take it; `had` the one that the service has, whose
    uses stay, with the names of its `networks` by id. `back`: it was so before its last change. Raises Invalid for what
    `actor`, who may change services of their teams alone, may not use for it, and Conflict where that cannot be known."""
    if not is_limited_in(actor, corner.swarm):
        return
    hosts, team = _all_hosts(corner.swarm), team_name(corner.owner_id)
    labels, of_container = _labels(body), _labels(_container(body))
    if had is not None and (not team or _labels(had).get(TEAM_LABEL) != team):
        raise Conflict(GIVEN)  # of which the tables have not heard
    if labels.get(TEAM_LABEL) != team:
        raise Conflict(NOT_BEFORE) if back else Invalid("labels", STAYS)
    if of_container.get(TEAM_LABEL, team) != team:
        raise Invalid("container_labels", STAYS)
    check_labels(labels)
    check_labels(of_container, "container_labels")
    if had is None:
        for host in hosts:  # somebody's word may say whose the containers of a service of this name are
            check_free(host, "container", f"service:{body.get('Name')}"[:KEY_AT_MOST], corner.owner_id)
    kept = {use.key for use in _uses(had or {})}
    names = networks or {}
    kept |= {("network", names[name]) for noun, name, *_ in kept if noun == "network" and name in names}
    for use in _uses(body):
        if use.key not in kept and use.writable not in kept:
            CHECKS[use.noun](actor, corner, hosts, use)


def _all_hosts(swarm: Swarm) -> list[Host]:
    members = list(SwarmMember.objects.filter(swarm=swarm).select_related("host"))
    if Node.objects.filter(swarm=swarm).exclude(engine_id__in=[member.node_id for member in members]).exists():
        raise Conflict(FOREIGN, {"swarm": swarm.name})
    return [member.host for member in members]


def _container(body: Body) -> Body:
    return (body.get("TaskTemplate") or {}).get("ContainerSpec") or {}


def _labels(body: Body) -> dict[str, str]:
    return body.get("Labels") or {}


@dataclass(frozen=True)
class Use:
    """Of a thing that a Spec names. `name` is the engine's name or id for it, `called` what people call it; of a volume
    `more` is the part that is mounted, and whether it is to be read alone."""

    noun: str
    name: str
    field: str
    called: str = ""
    more: tuple[str, bool] | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells it from another use."""
        return (self.noun, self.name, *(self.more or ()))

    @property
    def writable(self) -> tuple[Any, ...]:
        """The same use of what may be written too."""
        return (self.noun, self.name, self.more[0], False) if self.more else self.key


def _uses(body: Body) -> Iterator[Use]:
    """Each secret, config, network and volume that a Spec names."""
    task, container = body.get("TaskTemplate") or {}, _container(body)
    for noun, title in (("secret", "Secret"), ("config", "Config")):
        for n, entry in enumerate(container.get(f"{title}s") or []):
            yield Use(noun, str(entry.get(f"{title}ID") or ""), f"{noun}s.{n}", str(entry.get(f"{title}Name") or ""))
    if credential := ((container.get("Privileges") or {}).get("CredentialSpec") or {}).get("Config"):
        yield Use("config", str(credential), "privileges.credential_spec")
    for n, network in enumerate([*(task.get("Networks") or []), *(body.get("Networks") or [])]):
        yield Use("network", str(network.get("Target") or ""), f"networks.{n}.name")
    for n, mount in enumerate(container.get("Mounts") or []):
        kind, source = str(mount.get("Type") or ""), str(mount.get("Source") or "")
        if kind in {"cluster", "image"}:
            yield Use(kind, source, f"mounts.{n}.type")
        if kind == "volume" and source:
            part = str((mount.get("VolumeOptions") or {}).get("Subpath") or "")
            yield Use(kind, source, f"mounts.{n}.source", more=(part, bool(mount.get("ReadOnly"))))


def _check_file(model: Files, actor: Any, corner: SwarmCorner, _hosts: list[Host], use: Use) -> None:
    if may(actor, model.manage_right, corner.swarm) or use.name in _own(model, corner).values():
        return
    raise Invalid(use.field, NO_SUCH, {"value": (use.called or use.name)[:80]})


def _check_network(actor: Any, corner: SwarmCorner, hosts: list[Host], use: Use) -> None:
    if use.name not in PREDEFINED:
        demand_network(actor, hosts, corner.owner_id, use.name, use.field)


def _check_volume(actor: Any, corner: SwarmCorner, hosts: list[Host], use: Use) -> None:
    if "{{" in use.name:
        raise Invalid(use.field, NO_TEMPLATE)
    rows = list(Volume.objects.select_related("host").filter(host__in=hosts, name=use.name))
    demand_usable(actor, rows, corner.owner_id, use.field, use.name)
    for host in hosts:
        check_word(host, "volume", use.name, corner.owner_id, use.field)
    if len(rows) < len(hosts):  # on one of them it is still to be made
        services = Service.objects.filter(swarm=corner.swarm)
        check_not_mounted(services, use.name, corner.owner_id, use.field)


def _refuse_cluster(_actor: Any, _corner: SwarmCorner, _hosts: list[Host], use: Use) -> None:
    raise Invalid(use.field, NO_CLUSTER)


def _refuse_image(_actor: Any, _corner: SwarmCorner, _hosts: list[Host], use: Use) -> None:
    raise Invalid(use.field, NO_IMAGES)


CHECKS: dict[str, Callable[[Any, SwarmCorner, list[Host], Use], None]] = {
    "secret": partial(_check_file, Secret),
    "config": partial(_check_file, Config),
    "network": _check_network,
    "volume": _check_volume,
    "cluster": _refuse_cluster,
    "image": _refuse_image,
}


# ---------------------------------------------------------------- its image
def image_of(actor: Any, corner: SwarmCorner, name: str) -> str:
    """The id of an image that its team has on the hosts of the swarm, by a name or that id; "" where it has none, or
    several. A node takes an image that is there whoever pulled it: an id names its content for good."""
    hosts = _all_hosts(corner.swarm)
    rows = Image.objects.select_related("host").filter(host__in=hosts)
    if name.startswith("sha256:"):
        found = list(rows.filter(engine_id=name))
    else:
        full = name if ":" in name.rpartition("/")[2] else f"{name}:latest"
        found = [row for row in rows if full in (row.name, *row.tags)]
    ids = {row.engine_id for row in found}
    usable = all(is_usable(actor, row, corner.owner_id) for row in found)
    return ids.pop() if usable and len(ids) == 1 else ""
