"""What a container's page shows of an inspect answer."""

from dataclasses import dataclass
from typing import Any

HEALTH_OUTPUT_AT_MOST = 4000


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


@dataclass(frozen=True)
class Variable:
    """An environment variable."""

    name: str
    value: str


@dataclass(frozen=True)
class Facts:
    """Reads an inspect answer; everything in it may be missing."""

    inspect: dict[str, Any]

    @property
    def known(self) -> bool:
        """Whether there is an answer yet."""
        return bool(self.inspect)

    @property
    def environment(self) -> list[Variable]:
        """Variables in the engine's order."""
        pairs = (str(entry).partition("=") for entry in _at(self.inspect, "Config", "Env") or [])
        return [Variable(name, value) for name, _, value in pairs]

    @property
    def health_output(self) -> str:
        """What the last health check printed."""
        log = _at(self.inspect, "State", "Health", "Log") or []
        return str(_at(log[-1], "Output") or "")[:HEALTH_OUTPUT_AT_MOST] if log else ""

    @property
    def failing_streak(self) -> int:
        """How many checks in a row failed."""
        return int(_at(self.inspect, "State", "Health", "FailingStreak") or 0)

    @property
    def error(self) -> str:
        """Why it did not start."""
        return str(_at(self.inspect, "State", "Error") or "")

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel killed it for memory."""
        return bool(_at(self.inspect, "State", "OOMKilled"))

    @property
    def command(self) -> str:
        """Entrypoint and command."""
        parts = [_at(self.inspect, "Path"), *(_at(self.inspect, "Args") or [])]
        return " ".join(str(part) for part in parts if part)

    @property
    def restart_policy(self) -> str:
        """no, always, unless-stopped, on-failure:3"""
        policy = _at(self.inspect, "HostConfig", "RestartPolicy") or {}
        name, most = policy.get("Name") or "no", policy.get("MaximumRetryCount")
        return f"{name}:{most}" if most else str(name)

    @property
    def cpus(self) -> str:
        """CPU limit in CPUs, "" for none."""
        nano, quota = _at(self.inspect, "HostConfig", "NanoCpus"), _at(self.inspect, "HostConfig", "CpuQuota")
        if nano:
            return f"{nano / 1e9:g}"
        return f"{quota / (_at(self.inspect, 'HostConfig', 'CpuPeriod') or 100000):g}" if quota and quota > 0 else ""

    @property
    def memory(self) -> int:
        """Memory limit in bytes, 0 for none."""
        return int(_at(self.inspect, "HostConfig", "Memory") or 0)

    @property
    def pids(self) -> int:
        """Process limit, 0 for none."""
        return max(0, int(_at(self.inspect, "HostConfig", "PidsLimit") or 0))

    @property
    def log_driver(self) -> str:
        """Where its log goes."""
        return str(_at(self.inspect, "HostConfig", "LogConfig", "Type") or "")

    @property
    def user(self) -> str:
        """As whom it runs."""
        return str(_at(self.inspect, "Config", "User") or "root")

    @property
    def privileged(self) -> bool:
        """Whether it may do anything to its host."""
        return bool(_at(self.inspect, "HostConfig", "Privileged"))

    @property
    def networks(self) -> list[dict[str, str]]:
        """Name, address and aliases in each network."""
        found = _at(self.inspect, "NetworkSettings", "Networks") or {}
        return [
            {
                "name": name,
                "address": str(_at(entry, "IPAddress") or ""),
                "aliases": ", ".join(str(alias) for alias in _at(entry, "Aliases") or []),
            }
            for name, entry in found.items()
        ]
