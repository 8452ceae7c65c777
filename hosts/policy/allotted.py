"""What a container may use at most, as its HostConfig says it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hosts.policy.bodies import is_said, lowered, objects
from hosts.specs.kinds import NANO

PERIOD = 100_000  # microseconds, an engine's own
PORTS_AT_MOST = 100_000  # of one container


@dataclass(frozen=True)
class Allotted:
    """CPUs in billionths, memory in bytes, processes; 0 is no limit. `ports`: how many of the host are published;
    `all_ports`: and one for each that its image names."""

    nano_cpus: int = 0
    memory: int = 0
    pids: int = 0
    ports: int = 0
    all_ports: bool = False


def allotted(host_config: Any) -> Allotted:
    """Of a HostConfig, as it is sent to an engine or comes from one. What is no number is no limit."""
    host = lowered(host_config)
    memory, pids = _positive(host.get("memory")), _positive(host.get("pidslimit"))
    return Allotted(_cpus(host), memory, pids, _ports(host), is_said(host.get("publishallports")))


def updated(host_config: Any, body: Any) -> dict[str, Any]:
    """The HostConfig after an update in place; what is 0 there stays as it is for an engine."""
    return lowered(host_config) | {name: value for name, value in lowered(body).items() if value}


def _positive(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else 0


def _cpus(host: Mapping[str, Any]) -> int:
    """The least of what bounds it: a share of time, or the CPUs that it may run on."""
    quota, period = _positive(host.get("cpuquota")), _positive(host.get("cpuperiod")) or PERIOD
    bounds = [_positive(host.get("nanocpus")), quota * NANO // period, _in_set(host.get("cpusetcpus")) * NANO]
    return min([bound for bound in bounds if bound], default=0)


def _in_set(value: Any) -> int:
    """How many CPUs “0-3,6” are; what cannot be read bounds nothing."""
    found = 0
    for part in value.split(",") if isinstance(value, str) else ():
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()) or len(first + last) > 10:
            return 0
        found += max(0, int(last or first) - int(first) + 1)
    return found


def _ports(host: Mapping[str, Any]) -> int:
    bindings = host.get("portbindings")
    if not isinstance(bindings, Mapping):
        return 0
    return min(PORTS_AT_MOST, sum(len(objects(entries)) for entries in bindings.values()))
