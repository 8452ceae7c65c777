"""Where a registry is, who logs in, and which addresses are never visited."""

import ipaddress
import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from hosts.registry.names import ADDRESS, HUB, HUB_API

# cloud metadata services that are not link-local: AWS over IPv6, Alibaba, Azure, Oracle
METADATA = {ipaddress.ip_address(text) for text in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192")}
NAT64 = ipaddress.ip_network("64:ff9b::/96")


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port: what credentials are bound to."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Place:
    """A registry: its address (host[:port]), the CA to trust besides the system's, and whether it speaks plain HTTP."""

    address: str
    ca: str = ""
    plain_http: bool = False

    @property
    def origin(self) -> Origin:
        """Where its API is."""
        if self.address == HUB:
            return Origin("https", HUB_API, 443)
        found = ADDRESS.fullmatch(self.address)
        scheme = "http" if self.plain_http else "https"
        if not found:
            raise ValueError("no registry's address")
        return Origin(scheme, found["host"].strip("[]"), int(found["port"] or (80 if self.plain_http else 443)))

    def lets_login_go_to(self, url: str) -> Origin | None:
        """The origin of a `realm` or None: only TLS, or the registry's own host, gets a login."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            return None
        host = (parts.hostname or "").lower()
        if not host or parts.username is not None or parts.scheme not in {"http", "https"}:
            return None
        if parts.scheme == "http" and (self.origin.scheme == "https" or host != self.origin.host):
            return None
        return Origin(parts.scheme, host, port or (443 if parts.scheme == "https" else 80))


@dataclass(frozen=True)
class Login:
    """A user and the password or token; the secret shows in no repr."""

    username: str
    secret: str = field(repr=False)


def is_forbidden(text: str, *, loopback: bool) -> bool:
    """Whether no connection may go to this IP address: link-local, metadata, or (unless allowed) this machine."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return True
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address in NAT64:
            address = ipaddress.ip_address(int(address) & 0xFFFFFFFF)
    if address in METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return True
    return address.is_loopback and not loopback


@lru_cache(maxsize=64)
def trust(ca: str) -> ssl.SSLContext:
    """The system's CAs and the given one. A registry's own CA often signs it alone, and another one who gives its
    tokens. Made once: to read the system's takes 20 ms."""
    context = ssl.create_default_context()
    # Python 3.13 is strict by default and then refuses the CAs that Docker's own instructions make
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if ca.strip():
        context.load_verify_locations(cadata=ca)
    return context
