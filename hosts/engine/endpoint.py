"""Where an engine is and what it takes to get in: addresses, certificates, keys. Nothing here connects."""

import ipaddress
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal
from urllib.parse import unquote

import idna

from hosts.engine.errors import EndpointError, gettext_noop

__all__ = ["Endpoint", "EndpointError", "Kind", "ParsedURL", "SSHMaterial", "TLSMaterial", "parse_url"]

Kind = Literal["unix", "tcp", "tls", "ssh"]
DEFAULT_SOCKET = "/var/run/docker.sock"
SOCKET_PATH_AT_MOST = 107  # bytes: the kernel's sun_path holds 108 with the NUL
URL_AT_MOST = 500
PORTS = {"tcp": 2375, "tls": 2376, "ssh": 22}
SCHEMES: dict[str, Kind] = {"unix": "unix", "tcp": "tcp", "http": "tcp", "https": "tls", "ssh": "ssh"}
LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
USER = re.compile(r"[^\s/@:\x00-\x1f]{1,64}")


@dataclass(frozen=True)
class TLSMaterial:
    """PEM texts. `ca` "" means the system's CAs; `cert` and `key` come both or not at all."""

    ca: str = ""
    cert: str = ""
    key: str = field(default="", repr=False)


@dataclass(frozen=True)
class SSHMaterial:
    """OpenSSH texts: a private key, and known_hosts lines (a line without host names holds for this host)."""

    key: str = field(default="", repr=False)
    known_hosts: str = ""


@dataclass(frozen=True)
class ParsedURL:
    """A URL taken apart. `url` is its normal form; `path` the socket (unix, ssh; "" = the default one over ssh)."""

    kind: Kind
    url: str
    host: str = ""
    port: int = 0
    path: str = ""
    user: str = ""

    @property
    def address(self) -> str:
        """`host:port`, an IPv6 host in brackets, or the path of a unix socket."""
        return self.path if self.kind == "unix" else f"{bracketed(self.host)}:{self.port}"


@dataclass(frozen=True)
class Endpoint:
    """One engine's address with what is needed to get in. Raises EndpointError when the URL cannot be used."""

    url: str
    tls: TLSMaterial | None = None
    ssh: SSHMaterial | None = None

    def __post_init__(self) -> None:
        if self.tls and self.parsed.kind in {"unix", "ssh"}:
            raise EndpointError("url", gettext_noop("TLS is for tcp:// addresses. Write tcp://host:2376."))
        if self.tls and bool(self.tls.cert.strip()) != bool(self.tls.key.strip()):
            missing = "tls_key" if self.tls.cert.strip() else "tls_cert"
            raise EndpointError(
                missing, gettext_noop("A client certificate and its key belong together. Give both or neither.")
            )

    @property
    def parsed(self) -> ParsedURL:
        """The URL taken apart."""
        return parse_url(self.url, tls=self.tls is not None)

    @property
    def kind(self) -> Kind:
        """How the engine is reached."""
        return self.parsed.kind

    @property
    def address(self) -> str:
        """`host:port` or a path, for people."""
        return self.parsed.address


def bracketed(host: str) -> str:
    """An IPv6 address in brackets, any other host as it is."""
    return f"[{host}]" if ":" in host else host


@lru_cache(maxsize=1024)
def parse_url(url: str, *, tls: bool = False) -> ParsedURL:
    """Takes an engine's URL apart; `tls` says that a tcp:// address is spoken to in TLS. Raises EndpointError.

    Takes unix:///path, /path, tcp://host[:port], http://host[:port], https://host[:port] and
    ssh://user@host[:port][/path/to/socket].
    """
    text = url.strip()
    if not text:
        raise _bad(gettext_noop("Enter an address, for example tcp://10.0.0.5:2376 or unix:///var/run/docker.sock."))
    if len(text) > URL_AT_MOST:
        raise _bad(gettext_noop("This address is too long: %(most)s characters at most."), most=URL_AT_MOST)
    if any(c.isspace() or not c.isprintable() for c in text):
        raise _bad(gettext_noop("An address has no spaces or control characters in it. Remove them."))
    if text.startswith("/"):
        return _unix(text)
    scheme, found, rest = text.partition("://")
    kind = SCHEMES.get(scheme.lower())
    if not found or kind is None:
        raise _bad(gettext_noop("An address begins with unix://, tcp:// or ssh://. Example: tcp://10.0.0.5:2376."))
    if kind == "unix":
        return _unix(rest)
    if kind == "ssh":
        return _ssh(rest)
    return _tcp(rest, "tls" if tls else kind, scheme.lower())


def _bad(reason: str, **params: object) -> EndpointError:
    return EndpointError("url", reason, **params)


def _unix(path: str) -> ParsedURL:
    _check_path(path)
    return ParsedURL("unix", f"unix://{path}", path=path)


def _check_path(path: str) -> None:
    if not path.startswith("/") or path.endswith("/"):
        raise _bad(
            gettext_noop("The socket's path must be absolute, like unix:///var/run/docker.sock (three slashes).")
        )
    if len(path.encode()) > SOCKET_PATH_AT_MOST:
        raise _bad(
            gettext_noop("The socket's path is longer than %(most)s bytes, which no socket can be. Use a shorter one."),
            most=SOCKET_PATH_AT_MOST,
        )


def _tcp(rest: str, kind: Kind, scheme: str) -> ParsedURL:
    if "@" in rest:
        raise _bad(
            gettext_noop("A tcp:// address has no user or password. Remove what stands before the @, or use ssh://.")
        )
    place = rest.removesuffix("/")
    if any(mark in place for mark in "/?#"):
        raise _bad(gettext_noop("A tcp:// address ends after the port. Remove what follows it."))
    host, port = _host_and_port(place)
    # without a port the URL stays without one: whether 2375 or 2376 is meant depends on TLS, chosen elsewhere
    shown = port or (PORTS["tls"] if scheme == "https" else None)
    url = f"tcp://{bracketed(host)}" + (f":{shown}" if shown else "")
    return ParsedURL(kind, url, host, shown or PORTS[kind])


def _ssh(rest: str) -> ParsedURL:
    place, slash, tail = rest.partition("/")
    user, at, machine = place.rpartition("@")
    if not at or not user:
        raise _bad(gettext_noop("Name the user of the other machine: ssh://user@host."))
    if ":" in user:
        raise _bad(gettext_noop("A password in the address is not supported. Remove it and give an SSH key."))
    user = unquote(user)
    if not USER.fullmatch(user) or user.startswith("-"):
        raise _bad(gettext_noop("%(user)s is not a user's name. Write ssh://user@host."), user=user)
    if any(mark in tail for mark in "?#"):
        raise _bad(gettext_noop("An ssh:// address ends after the socket's path. Remove what follows it."))
    path = f"/{tail}" if slash and tail else ""
    if path:
        _check_path(path)
    host, port = _host_and_port(machine)
    port = port or PORTS["ssh"]
    return ParsedURL("ssh", f"ssh://{user}@{bracketed(host)}:{port}{path}", host, port, path, user)


def _host_and_port(place: str) -> tuple[str, int | None]:
    if place.startswith("["):
        inner, closed, after = place[1:].partition("]")
        if not closed or (after and not after.startswith(":")):
            raise _bad(gettext_noop("The brackets around the IPv6 address are not closed. Write [2001:db8::5]:2376."))
        return _ipv6(inner), _port(after[1:]) if after else None
    if place.count(":") > 1:
        raise _bad(gettext_noop("Put an IPv6 address in brackets: tcp://[2001:db8::5]:2376."))
    host, colon, port = place.partition(":")
    return _host(host), _port(port) if colon else None


def _port(text: str) -> int:
    # ASCII digits only: int() would take other scripts' digits, signs and underscores
    number = int(text) if re.fullmatch(r"[0-9]{1,6}", text) else 0
    if not 1 <= number <= 65535:
        raise _bad(gettext_noop("%(port)s is not a port. Ports are numbers from 1 to 65535."), port=text or '""')
    return number


def _ipv6(text: str) -> str:
    if "%" in text:
        raise _bad(gettext_noop("An IPv6 address with a zone (%%) is not supported. Use a global address or a name."))
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise _bad(gettext_noop("%(host)s is not an IPv6 address. Check it."), host=text) from None


def _host(text: str) -> str:
    if not text:
        raise _bad(gettext_noop("The address names no host. Example: tcp://10.0.0.5:2376."))
    if re.fullmatch(r"[0-9.]+", text):
        try:
            return str(ipaddress.IPv4Address(text))
        except ValueError:
            reason = gettext_noop("%(host)s is not an IPv4 address. It has four numbers from 0 to 255.")
            raise _bad(reason, host=text) from None
    name = text.lower()
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode()
        except idna.IDNAError:
            raise _bad(gettext_noop("%(host)s is not a host name. Check the spelling."), host=text) from None
    name = name.removesuffix(".")
    if len(name) > 253 or not all(LABEL.fullmatch(label) for label in name.split(".")):
        raise _bad(gettext_noop("%(host)s is not a host name. Use letters, digits, dots and dashes."), host=text)
    return name
