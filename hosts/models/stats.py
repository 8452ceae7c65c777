"""The history of stats: what was sampled, and the tiers it is rolled up into. docs/decisions/ says why it is kept so."""

from typing import NamedTuple

from django.apps import apps
from django.conf import settings
from django.db import models
from django.utils import timezone

from accounts.rights import Reach, Right
from hosts.models.base import OnHost, VisibleQuerySet
from hosts.models.grid import METRICS
from hosts.models.spark import Spark


class Tier(NamedTuple):
    """Points of `step` seconds, stored `points` in a row; `kept` names the setting that says for how many days."""

    step: int
    points: int
    kept: str

    @property
    def span(self) -> int:
        """Seconds in a row."""
        return self.step * self.points

    @property
    def kept_seconds(self) -> int:
        """How long a point is kept."""
        return int(getattr(settings, self.kept)) * 86400


MINUTES = Tier(60, 60, "STATS_MINUTES_KEPT_DAYS")
QUARTERS = Tier(900, 96, "STATS_QUARTERS_KEPT_DAYS")
DAYS = Tier(86400, 64, "STATS_DAYS_KEPT_DAYS")
TIERS = (MINUTES, QUARTERS, DAYS)  # from fine to coarse; each is made of the one before it


def raw_kept_seconds() -> int:
    """How long raw samples are kept."""
    return int(settings.STATS_RAW_KEPT_HOURS) * 3600


class Series(OnHost, models.Model):
    """One thing with a history: a container by its name, or a host's sum (`key` ""). A recreated container goes on
    with its series; the series outlives the container until its last point is forgotten."""

    view_right = Right.STATS_VIEW

    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE)
    key = models.CharField(max_length=600)  # hosts.models.containers.history_key
    name = models.CharField(max_length=255)  # of the container that was sampled last
    sampled = models.DateTimeField()
    cpu = models.FloatField()  # of the last sample: 100 is one CPU
    memory = models.BigIntegerField()
    memory_limit = models.BigIntegerField()
    spark = models.BinaryField()

    objects = VisibleQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "key"], name="series_once")]

    def __str__(self) -> str:
        return f"{self.host.name}/{self.key}"

    @classmethod
    def within(cls, reach: Reach) -> models.Q:
        """As of what is on a host, and those of the containers that a team owns now."""
        found = super().within(reach)
        if not reach.own:
            return found
        containers = apps.get_model("hosts", "Container").objects.filter(series=models.OuterRef("pk"))
        return found | models.Q(models.Exists(containers.filter(reach.of_teams("host__name", "owner"))))

    @property
    def sparks(self) -> Spark:
        """The last hour up to now."""
        spark = Spark.unpack(self.spark)
        spark.move(int(timezone.now().timestamp()))
        return spark


class StatsRound(models.Model):
    """The raw tier: all samples of a host at one moment, as hosts.models.grid packs them. Kept STATS_RAW_KEPT_HOURS."""

    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE)
    time = models.BigIntegerField()  # Unix time
    data = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["host", "time"], name="stats_round_once")]
        indexes = [models.Index(fields=["time"])]


class StatsChunk(models.Model):
    """Points of one series in one tier: a Grid of `step` seconds from `start` (Unix time, a multiple of the tier's
    span). Each column is compressed by itself, so that a chart of CPU reads CPU."""

    series = models.ForeignKey(Series, on_delete=models.CASCADE)
    step = models.PositiveIntegerField()
    start = models.BigIntegerField()
    n = models.BinaryField()
    cpu = models.BinaryField()
    memory = models.BinaryField()
    net_rx = models.BinaryField()
    net_tx = models.BinaryField()
    block_read = models.BinaryField()
    block_write = models.BinaryField()
    pids = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["series", "step", "start"], name="stats_chunk_once")]
        indexes = [models.Index(fields=["step", "start"])]


COLUMNS = ("n", *METRICS)
