"""What all mirrored rows share."""

from typing import TYPE_CHECKING, Any, Self

from django.db import models

from accounts.rights import Right, allows

if TYPE_CHECKING:
    from hosts.models.hosts import Host


class VisibleQuerySet(models.QuerySet[Any]):
    """Lists go through `visible_to`: pages, API, sockets and messages share the rule."""

    def visible_to(self, user: Any) -> Self:
        """The rows that `user` may see."""
        return self if allows(user, self.model.view_right) else self.none()


class Mirrored(models.Model):
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
