"""Whose things are that somebody makes, and what they may use whose rights are about their teams' own things alone."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from accounts.models import Grant, Team
from accounts.rights import Right, standing_of
from accounts.teams import visible_teams
from common.errors import Denied, Failure, Invalid
from hosts.access import is_text, may
from hosts.engine.parse import labels_of
from hosts.engine.volume_helpers import NAME
from hosts.inventory.owners import apply_owners
from hosts.models import Adoption, Container, Host, Image, Network, Service, Share, Volume
from hosts.models.base import OnHost, Owned, Shared
from hosts.models.networks import PREDEFINED
from hosts.models.owners import TEAM_LABEL, key_of, shared_names
from hosts.specs.inspected import SPECIAL
from hosts.specs.spec import ContainerSpec

HIDDEN = gettext_noop(
    "%(name)s is not your team's on this host. Choose another name, or ask who manages the host to share it."
)
NOT_THERE = gettext_noop("There is no %(name)s on this host that your team may use.")
NOT_PULLED = gettext_noop(
    "%(name)s is on this host, but not for your team. Have it pulled always: then your own login decides."
)
NO_PLATFORM = gettext_noop(
    "Another platform moves the image's name for all on the host: leave it out, or ask who manages the host."
)
STAYS = gettext_noop("It stays with its team: leave the label dermaga.team as it is.")
LABELLED = gettext_noop(
    "The image %(image)s has the label dermaga.team itself, so that its containers are nobody's. Use one without it."
)
PRETENDS = gettext_noop(
    "Labels that begin with com.docker.swarm are for the containers of a swarm's tasks: leave them out, or use an image without them."
)
OF_HELPERS = "org.dermaga."  # how their labels begin
OF_TASKS = "com.docker.swarm."  # and those of the containers of services
NO_IMAGES = gettext_noop("Images are mounted only by who may create any container on the host.")


MANAGE: dict[type[Any], Right] = {
    Network: Right.NETWORKS_MANAGE,
    Volume: Right.VOLUMES_MANAGE,
    Image: Right.IMAGES_MANAGE,
}


@dataclass(frozen=True)
class Corner(OnHost):
    """A team's part of a host, for what is about to be made there; of no team: the host as a whole."""

    host: Host
    owner_id: int | None


def teams_there(actor: Any, right: Right, host: Host) -> list[int]:
    """The keys of the teams for whose own things on the host `actor` has `right`."""
    return sorted({team for place, team in standing_of(actor).reach(right).own if place in ("", host.name)})


def is_limited(actor: Any, right: Right, host: Host) -> bool:
    """Whether `actor` has `right` there for their teams' own things alone."""
    return not may(actor, right, host) and bool(teams_there(actor, right, host))


def claimed(
    actor: Any, right: Right, host: Host, labels: dict[str, str], noun: str, name: str = ""
) -> tuple[dict[str, str], Corner]:
    """The labels of a thing that `actor` makes, and where it belongs. Who may make any says in the label `dermaga.team`
    whose it is, or nobody's; others make their own team's. Raises Denied, and Invalid for `labels`, or for `name` when
    that is another team's."""
    said = labels.get(TEAM_LABEL, "")
    if may(actor, right, host):
        return labels, Corner(host, team_called(said))
    labels, owner = labelled(teams_there(actor, right, host), labels)
    check_made(host, noun, name, owner, labels=labels)
    return labels, Corner(host, owner)


def check_made(
    host: Host, noun: str, name: str, team: int | None, field: str = "name", *, labels: Mapping[str, str] | None = None
) -> None:
    """Raises Invalid when a new thing of that name would not be the team's: by a word it is another one's, or it is called
    as helpers are."""
    check_free(host, noun, key_of(noun, name, labels or {}), team, field)
    if name.lower().startswith(NAME):
        raise Invalid(field, HIDDEN, {"name": name})


def team_called(name: str) -> int | None:
    """The key of the team of this name, if there is one."""
    return Team.objects.filter(name=name).values_list("pk", flat=True).first() if name and is_text(name) else None


def team_name(key: int | None) -> str:
    """The name of the team of this key; "" where there is none."""
    return Team.objects.filter(pk__in=[key]).values_list("name", flat=True).first() or ""


def labelled(teams: Collection[int], labels: dict[str, str]) -> tuple[dict[str, str], int]:
    """The labels of what somebody makes who may make it for one of these teams alone, and its key. Raises Denied, and
    Invalid for `labels`."""
    mine = dict(Team.objects.filter(pk__in=teams).values_list("name", "pk"))
    if not mine:
        raise Denied
    said = labels.get(TEAM_LABEL, "")
    if said not in mine:
        if said or len(mine) > 1:
            sentence = gettext_noop("Say whose it is: the label dermaga.team is one of %(teams)s.")
            raise Invalid("labels", sentence, {"teams": ", ".join(sorted(mine))})
        (said,) = mine
    check_labels(labels)
    return labels | {TEAM_LABEL: said}, mine[said]


def check_labels(labels: Collection[str], field: str = "labels") -> None:
    """Raises Invalid for labels by which we know what is ours, or a task of a swarm."""
    if any(label.startswith(OF_HELPERS) for label in labels):
        raise Invalid(field, gettext_noop("Labels that begin with org.dermaga are Dermaga's own."))
    if any(label.startswith(OF_TASKS) for label in labels):
        raise Invalid(field, PRETENDS)


def check_free(host: Host, noun: str, key: str, team: int | None, field: str = "name") -> None:
    """Raises Invalid when what is known by `key` is another team's, be it there now or not: also a volume that is not
    there yet, and that a task of another's service would find."""
    check_word(host, noun, key, team, field)
    if noun == "volume" and not Volume.objects.filter(host=host, name=key).exists():
        check_not_mounted(Service.objects.filter(swarm__members__host=host), key, team, field)


def check_word(host: Host, noun: str, key: str, team: int | None, field: str) -> None:
    """Raises Invalid when by the word of who manages the host what is known by `key` is another team's."""
    if Adoption.objects.filter(host=host, noun=noun, key=key).exclude(team=team).exists():
        raise Invalid(field, HIDDEN, {"name": key})


def check_not_mounted(services: QuerySet[Service], volume: str, team: int | None, field: str) -> None:
    """Raises Invalid when one of the services that is not the team's mounts the volume of this name, wherever its tasks
    run."""
    rows = services.exclude(owner=team) if team is not None else services
    for data in rows.values_list("data", flat=True):
        if any(_may_be(source, volume) for source in data.get("volumes", ())):
            raise Invalid(field, HIDDEN, {"name": volume})


def _may_be(source: str, volume: str) -> bool:
    """Whether a mount's source names the volume; nodes fill in what of it is a template."""
    first, template, rest = source.partition("{{")
    return volume.startswith(first) and volume.endswith(rest.rpartition("}}")[2]) if template else source == volume


def check_name(actor: Any, right: Right, container: Container, name: str) -> None:
    """Raises Invalid for a new name that somebody may not give who may do things to their team's own alone."""
    if not may(actor, right, container.host):
        if name.lower().startswith(NAME):
            raise Invalid("name", HIDDEN, {"name": name})
        check_free(container.host, "container", key_of("container", name, {}), container.owner_id)


# ---------------------------------------------------------------- what a container uses
def is_usable(actor: Any, row: Any, team: int | None) -> bool:
    """Whether a container of the team may use it: its own, what is shared with it, and what `actor` may manage on all of
    the host. That somebody may look at it is not enough."""
    manage = MANAGE.get(type(row))
    if (team is not None and row.owner_id == team) or (manage and may(actor, manage, row.host)):
        return True
    if team is None or not isinstance(row, Shared):
        return False
    key = getattr(row, row.key_column)
    return Share.objects.filter(host=row.host, noun=row._meta.model_name, key=key, team=team).exists()


def check_uses(actor: Any, corner: Corner, spec: ContainerSpec, had: Collection[str] = ()) -> ContainerSpec:
    """The specification with the owner also on the volumes that come with it. `had`: volumes of the container that it takes
    the place of. Raises Invalid for what `actor`, who may do anything only with their teams' own, may not use for it."""
    host, team = corner.host, corner.owner_id
    if not is_limited(actor, Right.CONTAINERS_CREATE, host):
        return spec
    if spec.platform:
        raise Invalid("platform", NO_PLATFORM)
    for n, mount in enumerate(spec.mounts):
        if mount.type in ("volume", "cluster") and mount.source and mount.source not in had:
            rows = Volume.objects.select_related("host").filter(host=host, name=mount.source)
            demand_usable(actor, rows, team, f"mounts.{n}.source", mount.source)
            check_free(host, "volume", mount.source, team, f"mounts.{n}.source")
        if mount.type == "image":
            raise Invalid(f"mounts.{n}.type", NO_IMAGES)
    for n, network in enumerate(spec.networks):
        _check_network(actor, corner, network.name, f"networks.{n}.name")
    if not SPECIAL.fullmatch(spec.network_mode):
        _check_network(actor, corner, spec.network_mode, "network_mode")
    for field, name in others_in(spec):
        found = list(Container.objects.select_related("host").filter(host=host, name=name))
        found += list(Container.objects.select_related("host").filter(host=host, engine_id__startswith=name)[:2])
        if not found:
            raise Invalid(field, NOT_THERE, {"name": name})
        if any(row.owner_id != team for row in found):
            raise Invalid(field, HIDDEN, {"name": name})
    label = {TEAM_LABEL: team_name(team)}
    mounts = [replace(mount, labels=mount.labels | label) if mount.type == "volume" else mount for mount in spec.mounts]
    return replace(spec, mounts=mounts)


def demand_usable(actor: Any, rows: Iterable[Any], team: int | None, field: str, name: str) -> None:
    if not all(is_usable(actor, row, team) for row in rows):
        raise Invalid(field, HIDDEN, {"name": name})


def _check_network(actor: Any, corner: Corner, name: str, field: str) -> None:
    if name in PREDEFINED or name in ("", "default"):
        return
    demand_network(actor, [corner.host], corner.owner_id, name, field)


def demand_network(actor: Any, hosts: Iterable[Host], team: int | None, name: str, field: str) -> None:
    """Raises Invalid for a network, by its name or the beginning of its id, that the team may not use on these hosts."""
    rows = Network.objects.select_related("host").filter(host__in=hosts)
    found = list(rows.filter(name=name)) + list(rows.filter(engine_id__startswith=name))
    if not name or not found:
        raise Invalid(field, NOT_THERE, {"name": name})
    demand_usable(actor, found, team, field, name)


def others_in(spec: ContainerSpec) -> Iterator[tuple[str, str]]:
    """(field, name or id) of each other container that it would share something with."""
    for field in ("network_mode", "pid_mode", "ipc_mode"):
        kind, _colon, name = getattr(spec, field).partition(":")
        if kind == "container":
            yield field, name
    for n, source in enumerate(spec.volumes_from):
        yield f"volumes_from.{n}", source.partition(":")[0]
    for n, link in enumerate(spec.links):
        yield f"links.{n}", link.partition(":")[0]
    for n, network in enumerate(spec.networks):
        for m, link in enumerate(network.links):
            yield f"networks.{n}.links.{m}", link.partition(":")[0]


# ---------------------------------------------------------------- in a worker, by what the engine says
def check_there(actor: Any, corner: Corner, model: Any, key: str, name: str) -> None:
    """Of an image or a volume that the engine has: raises Failure when `actor` may use only their teams' own, and it is
    not the corner's. `key` is the engine's; what is in no table yet is nobody's."""
    if not is_limited(actor, Right.CONTAINERS_CREATE, corner.host):
        return
    row = model.objects.select_related("host").filter(host=corner.host, **{model.key_column: key}).first()
    if row is None or not is_usable(actor, row, corner.owner_id):
        raise Failure("not_yours", 403, NOT_PULLED if model is Image else HIDDEN, {"name": name})


def check_labels_of(corner: Corner, image: Any, spec: ContainerSpec) -> None:
    """Raises Failure for a container of a team whose image (its inspect answer) says the same: a label that comes from an
    image says nothing, and the container would be nobody's; and for one that would pass for a task of a swarm. Raises
    Invalid for one that would go by another team's word."""
    if corner.owner_id is None:
        return
    labels = labels_of(((image or {}).get("Config") or {}).get("Labels"))
    if labels.get(TEAM_LABEL, "") == spec.labels.get(TEAM_LABEL) != "":
        raise Failure("labelled", 409, LABELLED, {"image": spec.image})
    # it would count with that service, and not in the team's quota
    if any(label.startswith(OF_TASKS) for label in labels.keys() | spec.labels):
        raise Failure("labelled", 409, PRETENDS)
    own = {name: value for name, value in spec.labels.items() if labels.get(name) != value}
    check_free(corner.host, "container", key_of("container", spec.name, own), corner.owner_id)


# ---------------------------------------------------------------- images
def claim_image(actor: Any, corner: Corner, engine_id: str) -> None:
    """After a pull: the image is also the team's for which it was pulled. The first one owns it."""
    host, team = corner.host, corner.owner_id
    if may(actor, Right.IMAGES_MANAGE, host) or team is None or not engine_id:
        return
    known = Image.objects.filter(host=host, engine_id=engine_id).exists()
    if not known:
        word = {"team_id": team, "by_name": actor.username}
        Adoption.objects.get_or_create(host=host, noun="image", key=engine_id, defaults=word)
    Share.objects.get_or_create(host=host, noun="image", key=engine_id, team_id=team)
    apply_owners([host], ["image"])


# ---------------------------------------------------------------- sharing
def may_share(actor: Any, row: Owned) -> bool:
    """Whether `actor` says with whom it is shared: who manages its host, and its owner."""
    if may(actor, Right.HOSTS_MANAGE, row.host):
        return True
    return isinstance(row, Shared) and row.owner_id is not None and may(actor, MANAGE[type(row)], row)


def shareable(row: Owned) -> Shared:
    """The same. Raises Invalid for `shared` when it is a container."""
    if not isinstance(row, Shared):
        raise Invalid("shared", gettext_noop("A container is of one team, and shared with no other."))
    return row


def teams_for(actor: Any, row: Owned) -> list[str]:
    """Names of the teams that `actor` may name as its owner or share it with: for who manages the host, those to whom
    something there is granted; and those that `actor` sees anyway, or that it is shared with."""
    host, names = row.host, set(visible_teams(actor).values_list("name", flat=True))
    names |= set(shared_names(row)) if isinstance(row, Shared) else set()
    if may(actor, Right.HOSTS_MANAGE, host):
        names |= {team.name for team in granted_at(host)} | ({row.owner.name} if row.owner else set())
    return sorted(names)


def granted_at(host: Host) -> list[Team]:
    """The teams to whom something on the host is granted, by name."""
    grants = Grant.objects.select_related("team", "host").filter(Q(host=host) | Q(host=None), team__isnull=False)
    labels = {host.name: host.labels if isinstance(host.labels, dict) else {}}
    there = {grant.team for grant in grants if grant.team and (not grant.label or grant.hosts(labels))}
    return sorted(there, key=lambda team: team.name)
