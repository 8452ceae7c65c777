"""What a container may use at most, as its HostConfig says it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hosts.policy.bodies import is_said, lowered, objects
from hosts.specs.kinds import NANO

PERIOD = 100_000  # microseconds, an engine's own
LEAST_NANO_CPUS = 10_000  # of less an engine makes no limit
CPUS_AT_MOST = 1_000_000  # more than any host has: as good as no limit, and has room in a column
PIDS = "pidslimit"
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
    memory, pids = _positive(host.get("memory")), _positive(host.get(PIDS))
    return Allotted(_cpus(host), memory, pids, _ports(host), is_said(host.get("publishallports")))


def of_inspect(inspect: Any) -> Allotted:
    """Of a container that is there, by its inspect answer."""
    answer = lowered(inspect)
    found = allotted(answer.get("hostconfig"))
    exposed = lowered(answer.get("config")).get("exposedports")
    if not found.all_ports or not isinstance(exposed, Mapping):
        return found
    return replace(found, ports=min(PORTS_AT_MOST, found.ports + len(exposed)))


def updated(host_config: Any, body: Any) -> dict[str, Any]:
    """The HostConfig after an update in place; what is 0 there stays as it is for an engine, but for processes, of which
    0 is no limit."""
    said = {name: value for name, value in lowered(body).items() if value or (name == PIDS and value is not None)}
    return lowered(host_config) | said


def _positive(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**62 else 0


def _cpus(host: Mapping[str, Any]) -> int:
    """The least of what bounds it: a share of time, or the CPUs that it may run on."""
    nano, quota = _positive(host.get("nanocpus")), _positive(host.get("cpuquota"))
    period = _positive(host.get("cpuperiod")) or PERIOD
    share = quota * NANO // period
    bounds = [nano if nano >= LEAST_NANO_CPUS else 0, share, _in_set(host.get("cpusetcpus")) * NANO]
    return min([bound for bound in bounds if bound] + [CPUS_AT_MOST * NANO]) if any(bounds) else 0


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
