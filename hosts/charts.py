"""Reads the stats history: any span of time in about as many points as a chart has room for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from math import ceil
from statistics import median
from typing import Any

from hosts.models import Host, Series, StatsChunk, StatsRound
from hosts.models.grid import METRICS, Grid, floor, grids_of_rounds
from hosts.models.stats import TIERS, raw_kept_seconds

HOUR = 3600
LONGEST = 20 * 366 * 86400  # seconds
NAMES = {60: "1m", 900: "15m", 86400: "1d"}
HOLE = 2.5  # a silence of so many usual distances between points is a hole in the line, not a slope
DIGITS = {"cpu": 2, "pids": 1}  # of what is shown; bytes are whole


@dataclass(frozen=True)
class Lines:
    """`grids` by series number, all of the same time: `start` to `end` (Unix time) in points of `step` seconds. `tier`
    is what they were read from: raw, 1m, 15m or 1d."""

    start: int
    end: int
    step: int
    tier: str
    grids: dict[int, Grid]


def series(
    wanted: Sequence[Series], start: int, end: int, points: int, now: int, metrics: Sequence[str] = METRICS
) -> Lines:
    """The history of `wanted` (with their hosts) from `start` to `end` in at most about `points` points each."""
    end = max(end, start + 1)
    start = max(start, end - LONGEST)
    room = (end - start) / points
    place = _tier(start, room, now)
    base = TIERS[place].step if place >= 0 else 1
    step = ceil(room / base) * base
    start, end = floor(start, step), floor(end + step - 1, step)
    grids: dict[int, Grid] = {}
    for host, numbers in _by_host(wanted):
        if place < 0:
            grids |= _raw(host, numbers, start, end, step, metrics)
        else:
            found = _read(place, host, numbers, start, end, metrics)
            grids |= {number: grid.grouped(step) for number, grid in found.items()}
    return Lines(start, end, step, NAMES.get(base, "raw"), grids)


def _tier(start: int, room: float, now: int) -> int:
    """The coarsest tier whose points are not longer than `room` seconds (-1: raw), or the first one that reaches back
    to `start`."""
    place = max((n for n, tier in enumerate(TIERS) if tier.step <= room), default=-1)
    while place < len(TIERS) - 1:
        kept = TIERS[place].kept_seconds if place >= 0 else raw_kept_seconds()
        if start >= now - kept:
            break
        place += 1
    return place


def _by_host(wanted: Sequence[Series]) -> Iterable[tuple[Host, set[int]]]:
    hosts: dict[int, tuple[Host, set[int]]] = {}
    for row in wanted:
        hosts.setdefault(row.host_id, (row.host, set()))[1].add(row.pk)
    return hosts.values()


def _read(place: int, host: Host, numbers: set[int], start: int, end: int, metrics: Sequence[str]) -> dict[int, Grid]:
    """Points of the tier TIERS[place]: its rows for what is closed, the finer tier for the time since."""
    tier = TIERS[place]
    closed = min(max(floor(host.rolled_up, tier.step), start), end)
    grids: dict[int, Grid] = {}

    def grid_of(number: int) -> Grid:
        if number not in grids:
            grids[number] = Grid(start, tier.step, (end - start) // tier.step, metrics)
        return grids[number]

    if start < closed:
        rows = StatsChunk.objects.filter(
            series__in=numbers, step=tier.step, start__gte=floor(start, tier.span), start__lt=closed
        )
        for number, first, *packed in rows.values_list("series_id", "start", "n", *metrics).iterator():
            grid_of(number).paste_packed(packed, first)
    if closed < end:
        if HOUR % tier.step == 0:  # hours are closed: what is open in these tiers is in the raw rounds alone
            finer = _raw(host, numbers, closed, end, tier.step, metrics)
        else:
            finer = _read(place - 1, host, numbers, closed, end, metrics)
        for number, grid in finer.items():
            grid_of(number).paste(grid.grouped(tier.step))
    return grids


def _raw(host: Host, numbers: set[int], start: int, end: int, step: int, metrics: Sequence[str]) -> dict[int, Grid]:
    rounds = StatsRound.objects.filter(host=host, time__gte=start, time__lt=end).order_by("time")
    found = rounds.values_list("time", "data").iterator()
    return grids_of_rounds(found, start, end - start, step, numbers, metrics)


# ---------------------------------------------------------------- as JSON
def as_json(grid: Grid | None, metrics: Sequence[str] = METRICS) -> dict[str, Any]:
    """{"time": [Unix time, ...], "metrics": {name: {"min": [...], "avg": [...], "max": [...]}}}: points with samples
    only; where samples are missing for long, one point of nulls."""
    if grid is None or grid.is_blank:
        return {"time": [], "metrics": {name: {"min": [], "avg": [], "max": []} for name in metrics}}
    places = _places(grid)
    return {"time": _times(grid, places), "metrics": {name: _parts(grid, name, places) for name in metrics}}


def _places(grid: Grid) -> range | list[int | None]:
    """The points with samples; as a range when they are all in a row, which is quicker to read."""
    first = next(place for place, n in enumerate(grid.n) if n)
    last = next(place for place in range(len(grid.n) - 1, -1, -1) if grid.n[place])
    return range(first, last + 1) if all(grid.n[first : last + 1]) else list(_with_holes(grid))


def _times(grid: Grid, places: range | list[int | None]) -> list[int]:
    if isinstance(places, range):
        return list(range(grid.start + places.start * grid.step, grid.start + places.stop * grid.step, grid.step))
    times, before = [], -1
    for place in places:
        before = before + 1 if place is None else place
        times.append(grid.start + before * grid.step)
    return times


def _parts(grid: Grid, name: str, places: range | list[int | None]) -> dict[str, list[float | None]]:
    digits = DIGITS.get(name)
    shown: dict[str, list[float | None]] = {}
    for part, values in zip(("min", "avg", "max"), grid.columns[name], strict=True):
        if isinstance(places, range):
            shown[part] = list(map(round, values[places.start : places.stop], repeat(digits)))
        else:
            shown[part] = [None if place is None else round(values[place], digits) for place in places]
    return shown


def _with_holes(grid: Grid) -> Iterable[int | None]:
    known = [place for place, n in enumerate(grid.n) if n]
    distances = [b - a for a, b in zip(known, known[1:], strict=False)]
    longest = max(2.0, HOLE * median(distances)) if distances else 0
    for place, distance in zip(known, [0, *distances], strict=True):
        if distance > longest:
            yield None
        yield place
