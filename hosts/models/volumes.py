"""Volumes of a host."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import Mirrored


class Volume(Mirrored):
    """A volume; its name is its identity on the host."""

    view_right = Right.VOLUMES_VIEW

    name = models.CharField(max_length=255)
    driver = models.CharField(max_length=100, blank=True)
    mountpoint = models.CharField(max_length=1000, blank=True)
    scope = models.CharField(max_length=20, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "name"], name="volume_once")]
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name
