"""The processes that Dermaga consists of, by what they say of themselves."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import VisibleQuerySet

ROLES = ("web", "worker", "beat", "watch")


class Process(models.Model):
    """One part of Dermaga in one process; the embedded form has all four in one. Each writes its row itself, every few
    seconds, and takes it away when it stops in order."""

    view_right = Right.DIAGNOSTICS

    owner = models.CharField(max_length=80)  # host name, process number, something random
    role = models.CharField(max_length=10, default="web")
    version = models.CharField(max_length=40, blank=True)
    started = models.DateTimeField(null=True)
    seen = models.DateTimeField()
    memory = models.BigIntegerField(null=True)  # resident, in bytes
    counts = models.JSONField(default=dict)  # of a web process: hosts.consumers.counts.Row

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "role"], name="process_once")]

    def __str__(self) -> str:
        return f"{self.role} {self.owner}"

    @property
    def name(self) -> str:
        """Its machine and process number."""
        return self.owner.rpartition(":")[0] or self.owner
