"""What all mirrored rows share."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Self

from django.db import models
from django.db.models import Q

from accounts.rights import Right, standing_of

if TYPE_CHECKING:
    from hosts.models.hosts import Host


class VisibleQuerySet(models.QuerySet[Any]):
    """Lists go through `visible_to`: pages, API, sockets and messages share the rule."""

    def visible_to(self, user: Any) -> Self:
        """The rows that `user` may see."""
        return self.granted(user, self.model.view_right)

    def granted(self, user: Any, right: Right) -> Self:
        """All of them, or those of the hosts where `right` is granted to `user`, or none."""
        reach = standing_of(user).reach(right)
        if reach.everywhere:
            return self
        return self.filter(self.model.within(reach.hosts)) if reach.hosts else self.none()


class OnHost:
    """A row of one host, which `host` leads to."""

    host: Any

    @classmethod
    def within(cls, hosts: Iterable[str]) -> Q:
        """Those of the hosts of these names."""
        return Q(host__name__in=hosts)

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
