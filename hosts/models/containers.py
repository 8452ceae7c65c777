"""Containers as lists show them, and what only their own page needs."""

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Value
from django.db.models.functions import Concat, Lower

from accounts.rights import Right
from common.secrets import EncryptedJSONField
from hosts.models.base import Owned

if TYPE_CHECKING:
    from hosts.models.stats import Series

COMPOSE_PARTS = ("project", "service", "container-number")
KEY_AT_MOST = 600
STOPPED = ("created", "exited", "dead")
FINE_EXITS = (0, 137, 143)  # 137 and 143: somebody killed or stopped it
# unhealthy, going round in circles, dead, or ended with an error
NEEDS_ATTENTION = (
    models.Q(health="unhealthy", state="running")
    | models.Q(state__in=["restarting", "dead"])
    | models.Q(state="exited", exit_code__isnull=False) & ~models.Q(exit_code__in=FINE_EXITS)
)

# in which states each act makes sense: the pages show its button there and nowhere else
STATES_FOR: dict[str, frozenset[str]] = {
    "start": frozenset({"created", "exited"}),
    "stop": frozenset({"running", "restarting", "paused"}),
    "restart": frozenset({"running", "exited", "created", "restarting"}),
    "kill": frozenset({"running", "paused", "restarting"}),
    "pause": frozenset({"running"}),
    "unpause": frozenset({"paused"}),
    "rename": frozenset({"created", "running", "paused", "restarting", "exited"}),
    "update": frozenset({"created", "running", "paused", "exited"}),
    "remove": frozenset({"created", "running", "paused", "restarting", "exited", "dead"}),
}


class Container(Owned):
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
    # what it may use at most, from its inspect answer: 0 is no limit, None is not known yet
    nano_cpus = models.BigIntegerField(null=True)
    memory_limit = models.BigIntegerField(null=True)
    pids_limit = models.BigIntegerField(null=True)
    ports_published = models.PositiveIntegerField(null=True)  # ports of the host that it has when it runs
    # what a search looks through, in one piece: five comparisons a row are five times as slow
    words = models.GeneratedField(
        expression=Lower(
            Concat("name", Value("\n"), "image", Value("\n"), "project", Value("\n"), "service"),
        ),
        output_field=models.TextField(),
        db_persist=True,
    )
    series = models.ForeignKey("hosts.Series", null=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "engine_id"], name="container_once")]
        indexes = [
            models.Index(fields=["name"]),
            models.Index(fields=["state", "name"]),
            models.Index(fields=["host", "name"]),
            # no longer ones: PostgreSQL refuses an entry of more than 2704 bytes, and an engine says what is in it
            models.Index(fields=["project", "name"]),
            models.Index(fields=["image"]),
            # with the key that lists put behind them: what was made in one second is many rows, and to order those
            # PostgreSQL would read and sort all that match before it has the first page
            models.Index(fields=["created", "id"]),
            models.Index(fields=["started", "id"]),
            models.Index(fields=["image_id", "host"]),
        ]

    def __str__(self) -> str:
        return f"{self.host.name}/{self.name}"

    @property
    def possible(self) -> list[str]:
        """The acts that its state allows."""
        return [verb for verb, states in STATES_FOR.items() if self.state in states]

    @property
    def history_key(self) -> str:
        """What its stats are kept by: a container that is recreated has a new id, and goes on with the old history; one
        of another team begins its own."""
        return f"team {self.owner_id}/{self._name_for_good}"[:KEY_AT_MOST] if self.owner_id else self._name_for_good

    @property
    def _name_for_good(self) -> str:
        project, service, number = (self.labels.get(f"com.docker.compose.{part}") for part in COMPOSE_PARTS)
        if project and service and number and self.labels.get("com.docker.compose.oneoff") != "True":
            return f"{project}/{service}/{number}"[:KEY_AT_MOST]  # no container's name has a slash
        task, _, _ = self.labels.get("com.docker.swarm.task.name", "").rpartition(".")
        return task[:KEY_AT_MOST] or self.name

    @property
    def opens_volume(self) -> str:
        """The volume that this is the helper of (hosts.actions.volumes.volume_files), "" for any other container."""
        return str(self.labels.get("org.dermaga.volume", "")) if self.is_helper else ""

    @property
    def is_helper(self) -> bool:
        """Whether files of a volume are reached through it (hosts.engine.volume_helpers)."""
        return self.name.startswith("dermaga-files-")

    @property
    def current(self) -> "Series | None":
        """Its series, if the last sample in it is of now."""
        if self.state != "running" or self.series is None or not self.host.is_live:
            return None
        return self.series if self.host.is_of_now(self.series.sampled) else None


class ContainerDetail(models.Model):
    """The engine's inspect answer. It holds environment values, therefore it is encrypted."""

    container = models.OneToOneField(Container, on_delete=models.CASCADE, related_name="detail")
    inspect = EncryptedJSONField()
    seen = models.DateTimeField()
