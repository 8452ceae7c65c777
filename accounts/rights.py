"""Who may do what: rights by name, the built-in roles that hold them, and where somebody holds a right."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.db import models
from django.utils.translation import gettext_lazy as _

if TYPE_CHECKING:
    from django.contrib.auth.models import AnonymousUser

    from accounts.models import User


class Right(StrEnum):
    """A rule that a page, a socket, an act or an API route names. PUBLIC and LOGIN are not rights but lower bars."""

    PUBLIC = "public"
    LOGIN = "login"
    HOSTS_VIEW = "hosts.view"
    HOSTS_MANAGE = "hosts.manage"
    CONTAINERS_VIEW = "containers.view"
    CONTAINERS_CREATE = "containers.create"
    CONTAINERS_OPERATE = "containers.operate"
    CONTAINERS_REVEAL = "containers.reveal"
    CONTAINERS_TERMINAL = "containers.terminal"
    CONTAINERS_FILES = "containers.files"
    IMAGES_VIEW = "images.view"
    IMAGES_MANAGE = "images.manage"
    NETWORKS_VIEW = "networks.view"
    NETWORKS_MANAGE = "networks.manage"
    VOLUMES_VIEW = "volumes.view"
    VOLUMES_MANAGE = "volumes.manage"
    BACKUPS_VIEW = "backups.view"  # and the places where they lie
    BACKUPS_MANAGE = "backups.manage"  # make, download, restore, remove: whoever has a backup has all that is in it
    BACKUPS_PLACES = "backups.places"  # where they may lie
    REGISTRIES_VIEW = "registries.view"
    REGISTRIES_MANAGE = "registries.manage"
    PLUGINS_VIEW = "plugins.view"
    PLUGINS_MANAGE = "plugins.manage"  # a plugin runs as root on its host, beside the engine
    SWARM_VIEW = "swarm.view"  # swarms and their nodes
    SWARM_OPERATE = "swarm.operate"  # nodes: drain, pause, labels, remove
    SWARM_MANAGE = "swarm.manage"  # which hosts are in which swarm, with its tokens and keys
    SERVICES_VIEW = "services.view"  # and their tasks, and stacks
    SERVICES_MANAGE = "services.manage"
    SECRETS_VIEW = "secrets.view"  # their names; nobody sees their values
    SECRETS_MANAGE = "secrets.manage"
    CONFIGS_VIEW = "configs.view"
    CONFIGS_REVEAL = "configs.reveal"  # what is in them
    CONFIGS_MANAGE = "configs.manage"
    SYSTEM_PRUNE = "system.prune"
    LOGS_VIEW = "logs.view"
    STATS_VIEW = "stats.view"
    JOBS_VIEW = "jobs.view"
    JOBS_MANAGE = "jobs.manage"
    EVENTS_VIEW = "events.view"
    USERS_MANAGE = "users.manage"
    AUDIT_READ = "audit.read"  # what everybody did, and from where
    DIAGNOSTICS = "diagnostics"


class Role(models.TextChoices):
    """The built-in roles. An account's own role holds on all hosts; one that a grant gives, where the grant says."""

    ADMIN = "admin", _("Administrator")
    HOST_ADMIN = "host_admin", _("Host administrator")
    DEPLOYER = "deployer", _("Deployer")
    OPERATOR = "operator", _("Operator")
    VIEWER = "viewer", _("Viewer")
    MEMBER = "member", _("Only what is granted")


ALL = frozenset(Right) - {Right.PUBLIC, Right.LOGIN}
OF_HOSTS = frozenset({Right.HOSTS_MANAGE, Right.PLUGINS_MANAGE, Right.SWARM_MANAGE})  # what makes somebody root there
OF_ALL = frozenset({Right.USERS_MANAGE, Right.AUDIT_READ, Right.DIAGNOSTICS})  # of Dermaga itself
# about what lies on no host: a grant for some hosts does not give them
PLACELESS = OF_ALL | {Right.REGISTRIES_VIEW, Right.REGISTRIES_MANAGE, Right.BACKUPS_PLACES}
# about objects that a team may own: a grant for a team's own objects gives no other ones
OWNED_NOUNS = {
    *("containers", "images", "networks", "volumes", "services", "secrets", "configs"),
    *("logs", "stats", "jobs", "events"),
}
OWNABLE = frozenset(right for right in ALL if right.split(".")[0] in OWNED_NOUNS) | {
    Right.REGISTRIES_VIEW,  # with accounts that are the team's
    Right.BACKUPS_VIEW,
    Right.BACKUPS_MANAGE,
}
VIEWS = frozenset(right for right in ALL if right.endswith(".view"))
RIGHTS_OF: dict[str, frozenset[Right]] = {
    Role.ADMIN: ALL,
    Role.HOST_ADMIN: ALL - OF_ALL,
    Role.DEPLOYER: ALL - OF_ALL - OF_HOSTS,
    Role.OPERATOR: VIEWS | {Right.CONTAINERS_OPERATE, Right.CONTAINERS_TERMINAL, Right.JOBS_MANAGE},
    Role.VIEWER: VIEWS,
    Role.MEMBER: frozenset(),
}


@dataclass(frozen=True)
class Reach:
    """Where somebody holds a right: everywhere, on the hosts of these names, and on what teams own: (host, team's key),
    where a host "" is any. `keys` are those of these hosts, unless one is not known."""

    everywhere: bool
    hosts: frozenset[str] = frozenset()
    own: frozenset[tuple[str, int]] = frozenset()
    keys: tuple[int, ...] | None = field(default=None, compare=False)

    @property
    def anywhere(self) -> bool:
        """Whether there is anything at all."""
        return self.everywhere or bool(self.hosts or self.own)

    def covers(self, host: str) -> bool:
        """Whether it holds for all that is on the host."""
        return self.everywhere or host in self.hosts

    def owns(self, host: str, team: int | None) -> bool:
        """Whether it holds on the host for what this team owns."""
        return team is not None and ((host, team) in self.own or ("", team) in self.own)

    def touches(self, host: str) -> bool:
        """Whether it holds for anything there."""
        return self.covers(host) or any(place in ("", host) for place, _ in self.own)

    def within(self, host: str, owner: str = "") -> models.Q:
        """A condition for rows whose host's name is in the column `host`, and whose owner's key in `owner` ("": they
        have none); to be asked of a reach that is not everywhere."""
        found = models.Q(**{f"{host}__in": self.hosts}) if self.hosts else models.Q(pk__in=[])
        return found | self.of_teams(host, owner) if owner and self.own else found

    def of_teams(self, host: str, owner: str) -> models.Q:
        """The same, of what teams own alone."""
        found = models.Q(pk__in=[])
        for place in {place for place, _team in self.own}:
            of_place = models.Q(**{f"{owner}__in": [team for at, team in self.own if at == place]})
            found |= of_place & models.Q(**{host: place}) if place else of_place
        return found


ALL_HOSTS, NOWHERE = Reach(True), Reach(False)


@dataclass(frozen=True)
class Limits:
    """What a token is for, of all that its user may: only these rights, only on the hosts of these names, only what the
    teams of these keys own. None: no limit."""

    rights: frozenset[Right] | None = None
    hosts: frozenset[str] | None = None
    teams: frozenset[int] | None = None


@dataclass(frozen=True)
class Standing:
    """All that somebody may do: rights that hold everywhere, and rights by the name of a host. Two people of one
    standing see the same."""

    everywhere: frozenset[Right] = frozenset()
    at: frozenset[tuple[str, frozenset[Right]]] = frozenset()
    own: frozenset[tuple[str, int, frozenset[Right]]] = frozenset()  # host ("": all), team's key
    keys: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)  # of hosts, where they are known

    @classmethod
    def of(
        cls,
        everywhere: Iterable[Right],
        at: Iterable[tuple[str, Iterable[Right]]],
        own: Iterable[tuple[str, int, Iterable[Right]]] = (),
        keys: Mapping[str, int] | None = None,
    ) -> "Standing":
        """From rights, host by host what is granted there, and what is granted on teams' own objects; a host may come
        several times. Who may do something with own objects sees their host. `keys` are hosts' by their names: a list
        of what is on a hundred hosts is found with them in half the time."""
        general, hosts = set(everywhere), defaultdict[str, set[Right]](set)
        owned = defaultdict[tuple[str, int], set[Right]](set)
        for host, rights in at:
            hosts[host] |= frozenset(rights) - PLACELESS
        for host, team, rights in own:
            owned[host, team] |= OWNABLE & frozenset(rights)
            seen = {Right.HOSTS_VIEW} & frozenset(rights)
            if host:
                hosts[host] |= seen
            else:
                general |= seen
        more = {host: frozenset(rights - general) for host, rights in hosts.items()}
        of_teams = {key: frozenset(rights - general) for key, rights in owned.items()}
        return cls(
            frozenset(general),
            frozenset((host, rights) for host, rights in more.items() if rights),
            frozenset((*key, rights) for key, rights in of_teams.items() if rights),
            keys or {},
        )

    def narrowed(self, limits: Limits) -> "Standing":
        """What these leave of it."""
        found = self if limits.rights is None else self._with(limits.rights)
        found = found if limits.hosts is None else found._on(limits.hosts)
        return found if limits.teams is None else found._of(limits.teams)

    def _on(self, hosts: frozenset[str]) -> "Standing":
        at = [(host, rights) for host, rights in self.at if host in hosts]
        at += [(host, self.everywhere) for host in hosts]
        own = [(host, team, rights) for host, team, rights in self.own if host in hosts]
        own += [(host, team, rights) for place, team, rights in self.own if not place for host in hosts]
        return Standing.of((), at, own, self.keys)

    def _of(self, teams: frozenset[int]) -> "Standing":
        see = {Right.HOSTS_VIEW}
        own = [(host, team, rights) for host, team, rights in self.own if team in teams]
        for host, rights in [("", self.everywhere), *self.at]:
            own += [(host, team, rights) for team in teams]
        return Standing.of(self.everywhere & see, [(host, rights & see) for host, rights in self.at], own, self.keys)

    def _with(self, rights: frozenset[Right]) -> "Standing":
        left = ((host, held & rights) for host, held in self.at)
        own = ((host, team, held & rights) for host, team, held in self.own)
        return Standing(
            self.everywhere & rights,
            frozenset((host, held) for host, held in left if held),
            frozenset((host, team, held) for host, team, held in own if held),
            self.keys,
        )

    @cached_property
    def rights(self) -> frozenset[Right]:
        """What holds anywhere."""
        return self.everywhere.union(*(rights for _, rights in self.at), *(rights for _, _, rights in self.own))

    def reach(self, right: Right) -> Reach:
        """Where `right` holds."""
        return ALL_HOSTS if right in self.everywhere else self._reaches.get(right, NOWHERE)

    @cached_property
    def _reaches(self) -> dict[Right, Reach]:
        # hosts with the same rights together: hundreds of grants are of a few roles
        alike, alike_own = defaultdict[frozenset[Right], set[str]](set), defaultdict[frozenset[Right], set[Any]](set)
        for host, rights in self.at:
            alike[rights].add(host)
        for host, team, rights in self.own:
            alike_own[rights].add((host, team))
        hosts, own = defaultdict[Right, set[str]](set), defaultdict[Right, set[tuple[str, int]]](set)
        for rights, names in alike.items():
            for right in rights:
                hosts[right] |= names
        for rights, owned in alike_own.items():
            for right in rights:
                own[right] |= owned
        places = {right: (frozenset(hosts[right]), frozenset(own[right])) for right in hosts.keys() | own.keys()}
        reaches = {both: Reach(False, *both, self._keys_of(both[0])) for both in set(places.values())}
        return {right: reaches[both] for right, both in places.items()}

    def _keys_of(self, hosts: frozenset[str]) -> tuple[int, ...] | None:
        return tuple(sorted(self.keys[host] for host in hosts)) if hosts <= self.keys.keys() else None


class System:
    """The installation itself: its command line and its first start. Who can run these owns it anyway."""

    is_authenticated = is_active = True
    role: str = Role.ADMIN
    username = "system"
    standing = narrowed_standing = Standing(ALL)


SYSTEM = System()
NOTHING = Standing()


def standing_of(user: "User | AnonymousUser | System | None") -> Standing:
    """What `user` may do now; a stranger and a disabled account may nothing."""
    if user is None or not user.is_authenticated or not user.is_active or getattr(user, "lacks_second_factor", False):
        return NOTHING
    return user.narrowed_standing


def allows(user: "User | AnonymousUser | System | None", right: Right) -> bool:
    """Whether `user` meets the rule `right`, be it on one host alone; a disabled account meets none but PUBLIC."""
    if right is Right.PUBLIC:
        return True
    if user is None or not user.is_authenticated or not user.is_active or getattr(user, "lacks_second_factor", False):
        return False
    return right is Right.LOGIN or right in standing_of(user).rights


def allows_at(user: "User | AnonymousUser | System | None", right: Right, *hosts: str, team: int | None = None) -> bool:
    """Whether `user` has `right` on each of the hosts of these names, be it for what the `team` owns alone; on some host,
    if all are "": work that is on several hosts, or on a swarm, asks for its own at each step."""
    reach = standing_of(user).reach(right)
    named = [host for host in hosts if host]
    if reach.everywhere or not named:
        return reach.anywhere
    return all(reach.covers(host) or reach.owns(host, team) for host in named)


def rights_of(user: "User | AnonymousUser | System | None") -> frozenset[Right]:
    """All that `user` may do somewhere."""
    return standing_of(user).rights
