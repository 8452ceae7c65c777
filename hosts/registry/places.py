"""Where a registry is, and who logs in."""

import ssl
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import urlsplit

from hosts.registry.addresses import Level
from hosts.registry.names import ADDRESS, HUB, HUB_API


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
    """A registry: its address (host[:port]), the CA to trust besides the system's, whether it speaks plain HTTP, and
    whether it may be `inside`: on this machine, or in a private network."""

    address: str
    ca: str = ""
    plain_http: bool = False
    inside: bool = False

    @property
    def reach(self) -> Level:
        """How near its own server may be."""
        return Level.LOOPBACK if self.inside else Level.PUBLIC

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
