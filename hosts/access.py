"""Access: each function returns the object or raises. Unknown and hidden look alike (404); a missing right on a
visible object is 403."""

import re
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_noop

from accounts.models import Forward
from accounts.rights import Right, allows, standing_of
from common.errors import Denied, Invalid, NotFound
from hosts.models import (
    Backup,
    Container,
    Destination,
    Host,
    Image,
    Network,
    Plugin,
    Policy,
    Recording,
    Registry,
    RegistryAccount,
    Series,
    Swarm,
    Volume,
)
from hosts.models.base import Shared
from hosts.models.swarms import SwarmMirrored, where_something_is_made

NAMES_A_QUERY = 50
MOST_KEY = 1 << 63  # databases' numbers end there
OfSwarm = TypeVar("OfSwarm", bound=SwarmMirrored)
VOLUME_NAME = re.compile(r"[^\0\ud800-\udfff]{1,255}")  # drivers may allow more than engines do


class Placed(Protocol):
    """What lies on hosts."""

    @property
    def places(self) -> Sequence[str]:
        """Names of the hosts on which a right to do something to it must hold; none: everywhere."""


class _Everywhere:
    """What lies on no host, or on any."""

    places = ()


EVERYWHERE = _Everywhere()


def may(user: Any, right: Right, thing: Placed) -> bool:
    """Whether `user` has `right` on `thing`: a host, a swarm, an object of either, or EVERYWHERE; or because their team
    owns it."""
    reach = standing_of(user).reach(right)
    if reach.everywhere or not reach.anywhere:
        return reach.everywhere
    places, owner = thing.places, getattr(thing, "owner_id", None)
    if places and all(reach.covers(place) or reach.owns(place, owner) for place in places):
        return True
    return isinstance(thing, Shared) and right == thing.view_right and thing.is_shared(reach)


def _demand(user: Any, view: Right, right: Right, thing: Placed) -> None:
    if not may(user, view, thing):
        raise NotFound
    if not may(user, right, thing):
        raise Denied


def is_text(name: str) -> bool:
    """Whether databases take it: JSON spells NUL, and half a surrogate pair."""
    return "\0" not in name and not any("\ud800" <= letter <= "\udfff" for letter in name)


def get_host(user: Any, name: str, right: Right = Right.HOSTS_VIEW) -> Host:
    """The host called `name`, if `user` may see it and has `right`."""
    host = Host.objects.visible_to(user).filter(name=name).first() if is_text(name) else None
    if host is None:
        raise NotFound
    _demand(user, Right.HOSTS_VIEW, right, host)
    return host


def chosen_host(user: Any, name: str) -> Host:
    """The host that a form names. Raises Invalid."""
    try:
        return get_host(user, name)
    except NotFound as error:
        raise Invalid("host", gettext_noop("There is no such host. Choose one of the list.")) from error


def get_registry(user: Any, name: str, right: Right = Right.REGISTRIES_VIEW) -> Registry:
    """The registry called `name`, if `user` may see it and has `right`."""
    registry = None if "\0" in name else Registry.objects.visible_to(user).filter(name=name).first()
    if registry is None:
        raise NotFound
    if right is not Right.REGISTRIES_VIEW and not may(user, right, EVERYWHERE):
        raise Denied
    return registry


def get_account(user: Any, registry: Registry, pk: int | str, right: Right) -> RegistryAccount:
    """An account of that registry, if `user` has `right`."""
    _demand(user, Right.REGISTRIES_VIEW, right, EVERYWHERE)
    found = RegistryAccount.objects.select_related("registry").filter(registry=registry)
    account = found.filter(pk=int(pk)).first() if str(pk).isdecimal() and len(str(pk)) < 16 else None
    if account is None:
        raise NotFound
    return account


def get_destination(user: Any, name: str, right: Right = Right.BACKUPS_VIEW) -> Destination:
    """The destination of backups called `name`, if `user` may see it and has `right`."""
    found = Destination.objects.visible_to(user).filter(name=name).first() if is_text(name) else None
    if found is None:
        raise NotFound
    if not allows(user, right):  # it lies on no host, and whoever backs up anything may use it
        raise Denied
    return found


def may_see_place(user: Any) -> bool:
    """Whether `user` sees where destinations are; who has to do with backups of their teams' own volumes alone sees what
    they are called."""
    reach = standing_of(user).reach(Right.BACKUPS_VIEW)
    return reach.everywhere or bool(reach.hosts) or allows(user, Right.BACKUPS_PLACES)


def get_forward(user: Any, name: str) -> Forward:
    """The target of the audit called `name`, for who manages users."""
    found = Forward.objects.filter(name=name).first() if is_text(name) else None
    if found is None:
        raise NotFound
    _demand(user, Right.USERS_MANAGE, Right.USERS_MANAGE, EVERYWHERE)
    return found


def get_recording(user: Any, pk: int) -> Recording:
    """The recording of a terminal, for who reads the audit. Raises NotFound."""
    found = Recording.objects.filter(pk=pk).first() if 0 < pk < MOST_KEY else None
    if found is None or not may(user, Right.AUDIT_READ, EVERYWHERE):
        raise NotFound
    return found


def visible_policies(user: Any) -> QuerySet[Policy]:
    """The policies that `user` may see: those that are about a host that they see, and, of who manages all hosts, all."""
    rows = Policy.objects.select_related("host")
    if may(user, Right.HOSTS_MANAGE, EVERYWHERE):
        return rows
    hosts = list(Host.objects.visible_to(user))
    return rows.filter(pk__in=[policy.pk for policy in rows if any(map(policy.holds_for, hosts))])


def may_police(user: Any, host: Host | None) -> bool:
    """Whether `user` makes and changes policies and quotas of this host, or (None) of labels and of all hosts."""
    return may(user, Right.HOSTS_MANAGE, host or EVERYWHERE)


def get_policy(user: Any, pk: int) -> Policy:
    """The policy, if `user` may see it. Raises NotFound."""
    found = visible_policies(user).filter(pk=pk).first() if 0 < pk < MOST_KEY else None
    if found is None:
        raise NotFound
    return found


def get_backup(user: Any, pk: int, right: Right = Right.BACKUPS_VIEW) -> Backup:
    """The backup, if `user` may see it and has `right`."""
    rows = Backup.kept().visible_to(user).select_related("destination", "owner")
    found = rows.filter(pk=pk).first() if 0 < pk < MOST_KEY else None
    if found is None:
        raise NotFound
    _demand(user, Right.BACKUPS_VIEW, right, found)
    return found


def get_container(user: Any, host_name: str, ref: str, right: Right = Right.CONTAINERS_VIEW) -> Container:
    """The container `ref` (name, id or unique prefix of an id of 4 characters or more) of a host, with its host."""
    if "\0" in host_name + ref:
        raise NotFound  # PostgreSQL takes none in a text, and nothing here has one in its name
    rows = Container.objects.visible_to(user).select_related("host", "series").filter(host__name=host_name)
    found = rows.filter(name=ref).first() or rows.filter(engine_id=ref).first()
    if found is None and len(ref) >= 4:
        alike = list(rows.filter(engine_id__startswith=ref)[:2])
        found = alike[0] if len(alike) == 1 else None
    if found is None:
        raise NotFound
    _demand(user, Right.CONTAINERS_VIEW, right, found)
    return found


def get_image(user: Any, host_name: str, ref: str, right: Right = Right.IMAGES_VIEW) -> Image:
    """The image `ref` (name, id or unique prefix of an id of 4 characters or more) of a host, with its host. A name
    without a tag means `latest`."""
    if not (host_name + ref).isprintable():  # NUL, halves of surrogate pairs: no database takes them
        raise NotFound
    rows = Image.objects.visible_to(user).select_related("host").filter(host__name=host_name)
    found = rows.filter(engine_id__in=[ref, f"sha256:{ref}"]).first()
    if found is None and len(ref) >= 4:
        begin = ref if ref.startswith("sha256:") else f"sha256:{ref}"
        alike = list(rows.filter(engine_id__startswith=begin)[:2]) if len(begin) > len("sha256:") else []
        found = alike[0] if len(alike) == 1 else None
    if found is None:
        full = ref if ":" in ref.rpartition("/")[2] else f"{ref}:latest"
        found = rows.filter(name=full).first() or next((row for row in rows.iterator() if full in row.tags), None)
    if found is None:
        raise NotFound
    _demand(user, Right.IMAGES_VIEW, right, found)
    return found


def get_plugin(user: Any, host_name: str, ref: str, right: Right = Right.PLUGINS_VIEW) -> Plugin:
    """The plugin `ref` (name, id or unique prefix of an id of 4 characters or more) of a host, with its host."""
    if "\0" in host_name + ref:
        raise NotFound
    rows = Plugin.objects.visible_to(user).select_related("host").filter(host__name=host_name)
    named = Q(name=ref) | Q(name=f"{ref}:latest") | Q(engine_id=ref)
    alike = list(rows.filter(named)[:1]) or list(rows.filter(engine_id__startswith=ref)[:2] if len(ref) >= 4 else [])
    if len(alike) != 1:
        raise NotFound
    plugin: Plugin = alike[0]
    _demand(user, Right.PLUGINS_VIEW, right, plugin)
    return plugin


def get_network(user: Any, host_name: str, ref: str, right: Right = Right.NETWORKS_VIEW) -> Network:
    """The network `ref` (name, id or unique prefix of an id of 4 characters or more) of a host, with its host. An engine
    may have several of one name: then only the id tells which."""
    if "\0" in host_name + ref:
        raise NotFound
    rows = Network.objects.visible_to(user).select_related("host").filter(host__name=host_name)
    found = list(rows.filter(name=ref)[:2]) or list(rows.filter(engine_id=ref)[:2])
    if not found and len(ref) >= 4:
        found = list(rows.filter(engine_id__startswith=ref)[:2])
    if len(found) != 1:
        raise NotFound
    _demand(user, Right.NETWORKS_VIEW, right, found[0])
    return found[0]


def get_volume(user: Any, host_name: str, name: str, right: Right = Right.VOLUMES_VIEW) -> Volume:
    """The volume `name` of a host, with its host."""
    rows = Volume.objects.visible_to(user).select_related("host").filter(host__name=host_name, name=name)
    found = rows.first() if VOLUME_NAME.fullmatch(name) and "\0" not in host_name else None
    if found is None:
        raise NotFound
    volume: Volume = found
    _demand(user, Right.VOLUMES_VIEW, right, volume)
    return volume


def get_swarm(user: Any, name: str, right: Right = Right.SWARM_VIEW) -> Swarm:
    """The swarm called `name`, or with that id, with its members and their hosts."""
    rows = Swarm.objects.visible_to(user).prefetch_related("members__host")
    found = rows.filter(Q(name=name) | Q(engine_id=name)).first() if is_text(name) else None
    if found is None:
        raise NotFound
    swarm: Swarm = found
    _demand(user, Right.SWARM_VIEW, right, swarm)
    return swarm


def get_swarm_to_make_in(user: Any, name: str, right: Right) -> Swarm:
    """The swarm called `name`, or with that id, if `user` has `right` on what is in it, or on their teams' own there."""
    rows = where_something_is_made(user, right).prefetch_related("members__host")
    found = rows.filter(Q(name=name) | Q(engine_id=name)).first() if is_text(name) else None
    if found is None:
        get_swarm(user, name)  # hidden, or seen alone
        raise Denied
    return found


def get_of_swarm(user: Any, model: type[OfSwarm], swarm: str, ref: str, right: Right | None = None) -> OfSwarm:
    """The node, service, task, secret or config `ref` (name, id or unique prefix of an id of 4 characters or more) of a
    swarm. Several nodes may have one name: then only the id tells which."""
    if not is_text(swarm + ref):
        raise NotFound
    rows = model.objects.visible_to(user).current().filter(swarm__name=swarm)
    found = list(rows.filter(engine_id=ref)[:1]) or list(rows.filter(name=ref)[:2])
    if not found and len(ref) >= 4:
        found = list(rows.filter(engine_id__startswith=ref)[:2])
    if len(found) != 1:
        raise NotFound
    _demand(user, model.view_right, right or model.view_right, found[0])
    one: OfSwarm = found[0]
    return one


def find_containers(user: Any, names: list[str]) -> list[Container | None]:
    """The containers called HOST/CONTAINER in this order, each with its host; None for one that `user` does not see.
    CONTAINER is as in get_container; the number of queries does not grow with every name."""
    pairs = [(host, ref) for host, _, ref in (name.partition("/") for name in names)]
    found, rows = _Found(), Container.objects.visible_to(user).select_related("host")
    # names first: a condition for each of them takes the database long to read, and two lists do not
    found.add(rows.filter(host__name__in={host for host, _ in pairs}, name__in={ref for _, ref in pairs}))
    rest = [(host, ref) for host, ref in pairs if found.named(host, ref) is None]
    for start in range(0, len(rest), NAMES_A_QUERY):
        some = rest[start : start + NAMES_A_QUERY]
        anything = Q(pk=None)
        for host, ref in some:
            by_id = Q(engine_id__startswith=ref) if len(ref) >= 4 else Q(engine_id=ref)
            anything |= Q(host__name=host) & by_id
        found.add(rows.filter(anything))
    return [found.of(host, ref) for host, ref in pairs]


class _Found:
    """Rows by the host's name, for names, ids and prefixes."""

    def __init__(self) -> None:
        self._of_host: dict[str, dict[str, Container]] = {}
        self._named: dict[tuple[str, str], Container] = {}

    def add(self, rows: QuerySet[Container]) -> None:
        for row in rows:
            self._of_host.setdefault(row.host.name, {})[row.engine_id] = row
            self._named[row.host.name, row.name] = row

    def named(self, host: str, name: str) -> Container | None:
        return self._named.get((host, name))

    def of(self, host: str, ref: str) -> Container | None:
        rows, named = self._of_host.get(host, {}), self.named(host, ref)
        if named or ref in rows:
            return named or rows[ref]
        alike = [row for key, row in rows.items() if key.startswith(ref)] if len(ref) >= 4 else []
        return alike[0] if len(alike) == 1 else None


def get_history(user: Any, host_name: str, ref: str) -> tuple[Series | None, Container | None]:
    """The stats history of a container, with its host, and the container if it is still there: a removed one is found
    by its name. The series is None while nothing was sampled."""
    rows = Series.objects.visible_to(user).select_related("host").filter(host__name=host_name)
    try:
        container = get_container(user, host_name, ref, Right.STATS_VIEW)
    except NotFound:
        gone = rows.filter(Q(key=ref) | Q(name=ref)).exclude(key="").order_by("-sampled").first()
        if gone is None:
            raise
        return gone, None
    return rows.filter(key=container.history_key).first(), container


def get_histories(user: Any, names: list[str]) -> list[Series | None]:
    """The histories of the containers called HOST/CONTAINER, in this order, each with its host; the names as in
    `get_history`. The number of queries does not grow with every name of a container that is there."""
    containers = find_containers(user, names)
    hosts = {row.host_id: row.host for row in containers if row}
    keys = {row.history_key for row in containers if row}
    known = {
        (row.host_id, row.key): row for row in Series.objects.visible_to(user).filter(host__in=hosts, key__in=keys)
    }
    for row in known.values():
        row.host = hosts[row.host_id]
    return [
        known.get((row.host_id, row.history_key)) if row else get_history(user, *name.split("/", 1))[0]
        for name, row in zip((name if "/" in name else f"{name}/" for name in names), containers, strict=True)
    ]


# objects that a team may own, by (user, host's name, ref)
GET_OWNED: dict[str, Any] = {
    "container": get_container,
    "image": get_image,
    "network": get_network,
    "volume": get_volume,
}
