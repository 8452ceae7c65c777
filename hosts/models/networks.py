"""Networks of a host."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import Shared

PREDEFINED = ("bridge", "host", "none", "podman", "ingress", "docker_gwbridge")


class Network(Shared):
    """A network. Who is in it is read from the containers' rows."""

    view_right = Right.NETWORKS_VIEW

    engine_id = models.CharField(max_length=100)
    name = models.CharField(max_length=255)
    driver = models.CharField(max_length=100, blank=True)
    scope = models.CharField(max_length=20, blank=True)
    internal = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "engine_id"], name="network_once")]
        indexes = [models.Index(fields=["name"])]

    @property
    def is_own(self) -> bool:
        """Whether people made it; the engine's own ones cannot be removed."""
        return self.name not in PREDEFINED and not self.data.get("ingress")

    @property
    def is_prunable(self) -> bool:
        """Whether it may go when no container uses it. What services of a swarm use, containers' rows do not tell; nor
        which networks were made from a configuration."""
        return self.is_own and self.scope != "swarm" and not self.data.get("config_only")

    def __str__(self) -> str:
        return self.name
