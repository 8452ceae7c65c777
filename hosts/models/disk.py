"""What the last look at a host's disk found of single objects; the sums by kind are in the host's row."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import OnHost, VisibleQuerySet
from hosts.models.hosts import Host


class DiskReading(OnHost, models.Model):
    """`containers`: bytes of their own files by id. `cache`: records of the build cache (hosts.engine.disk)."""

    view_right = Right.HOSTS_VIEW

    host = models.OneToOneField(Host, on_delete=models.CASCADE, related_name="disk_reading")
    containers = models.JSONField(default=dict)
    cache = models.JSONField(default=list)
    taken = models.DateTimeField()

    objects = VisibleQuerySet.as_manager()
