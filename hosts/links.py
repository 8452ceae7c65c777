"""How each container is in a network: its addresses and names there."""

from dataclasses import dataclass, replace
from typing import Any

from hosts.models import Container, ContainerDetail


@dataclass(frozen=True)
class Link:
    """One container in one network. A container that does not run has no address unless it is a fixed one."""

    ipv4: str = ""
    ipv6: str = ""
    mac: str = ""
    gateway: str = ""
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    @classmethod
    def of(cls, entry: Any, own: str) -> "Link":
        """From an inspect answer; `own` is the container's short id, an alias that says nothing new."""
        entry = entry if isinstance(entry, dict) else {}
        aliases = entry.get("Aliases") if isinstance(entry.get("Aliases"), list) else []
        wanted = entry.get("IPAMConfig") if isinstance(entry.get("IPAMConfig"), dict) else {}
        return cls(
            _word(entry.get("IPAddress")),
            _word(entry.get("GlobalIPv6Address")),
            _word(entry.get("MacAddress")),
            _word(entry.get("Gateway")),
            tuple(_word(alias) for alias in aliases[:50] if _word(alias) and alias != own),
            tuple(_word(wanted[key]) for key in ("IPv4Address", "IPv6Address") if wanted.get(key)),
        )


def add_links(name: str, containers: list[Container]) -> None:
    """Sets `link` on each container: how it is in the network `name`."""
    details = {
        detail.container_id: detail.inspect
        for detail in ContainerDetail.objects.filter(container__in=[container.pk for container in containers])
    }
    for container in containers:
        inspect = details.get(container.pk)
        networks = (inspect or {}).get("NetworkSettings") or {}
        entry = (networks.get("Networks") or {}).get(name) if isinstance(networks, dict) else None
        link = Link.of(entry, container.engine_id[:12])
        if not link.ipv4 and not link.ipv6:
            told = container.data.get("networks", {}).get(name, "")
            link = replace(link, **{"ipv6" if ":" in told else "ipv4": told})
        container.link = link  # type: ignore[attr-defined]


def _word(value: Any) -> str:
    return value[:255] if isinstance(value, str) else ""
