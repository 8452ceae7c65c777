"""Volumes of a host."""

import re
from typing import Any

from django.db import models

from accounts.rights import Right
from hosts.models.base import Shared

ANONYMOUS = re.compile(r"[0-9a-f]{64}")


class Volume(Shared):
    """A volume; its name is its identity on the host."""

    view_right = Right.VOLUMES_VIEW

    name = models.CharField(max_length=255)
    driver = models.CharField(max_length=100, blank=True)
    mountpoint = models.CharField(max_length=1000, blank=True)
    scope = models.CharField(max_length=20, blank=True)
    # written with each reading of the disk, which is rare (Host.disk["at"]); None until then
    size = models.BigIntegerField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "name"], name="volume_once")]
        indexes = [models.Index(fields=["name"])]

    def __str__(self) -> str:
        return self.name

    @property
    def is_anonymous(self) -> bool:
        """Whether an engine named it, for a container that asked for a volume without a name."""
        return ANONYMOUS.fullmatch(self.name) is not None

    @property
    def as_shown(self) -> list[Any]:
        """What a job that removes it has to know of it, as JSON values: [host, name, created, bytes]."""
        return [self.host.name, self.name, self.created.isoformat() if self.created else "", self.size or 0]
