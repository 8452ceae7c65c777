"""Writes the stats history: each round of samples as it comes, the tiers made of them every hour, and what is old goes.

Everything here may be run again, or by two processes: a tier is always made anew from the finer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef

from common.events import changed
from hosts.engine.stats import Rates
from hosts.models import Container, Host, Series, StatsChunk, StatsRound
from hosts.models.grid import METRICS, MOST, Buffer, Grid, floor, grids_of_rounds, pack_round
from hosts.models.spark import Spark
from hosts.models.stats import COLUMNS, DAYS, MINUTES, QUARTERS, TIERS, Tier, raw_kept_seconds

BATCH = 200
HOUR = MINUTES.span
LATE = 120  # seconds after the end of an hour in which a sample of it may still be written
HOST_KEY = ""
LATEST = ("name", "sampled", "cpu", "memory", "memory_limit", "spark")


@dataclass(frozen=True)
class Taken:
    """A sample of a container."""

    container: Container
    rates: Rates


# ---------------------------------------------------------------- a round
def record(host: Host, time: int, taken: Sequence[Taken], every: float) -> None:
    """Stores the samples of a host at `time` (Unix time), and their sum as the host's own; the next round comes after
    `every` seconds."""
    newest: dict[str, Taken] = {}  # while a container is replaced two may go by one key
    for sample in sorted(taken, key=lambda sample: sample.container.created or datetime.min.replace(tzinfo=UTC)):
        newest[sample.container.history_key] = sample
    cpus, memory = Host.objects.values_list("cpus", "memory").get(pk=host.pk)  # `host` is older than its first answer
    total = _sum([sample.rates for sample in taken], memory or 0)
    named = {key: (sample.container.name, sample.rates) for key, sample in newest.items()} | {HOST_KEY: ("", total)}
    with transaction.atomic():
        series = _update_series(host, time, named)
        values = {series[key].pk: [getattr(rates, name) for name in METRICS] for key, (_, rates) in named.items()}
        StatsRound.objects.bulk_create(
            [StatsRound(host=host, time=time, data=pack_round(values))], ignore_conflicts=True
        )
        moved = []
        for key, sample in newest.items():
            if sample.container.series_id != series[key].pk:
                sample.container.series_id = series[key].pk
                moved.append(sample.container)
        Container.objects.bulk_update(moved, ["series"], batch_size=BATCH)
        Host.objects.filter(pk=host.pk).update(
            cpu_percent=min(100.0, total.cpu / (cpus or 1)),
            memory_used=min(total.memory, int(MOST)),
            sampled=datetime.fromtimestamp(time, UTC),
            sample_seconds=every,
        )
        changed("stats", host.name)


def _sum(rates: list[Rates], memory: int) -> Rates:
    totals = {name: sum(getattr(one, name) for one in rates) for name in METRICS}
    return Rates(**totals, memory_limit=memory)


def _update_series(host: Host, time: int, named: dict[str, tuple[str, Rates]]) -> dict[str, Series]:
    """The series by key, made where they are new, with the sample as their last."""
    rows = Series.objects.filter(host=host, key__in=named)
    known = {row.key: row for row in rows}
    if new := [key for key in named if key not in known]:
        made = [Series(host=host, key=key, **_latest(time, *named[key], b"")) for key in new]
        Series.objects.bulk_create(made, batch_size=BATCH, ignore_conflicts=True)
        known |= {row.key: row for row in rows.filter(key__in=new)}
    for key, row in known.items():
        for field, value in _latest(time, *named[key], row.spark).items():
            setattr(row, field, value)
    # by the primary key: an upsert by host and key would use up a number of PostgreSQL's sequence each time
    Series.objects.bulk_create(
        known.values(), batch_size=BATCH, update_conflicts=True, unique_fields=["pk"], update_fields=LATEST
    )
    return known


def _latest(time: int, name: str, rates: Rates, spark: Buffer) -> dict[str, Any]:
    line = Spark.unpack(spark)
    line.add(time, rates.cpu, rates.memory)
    at = datetime.fromtimestamp(time, UTC)
    memory, limit = (min(value, int(MOST)) for value in (rates.memory, rates.memory_limit))
    values = (name, at, rates.cpu, memory, limit, line.pack())
    return dict(zip(LATEST, values, strict=True))


# ---------------------------------------------------------------- tiers
def roll_up(now: int, seconds: float) -> None:
    """Puts what was sampled in hours that are over into the tiers, for at most about `seconds`; the rest next time."""
    end = monotonic() + seconds
    due = floor(now - LATE, HOUR)
    Host.objects.filter(rolled_up__gt=now + HOUR).update(rolled_up=due)  # the clock was wrong
    for host in Host.objects.filter(rolled_up__lt=due).order_by("rolled_up", "pk").only("pk", "rolled_up"):
        while host.rolled_up < due:
            if monotonic() > end:
                return
            roll_up_hour(host, due)


def roll_up_hour(host: Host, due: int) -> None:
    """The next hour before `due` in which the host was sampled; moves its `rolled_up` behind it."""
    with transaction.atomic():
        rolled_up = Host.objects.select_for_update().filter(pk=host.pk).values_list("rolled_up", flat=True).first()
        if rolled_up is None:  # removed meanwhile
            host.rolled_up = due
            return
        rounds = StatsRound.objects.filter(host_id=host.pk, time__gte=rolled_up, time__lt=due)
        first = rounds.order_by("time").values_list("time", flat=True).first()
        if first is not None:
            due = floor(first, HOUR) + HOUR
            _roll_up_samples(host.pk, due - HOUR)
        host.rolled_up = due
        Host.objects.filter(pk=host.pk).update(rolled_up=due)


def _roll_up_samples(host_id: int, hour: int) -> None:
    series = set(Series.objects.filter(host_id=host_id).values_list("pk", flat=True))
    rounds = StatsRound.objects.filter(host_id=host_id, time__gte=hour, time__lt=hour + HOUR)
    minutes = grids_of_rounds(rounds.values_list("time", "data"), hour, HOUR, MINUTES.step, series)
    _store(MINUTES, minutes)
    _extend(DAYS, _extend(QUARTERS, minutes))


def _extend(tier: Tier, finer: dict[int, Grid]) -> dict[int, Grid]:
    """Puts points of the finer tier, all of one time, into a coarser tier's rows; gives these rows."""
    start = floor(next(iter(finer.values())).start, tier.span) if finer else 0
    stored = StatsChunk.objects.filter(series__in=finer, step=tier.step, start=start).values("series_id", *COLUMNS)
    rows = {row.pop("series_id"): Grid.unpack(row, start, tier.step) for row in stored}
    for pk, grid in finer.items():
        rows.setdefault(pk, Grid(start, tier.step, tier.points)).paste(grid.grouped(tier.step))
    _store(tier, rows)
    return rows


def _store(tier: Tier, grids: dict[int, Grid]) -> None:
    rows = [StatsChunk(series_id=pk, step=tier.step, start=grid.start, **grid.pack()) for pk, grid in grids.items()]
    StatsChunk.objects.bulk_create(
        rows,
        batch_size=BATCH,
        update_conflicts=True,
        unique_fields=["series", "step", "start"],
        update_fields=COLUMNS,
    )


# ---------------------------------------------------------------- forgetting
def forget(now: int) -> None:
    """Deletes what is kept no longer: points by their tier's age, and series that have none left."""
    raw = now - raw_kept_seconds()
    StatsRound.objects.filter(time__lt=raw, host__rolled_up__gt=F("time")).delete()
    for tier in TIERS:
        StatsChunk.objects.filter(step=tier.step, start__lt=now - tier.kept_seconds - tier.span).delete()
    points = StatsChunk.objects.filter(series=OuterRef("pk"))
    rolled_up = Series.objects.filter(sampled__lt=datetime.fromtimestamp(raw, UTC), host__rolled_up__gte=raw)
    rolled_up.filter(~Exists(points)).delete()
