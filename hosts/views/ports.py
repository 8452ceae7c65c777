"""Published ports as links: to the address of the container's own host."""

import ipaddress
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from hosts.engine.endpoint import EndpointError, bracketed, parse_url
from hosts.models import Container, Host


@dataclass(frozen=True)
class PublishedPort:
    """A published port; `url` is "" where a browser elsewhere cannot open it (UDP, bound to the host's loopback)."""

    ip: str
    public: int
    private: int
    type: str
    url: str

    @property
    def words(self) -> str:
        """8080, or 9090/udp."""
        return str(self.public) if self.type == "tcp" else f"{self.public}/{self.type}"

    @property
    def address(self) -> str:
        """Where it listens on the host: 0.0.0.0:8080."""
        return f"{bracketed(self.ip) or '*'}:{self.public}"


def published(container: Container, request: HttpRequest) -> list[PublishedPort]:
    """The container's published ports, in order."""
    return [
        PublishedPort(port["ip"], port["public"], port["private"], port["type"], _url(port, container.host, request))
        for port in container.ports
        if port["public"]
    ]


def _url(port: dict[str, Any], host: Host, request: HttpRequest) -> str:
    """http://ADDRESS:PORT. What the engine says is not trusted: an address that is none gives no link."""
    if port["type"] != "tcp":
        return ""
    address = _address_of(host, request)
    if port["ip"]:
        try:
            bound = ipaddress.ip_address(port["ip"])
        except ValueError:
            return ""
        if bound.is_loopback and host.kind != "unix":
            return ""  # answers on the host itself alone
        if not bound.is_unspecified and not bound.is_loopback:
            address = str(bound)
    return f"http://{bracketed(address)}:{port['public']}" if address else ""


def _address_of(host: Host, request: HttpRequest) -> str:
    """The host's own address; for one behind a socket of this machine the one that the browser used."""
    try:
        parsed = parse_url(host.url)
    except EndpointError:
        return ""
    if parsed.host:
        return parsed.host
    name = request.get_host()
    return name.rpartition(":")[0].strip("[]") if name.rpartition(":")[2].isdecimal() else name.strip("[]")
