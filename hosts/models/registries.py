"""Registries, and the accounts with which Dermaga logs in to them."""

from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q

from accounts.models import Team
from accounts.rights import Reach, Right, standing_of
from common.secrets import EncryptedTextField
from hosts.models.base import VisibleQuerySet
from hosts.registry.names import HUB, HUB_LOGIN
from hosts.registry.places import Login, Place


class Registry(models.Model):
    """Where images come from. Docker Hub is there from the start."""

    view_right = Right.REGISTRIES_VIEW

    name = models.SlugField(max_length=63, unique=True)
    address = models.CharField(max_length=300, unique=True)  # host[:port], docker.io for Docker Hub
    ca = models.TextField(blank=True)  # PEM, trusted besides the system's CAs
    plain_http = models.BooleanField(default=False)
    # who stored the address manages all hosts, and so may let Dermaga go into private networks
    inside = models.BooleanField(default=False)
    added = models.DateTimeField(auto_now_add=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Those that a right on teams' own things reaches: where one of the teams has an account."""
        teams = {team for _host, team in reach.own}
        return Q(pk__in=RegistryAccount.objects.order_by().filter(team__in=teams).values("registry"))

    @property
    def is_hub(self) -> bool:
        """Whether it is Docker Hub."""
        return self.address == HUB

    @property
    def server(self) -> str:
        """What an engine that is given a login calls it."""
        return HUB_LOGIN if self.is_hub else self.address

    def place(self) -> Place:
        """How it is reached."""
        return Place(self.address, self.ca, self.plain_http, self.inside)


class AccountQuerySet(models.QuerySet["RegistryAccount"]):
    """Accounts by who may use them and who sees them."""

    def usable(self, actor: Any, team: int | None = None) -> "AccountQuerySet":
        """Those with which `actor` may let an engine log in, the teams' own first, then the default ones. Of a team: for
        its members with the right. `team`: a team for which it is done, whose own are the only ones of a team then."""
        reach = standing_of(actor).reach(Right.REGISTRIES_VIEW)
        teams = {of_team for _host, of_team in reach.own}
        if reach.everywhere:
            teams |= set(Team.objects.filter(memberships__user=getattr(actor, "pk", None)).values_list("pk", flat=True))
        found = Q(team__in=teams if team is None else teams & {team})
        if reach.everywhere:
            manages = standing_of(actor).reach(Right.REGISTRIES_MANAGE).everywhere
            found |= Q(team=None) if manages else Q(team=None, only_managers=False)
        order = (F("team__name").asc(nulls_last=True), "-is_default", "username")
        return self.filter(found).select_related("registry", "team").order_by(*order)

    def visible_to(self, actor: Any) -> "AccountQuerySet":
        """Those that `actor` sees: all, for who manages registries, else those that they may use."""
        if standing_of(actor).reach(Right.REGISTRIES_MANAGE).everywhere:
            return self.select_related("registry", "team")
        return self.usable(actor)


class RegistryAccount(models.Model):
    """A user of a registry. The secret leaves the database for a registry, a token server that it names, or the engine
    that pulls or pushes, and for nobody else."""

    registry = models.ForeignKey(Registry, on_delete=models.CASCADE, related_name="accounts")
    username = models.CharField(max_length=255)
    secret = EncryptedTextField()  # a password or an access token
    # used where nobody chose one: one of each registry, and one of each team there
    is_default = models.BooleanField(default=False)
    # whose members alone use it; nobody's is the installation's. It goes with its team, and becomes nobody else's
    team: "models.ForeignKey[Team | None, Team | None]" = models.ForeignKey(
        Team, null=True, on_delete=models.CASCADE, related_name="+"
    )
    only_managers = models.BooleanField(default=False)  # of no team: used by who manages registries alone
    added = models.DateTimeField(auto_now_add=True)

    objects = AccountQuerySet.as_manager()

    class Meta:
        ordering = ["-is_default", "username"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["registry", "username"], condition=Q(team=None), name="one_account_of_a_name"
            ),
            models.UniqueConstraint(
                fields=["registry", "username", "team"], condition=~Q(team=None), name="one_account_of_a_teams_name"
            ),
            models.UniqueConstraint(
                fields=["registry"], condition=Q(is_default=True, team=None), name="one_default_account"
            ),
            models.UniqueConstraint(
                fields=["registry", "team"],
                condition=Q(is_default=True) & ~Q(team=None),
                name="one_default_account_of_a_team",
            ),
        ]

    def __str__(self) -> str:
        return self.username

    def login(self) -> Login:
        """For hosts.registry.client."""
        return Login(self.username, self.secret)
