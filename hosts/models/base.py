"""What all mirrored rows share."""

from typing import TYPE_CHECKING, Any, Self

from django.apps import apps
from django.db import models
from django.db.models import Exists, Func, OuterRef, Q

from accounts.rights import Reach, Right, standing_of

if TYPE_CHECKING:
    from accounts.models import Team
    from hosts.models.hosts import Host


class Keys(Func):
    """Keys of rows, written out: Django takes each of a list through the column's checks, which for a hundred hosts in
    every list of a page is a quarter of its time."""

    output_field = models.BigAutoField()

    def __init__(self, keys: tuple[int, ...]) -> None:
        super().__init__(template=f"({', '.join(str(int(key)) for key in keys)})")


class VisibleQuerySet(models.QuerySet[Any]):
    """Lists go through `visible_to`: pages, API, sockets and messages share the rule."""

    def visible_to(self, user: Any) -> Self:
        """The rows that `user` may see."""
        return self.granted(user, self.model.view_right)

    def granted(self, user: Any, right: Right) -> Self:
        """All of them, or those of the hosts where `right` is granted to `user` and what their teams own there, or
        none."""
        reach = standing_of(user).reach(right)
        if reach.everywhere:
            return self
        if not reach.anywhere:
            return self.none()
        found = self.model.within(reach)
        if right == self.model.view_right and issubclass(self.model, Shared):
            found |= self.model.shared(reach)
        return self.filter(found)


class OnHost:
    """A row of one host, which `host` leads to."""

    host: Any
    owner_column = ""  # that has the key of the team that owns it

    @classmethod
    def within(cls, reach: Reach) -> Q:
        """Those that a right reaches which does not hold everywhere."""
        found = Q(pk__in=[])
        if reach.hosts:  # by their keys: by name each row would be joined with its host
            named = apps.get_model("hosts", "Host").objects.filter(name__in=reach.hosts)
            found = Q(host__in=named.order_by().values("pk") if reach.keys is None else Keys(reach.keys))
        return found | reach.of_teams("host__name", cls.owner_column) if cls.owner_column and reach.own else found

    @property
    def places(self) -> list[str]:
        """Names of the hosts on which a right to do something to it must hold."""
        return [self.host.name]


class Mirrored(OnHost, models.Model):
    """A row that mirrors an object of an engine. Written by hosts.inventory and nobody else."""

    view_right: Right

    host: "models.ForeignKey[Host, Host]" = models.ForeignKey("hosts.Host", on_delete=models.CASCADE)
    created = models.DateTimeField(null=True)
    labels = models.JSONField(default=dict)
    data = models.JSONField(default=dict)  # what lists do not filter on
    seen = models.DateTimeField()  # when the engine last told us about it

    objects = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True


class Owned(Mirrored):
    """One that a team may own (hosts.inventory.owners)."""

    owner_column = "owner"

    # nobody's is for those whose rights are about all of the host
    owner: "models.ForeignKey[Team | None, Team | None]" = models.ForeignKey(
        "accounts.Team", null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True


class Shared(Owned):
    """One that other teams than its owner's may see and use: those that it is shared with (hosts.models.owners.Share)."""

    key_column = "name"  # by which a share knows it

    class Meta:
        abstract = True

    @classmethod
    def shared(cls, reach: Reach) -> Q:
        """Those that are shared with the teams whose own objects the right reaches."""
        shares = apps.get_model("hosts", "Share").objects
        of_it = shares.filter(noun=cls._meta.model_name, host=OuterRef("host"), key=OuterRef(cls.key_column))
        return Q(Exists(of_it.filter(reach.of_teams("host__name", "team")))) if reach.own else Q(pk__in=[])

    def is_shared(self, reach: Reach) -> bool:
        """Whether one of these teams may see and use it."""
        return bool(reach.own) and type(self)._default_manager.filter(self.shared(reach), pk=self.pk).exists()
