"""Ports, networks, secrets and configs of a service as `docker service create` takes them: short, or name=value,..."""

import csv
import io
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs import ports
from hosts.specs.kinds import read_whole, shown
from hosts.specs.mounts import read_mode
from hosts.specs.services.spec import File, Network, Port


def _wrong(field: str, text: str) -> Invalid:
    return Invalid(
        field,
        gettext_noop("%(field)s: “%(value)s” is not understood. The example shows how to write it."),
        {"field": field, "value": shown(text)},
    )


def _pairs(field: str, text: str, known: set[str]) -> list[tuple[str, str]]:
    """name=value,... as a line of CSV. Raises Invalid."""
    found = []
    for part in next(csv.reader([text]), []):
        name, sign, value = part.partition("=")
        if not sign or name.strip() not in known:
            raise _wrong(field, part)
        found.append((name.strip(), value))
    return found


def _line(words: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(words)
    return line.getvalue()


# ---------------------------------------------------------------- ports
def read_ports(field: str, text: str) -> list[Port]:
    """8080:80/udp in the mode ingress, or mode=host,published=8080,target=80,protocol=udp. Raises Invalid."""
    if "=" in text:
        told = dict(_pairs(field, text, {"mode", "published", "target", "protocol", "name"}))
        numbers = {key: read_whole(field, told[key]) for key in ("target", "published") if key in told}
        if "target" not in numbers:
            raise _wrong(field, text)
        protocol, mode = told.get("protocol", "tcp"), told.get("mode", "ingress")
        return [Port(numbers["target"], numbers.get("published", 0), protocol, mode, told.get("name", ""))]
    found = []
    for port in ports.read_ports(field, text):
        if port.address or (port.host and not port.host.isdecimal()):
            raise _wrong(field, text)
        found.append(Port(port.container, int(port.host or 0), port.protocol))
    return found


def show_port(port: Port) -> str:
    """The shorter of the two."""
    if port.mode == "ingress" and not port.name:
        outside = f"{port.published}:" if port.published else ""
        return f"{outside}{port.target}" + (f"/{port.protocol}" if port.protocol != "tcp" else "")
    words = [f"mode={port.mode}", f"published={port.published}" if port.published else "", f"target={port.target}"]
    words += [f"protocol={port.protocol}" if port.protocol != "tcp" else "", f"name={port.name}" if port.name else ""]
    return _line([word for word in words if word])


# ---------------------------------------------------------------- networks
def read_network(field: str, text: str) -> Network:
    """A name, or name=front,alias=web,driver-opt=a=b. Raises Invalid."""
    if "=" not in text:
        return Network(text.strip())
    network = Network("")
    for name, value in _pairs(field, text, {"name", "alias", "driver-opt"}):
        if name == "name":
            network.name = value
        elif name == "alias":
            network.aliases.append(value)
        else:
            key, _, word = value.partition("=")
            network.driver_options[key] = word
    return network


def show_network(network: Network) -> str:
    """The shorter of the two."""
    more = [f"alias={alias}" for alias in network.aliases]
    more += [f"driver-opt={name}={value}" for name, value in network.driver_options.items()]
    return _line([f"name={network.name}", *more]) if more or "=" in network.name else network.name


# ---------------------------------------------------------------- secrets and configs
def read_file(field: str, text: str) -> File:
    """A name, or source=key,target=/etc/key,uid=10,gid=20,mode=0400. Raises Invalid."""
    if "=" not in text:
        return File(text.strip())
    told: dict[str, Any] = dict(_pairs(field, text, {"source", "src", "target", "uid", "gid", "mode"}))
    source = told.pop("src", "") or told.pop("source", "")
    mode = read_mode(field, told.pop("mode")) if "mode" in told else None
    return File(source, told.get("target", ""), told.get("uid", ""), told.get("gid", ""), mode)


def show_file(entry: File) -> str:
    """The shorter of the two."""
    more = [f"{key}={value}" for key in ("target", "uid", "gid") if (value := getattr(entry, key))]
    more += [f"mode={entry.mode:04o}"] if entry.mode is not None else []
    return _line([f"source={entry.source}", *more]) if more or "=" in entry.source else entry.source
