"""Teams, roles of one's own, and grants: who may do what on which hosts."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, ClassVar, NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.rights import OWNABLE, PLACELESS, RIGHTS_OF, Right, Role, Standing

GRANTABLE = [role for role in Role if role != Role.MEMBER]
KNOWN = frozenset(Right)


class Team(models.Model):
    """People who are granted things together."""

    name = models.SlugField(_("name"), max_length=63, unique=True)
    about = models.CharField(_("about"), max_length=200, blank=True)
    created = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """Somebody in a team. A lead adds and removes members, and makes leads."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    lead = models.BooleanField(_("lead"), default=False)
    source = models.CharField(
        max_length=10, blank=True
    )  # "": by hand; else what a login took it from: accounts.mapping
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["user__username"]
        constraints = [models.UniqueConstraint(fields=["team", "user"], name="member_once")]

    def __str__(self) -> str:
        return f"{self.user} in {self.team}"


def known_rights(names: Iterable[str]) -> frozenset[Right]:
    """Without those that this version does not know."""
    return frozenset(Right(name) for name in names if name in KNOWN)


class OwnRole(models.Model):
    """Rights under a name, chosen by an administrator."""

    name = models.SlugField(_("name"), max_length=63, unique=True)
    about = models.CharField(_("about"), max_length=200, blank=True)
    rights = models.JSONField(default=list)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def holds(self) -> frozenset[Right]:
        """Its rights; one that this version does not know is none."""
        return known_rights(self.rights)


class Grant(models.Model):
    """A role for a team or a person: on one host, on all hosts with a label, or, with neither, on all hosts."""

    team = models.ForeignKey(Team, null=True, on_delete=models.CASCADE, related_name="grants")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="grants")
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, blank=True)
    own_role = models.ForeignKey(OwnRole, null=True, on_delete=models.PROTECT, related_name="grants")
    host = models.ForeignKey("hosts.Host", null=True, on_delete=models.CASCADE, related_name="grants")
    label = models.CharField(_("label"), max_length=200, blank=True)  # NAME=VALUE, or NAME with any value
    own = models.BooleanField(default=False)  # only for what the team owns, or, of a person, their teams
    created = models.DateTimeField(auto_now_add=True)
    by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["pk"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(team__isnull=True, user__isnull=False) | Q(team__isnull=False, user__isnull=True),
                name="grant_to_one",
            ),
            models.CheckConstraint(
                condition=Q(role="", own_role__isnull=False) | (~Q(role="") & Q(own_role__isnull=True)),
                name="grant_of_one_role",
            ),
            models.CheckConstraint(condition=Q(host__isnull=True) | Q(label=""), name="grant_in_one_place"),
        ]

    def __str__(self) -> str:
        return f"{self.role_name} for {self.team or self.user} on {self.place}{', own' if self.own else ''}"

    @property
    def holds(self) -> frozenset[Right]:
        """The rights that it gives, where it gives them."""
        return self.own_role.holds if self.own_role else RIGHTS_OF.get(self.role, frozenset())

    @property
    def gives(self) -> frozenset[Right]:
        """What of these rights it can give where it holds."""
        if self.own:
            return self.holds & (OWNABLE | {Right.HOSTS_VIEW})
        return self.holds - PLACELESS if self.host or self.label else self.holds

    @property
    def role_name(self) -> str:
        """A built-in role's value, or the name of one of our own."""
        return self.own_role.name if self.own_role else self.role

    @property
    def role_words(self) -> str:
        """The role in the reader's language."""
        return self.own_role.name if self.own_role else str(Role(self.role).label)

    @property
    def place(self) -> str:
        """all, label:NAME=VALUE, or host:NAME."""
        return f"host:{self.host.name}" if self.host else f"label:{self.label}" if self.label else "all"

    def hosts(self, labels: dict[str, dict[str, Any]]) -> list[str]:
        """The names of its hosts, of these with their `labels`; not asked of a grant for all hosts."""
        return [self.host.name] if self.host else labelled(self.label, labels)


def labelled(label: str, labels: dict[str, dict[str, Any]]) -> list[str]:
    """The names of the hosts, of these with their `labels`, that have one: NAME=VALUE, or NAME with any value."""
    name, equals, value = label.partition("=")
    return [host for host, has in labels.items() if name in has and (not equals or str(has[name]) == value)]


class Granted(NamedTuple):
    """All of a grant that a standing is made of: with hundreds of them, rows of their own with their hosts' would take
    most of a request's time."""

    team: int | None
    user: int | None
    role: str
    own_rights: list[str] | None  # of a role of one's own
    key: int | None  # of the host
    host: str | None
    label: str
    own: bool

    @property
    def holds(self) -> frozenset[Right]:
        """As Grant's."""
        return RIGHTS_OF.get(self.role, frozenset()) if self.own_rights is None else known_rights(self.own_rights)


def load_standings(users: Iterable[Any]) -> None:
    """Reads what is granted to each of these accounts, in a query or two for all of them, for `User.standing`."""
    wanted = {user.pk: user for user in users if user.role != Role.ADMIN and user.pk is not None}
    if not wanted:
        return
    memberships = Membership.objects.filter(user__in=wanted).order_by()
    found = Grant.objects.filter(Q(user__in=wanted) | Q(team__in=memberships.values("team"))).order_by()
    columns = ("team", "user", "role", "own_role__rights", "host", "host__name", "label", "own")
    grants = [Granted(*row) for row in found.values_list(*columns)]
    keys = {grant.host: grant.key for grant in grants if grant.host and grant.key}
    labels = {}
    if any(grant.label for grant in grants):
        labels = labels_of_hosts()
        keys = dict(host_model().objects.values_list("name", "pk"))
    alone = len(wanted) == 1 and not any(grant.own and grant.user for grant in grants)  # then all are theirs
    teams = defaultdict[int, set[int]](set)
    for user, team in () if alone else memberships.values_list("user", "team"):
        teams[user].add(team)
    for pk, user in wanted.items():
        theirs = [grant for grant in grants if alone or grant.user == pk or grant.team in teams[pk]]
        user.standing = _standing(user.role, theirs, labels, teams[pk], keys)


def _standing(
    role: str, grants: Iterable[Granted], labels: dict[str, dict[str, Any]], teams: set[int], keys: dict[str, int]
) -> Standing:
    """`teams` are the keys of those that the account is in: what they own, a person's grant is about. `keys` are hosts'
    by their names."""
    everywhere = set(RIGHTS_OF.get(role, frozenset()))
    at: list[tuple[str, frozenset[Right]]] = []
    own: list[tuple[str, int, frozenset[Right]]] = []
    for grant in grants:
        hosts = [grant.host] if grant.host else labelled(grant.label, labels) if grant.label else None
        if grant.own:
            owners = {grant.team} if grant.team else teams
            own += [(host, team, grant.holds) for host in ([""] if hosts is None else hosts) for team in owners]
        elif hosts is None:
            everywhere |= grant.holds
        else:
            at += [(host, grant.holds) for host in hosts]
    return Standing.of(everywhere, at, own, keys)


def host_model() -> Any:
    """The class of hosts, which this app knows by its grants alone."""
    return Grant._meta.get_field("host").related_model


def labels_of_hosts() -> dict[str, dict[str, Any]]:
    """The labels of each host by its name."""
    found = host_model().objects.values_list("name", "labels")
    return {name: labels for name, labels in found if isinstance(labels, dict)}
