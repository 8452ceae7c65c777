"""Managed plugins of a host."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import Mirrored


class Plugin(Mirrored):
    """A plugin that the engine keeps. Values of its environment are not in the row: they may be passwords."""

    view_right = Right.PLUGINS_VIEW

    engine_id = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    reference = models.CharField(max_length=500, blank=True)  # what it was pulled as
    enabled = models.BooleanField(default=False)
    kind = models.CharField(max_length=100, blank=True)  # its first interface: docker.volumedriver/1.0
    description = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "engine_id"], name="plugin_once")]
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def state(self) -> str:
        """enabled or disabled"""
        return "enabled" if self.enabled else "disabled"
