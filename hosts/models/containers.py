"""Containers as lists show them, and what only their own page needs."""

from django.db import models

from accounts.rights import Right
from common.secrets import EncryptedJSONField
from hosts.models.base import Mirrored


class Container(Mirrored):
    """A container of a host."""

    view_right = Right.CONTAINERS_VIEW

    engine_id = models.CharField(max_length=80)
    name = models.CharField(max_length=255)
    image = models.CharField(max_length=500)
    image_id = models.CharField(max_length=100)
    command = models.TextField(blank=True)
    state = models.CharField(max_length=20)  # created running paused restarting removing exited dead
    health = models.CharField(max_length=20, blank=True)  # "" (has no check) starting healthy unhealthy
    exit_code = models.IntegerField(null=True)
    started = models.DateTimeField(null=True)
    finished = models.DateTimeField(null=True)
    restart_count = models.PositiveIntegerField(default=0)
    project = models.CharField(max_length=255, blank=True)
    service = models.CharField(max_length=255, blank=True)
    ports = models.JSONField(default=list)  # [{"ip", "private", "public", "type"}]

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "engine_id"], name="container_once")]
        indexes = [
            models.Index(fields=["name"]),
            models.Index(fields=["state"]),
            models.Index(fields=["project", "name"]),
            models.Index(fields=["image_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.host.name}/{self.name}"

    @property
    def needs_attention(self) -> bool:
        """Unhealthy, restarting, dead, or ended with an error."""
        return (
            self.health == "unhealthy"
            or self.state in {"restarting", "dead"}
            or (self.state == "exited" and self.exit_code not in {0, None, 143, 137})
        )


class ContainerDetail(models.Model):
    """The engine's inspect answer. It holds environment values, therefore it is encrypted."""

    container = models.OneToOneField(Container, on_delete=models.CASCADE, related_name="detail")
    inspect = EncryptedJSONField()
    seen = models.DateTimeField()
