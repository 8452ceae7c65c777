"""The stats history: tiers against brute force, spikes, restarts, recreated containers, what is forgotten and how much
room it takes."""

import random
from array import array
from collections import defaultdict
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings

from hosts import charts
from hosts.inventory import history
from hosts.models import Container, Host, Series, StatsChunk, StatsRound
from hosts.models.grid import METRICS, Grid, grids_of_rounds, pack_round, unpack_round
from hosts.models.spark import Spark
from hosts.models.stats import DAYS, MINUTES, QUARTERS, TIERS
from tests.rows import a_host, container_json, containers
from tests.stats import rates

pytestmark = [pytest.mark.core, pytest.mark.django_db]
DAY0 = 20_000 * 86400  # a midnight
COMPOSE = {f"com.docker.compose.{name}": value for name, value in
           {"project": "shop", "service": "web", "container-number": "1"}.items()}  # fmt: skip


def sampled(host: Host, time: int, **cpu_by_name: float) -> None:
    """A round of samples, as the sampler hands it over."""
    rows = {c.name: c for c in Container.objects.filter(host=host)}
    history.record(host, time, [history.Taken(rows[name], rates(cpu)) for name, cpu in cpu_by_name.items()], 30)


def a_series(host: Host, name: str = "web") -> Series:
    return Series.objects.select_related("host").get(host=host, name=name)


def stored(host: Host, samples: dict[int, list[float]], number: int) -> None:
    """Rounds of one series by time, without what a list shows of the last one."""
    rows = [StatsRound(host=host, time=time, data=pack_round({number: values})) for time, values in samples.items()]
    StatsRound.objects.bulk_create(rows, batch_size=500)


def shop(name: str = "web") -> tuple[Host, Series]:
    host = a_host(name=f"quay-{name}")
    containers(host, container_json(name))
    sampled(host, DAY0 - 30, **{name: 0.0})
    return host, a_series(host, name)


def brute_force(samples: dict[int, list[float]], step: int) -> dict[int, list[tuple[float, float, float]]]:
    """(lowest, mean, highest) of each metric by the start of its point."""
    groups: dict[int, list[list[float]]] = defaultdict(list)
    for time, values in samples.items():
        groups[time // step * step].append(values)
    return {
        start: [(min(column), sum(column) / len(column), max(column)) for column in zip(*group, strict=True)]
        for start, group in groups.items()
    }


def points(grid: Grid) -> dict[int, list[tuple[float, float, float]]]:
    return {
        grid.start + place * grid.step: [tuple(values[place] for values in grid.columns[name]) for name in METRICS]
        for place, n in enumerate(grid.n)
        if n
    }


def assert_equal(found: dict[int, Any], expected: dict[int, Any]) -> None:
    assert found.keys() == expected.keys()
    for start, columns in expected.items():
        for mine, theirs in zip(found[start], columns, strict=True):
            assert mine == pytest.approx(theirs, rel=1e-5, abs=1e-4), start


def random_samples(seed: int, hours: float) -> dict[int, list[float]]:
    """Samples at uneven times with silences, of every size that metrics have."""
    dice = random.Random(seed)
    time, samples = DAY0 + dice.randrange(7200), {}
    while time < DAY0 + hours * 3600:
        samples[time] = list(array("f", [dice.choice([0, dice.random() * 400, dice.random() * 1e10]) for _ in METRICS]))
        time += dice.choice([5, 30, 30, 30, 31, 60, 500, dice.choice([30, 9000])])
    return samples


# ---------------------------------------------------------------- tiers
@pytest.mark.parametrize("seed", range(4))
def test_every_tier_is_what_brute_force_says_of_a_random_series(seed: int) -> None:
    host, series = shop()
    samples = random_samples(seed, 60)
    stored(host, samples, series.pk)
    now = max(samples) + 60
    history.roll_up(now, 60)
    series = a_series(host)
    assert series.host.rolled_up == (now - history.LATE) // 3600 * 3600
    samples[DAY0 - 30] = [0.0] * len(METRICS)
    for tier in TIERS:
        start, count = DAY0 - 86400, -((DAY0 - 86400 - now) // tier.step)
        lines = charts.series([series], start, start + count * tier.step, count, now)
        assert lines.step == tier.step
        assert_equal(points(lines.grids[series.pk]), brute_force(samples, tier.step))


@pytest.mark.parametrize("points_wanted", [7, 50, 300, 1999])
def test_a_chart_of_any_width_is_what_brute_force_says(points_wanted: int) -> None:
    host, series = shop()
    samples = random_samples(99, 80)
    stored(host, samples, series.pk)
    samples[DAY0 - 30] = [0.0] * len(METRICS)
    start, now = DAY0 + 5000, max(samples)
    for rolled in (False, True):
        if rolled:
            history.roll_up(now, 60)
        with override_settings(STATS_RAW_KEPT_HOURS=200):
            lines = charts.series([a_series(host)], start, now, points_wanted, now)
        inside = {time: values for time, values in samples.items() if lines.start <= time < lines.end}
        assert lines.start <= start and lines.end >= now
        assert (lines.end - lines.start) / lines.step <= points_wanted + 2
        assert_equal(points(lines.grids[series.pk]), brute_force(inside, lines.step))


def test_rolling_up_again_changes_nothing_and_later_hours_go_on(django_assert_max_num_queries: Any) -> None:
    host, series = shop()
    samples = random_samples(5, 30)
    early = {time: values for time, values in samples.items() if time < DAY0 + 10 * 3600}
    stored(host, early, series.pk)
    history.roll_up(DAY0 + 10 * 3600 + 300, 60)
    before = dict(StatsChunk.objects.values_list("pk", "cpu"))
    Host.objects.update(rolled_up=0)
    history.roll_up(DAY0 + 10 * 3600 + 300, 60)
    assert {pk: bytes(cpu) for pk, cpu in StatsChunk.objects.values_list("pk", "cpu")} == {
        pk: bytes(cpu) for pk, cpu in before.items()
    }
    stored(host, {time: values for time, values in samples.items() if time not in early}, series.pk)
    history.roll_up(max(samples) + 4000, 60)
    samples[DAY0 - 30] = [0.0] * len(METRICS)
    days = [Grid.unpack({"n": c.n, **{m: getattr(c, m) for m in METRICS}}, c.start, c.step)
            for c in StatsChunk.objects.filter(step=DAYS.step).order_by("start")]  # fmt: skip
    assert_equal({k: v for grid in days for k, v in points(grid).items()}, brute_force(samples, DAYS.step))
    with django_assert_max_num_queries(4):
        history.roll_up(max(samples) + 4000, 60)


def test_a_spike_of_a_minute_shows_after_thirty_days() -> None:
    host, series = shop()
    spike = DAY0 + 3 * 86400 + 7 * 3600 + 11 * 60
    now = DAY0
    for day in range(34):
        base = DAY0 + day * 86400
        times = range(base, base + 86400, 30 if base < spike < base + 86400 else 3 * 3600)
        stored(host, {time: [97.5 if spike <= time < spike + 60 else 2.0] * 7 for time in times}, series.pk)
        now = base + 86400 + 300
        history.roll_up(now, 60)
        history.forget(now)
    assert not StatsRound.objects.filter(time__lt=now - 86400 - 3600).exists()
    assert not StatsChunk.objects.filter(step=60, start__lt=now - 15 * 86400).exists()
    for width in (200, 720):
        chart = charts.as_json(
            charts.series([a_series(host)], now - 31 * 86400, now, width, now, ["cpu"]).grids[series.pk], ["cpu"]
        )
        cpu = chart["metrics"]["cpu"]
        place = cpu["max"].index(97.5)
        assert 0 <= spike - chart["time"][place] < 86400
        assert cpu["min"][place] == 2.0
        assert max(cpu["avg"]) < 60


def test_a_clock_that_was_wrong_does_not_stop_the_rolling_up() -> None:
    host, series = shop()
    Host.objects.update(rolled_up=DAY0 * 2)
    now = DAY0 + 5 * 3600
    history.roll_up(now, 60)
    assert Host.objects.get(pk=host.pk).rolled_up <= now
    stored(host, {now + 100: [5.0] * 7}, series.pk)
    history.roll_up(now + 7300, 60)
    assert StatsChunk.objects.filter(series=series, step=60, start=now).exists()


def test_what_is_due_is_done_in_parts() -> None:
    host, series = shop()
    stored(host, {DAY0 + hour * 3600: [1.0] * 7 for hour in range(5)}, series.pk)
    history.roll_up(DAY0 + 6 * 3600, 0)
    assert not StatsChunk.objects.exists()
    history.roll_up(DAY0 + 6 * 3600, 60)
    assert StatsChunk.objects.filter(series=series, step=60).count() == 6


# ---------------------------------------------------------------- what is sampled
def test_a_recreated_container_goes_on_with_its_history() -> None:
    host = a_host()
    containers(host, container_json("shop-web-1", Id="a" * 64, Labels=COMPOSE), container_json("db", Id="d" * 64))
    sampled(host, DAY0, **{"shop-web-1": 5.0, "db": 1.0})
    containers(host, container_json("shop-web-1", Id="b" * 64, Labels=COMPOSE), container_json("db", Id="e" * 64))
    assert Container.objects.get(name="db").series is None
    sampled(host, DAY0 + 30, **{"shop-web-1": 7.0, "db": 2.0})
    assert sorted(Series.objects.values_list("key", "cpu")) == [("", 9.0), ("db", 2.0), ("shop/web/1", 7.0)]
    for name, values in (("shop-web-1", [5.0, 7.0]), ("db", [1.0, 2.0])):
        container = Container.objects.select_related("series__host").get(name=name)
        assert container.series
        lines = charts.series([container.series], DAY0, DAY0 + 60, 60, DAY0 + 60)
        assert [columns[0][1] for columns in points(lines.grids[container.series.pk]).values()] == values


def test_of_two_that_go_by_one_key_the_newer_is_kept() -> None:
    host = a_host()
    old = container_json("x_shop-web-1", Id="a" * 64, Labels=COMPOSE, Created=100)
    new = container_json("shop-web-1", Id="b" * 64, Labels=COMPOSE, Created=200)
    containers(host, old, new)
    sampled(host, DAY0, **{"shop-web-1": 5.0, "x_shop-web-1": 1.0})
    assert dict(Series.objects.values_list("key", "cpu")) == {"shop/web/1": 5.0, "": 6.0}


def test_a_host_s_numbers_are_the_sum_of_its_containers() -> None:
    host = a_host()
    Host.objects.update(cpus=4, memory=2**33)
    containers(host, container_json("one"), container_json("three"))
    rows = {c.name: c for c in Container.objects.all()}
    taken = [history.Taken(rows["one"], rates(100, memory=5)), history.Taken(rows["three"], rates(60, memory=7))]
    history.record(host, DAY0, taken, 44)
    host.refresh_from_db()
    assert (host.cpu_percent, host.memory_used, host.sample_seconds) == (40, 12, 44)
    assert Series.objects.get(key="").memory_limit == 2**33


def test_nothing_an_engine_says_breaks_the_writing() -> None:
    host = a_host()
    containers(host, container_json("web"))
    row = Container.objects.get()
    history.record(host, DAY0, [history.Taken(row, rates(1e300, memory=2**70, net_rx=1e308, pids=2**62))] * 3, 30)
    history.roll_up(DAY0 + 7200, 60)
    chart = charts.as_json(
        charts.series([a_series(host)], DAY0, DAY0 + 7200, 10, DAY0 + 7200).grids[row.series_id or 0]
    )
    assert chart["metrics"]["cpu"]["max"] == [pytest.approx(1e15)]


def test_a_removed_host_takes_its_history_along() -> None:
    host, series = shop()
    stored(host, random_samples(1, 5), series.pk)
    history.roll_up(DAY0 + 6 * 3600, 60)
    assert StatsChunk.objects.exists()
    host.delete()
    history.roll_up(DAY0 + 9 * 3600, 60)
    assert not (StatsChunk.objects.exists() or StatsRound.objects.exists() or Series.objects.exists())


# ---------------------------------------------------------------- forgetting, size
def test_a_removed_container_s_history_stays_until_its_time_is_over() -> None:
    host, series = shop()
    history.roll_up(DAY0 + 7200, 60)
    containers(host)
    for days, steps in ((10, {60, 900, 86400}), (20, {900, 86400}), (500, {86400})):
        history.roll_up(DAY0 + days * 86400, 60)
        history.forget(DAY0 + days * 86400)
        assert set(StatsChunk.objects.filter(series=series).values_list("step", flat=True)) == steps
    history.roll_up(DAY0 + 2000 * 86400, 60)
    history.forget(DAY0 + 2000 * 86400)
    assert not Series.objects.exists()


def test_samples_that_are_not_rolled_up_yet_are_not_forgotten() -> None:
    host, series = shop()
    history.forget(DAY0 + 5 * 86400)
    assert StatsRound.objects.filter(host=host).exists()
    history.roll_up(DAY0 + 5 * 86400, 60)
    history.forget(DAY0 + 5 * 86400)
    assert not StatsRound.objects.exists()
    assert StatsChunk.objects.filter(series=series).exists()


def test_the_settings_say_how_long_each_tier_is_kept() -> None:
    host, series = shop()
    stored(host, {DAY0 + day * 86400: [1.0] * 7 for day in range(9)}, series.pk)
    now = DAY0 + 10 * 86400
    history.roll_up(now, 60)
    kept = {"STATS_RAW_KEPT_HOURS": 60, "STATS_MINUTES_KEPT_DAYS": 3, "STATS_QUARTERS_KEPT_DAYS": 5}
    with override_settings(**kept):
        history.forget(now)
    oldest = {step: StatsChunk.objects.filter(step=step).earliest("start").start for step in (60, 900)}
    assert StatsRound.objects.earliest("time").time == DAY0 + 8 * 86400
    assert oldest == {60: DAY0 + 7 * 86400, 900: DAY0 + 4 * 86400}


def test_a_year_of_a_container_takes_less_than_ten_megabytes() -> None:
    """With the worst values there are, random ones, which do not compress; all that the settings keep."""
    host, series = shop()
    dice = random.Random(1)

    def full(step: int, count: int) -> dict[str, bytes]:
        grid = Grid(0, step, count)
        for place in range(count):
            for _ in range(3):
                grid.add(place * step, [dice.random() * 1e6 for _ in METRICS])
        return grid.close().pack()

    for tier, days in ((MINUTES, 14), (QUARTERS, 366), (DAYS, 366)):
        packed, rows = full(tier.step, tier.points), -(-days * 86400 // tier.span)
        starts = range(0, rows * tier.span, tier.span)
        StatsChunk.objects.bulk_create(
            [StatsChunk(series=series, step=tier.step, start=start, **packed) for start in starts], batch_size=100
        )
    stored(host, {time: [1.0] * 7 for time in range(DAY0, DAY0 + 86400, 30)}, series.pk)
    assert bytes_of_tables() < 10_000_000


def bytes_of_tables() -> int:
    """What the history's tables take up with their indexes."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname IN ('hosts_statschunk', 'hosts_statsround')"
            )
        else:
            cursor.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%hosts_stats%'")
        return int(cursor.fetchone()[0])


# ---------------------------------------------------------------- packing
def test_what_is_packed_comes_out_again() -> None:
    samples = random_samples(3, 1)
    series = {7: samples, 2**40: {time: values[::-1] for time, values in samples.items()}}
    rounds = [(time, pack_round({number: rows[time] for number, rows in series.items()})) for time in samples]
    for time, data in rounds:
        numbers, values = unpack_round(data)
        assert list(numbers) == [7, 2**40]
        assert list(values[:7]) == samples[time]
    grids = grids_of_rounds(rounds, DAY0, 7200, 60, {7})
    assert grids.keys() == {7}
    again = Grid.unpack(grids[7].pack(), DAY0, 60)
    assert points(again) == points(grids[7])


def test_holes_are_said_and_uneven_samples_are_no_holes() -> None:
    grid = Grid(0, 60, 100)
    for place in (0, 9, 18, 28, 60, 69, 78):
        grid.add(place * 60, [float(place)] * 7)
    chart = charts.as_json(grid.close(), ["cpu"])
    assert chart["metrics"]["cpu"]["avg"] == [0, 9, 18, 28, None, 60, 69, 78]
    assert chart["time"][3:6] == [28 * 60, 29 * 60, 60 * 60]


def test_a_sparkline_holds_the_last_hour() -> None:
    spark = Spark()
    for minute in range(90):
        spark.add(DAY0 + minute * 60, float(minute), 1.0)
    spark = Spark.unpack(spark.pack())
    assert spark.cpu == [float(minute) for minute in range(31, 91, 2)]
    spark.add(DAY0, 500.0, 500.0)
    assert max(spark.cpu) == 89
    spark.move(DAY0 + 100 * 60)
    assert [value != value for value in spark.cpu] == [False] * 24 + [True] * 6
