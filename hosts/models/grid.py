"""Points on an even grid of time, in packed arrays: how the stats history is computed, stored and read.

A point holds how many samples it was made of, and the lowest, the mean and the highest value of each metric. Points
without a sample are blank: their low is inf and their high -inf, so that min() and max() need not ask.
"""

import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence, Set
from functools import lru_cache
from itertools import repeat
from operator import mul
from typing import Any, Self

METRICS = ("cpu", "memory", "net_rx", "net_tx", "block_read", "block_write", "pids")
INF = float("inf")
MOST = 1e15  # what an engine says is bounded: a float32 holds more, and no machine does more

Buffer = bytes | memoryview  # SQLite gives the one, PostgreSQL the other
Column = tuple["array[float]", "array[float]", "array[float]"]  # low, mean, high
_COUNT, _VALUE, _NUMBER = (array(kind).itemsize for kind in "IfQ")


def floor(time: int, step: int) -> int:
    """The last multiple of `step` that is not after `time`."""
    return time - time % step


def stored(values: "array[Any]") -> bytes:
    """An array's bytes, little-endian on every machine."""
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


def loaded(kind: str, data: Buffer) -> "array[Any]":
    """The array that `stored` made bytes of."""
    values = array(kind)
    values.frombytes(data)
    if sys.byteorder == "big":
        values.byteswap()
    return values


class Grid:
    """`count` points, `step` seconds apart from `start` (Unix time, a multiple of `step`), for some metrics."""

    __slots__ = ("columns", "n", "start", "step")

    def __init__(self, start: int, step: int, count: int, metrics: Iterable[str] = METRICS) -> None:
        self.start = start
        self.step = step
        self.n = array("I", bytes(_COUNT * count))
        low, mean, high = array("f", [INF]) * count, array("f", bytes(_VALUE * count)), array("f", [-INF]) * count
        self.columns: dict[str, Column] = {name: (low[:], mean[:], high[:]) for name in metrics}

    @property
    def end(self) -> int:
        """The time after its last point."""
        return self.start + self.step * len(self.n)

    def add(self, time: int, values: Sequence[float]) -> None:
        """Takes a sample: one value for each of its metrics. The mean is kept as a sum until `close`."""
        self.merge((time - self.start) // self.step, 1, [(value, value, value) for value in values])

    def merge(self, place: int, n: int, values: Sequence[tuple[float, float, float]]) -> None:
        """Takes `n` samples into the point `place`: their lowest, sum and highest, for each of its metrics."""
        self.n[place] += n
        for (low, total, high), (lowest, added, highest) in zip(self.columns.values(), values, strict=True):
            total[place] += added
            if lowest < low[place]:
                low[place] = lowest
            if highest > high[place]:
                high[place] = highest

    def close(self) -> Self:
        """After the last `add`: sums become means."""
        for _, total, _ in self.columns.values():
            total[:] = array("f", [s / n if n else 0.0 for s, n in zip(total, self.n, strict=True)])
        return self

    def paste(self, other: "Grid") -> None:
        """Takes the points of `other` (same step) that lie in this grid, blank ones too."""
        first, last = max(self.start, other.start), min(self.end, other.end)
        if first >= last:
            return
        to = slice((first - self.start) // self.step, (last - self.start) // self.step)
        of = slice((first - other.start) // self.step, (last - other.start) // self.step)
        self.n[to] = other.n[of]
        for name, column in self.columns.items():
            for mine, theirs in zip(column, other.columns[name], strict=True):
                mine[to] = theirs[of]

    def paste_packed(self, packed: Sequence[Buffer], start: int) -> None:
        """Takes the points of the grid from `start` on (same step) whose columns `packed` has: "n", then one for each of
        this grid's metrics in their order."""
        counts = _counts(bytes(packed[0]))
        size = len(counts)
        first, last = max(self.start, start), min(self.end, start + size * self.step)
        if first >= last:
            return
        to = slice((first - self.start) // self.step, (last - self.start) // self.step)
        begin, end = (first - start) // self.step, (last - start) // self.step
        self.n[to] = counts[begin:end]
        for (low, mean, high), data in zip(self.columns.values(), packed[1:], strict=True):
            values = loaded("f", zlib.decompress(data))
            low[to], mean[to] = values[begin:end], values[size + begin : size + end]
            high[to] = values[2 * size + begin : 2 * size + end]

    def grouped(self, step: int) -> "Grid":
        """The same time in longer points. `step` is a multiple of this grid's; its start and end are of `step`."""
        by = step // self.step
        if by == 1:
            return self
        grid = Grid(self.start, step, 0, ())
        grid.n = array("I", map(sum, _groups(self.n, by)))
        # as a rule the points of a group weigh the same
        least, most = map(min, _groups(self.n, by)), map(max, _groups(self.n, by))
        uneven = [place for place, (low, high) in enumerate(zip(least, most, strict=True)) if low != high or not high]
        for name, (low, mean, high) in self.columns.items():
            means = array("f", [total / by for total in map(sum, _groups(mean, by))])
            for place in uneven:
                part, n = slice(place * by, (place + 1) * by), grid.n[place]
                means[place] = sum(map(mul, mean[part], self.n[part])) / n if n else 0.0
            grid.columns[name] = (
                array("f", map(min, _groups(low, by))),
                means,
                array("f", map(max, _groups(high, by))),
            )
        return grid

    def part(self, start: int, end: int) -> "Grid":
        """A copy of the points from `start` to `end`, blank where this grid has none."""
        grid = Grid(start, self.step, (end - start) // self.step, self.columns)
        grid.paste(self)
        return grid

    @property
    def is_blank(self) -> bool:
        """Whether no point has a sample."""
        return not any(self.n)

    # ---------------------------------------------------------------- storing
    def pack(self) -> dict[str, bytes]:
        """Compressed bytes: "n", and one entry for each metric. Start and step are for whoever stores them to know."""
        columns = {name: b"".join(map(stored, column)) for name, column in self.columns.items()}
        return {name: zlib.compress(data) for name, data in ({"n": stored(self.n)} | columns).items()}

    @classmethod
    def unpack(cls, packed: Mapping[str, Buffer], start: int, step: int) -> "Grid":
        """The grid that `pack` made bytes of, with the metrics that `packed` has."""
        grid = cls(start, step, 0, ())
        grid.n = _counts(bytes(packed["n"]))[:]
        size = _VALUE * len(grid.n)
        for name in packed.keys() - {"n"}:
            raw = memoryview(zlib.decompress(packed[name]))
            low, mean, high = (loaded("f", raw[at : at + size]) for at in range(0, 3 * size, size))
            grid.columns[name] = (low, mean, high)
        return grid


@lru_cache(256)
def _counts(packed: bytes) -> "array[int]":
    """How many samples the points have: the same for all containers of a host that ran all the time."""
    return loaded("I", zlib.decompress(packed))


def _groups(values: Iterable[Any], size: int) -> Iterable[tuple[Any, ...]]:
    """Tuples of `size` values each, made without a loop in Python."""
    return zip(*repeat(iter(values), size), strict=True)


# ---------------------------------------------------------------- rounds: samples of many series at one moment
def pack_round(samples: Mapping[int, Sequence[float]]) -> bytes:
    """Samples of a moment: a value for each of METRICS by series number."""
    values = array("f", [min(max(value, 0.0), MOST) for sample in samples.values() for value in sample])
    return stored(array("Q", samples)) + stored(values)


def unpack_round(data: Buffer) -> tuple["array[int]", "array[float]"]:
    """The series' numbers, and their values one series after another."""
    size = len(data) // (_NUMBER + len(METRICS) * _VALUE) * _NUMBER
    view = memoryview(data)
    return loaded("Q", view[:size]), loaded("f", view[size:])


def grids_of_rounds(
    rounds: Iterable[tuple[int, Buffer]],
    start: int,
    seconds: int,
    step: int,
    wanted: Set[int],
    metrics: Sequence[str] = METRICS,
) -> dict[int, Grid]:
    """A grid for each series of `wanted` that occurs in packed rounds (time, data); all lie in the grids' time."""
    grids: dict[int, Grid] = {}
    width, columns = len(METRICS), [METRICS.index(name) for name in metrics]
    # rounds of one point that have the same series, which is the rule, are added up a column at a time
    together: dict[tuple[int, bytes], list[list[array[float]]]] = {}
    for time, data in rounds:
        numbers, values = unpack_round(data)
        parts = [values[column::width] for column in columns]
        together.setdefault(((time - start) // step, numbers.tobytes()), []).append(parts)
    kept: dict[bytes, list[tuple[int, Grid]]] = {}
    for (point, key), found in together.items():
        if key not in kept:
            places = [(place, number) for place, number in enumerate(_numbers(key)) if number in wanted]
            for _, number in places:
                if number not in grids:
                    grids[number] = Grid(start, step, seconds // step, metrics)
            kept[key] = [(place, grids[number]) for place, number in places]
        sums = [_sums(list(column)) for column in zip(*found, strict=True)]
        for place, grid in kept[key]:
            grid.merge(point, len(found), [(low[place], total[place], high[place]) for low, total, high in sums])
    return {number: grid.close() for number, grid in grids.items()}


def _numbers(stored_numbers: bytes) -> "array[int]":
    numbers = array("Q")
    numbers.frombytes(stored_numbers)
    return numbers


def _sums(rounds: Sequence[Sequence[float]]) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """Lowest, sum and highest over `rounds`, value by value."""
    if len(rounds) == 1:
        return rounds[0], rounds[0], rounds[0]
    return list(map(min, *rounds)), list(map(sum, zip(*rounds, strict=True))), list(map(max, *rounds))
