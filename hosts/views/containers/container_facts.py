"""What a container's page shows of an inspect answer. Nothing in one is trusted: anything may be missing or odd."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hosts.engine.parse.values import time_of, whole

HEALTH_OUTPUT_AT_MOST = 4000
CHECKS_SHOWN = 5
CHECK_SECONDS = 30.0  # between two health checks, where the image says nothing
CPU_PERIOD = 100_000


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _list(value: Any, *path: str) -> list[Any]:
    found = _at(value, *path)
    return found if isinstance(found, list) else []


@dataclass(frozen=True)
class Variable:
    """An environment variable."""

    name: str
    value: str


@dataclass(frozen=True)
class Check:
    """One run of a health check."""

    ended: datetime | None
    code: int
    output: str

    @classmethod
    def of(cls, entry: Any) -> "Check":
        """From an entry of State.Health.Log."""
        output = str(_at(entry, "Output") or "").strip()[:HEALTH_OUTPUT_AT_MOST]
        return cls(time_of(_at(entry, "End")), whole(_at(entry, "ExitCode")), output)


@dataclass(frozen=True)
class Facts:
    """Reads an inspect answer."""

    inspect: dict[str, Any]

    @property
    def environment(self) -> list[Variable]:
        """Variables in the engine's order."""
        pairs = (str(entry).partition("=") for entry in _list(self.inspect, "Config", "Env"))
        return [Variable(name, value) for name, _, value in pairs]

    @property
    def checks(self) -> list[Check]:
        """The last health checks, newest first."""
        return [Check.of(entry) for entry in reversed(_list(self.inspect, "State", "Health", "Log")[-CHECKS_SHOWN:])]

    @property
    def check_command(self) -> str:
        """What is run to see whether it is well."""
        words = [str(word) for word in _list(self.inspect, "Config", "Healthcheck", "Test")]
        return " ".join(words[1:] if words[:1] in (["CMD"], ["CMD-SHELL"]) else words)

    @property
    def check_seconds(self) -> float:
        """The time between two health checks."""
        return whole(_at(self.inspect, "Config", "Healthcheck", "Interval")) / 1e9 or CHECK_SECONDS

    @property
    def failing_streak(self) -> int:
        """How many checks in a row failed."""
        return whole(_at(self.inspect, "State", "Health", "FailingStreak"))

    @property
    def error(self) -> str:
        """Why it did not start."""
        return str(_at(self.inspect, "State", "Error") or "")

    @property
    def out_of_memory(self) -> bool:
        """Whether the kernel killed it for memory."""
        return _at(self.inspect, "State", "OOMKilled") is True

    @property
    def command(self) -> str:
        """Entrypoint and command."""
        parts = [_at(self.inspect, "Path"), *_list(self.inspect, "Args")]
        return " ".join(str(part) for part in parts if part)

    @property
    def restart_policy(self) -> str:
        """no, always, unless-stopped, on-failure:3"""
        name = str(_at(self.inspect, "HostConfig", "RestartPolicy", "Name") or "no")
        most = whole(_at(self.inspect, "HostConfig", "RestartPolicy", "MaximumRetryCount"))
        return f"{name}:{most}" if most else name

    @property
    def cpus(self) -> str:
        """CPU limit in CPUs, "" for none."""
        nano = whole(_at(self.inspect, "HostConfig", "NanoCpus"))
        quota = whole(_at(self.inspect, "HostConfig", "CpuQuota"))
        period = whole(_at(self.inspect, "HostConfig", "CpuPeriod")) or CPU_PERIOD
        share = nano / 1e9 if nano else quota / period
        return f"{share:g}" if share > 0 else ""

    @property
    def memory(self) -> int:
        """Memory limit in bytes, 0 for none."""
        return whole(_at(self.inspect, "HostConfig", "Memory"))

    @property
    def pids(self) -> int:
        """Process limit, 0 for none."""
        return max(0, whole(_at(self.inspect, "HostConfig", "PidsLimit")))

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
        return _at(self.inspect, "HostConfig", "Privileged") is True

    @property
    def networks(self) -> list[dict[str, str]]:
        """Name, address and aliases in each network."""
        found = _at(self.inspect, "NetworkSettings", "Networks")
        own = str(_at(self.inspect, "Id") or "")[:12]  # the engine's own alias says nothing new
        return [
            {
                "name": str(name),
                "address": str(_at(entry, "IPAddress") or ""),
                "aliases": ", ".join(alias for alias in map(str, _list(entry, "Aliases")) if alias != own),
            }
            for name, entry in (found.items() if isinstance(found, dict) else ())
        ]
