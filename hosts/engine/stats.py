"""Numbers from an engine's stats: the same that `docker stats` shows, on cgroup v1, v2 and Podman."""

from dataclasses import dataclass
from typing import Any

from hosts.engine.frames import nanoseconds, normal_stamp

TOTAL, SYSTEM = ("cpu_stats", "cpu_usage", "total_usage"), ("cpu_stats", "system_cpu_usage")
COUNTERS = ("net_rx", "net_tx", "block_read", "block_write")
BLOCK_COUNTERS = {"read": "block_read", "write": "block_write"}
BIGGEST = 2**62
SHORTEST_SECONDS = 0.1  # over which a share is worth computing


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


@dataclass(frozen=True)
class Rates:
    """What a container did between two answers: CPU 100 = one CPU, network and block I/O in bytes a second; and what
    it held at the second one: memory and its limit in bytes, processes."""

    cpu: float
    memory: int
    net_rx: float
    net_tx: float
    block_read: float
    block_write: float
    pids: int
    memory_limit: int


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _number(value: Any, *path: str) -> int:
    found = _at(value, *path)
    return int(min(max(found, 0), BIGGEST)) if isinstance(found, int | float) and found == found else 0


def _ran(raw: Any) -> bool:
    return bool(_number(raw, *TOTAL))


def read_sample(raw: Any, before: Any = None) -> Sample | None:
    """A stats answer as numbers. `before` is an earlier answer, for one-shot calls whose `precpu_stats` are empty;
    None when the container is not running (the engine then answers with zeros)."""
    if not _ran(raw):
        return None
    return Sample(
        cpu_percent(raw, before),
        *_memory(raw),
        *_network(raw),
        *_block(raw),
        _number(raw, "pids_stats", "current"),
    )


def read_rates(raw: Any, before: Any, seconds: float) -> Rates | None:
    """What happened between the answers `before` and `raw`, which came `seconds` apart; None when one is missing, or
    the container was not running. A counter that went back began at zero in between: the container was restarted."""
    now = read_sample(raw, before)
    if now is None or not _ran(before) or seconds <= 0:
        return None
    system = _number(raw, *SYSTEM) - _number(before, *SYSTEM)
    if system <= 0:
        return None
    used = _grown(_number(raw, *TOTAL), _number(before, *TOTAL))
    old = _counters(before)
    grown = dict.fromkeys(COUNTERS, 0)
    for (name, of), value in _counters(raw).items():
        grown[name] += _grown(value, old.get((name, of), 0))
    rates = {name: bytes_ / seconds for name, bytes_ in grown.items()}
    return Rates(
        cpu=_share(raw, used, system, seconds),
        memory=now.memory_used,
        pids=now.pids,
        memory_limit=now.memory_limit,
        **rates,
    )


def _grown(value: int, before: int) -> int:
    return value - before if value >= before else value


def _counters(raw: Any) -> dict[tuple[str, str], int]:
    """Each counter of each interface and device: one that goes away must not look like a restart of the sum."""
    found: dict[tuple[str, str], int] = {}
    networks = raw.get("networks")
    for interface, entry in networks.items() if isinstance(networks, dict) else ():
        found["net_rx", interface] = _number(entry, "rx_bytes")
        found["net_tx", interface] = _number(entry, "tx_bytes")
    for entry in _blocks(raw):
        name = BLOCK_COUNTERS.get(str(entry.get("op", "")).lower())
        if name:
            key = name, f"{entry.get('major')}:{entry.get('minor')}"
            found[key] = found.get(key, 0) + _number(entry, "value")
    return found


def cpu_percent(raw: dict[str, Any], before: Any = None) -> float:
    """Share of one CPU between two answers, in percent; 0 when there is no earlier one."""
    earlier = before if before else {"cpu_stats": raw.get("precpu_stats"), "read": raw.get("preread")}
    used = _number(raw, *TOTAL) - _number(earlier, *TOTAL)
    system = _number(raw, *SYSTEM) - _number(earlier, *SYSTEM)
    if not _number(earlier, *SYSTEM) or system <= 0 or used <= 0:
        return 0.0
    return _share(raw, used, system, _seconds_between(earlier, raw))


def has_past(raw: Any) -> bool:
    """Whether the answer itself says what was before, long enough ago to compare with: Podman's first one compares
    with a moment of some milliseconds before."""
    if not _number(raw, "precpu_stats", "system_cpu_usage"):
        return False
    return not _is_podman(raw) or _seconds_between({"read": _at(raw, "preread")}, raw) >= SHORTEST_SECONDS


def _share(raw: dict[str, Any], used: int, system: int, seconds: float) -> float:
    """`used` and `system` nanoseconds as 100 = one CPU. Podman's system time is what all were busy, not what passed."""
    if _is_podman(raw):
        return 100.0 * used / (seconds * 1e9) if seconds >= SHORTEST_SECONDS else 0.0
    return 100.0 * used / system * _cpus(raw)


def _is_podman(raw: Any) -> bool:
    return _at(raw, "cpu_stats", "cpu") is not None


def _seconds_between(before: Any, raw: Any) -> float:
    try:
        first, second = (nanoseconds(normal_stamp(str(_at(answer, "read")))) for answer in (before, raw))
    except ValueError:
        return 0.0
    return (second - first) / 1e9


def _cpus(raw: dict[str, Any]) -> int:
    per_cpu = _at(raw, "cpu_stats", "cpu_usage", "percpu_usage")
    return _number(raw, "cpu_stats", "online_cpus") or (len(per_cpu) if isinstance(per_cpu, list) else 0) or 1


def _memory(raw: dict[str, Any]) -> tuple[int, int]:
    """As `docker stats`: without the file cache that the kernel would give up first (cgroup v1, else v2)."""
    usage = _number(raw, "memory_stats", "usage")
    stats = _at(raw, "memory_stats", "stats")
    v1 = _at(stats, "total_inactive_file") is not None
    inactive = _number(stats, "total_inactive_file" if v1 else "inactive_file")
    return (usage - inactive if inactive < usage else usage), _number(raw, "memory_stats", "limit")


def _network(raw: dict[str, Any]) -> tuple[int, int]:
    networks = raw.get("networks")
    entries = list(networks.values()) if isinstance(networks, dict) else []
    return sum(_number(e, "rx_bytes") for e in entries), sum(_number(e, "tx_bytes") for e in entries)


def _blocks(raw: dict[str, Any]) -> list[dict[str, Any]]:
    entries = _at(raw, "blkio_stats", "io_service_bytes_recursive")
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _block(raw: dict[str, Any]) -> tuple[int, int]:
    read = written = 0
    for entry in _blocks(raw):
        name = BLOCK_COUNTERS.get(str(entry.get("op", "")).lower())
        if name == "block_read":
            read += _number(entry, "value")
        elif name == "block_write":
            written += _number(entry, "value")
    return read, written
