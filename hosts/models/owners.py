"""Whose an object is: by the word of who manages its host, else by its label."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from hosts.engine.parse.containers import PROJECTS, SERVICES
from hosts.engine.parse.values import first_of
from hosts.specs.replaced import STANDS_IN

SWARM_SERVICE, SWARM_SERVICE_ID = "com.docker.swarm.service.name", "com.docker.swarm.service.id"
KEY_AT_MOST = 600
TEAM_LABEL = "dermaga.team"
OWNED = ("container", "image", "network", "volume")


def key_of(noun: str, name: str, labels: Mapping[str, str], engine_id: str = "") -> str:
    """What names an object of a host for good: a container that is made anew, by Compose, by a swarm or here, has the key
    of the one before. `labels` are its own: those that a container has from its image are whoever's who made that."""
    if noun == "image":
        return engine_id[:KEY_AT_MOST]
    if noun == "container":
        if service := str(labels.get(SWARM_SERVICE) or ""):
            return f"service:{service}"[:KEY_AT_MOST]
        project, service = (first_of(dict(labels), names) for names in (PROJECTS, SERVICES))
        if project and service:
            return f"{project}/{service}"[:KEY_AT_MOST]  # no container's name has a slash
        found = STANDS_IN.fullmatch(name)  # for another one, while that is made anew
        return (found["name"] if found else name)[:KEY_AT_MOST]
    return name[:KEY_AT_MOST]


class Adoption(models.Model):
    """An object of a host belongs to a team, or, with none, to nobody, whatever its label says. The key outlives the
    object (hosts.owners.key_of): one that is made anew is the same team's."""

    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE, related_name="+")
    noun = models.CharField(max_length=20)  # container image network volume
    key = models.CharField(max_length=KEY_AT_MOST)
    team = models.ForeignKey("accounts.Team", null=True, on_delete=models.CASCADE, related_name="+")
    by_name = models.CharField(max_length=150)
    since = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "noun", "key"], name="adopted_once")]

    def __str__(self) -> str:
        return f"{self.noun} {self.host.name}/{self.key} of {self.team}"


def shared_names(row: Any) -> list[str]:
    """Names of the teams that an object is shared with."""
    found = Share.objects.filter(host=row.host_id, noun=row._meta.model_name, key=getattr(row, row.key_column))
    return sorted(found.values_list("team__name", flat=True))


class Share(models.Model):
    """An object that a team may see and use which is another's, or nobody's. It ends with the object."""

    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE, related_name="+")
    noun = models.CharField(max_length=20)  # image network volume
    key = models.CharField(max_length=KEY_AT_MOST)
    team = models.ForeignKey("accounts.Team", on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "noun", "key", "team"], name="shared_once")]

    def __str__(self) -> str:
        return f"{self.noun} {self.host.name}/{self.key} with {self.team}"
