"""What a benchmark finds: figures beside their targets, printed as a table and written as JSON."""

import json
import os
import platform
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Figure:
    """One measured value. `target` is the most it may be; None where there is nothing to reach, only to know.

    `unit`: "x" is a ratio to `against`, measured in the same run; else "ms", "s", "MiB", "%" or "" for a count.
    `rounds` are the single values that `value` is the median (or what `how` says) of.
    """

    measure: str
    value: float
    unit: str
    target: float | None = None
    against: str = ""
    how: str = "median"
    rounds: list[float] = field(default_factory=list)

    @property
    def met(self) -> bool | None:
        """Whether the target is reached; None without one."""
        return None if self.target is None else self.value <= self.target


def median(values: Iterable[float]) -> float:
    """The median, 0 for none."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of `values` lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def ratio(measure: str, ours: Sequence[float], theirs: Sequence[float], target: float | None, against: str) -> Figure:
    """The median of the ratios of rounds that were run in turn."""
    rounds = [round(a / b, 3) for a, b in zip(ours, theirs, strict=True) if b]
    return Figure(measure, round(median(rounds), 3), "x", target, against, rounds=rounds)


def machine() -> dict[str, str | int]:
    """What the figures were measured on."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "unknown"
    )
    memory = next((line.split()[1] for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), "0")
    return {
        "cpu": model,
        "cores": os.cpu_count() or 0,
        "memory_mib": int(memory) // 1024,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load": _lines("/proc/loadavg")[0].split()[0],
    }


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def table(figures: Iterable[Figure]) -> str:
    """The figures as aligned text."""
    rows = [("measure", "value", "target", "")]
    for one in figures:
        target = "" if one.target is None else f"<= {one.target:g} {one.unit}".strip()
        verdict = {True: "met", False: "NOT met", None: ""}[one.met]
        name = f"{one.measure} / {one.against}" if one.against else one.measure
        rows.append((name, f"{one.value:g} {one.unit}".strip(), target, verdict))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        f"{row[0].ljust(widths[0])}  {row[1].rjust(widths[1])}  {row[2].rjust(widths[2])}  {row[3]}".rstrip()
        for row in rows
    )


def write(name: str, figures: list[Figure], ran: list[str]) -> Path:
    """Writes the figures of benchmark `name` with the machine's description; `ran` are engines with their versions."""
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    content = {
        "benchmark": name,
        "at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "machine": machine(),
        "ran": ran,
        "figures": [asdict(figure) | {"met": figure.met} for figure in figures],
    }
    file.write_text(json.dumps(content, indent=1) + "\n")
    return file
