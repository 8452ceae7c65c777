"""Ports in their short form: [address:][host:]container[/protocol], each a port or a range."""

import re

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.kinds import shown
from hosts.specs.spec import Port

PROTOCOLS = ("tcp", "udp", "sctp")
RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
SHORT = re.compile(
    r"(?:(?:(?P<address>\[[0-9a-fA-F:.%]+\]|[0-9.]+|[0-9a-fA-F]*:[0-9a-fA-F:.]*):)?(?P<host>[0-9-]*):)?"
    r"(?P<container>[0-9-]+)(?:/(?P<protocol>\w+))?"
)
AS_RANGE = 3  # ports one after the other
AT_ONCE = 1024  # ports that one range may stand for


def span(field: str, text: str) -> range:
    """A port or a range of ports. Raises Invalid."""
    found = RANGE.fullmatch(text)
    first = int(found[1]) if found else 0
    last = int(found[2] or first) if found else 0
    if not 1 <= first <= last <= 65535:
        raise Invalid(
            field,
            gettext_noop(
                "%(field)s: “%(value)s” is no port: write a number from 1 to 65535, or a range like 8000-8010."
            ),
            {"field": field, "value": shown(text)},
        )
    if last - first >= AT_ONCE:
        raise Invalid(
            field,
            gettext_noop("%(field)s: the range %(value)s is too long; at most %(most)s ports."),
            {"field": field, "value": shown(text), "most": AT_ONCE},
        )
    return range(first, last + 1)


def read_ports(field: str, text: str) -> list[Port]:
    """One for each port of a range. Raises Invalid."""
    found = SHORT.fullmatch(text.strip())
    protocol = (found["protocol"] or "tcp").lower() if found else ""
    if not found or protocol not in PROTOCOLS:
        raise Invalid(
            field,
            gettext_noop(
                "%(field)s: “%(value)s” is no port. Write 8080:80, 127.0.0.1:8080:80, 53:53/udp or 8000-8010:8000-8010."
            ),
            {"field": field, "value": shown(text)},
        )
    inside = span(field, found["container"])
    address = (found["address"] or "").strip("[]")
    host = found["host"] or ""
    if not host:
        return [Port(port, protocol, "", address) for port in inside]
    outside = span(field, host)
    if len(inside) == 1:
        return [Port(inside[0], protocol, host, address)]  # the engine picks one of a range
    if len(inside) != len(outside):
        raise Invalid(
            field,
            gettext_noop("%(field)s: the two ranges of %(value)s differ in length."),
            {"field": field, "value": shown(text)},
        )
    return [Port(port, protocol, str(at), address) for port, at in zip(inside, outside, strict=True)]


def show_port(port: Port) -> str:
    """The short form."""
    return _short(port, port.host, str(port.container))


def _short(port: Port, host: str, container: str) -> str:
    address = f"[{port.address}]" if ":" in port.address else port.address
    outside = f"{address}:{host}:" if address else f"{host}:" if host else ""
    return f"{outside}{container}" + (f"/{port.protocol}" if port.protocol != "tcp" else "")


def grouped(ports: list[Port]) -> list[tuple[list[Port], str, str]]:
    """(ports, on the host, in the container) of each line: AS_RANGE or more that follow each other are a range."""
    found: list[list[Port]] = []
    for port in ports:
        last = found[-1][-1] if found else None
        follows = (
            last
            and (port.container, port.protocol, port.address) == (last.container + 1, last.protocol, last.address)
            and (port.host == last.host == "" or (last.host.isdecimal() and port.host == str(int(last.host) + 1)))
        )
        if follows and len(found[-1]) < AT_ONCE:
            found[-1].append(port)
        else:
            found.append([port])
    lines: list[tuple[list[Port], str, str]] = []
    for run in found:
        if len(run) < AS_RANGE:
            lines += [([port], port.host, str(port.container)) for port in run]
            continue
        first, last = run[0], run[-1]
        outside = f"{first.host}-{last.host}" if first.host else ""
        lines.append((run, outside, f"{first.container}-{last.container}"))
    return lines


def show_ports(ports: list[Port]) -> list[str]:
    """The short forms of all; many that follow each other are one range."""
    return [_short(many[0], outside, inside) for many, outside, inside in grouped(ports)]


def read_expose(field: str, text: str) -> list[str]:
    """80, 80/udp or 3000-3005 as one entry a port: 80/udp."""
    numbers, _, protocol = text.strip().partition("/")
    protocol = (protocol or "tcp").lower()
    if protocol not in PROTOCOLS:
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no protocol: tcp, udp or sctp."),
            {"field": field, "value": shown(protocol)},
        )
    return [f"{port}/{protocol}" for port in span(field, numbers)]
