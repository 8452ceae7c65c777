"""CPU and memory of processes and what they started, from /proc."""

import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Self

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


def family(*roots: int) -> set[int]:
    """The processes `roots` and all that descend from them."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(folder.name))
    found, todo = set(), list(roots)
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, [])
    return found


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that the processes have used, with that of their children who ended."""
    total = 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        total += sum(int(field) for field in fields[11:15])
    return total / TICKS


def resident(pids: Iterable[int]) -> float:
    """Resident memory in MiB."""
    total = 0
    for pid in pids:
        try:
            total += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        except OSError:
            continue
    return total * PAGE / 1024 / 1024


class Watch:
    """`with Watch(pids) as watch`: wall and CPU seconds used meanwhile, and the peak of resident memory in MiB."""

    def __init__(self, pids: Iterable[int], every: float = 0.05) -> None:
        self.pids = set(pids)
        self.wall = self.cpu = self.peak = self.before = 0.0
        self._every = every
        self._over = threading.Event()

    def __enter__(self) -> Self:
        self.before = self.peak = resident(self.pids)
        self._cpu = cpu_seconds(self.pids)
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()
        return self

    def _sample(self) -> None:
        while not self._over.wait(self._every):
            self.peak = max(self.peak, resident(self.pids))

    def __exit__(self, *_: object) -> None:
        self.wall = time.monotonic() - self._began
        self.cpu = cpu_seconds(self.pids) - self._cpu
        self._over.set()
        self._thread.join()

    @property
    def growth(self) -> float:
        """MiB of resident memory on top of what was there before."""
        return max(0.0, self.peak - self.before)
