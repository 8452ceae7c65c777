"""The drawn map of a host's networks: each network is a rail, each container a wire to the rails of its networks.

Only places: where each rail runs, and where a wire meets it. The names stand beside it as text that a page lays out.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from hosts.engine.endpoint import bracketed
from hosts.models import Container, Network

ROW = 46  # pixels between two wires; static/css/map.css has the same
PITCH = 148  # pixels between two rails; as there
FIRST = 20  # pixels before the first rail
HUES = 10
NOWHERE = ("none",)  # a network that connects to nothing


@dataclass
class Rail:
    """A network, or with `published` the host itself, where the ports are published. `network` is None for one that
    the host's table lacks."""

    name: str
    network: Network | None = None
    published: bool = False
    x: int = 0
    bottom: int = 0
    count: int = 0
    hue: int = 0

    @property
    def dashed(self) -> bool:
        """Whether it leads nowhere else."""
        return self.network is not None and self.network.internal


@dataclass(frozen=True)
class Stop:
    """Where a container's wire meets a rail, and the address or port that it has there."""

    rail: Rail
    words: str
    more: int = 0

    @property
    def label_x(self) -> int:
        """Where its words begin."""
        return self.rail.x + 10


@dataclass
class Wire:
    """A container. `y` is the middle of its row."""

    container: Container
    y: int = 0
    stops: list[Stop] = field(default_factory=list)

    @property
    def label_y(self) -> int:
        """The line that its words stand on."""
        return self.y - 6

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.stops[-1].rail.x if self.stops else 0

    @property
    def rails(self) -> str:
        """The numbers of its rails, for the script that lights them up."""
        return " ".join(str(stop.rail.x) for stop in self.stops)


@dataclass
class NetworkMap:
    """What the page draws. `idle` are networks that no container shown is in."""

    rails: list[Rail]
    wires: list[Wire]
    idle: list[Network]

    @property
    def width(self) -> int:
        """Of the drawing, in pixels."""
        return len(self.rails) * PITCH

    @property
    def height(self) -> int:
        """Of the drawing, in pixels."""
        return len(self.wires) * ROW


def draw(networks: Iterable[Network], containers: Iterable[Container]) -> NetworkMap:
    """Rails with many containers come first, and containers of one rail below each other: so wires are short."""
    known, shown = {network.name: network for network in networks}, list(containers)
    rails = _rails(known, shown)
    wires = [Wire(container, stops=_stops(container, rails)) for container in shown]
    wires.sort(key=lambda wire: [stop.rail.x for stop in wire.stops if not stop.rail.published] or [10**6])
    for n, wire in enumerate(wires):
        wire.y = n * ROW + ROW // 2
        for stop in wire.stops:
            stop.rail.bottom = wire.y
    used = {rail.name for rail in rails if not rail.published}
    idle = [network for network in known.values() if network.name not in used and network.name not in NOWHERE]
    return NetworkMap(rails, wires, idle)


def _rails(known: dict[str, Network], containers: list[Container]) -> list[Rail]:
    counts = Counter(name for container in containers for name in _networks(container))
    names = sorted(counts, key=lambda name: (-counts[name], name))
    rails = [Rail(name, known.get(name), count=counts[name], hue=n % HUES) for n, name in enumerate(names)]
    if published := sum(bool(_ports(container)) for container in containers):
        rails.insert(0, Rail("", published=True, count=published))
    for n, rail in enumerate(rails):
        rail.x = FIRST + n * PITCH
    return rails


def _stops(container: Container, rails: list[Rail]) -> list[Stop]:
    addresses, ports, stops = _networks(container), _ports(container), []
    for rail in rails:
        if rail.published and ports:
            stops.append(Stop(rail, ports[0], len(ports) - 1))
        elif not rail.published and rail.name in addresses:
            stops.append(Stop(rail, addresses[rail.name]))
    return stops


def _networks(container: Container) -> dict[str, str]:
    """Name -> address, "" while it has none."""
    found: Any = container.data.get("networks")
    return {name: address for name, address in (found or {}).items() if name not in NOWHERE}


def _ports(container: Container) -> list[str]:
    """8080 → 80; one that is published on IPv4 and IPv6 is one."""
    found = []
    for port in container.ports:
        kind = "" if port["type"] == "tcp" else f"/{port['type']}"
        address = "" if port["ip"] in {"", "0.0.0.0", "::"} else f"{bracketed(port['ip'])}:"
        if port["public"]:
            found.append(f"{address}{port['public']} → {port['private']}{kind}")
    return list(dict.fromkeys(found))
