"""The lists that a form shows as rows: variables and labels, ports, mounts and networks."""

import re
from dataclasses import fields
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.forms.rows import Column, Row, Table
from hosts.specs.fields import get, put
from hosts.specs.inspected import SPECIAL
from hosts.specs.kinds import read_bytes, read_text, read_whole, show_bytes, shown
from hosts.specs.mounts import CONSISTENCIES, PROPAGATIONS, RECURSIONS, TYPES, read_mode
from hosts.specs.ports import PROTOCOLS, grouped, read_ports
from hosts.specs.services.spec import Network as ServiceNetwork
from hosts.specs.services.spec import Port as ServicePort
from hosts.specs.spec import Mount, Network, Port

ON = "true"


def words_of(text: str) -> list[str]:
    """Separated by spaces or commas."""
    return [word for word in re.split(r"[\s,]+", text) if word]


def show_lines(pairs: dict[str, str]) -> str:
    """name=value, one a line."""
    return "\n".join(f"{name}={value}" for name, value in pairs.items())


def read_lines(column: str, text: str) -> dict[str, str]:
    """The opposite. Raises Invalid."""
    found: dict[str, str] = {}
    for line in filter(str.strip, text.splitlines()):
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise Invalid(
                column, gettext_noop("“%(value)s” is not name=value; write one a line."), {"value": shown(line)}
            )
        found[name.strip()] = value
    return found


# ---------------------------------------------------------------- variables, labels
def pairs(name: str, one: Any, hints: tuple[str, str], *, variables: bool = False) -> Table:
    """A mapping of names to values."""

    def read(row: Row) -> list[tuple[str, str]]:
        key = read_text("name", row["name"].strip())
        if not key:
            raise Invalid("name", gettext_noop("The name is missing."))
        if variables and "=" in key:
            raise Invalid("name", gettext_noop("A name has no “=” in it."))
        return [(key, read_text("value", row["value"]))]

    return Table(
        columns=(Column("name", _("Name"), hint=hints[0]), Column("value", _("Value"), "area", hint=hints[1])),
        show=lambda spec: [{"name": key, "value": value} for key, value in get(spec, name).items()],
        read=read,
        put=lambda spec, entries: put(spec, name, dict(entries)),
        one=one,
        key=lambda entry: str(entry[0]),
        secret="value",
        most=150,
    )


# ---------------------------------------------------------------- ports
def _show_ports(spec: Any) -> list[Row]:
    return [
        {"address": many[0].address, "host": outside, "container": inside, "protocol": many[0].protocol}
        for many, outside, inside in grouped(spec.ports)
    ]


def _read_ports(row: Row) -> list[Port]:
    address, host, inside = (row[name].strip() for name in ("address", "host", "container"))
    protocol = row["protocol"] or "tcp"
    if not inside:
        raise Invalid("container", gettext_noop("The port in the container is missing."))
    for name, text in (("container", inside), ("host", host)):
        if text and not re.fullmatch(r"[0-9]{1,5}(-[0-9]{1,5})?", text):
            raise Invalid(
                name, gettext_noop("“%(value)s” is no port: a number, or a range like 8000-8010."), {"value": text[:80]}
            )
    if protocol not in PROTOCOLS:
        raise Invalid("protocol", gettext_noop("“%(value)s” is none of tcp, udp, sctp."), {"value": protocol[:80]})
    found = read_ports("host", f"{host}:{inside}" if host else inside)
    for port in found:
        port.address, port.protocol = address.strip("[]"), protocol
    return found


PORTS = Table(
    columns=(
        Column("address", _("Address of the host"), hint=_("all addresses"), offers="addresses"),
        Column("host", _("Port or range on the host"), hint=_("any free port")),
        Column("container", _("Port or range in the container"), hint="80"),
        Column("protocol", _("Protocol"), "choice", choices=PROTOCOLS, default="tcp"),
    ),
    show=_show_ports,
    read=_read_ports,
    put=lambda spec, entries: setattr(spec, "ports", entries),
    one=_("Port"),
)


def _read_service_ports(row: Row) -> list[ServicePort]:
    found = _read_ports(row | {"address": ""})
    name, mode = row["name"].strip(), row["mode"] or "ingress"
    if any(port.host and not port.host.isdecimal() for port in found):
        raise Invalid("host", gettext_noop("Here a port, or as many ports as in the container."))
    return [ServicePort(port.container, int(port.host or 0), port.protocol, mode, name) for port in found]


def _show_service_ports(spec: Any) -> list[Row]:
    return [
        {
            "host": str(port.published or ""),
            "container": str(port.target),
            "protocol": port.protocol,
            "mode": port.mode,
            "name": port.name,
        }
        for port in spec.ports
    ]


SERVICE_PORTS = Table(
    columns=(
        Column("host", _("Port or range on the nodes"), hint=_("any free port")),
        Column("container", _("Port or range in the container"), hint="80"),
        Column("protocol", _("Protocol"), "choice", choices=PROTOCOLS, default="tcp"),
        Column("mode", _("Mode"), "choice", choices=("ingress", "host"), default="ingress"),
        Column("name", _("Name"), more=True),
    ),
    show=_show_service_ports,
    read=_read_service_ports,
    put=lambda spec, entries: setattr(spec, "ports", entries),
    one=_("Port"),
)


# ---------------------------------------------------------------- mounts
MOUNT_COLUMNS = (
    Column("type", _("Type"), "choice", choices=TYPES, default="volume"),
    Column("source", _("Volume, folder on the host or image"), hint=_("empty: an anonymous volume"), offers="volumes"),
    Column("target", _("Path in the container"), hint="/data"),
    Column("read_only", _("Read-only"), "switch"),
    Column("create", _("Make the folder if it is missing"), "switch", more=True, only=("bind",), default=ON),
    Column("propagation", _("Propagation"), "choice", choices=("", *PROPAGATIONS), more=True, only=("bind",)),
    Column("recursive", _("Mounts below it"), "choice", choices=("", *RECURSIONS), more=True, only=("bind",)),
    Column("selinux", _("SELinux label"), "choice", choices=("", "z", "Z"), more=True, only=("bind", "volume")),
    Column(
        "consistency", _("Consistency (macOS)"), "choice", choices=("", *CONSISTENCIES), more=True,
        only=("bind", "volume", "tmpfs"),
    ),
    Column("no_copy", _("Leave out what the image has there"), "switch", more=True, only=("volume",)),
    Column("subpath", _("Folder in it"), more=True, hint="logs/web", only=("volume", "image")),
    Column("driver", _("Driver of a new volume"), more=True, hint="local", only=("volume",)),
    Column("driver_options", _("Options of the driver"), "lines", more=True, hint="type=nfs", only=("volume",)),
    Column("labels", _("Labels of a new volume"), "lines", more=True, hint="team=web", only=("volume",)),
    Column("size", _("Size at most"), more=True, hint="64m", only=("tmpfs",)),
    Column("mode", _("Mode"), more=True, hint="1777", only=("tmpfs",)),
    Column("options", _("Options of mount"), "area", more=True, hint="noexec", only=("tmpfs",)),
)  # fmt: skip


def _mount_row(mount: Mount) -> Row:
    row = {name: getattr(mount, name) for name in ("type", "source", "target")}
    row |= {name: getattr(mount, name) for name in ("propagation", "recursive", "selinux", "consistency")}
    row |= {name: ON if getattr(mount, name) else "" for name in ("read_only", "create", "no_copy")}
    row |= {"subpath": mount.subpath, "driver": mount.driver, "driver_options": show_lines(mount.driver_options)}
    row |= {"labels": show_lines(mount.labels), "size": show_bytes(mount.size) if mount.size else ""}
    return row | {"mode": f"{mount.mode:o}" if mount.mode is not None else "", "options": "\n".join(mount.options)}


def _read_mount(row: Row) -> list[Mount]:
    kind = row["type"] or "volume"
    if kind not in TYPES:
        raise Invalid("type", gettext_noop("“%(value)s” is none of those."), {"value": shown(kind)})
    if not row["target"].strip():
        raise Invalid("target", gettext_noop("The path in the container is missing."))
    texts = {field.name for field in fields(Mount) if field.type in {str, "str"}} - {"type"}
    mount = Mount(**{name: read_text(name, row[name].strip()) for name in texts}, type=kind)  # type: ignore[arg-type]
    for name in ("read_only", "no_copy"):
        setattr(mount, name, row[name] == ON)
    mount.create = kind == "bind" and row["create"] == ON
    mount.driver_options = read_lines("driver_options", row["driver_options"])
    mount.labels = read_lines("labels", row["labels"])
    mount.size = read_bytes("size", row["size"]) if row["size"].strip() else 0
    mount.mode = read_mode("mode", row["mode"]) if row["mode"].strip() else None
    mount.options = [line.strip() for line in row["options"].splitlines() if line.strip()]
    return [mount]


def mounts(*, create: bool) -> Table:
    """`create`: whether a bind makes its folder unless that is switched off, as `docker run -v` does."""
    columns = MOUNT_COLUMNS if create else tuple(_unless(column) for column in MOUNT_COLUMNS)
    return Table(
        columns=columns,
        show=lambda spec: [_mount_row(mount) for mount in spec.mounts],
        read=_read_mount,
        put=lambda spec, entries: setattr(spec, "mounts", entries),
        one=_("Mount"),
        most=40,
    )


def _unless(column: Column) -> Column:
    if column.name != "create":
        return column
    return Column(column.name, column.label, column.kind, more=True, only=column.only)


# ---------------------------------------------------------------- networks
def _network_row(network: Network) -> Row:
    row = {name: getattr(network, name) for name in ("name", "ipv4", "ipv6", "mac_address")}
    row |= {name: " ".join(getattr(network, name)) for name in ("aliases", "link_local", "links")}
    row["driver_options"] = show_lines(network.driver_options)
    return row | {"gateway_priority": str(network.gateway_priority or "")}


def _show_networks(spec: Any) -> list[Row]:
    special = [Network(spec.network_mode)] if spec.network_mode else []
    return [_network_row(network) for network in [*special, *spec.networks]]


def _read_network(row: Row) -> list[Network]:
    name = read_text("name", row["name"].strip())
    if not name:
        raise Invalid("name", gettext_noop("A network needs its name."))
    network = Network(name)
    for column in ("ipv4", "ipv6", "mac_address"):
        setattr(network, column, read_text(column, row[column].strip()))
    for column in ("aliases", "link_local", "links"):
        setattr(network, column, words_of(read_text(column, row[column])))
    network.driver_options = read_lines("driver_options", row["driver_options"])
    priority = row["gateway_priority"].strip()
    network.gateway_priority = read_whole("gateway_priority", priority) if priority else 0
    if SPECIAL.fullmatch(name) and network != Network(name):
        raise Invalid(
            "name", gettext_noop("With %(value)s a container has no names or addresses of its own."), {"value": name}
        )
    return [] if name == "default" else [network]


def _put_networks(spec: Any, entries: list[Network]) -> None:
    modes = [network.name for network in entries if SPECIAL.fullmatch(network.name)]
    if len(modes) > 1:
        raise Invalid("networks", gettext_noop("%(value)s go not together."), {"value": ", ".join(modes)[:80]})
    spec.network_mode = modes[0] if modes else ""
    spec.networks = [network for network in entries if not SPECIAL.fullmatch(network.name)]


NETWORKS = Table(
    columns=(
        Column("name", _("Network"), hint=_("name, host, none or container:NAME"), offers="networks"),
        Column("aliases", _("Further names in it"), hint="db, database"),
        Column("ipv4", _("Fixed IPv4 address"), hint=_("any")),
        Column("ipv6", _("Fixed IPv6 address"), more=True),
        Column("mac_address", _("MAC address"), more=True, hint="02:42:ac:11:00:02"),
        Column("gateway_priority", _("Priority of its gateway"), more=True, hint="0"),
        Column("link_local", _("Link-local addresses"), more=True),
        Column("links", _("Links"), more=True, hint="db:database"),
        Column("driver_options", _("Options of the driver"), "lines", more=True, hint="name=value"),
    ),
    show=_show_networks,
    read=_read_network,
    put=_put_networks,
    one=_("Network"),
    key=lambda network: str(network.name),
    counts=lambda network: not SPECIAL.fullmatch(network.name),
    most=40,
)


def _read_service_network(row: Row) -> list[ServiceNetwork]:
    name = read_text("name", row["name"].strip())
    options = read_lines("driver_options", row["driver_options"])
    return [ServiceNetwork(name, words_of(read_text("aliases", row["aliases"])), options)]


SERVICE_NETWORKS = Table(
    columns=(
        Column("name", _("Network"), offers="networks"),
        Column("aliases", _("Further names in it"), hint="db, database"),
        Column("driver_options", _("Options of the driver"), "lines", more=True, hint="name=value"),
    ),
    show=lambda spec: [
        {
            "name": network.name,
            "aliases": " ".join(network.aliases),
            "driver_options": show_lines(network.driver_options),
        }
        for network in spec.networks
    ],
    read=_read_service_network,
    put=lambda spec, entries: setattr(spec, "networks", entries),
    one=_("Network"),
    key=lambda network: str(network.name),
)
