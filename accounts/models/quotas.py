"""How much a team may have: on one host, or on all hosts together."""

from typing import ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models.teams import Team


class Quota(models.Model):
    """What a team may have at most, and what its containers get that say no limits. None: no bound, no default.

    CPUs are whole ones, memory and volumes bytes. It counts what the team owns, whoever made it.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="quotas")
    host = models.ForeignKey("hosts.Host", null=True, on_delete=models.CASCADE, related_name="quotas")  # None: all
    containers = models.PositiveIntegerField(_("containers"), null=True)
    cpus = models.FloatField(_("CPUs"), null=True, validators=[MinValueValidator(0)])
    memory = models.BigIntegerField(_("memory"), null=True)
    pids = models.BigIntegerField(_("processes"), null=True)
    volumes = models.PositiveIntegerField(_("volumes"), null=True)
    volume_bytes = models.BigIntegerField(_("size of volumes"), null=True)
    ports = models.PositiveIntegerField(_("published ports"), null=True)
    pulls = models.PositiveIntegerField(_("images pulled a day"), null=True)
    jobs = models.PositiveIntegerField(_("jobs at once"), null=True)
    default_cpus = models.FloatField(_("CPUs of a container"), null=True, validators=[MinValueValidator(0)])
    default_memory = models.BigIntegerField(_("memory of a container"), null=True)
    default_pids = models.BigIntegerField(_("processes of a container"), null=True)
    changed = models.DateTimeField(auto_now=True)
    by_name = models.CharField(max_length=150)

    class Meta:
        ordering = ["team__name", "host__name", "pk"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["team", "host"], name="quota_on_a_host_once"),
            models.UniqueConstraint(fields=["team"], condition=Q(host__isnull=True), name="quota_on_all_once"),
        ]

    def __str__(self) -> str:
        return f"{self.team} on {self.host.name if self.host else 'all hosts'}"


BOUNDS = ("containers", "cpus", "memory", "pids", "volumes", "volume_bytes", "ports", "pulls", "jobs")
DEFAULTS = ("default_cpus", "default_memory", "default_pids")
