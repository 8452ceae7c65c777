"""Secrets and configs of a swarm: what services find as files."""

from typing import Any

from django.db import models

from accounts.rights import SYSTEM, Right
from hosts.models.services import Service
from hosts.models.swarms import SwarmOwned


class ForServices(SwarmOwned):
    """What services find as a file; only its labels can be changed."""

    noun = ""  # secret config

    class Meta:
        abstract = True

    def services(self, seen_by: Any = SYSTEM) -> list[Service]:
        """Those that use it, by name, of those that somebody sees. A swarm has so few that all are looked at."""
        found = Service.objects.visible_to(seen_by).current().filter(swarm=self.swarm_id).defer("spec").order_by("name")
        return [service for service in found if self.engine_id in service.data.get(f"{self.noun}s", [])]


class Secret(ForServices):
    """A secret. Its value is nowhere here, and no engine tells it."""

    view_right = Right.SECRETS_VIEW
    manage_right = Right.SECRETS_MANAGE

    noun = "secret"
    driver = models.CharField(max_length=100, blank=True)
    templating = models.CharField(max_length=100, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="secret_once")]
        indexes = [models.Index(fields=["name"])]


class Config(ForServices):
    """A config. What is in it is asked from a manager when somebody with the right wants to see it."""

    view_right = Right.CONFIGS_VIEW
    manage_right = Right.CONFIGS_MANAGE

    noun = "config"
    templating = models.CharField(max_length=100, blank=True)
    size = models.PositiveIntegerField(default=0)  # bytes

    class Meta:
        constraints = [models.UniqueConstraint(fields=["swarm", "engine_id"], name="config_once")]
        indexes = [models.Index(fields=["name"])]
