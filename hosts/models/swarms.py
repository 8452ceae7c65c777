"""Swarms: clusters of engines, which hosts are in which, and what all objects of a swarm share."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from accounts.rights import Reach, Right, standing_of
from hosts.models.base import VisibleQuerySet

if TYPE_CHECKING:
    from accounts.models import Team
    from hosts.models.hosts import Host


class SwarmState(models.TextChoices):
    """What is known of a swarm as a whole."""

    ACTIVE = "active", gettext_lazy("active")
    NO_LEADER = "no_leader", gettext_lazy("no leader")
    LOCKED = "locked", gettext_lazy("locked")
    UNREACHABLE = "unreachable", gettext_lazy("no manager reachable")


class Swarm(models.Model):
    """A swarm that a manager among the hosts has told of. Written by hosts.inventory and nobody else.

    It belongs to no host: it is read through one manager at a time, and another one takes its place.
    """

    view_right = Right.SWARM_VIEW

    engine_id = models.CharField(max_length=64, unique=True)  # the cluster's id, which is no engine's
    name = models.SlugField(max_length=63, unique=True)  # ours: every engine calls its swarm "default"
    created = models.DateTimeField(null=True)
    updated = models.DateTimeField(null=True)
    version = models.BigIntegerField(default=0)
    labels = models.JSONField(default=dict)
    autolock = models.BooleanField(default=False)
    data = models.JSONField(default=dict)  # hosts.engine.parse.swarms.swarm_row
    reader: "models.ForeignKey[Host | None, Host | None]" = models.ForeignKey(
        "hosts.Host", null=True, on_delete=models.SET_NULL, related_name="+"
    )  # the manager through which it is read
    reader_until = models.DateTimeField(null=True)
    leaderless = models.BooleanField(default=False)  # said by the manager that was asked last
    reason = models.CharField(max_length=500, blank=True)  # that manager's words
    seen = models.DateTimeField(default=timezone.now)  # when its lists were read last

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Those whose members are all among the hosts of these names: what one sees in a swarm is of all of them."""
        return _within("pk", reach.hosts)

    @property
    def places(self) -> list[str]:
        """Names of the hosts on which a right to do something to it must hold: all of its members."""
        return [member.host.name for member in self.members.all()]

    @property
    def state(self) -> str:
        """A SwarmState: of what its managers say, and of whether any can be asked."""
        members = [member for member in self.members.all() if member.host.is_live]
        if any(member.control for member in members):
            return SwarmState.NO_LEADER if self.leaderless else SwarmState.ACTIVE
        if any(member.state == "locked" for member in members):
            return SwarmState.LOCKED
        return SwarmState.UNREACHABLE

    @property
    def state_words(self) -> str:
        """The state in the reader's language."""
        return str(SwarmState(self.state).label)

    @property
    def is_live(self) -> bool:
        """Whether its rows are kept true right now, and something can be changed."""
        return self.state == SwarmState.ACTIVE


@dataclass(frozen=True)
class SwarmCorner:
    """A team's part of a swarm, for what is about to be made there; of no team: the swarm as a whole."""

    swarm: Swarm
    owner_id: int | None

    @property
    def places(self) -> list[str]:
        """As of the swarm."""
        return self.swarm.places


class SwarmMember(models.Model):
    """A host's part in a swarm, as its own engine tells it. A host that is in none has no row."""

    host: "models.OneToOneField[Host, Host]" = models.OneToOneField(
        "hosts.Host", on_delete=models.CASCADE, primary_key=True, related_name="member"
    )
    # a worker does not know its swarm: it is None until a manager of the swarm is a host too
    swarm: "models.ForeignKey[Swarm | None, Swarm | None]" = models.ForeignKey(
        Swarm, null=True, on_delete=models.SET_NULL, related_name="members"
    )
    node_id = models.CharField(max_length=64, blank=True, db_index=True)
    address = models.CharField(max_length=100, blank=True)
    state = models.CharField(max_length=20)  # pending active error locked
    control = models.BooleanField(default=False)  # a manager that answers for the swarm
    error = models.CharField(max_length=500, blank=True)
    managers = models.JSONField(default=list)  # [{"node_id", "address"}] that it knows of
    seen = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["host__name"]

    def __str__(self) -> str:
        return f"{self.host} in {self.swarm}"

    @property
    def role(self) -> str:
        """manager or worker; "" while it is neither yet, or cannot say."""
        if self.control:
            return "manager"
        return "worker" if self.state == "active" else ""


def _within(key: str, hosts: Iterable[str]) -> Q:
    members = SwarmMember.objects.filter(swarm=OuterRef(key))
    return Q(Exists(members)) & ~Q(Exists(members.exclude(host__name__in=hosts)))


def _own_in(key: str, reach: Reach) -> Iterator[tuple[int, Q]]:
    """Each team with the swarms where the right reaches what it owns, on all members."""
    for team in {team for _host, team in reach.own}:
        hosts = {host for host, of_team in reach.own if of_team == team}
        yield team, Q() if "" in hosts else _within(key, reach.hosts | hosts)


def where_something_is_made(user: Any, right: Right) -> models.QuerySet[Swarm]:
    """The swarms where `user` has `right` on all that is there, or on their teams' own."""
    reach, rows = standing_of(user).reach(right), Swarm.objects.all()
    if reach.everywhere or not reach.anywhere:
        return rows if reach.everywhere else rows.none()
    found = Swarm.within(reach)
    for _team, there in _own_in("pk", reach):
        found |= there & Q(members__isnull=False)
    return rows.filter(found).distinct()


class SwarmQuerySet(VisibleQuerySet):
    """Objects of swarms."""

    def current(self) -> Any:
        """With their swarm and what its state is told from."""
        return self.select_related("swarm").prefetch_related("swarm__members__host")


class SwarmMirrored(models.Model):
    """A row that mirrors an object of a swarm. Written by hosts.inventory and nobody else."""

    view_right: Right

    swarm: "models.ForeignKey[Swarm, Swarm]" = models.ForeignKey(Swarm, on_delete=models.CASCADE)
    engine_id = models.CharField(max_length=64)
    name = models.CharField(max_length=255)
    created = models.DateTimeField(null=True)
    updated = models.DateTimeField(null=True)
    version = models.BigIntegerField(default=0)  # an update must name it, and fails when it has moved on
    labels = models.JSONField(default=dict)
    data = models.JSONField(default=dict)  # what lists do not filter on
    seen = models.DateTimeField()  # when a manager last told us something new about it

    objects = SwarmQuerySet.as_manager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Those of swarms whose members are all among these hosts."""
        return _within("swarm", reach.hosts)

    @property
    def places(self) -> list[str]:
        """As of its swarm."""
        return self.swarm.places


class SwarmOwned(SwarmMirrored):
    """One that a team may own: the one that its label `dermaga.team` names, which who manages the swarm has written."""

    # nobody's is for those whose rights are about all of the swarm
    owner: "models.ForeignKey[Team | None, Team | None]" = models.ForeignKey(
        "accounts.Team", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Also what a team owns, where the right reaches its own on all members of the swarm."""
        found = super().within(reach)
        for team, there in _own_in("swarm", reach):
            found |= Q(owner=team) & there
        return found
