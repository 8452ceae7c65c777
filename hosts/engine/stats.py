"""Numbers from an engine's stats: the same that `docker stats` shows, on cgroup v1, v2 and Podman."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sample:
    """One moment of one container. Memory, network and block I/O in bytes (I/O since start), CPU 100 = one CPU."""

    cpu_percent: float
    memory_used: int
    memory_limit: int
    net_rx: int
    net_tx: int
    block_read: int
    block_write: int
    pids: int


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _number(value: Any, *path: str) -> int:
    found = _at(value, *path)
    return int(found) if isinstance(found, int | float) else 0


def read_sample(raw: Any, before: Any = None) -> Sample | None:
    """A stats answer as numbers. `before` is an earlier answer, for one-shot calls whose `precpu_stats` are empty;
    None when the container is not running (the engine then answers with zeros)."""
    if not isinstance(raw, dict) or not _number(raw, "cpu_stats", "cpu_usage", "total_usage"):
        return None
    return Sample(
        cpu_percent(raw, before),
        *_memory(raw),
        *_network(raw),
        *_block(raw),
        _number(raw, "pids_stats", "current"),
    )


def cpu_percent(raw: dict[str, Any], before: Any = None) -> float:
    """Share of one CPU between two answers, in percent; 0 when there is no earlier one."""
    earlier = _at(before, "cpu_stats") if before else raw.get("precpu_stats")
    used = _number(raw, "cpu_stats", "cpu_usage", "total_usage") - _number(earlier, "cpu_usage", "total_usage")
    system = _number(raw, "cpu_stats", "system_cpu_usage") - _number(earlier, "system_cpu_usage")
    if not _number(earlier, "system_cpu_usage") or system <= 0 or used <= 0:
        return 0.0
    cpus = _number(raw, "cpu_stats", "online_cpus") or len(_at(raw, "cpu_stats", "cpu_usage", "percpu_usage") or [1])
    return 100.0 * used / system * cpus


def _memory(raw: dict[str, Any]) -> tuple[int, int]:
    usage = _number(raw, "memory_stats", "usage")
    inactive = _number(raw, "memory_stats", "stats", "total_inactive_file") or _number(
        raw, "memory_stats", "stats", "inactive_file"
    )
    return (usage - inactive if inactive < usage else usage), _number(raw, "memory_stats", "limit")


def _network(raw: dict[str, Any]) -> tuple[int, int]:
    networks = raw.get("networks")
    entries = list(networks.values()) if isinstance(networks, dict) else []
    return sum(_number(e, "rx_bytes") for e in entries), sum(_number(e, "tx_bytes") for e in entries)


def _block(raw: dict[str, Any]) -> tuple[int, int]:
    read = written = 0
    for entry in _at(raw, "blkio_stats", "io_service_bytes_recursive") or []:
        op = str(entry.get("op", "")).lower()
        if op == "read":
            read += _number(entry, "value")
        elif op == "write":
            written += _number(entry, "value")
    return read, written
