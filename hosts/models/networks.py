"""Networks of a host."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import Mirrored


class Network(Mirrored):
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

    def __str__(self) -> str:
        return self.name
