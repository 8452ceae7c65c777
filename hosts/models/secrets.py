"""Secrets and configs of a swarm: what services find as files."""

from django.db import models

from accounts.rights import Right
from hosts.models.swarms import SwarmMirrored


class Secret(SwarmMirrored):
    """A secret. Its value is nowhere here, and no engine tells it."""

    view_right = Right.SECRETS_VIEW

    driver = models.CharField(max_length=100, blank=True)
    templating = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="secret_once")]
        indexes = [models.Index(fields=["name"])]


class Config(SwarmMirrored):
    """A config. What is in it is asked from a manager when somebody with the right wants to see it."""

    view_right = Right.CONFIGS_VIEW

    templating = models.CharField(max_length=100, blank=True)
    size = models.PositiveIntegerField(default=0)  # bytes

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="config_once")]
        indexes = [models.Index(fields=["name"])]
