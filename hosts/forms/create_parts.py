"""The fields of the form that creates a container: how each part of a specification is shown as text, and read."""

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.forms.rows import Table
from hosts.forms.tables import NETWORKS, PORTS, mounts, pairs
from hosts.specs import dotenv
from hosts.specs.devices import (
    is_gpus,
    read_device,
    read_gpus,
    read_rate,
    read_ulimit,
    show_device,
    show_gpus,
    show_rate,
    show_ulimit,
)
from hosts.specs.fields import FIELDS, HEALTH_TIMES, NOTHING, RATES, get, put
from hosts.specs.kinds import read_pair, read_span, read_whole, show_span, shown
from hosts.specs.mounts import is_short, read_mount, read_volume, show_mount, show_volume
from hosts.specs.ports import read_expose, read_ports, show_ports
from hosts.specs.run_flags import FLAGS, Reading, read_restart, show_restart
from hosts.specs.run_line import network_words
from hosts.specs.spec import PULLS, ContainerSpec, Health

ROWS = {"labels", "container_labels"}  # of the tables' fields
LABEL = _("Label")
SECTIONS = {
    "main": _("Image and command"),
    "environment": _("Environment and labels"),
    "network": _("Ports and networks"),
    "files": _("Files"),
    "life": _("Restart, health and log"),
    "limits": _("Limits"),
    "security": _("Security and devices"),
    "seldom": _("Seldom needed"),
}


@dataclass(frozen=True)
class Part:
    """`kind`: text, area (a line each), switch or choice. `show` and `take` are each other's opposite. With a `table` it
    is shown as rows unless somebody wants text. `offers` are suggestions."""

    name: str
    label: Any
    section: str
    show: Callable[[Any], str]
    take: Callable[[Any, str], None]
    kind: str = "text"
    hint: str = ""
    choices: tuple[str, ...] = ()
    table: Table | None = None
    offers: tuple[str, ...] = ()
    help: Any = ""


# ---------------------------------------------------------------- texts
def lines(text: str) -> list[str]:
    """Without empty ones and comments."""
    found = (line.strip() for line in text.splitlines())
    return [line for line in found if line and not line.startswith("#")]


def show_pairs(told: dict[str, str]) -> str:
    """name=value a line; what a line cannot hold as it is stands in quotes."""
    return "\n".join(f"{_quoted_name(name)}={_quoted(value)}" for name, value in told.items())


def _quoted_name(name: str) -> str:
    plain = name == name.strip() and name.isprintable() and not re.match(r"[#\"']", name) and "=" not in name
    return name if plain else json.dumps(name)


def _quoted(value: str) -> str:
    plain = value == value.strip() and value.isprintable() and value[:1] not in {'"', "'"}
    return value if plain else json.dumps(value)


def read_pairs(name: str, text: str, read: Callable[[str, str], tuple[str, str]]) -> dict[str, str]:
    """The opposite: lines, comments and quotes are understood, and a dollar is a dollar."""
    found = {}
    for line in lines(text):
        if quoted := re.match(r'("(?:[^"\\]|\\.)*")\s*=', line):
            found[_unquoted(quoted[1])] = _unquoted(line[quoted.end() :].strip())
            continue
        key, value = read(name, line)
        found[key.strip()] = _unquoted(value.strip())
    return found


def take_env(spec: Any, text: str) -> None:
    """Lines of a .env file. Raises Invalid, which has those of the other wrong lines in `others`."""
    found = dotenv.parse(text)
    if found.wrong:
        found.wrong[0].others = found.wrong[1:]
        raise found.wrong[0]
    spec.env = found.pairs


HEALTH_HELP = _("A line for a shell, or NONE: without the image's own.")
ENV_HELP = _(
    "As in a .env file: NAME=value, a quoted value may have several lines, and # begins a comment. A dollar belongs to "
    "the value in 'single quotes' only."
)


def _unquoted(value: str) -> str:
    if len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    if len(value) > 1 and value[0] == value[-1] == '"':
        try:
            return str(json.loads(value))
        except ValueError:
            return value[1:-1]
    return value


def words(name: str, text: str) -> list[str]:
    """As a shell splits them. Raises Invalid."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise Invalid(name, gettext_noop("%(field)s: a quote is opened and not closed."), {"field": name}) from error


# ---------------------------------------------------------------- parts
def plain(
    entry: Any, label: Any, section: str, hint: str = "", nothing: Any = NOTHING, offers: tuple[str, ...] = ()
) -> Part:
    """The part of a field of a table; `nothing` is a specification that says nothing."""
    name, kind = entry.name, entry.kind

    def show(spec: Any) -> str:
        value = get(spec, name)
        if value == get(nothing, name):
            return ""
        if kind.many == "list":
            return "\n".join(value)
        return show_pairs(value) if kind.many == "pairs" and kind.sign == "=" else _other(value)

    def _other(value: Any) -> str:
        if kind.many == "pairs":
            return "\n".join(f"{key}{kind.sign}{word}".removesuffix(kind.sign) for key, word in value.items())
        return kind.show(value)

    def take(spec: Any, text: str) -> None:
        if not text.strip():
            put(spec, name, type(get(nothing, name))() if kind.many else get(nothing, name))
        elif kind.many == "list":
            put(spec, name, [kind.read(name, line) for line in lines(text)])
        elif kind.many == "pairs" and kind.sign == "=":
            put(spec, name, read_pairs(name, text, read_pair))
        elif kind.many == "pairs":
            put(spec, name, dict(kind.read(name, line) for line in lines(text)))
        else:
            put(spec, name, kind.read(name, text.strip()))

    shape = "area" if kind.many else "switch" if kind.switch else "text"
    table = pairs(name, LABEL, ("com.example.team", "web")) if name in ROWS else None
    return Part(name, label, section, show, take, shape, hint, table=table, offers=offers)


def listed(
    name: str,
    label: Any,
    section: str,
    show: Callable[[Any], str],
    read: Callable[[str, str], Any],
    hint: str = "",
    *,
    several: bool = False,
    table: Table | None = None,
) -> Part:
    """A list with a line for each entry; `several`: a line may be more than one."""

    def take(spec: Any, text: str) -> None:
        found = [read(name, line) for line in lines(text)]
        put(spec, name, [one for many in found for one in many] if several else found)

    def shown_lines(spec: Any) -> str:
        return "\n".join(show(one) for one in get(spec, name))

    return Part(name, label, section, shown_lines, take, "area", hint, table=table)


def text_part(name: str, label: Any, section: str, hint: str = "", choices: tuple[str, ...] = ()) -> Part:
    """A text, or one of `choices`."""

    def take(spec: Any, text: str) -> None:
        if choices and text not in choices:
            raise Invalid(name, gettext_noop("“%(value)s” is none of those."), {"value": shown(text)})
        put(spec, name, text.strip())

    return Part(
        name, label, section, lambda spec: str(get(spec, name)), take, "choice" if choices else "text", hint, choices
    )


def env_part() -> Part:
    """The environment."""
    table = pairs("env", _("Variable"), ("TZ", "Asia/Jakarta"), variables=True)
    return Part(
        "env",
        _("Environment"),
        "environment",
        lambda spec: dotenv.show(spec.env),
        take_env,
        "area",
        "TZ=Asia/Jakarta",
        table=table,
        help=ENV_HELP,
    )


def _take_ports(spec: ContainerSpec, text: str) -> None:
    spec.ports = [port for line in lines(text) for port in read_ports("ports", line)]


def _entrypoint(spec: ContainerSpec, text: str) -> None:
    found = words("entrypoint", text)
    spec.entrypoint = None if not text.strip() else [] if found == [""] else found


def _take_networks(spec: ContainerSpec, text: str) -> None:
    reading = Reading()
    for line in lines(text):
        FLAGS["--network"].do(reading, "networks", line)
    spec.networks, spec.network_mode = reading.spec.networks, reading.spec.network_mode


def _show_networks(spec: ContainerSpec) -> str:
    return spec.network_mode or "\n".join(network_words(network) for network in spec.networks)


def show_health_test(spec: Any) -> str:
    """The check as a line for a shell."""
    test = spec.health.test if spec.health else []
    return test[-1] if test[:1] == ["CMD-SHELL"] else shlex.join(test[1:]) if test[:1] == ["CMD"] else "".join(test)


def take_health_test(spec: Any, text: str) -> None:
    """The opposite; NONE switches the image's off."""
    line = text.strip()
    spec.health = spec.health or Health()
    spec.health.test = ["NONE"] if line == "NONE" else ["CMD-SHELL", line] if line else []
    _without_empty_health(spec)


def _without_empty_health(spec: Any) -> None:
    if spec.health == Health():
        spec.health = None


def health_number(name: str, label: Any, hint: str) -> Part:
    """A time or count of the health check."""

    def show(spec: Any) -> str:
        value = getattr(spec.health, name) if spec.health else 0
        return (show_span(value) if name in HEALTH_TIMES else str(value)) if value else ""

    def take(spec: Any, text: str) -> None:
        read = read_span if name in HEALTH_TIMES else read_whole
        spec.health = spec.health or Health()
        setattr(spec.health, name, read(f"health.{name}", text) if text.strip() else 0)
        _without_empty_health(spec)

    return Part(f"health.{name}", label, "life", show, take, "text", hint)


def _take_gpus(spec: ContainerSpec, text: str) -> None:
    others = [request for request in spec.device_requests if not is_gpus(request)]
    spec.device_requests = [read_gpus("device_requests", line) for line in lines(text)] + others


def _rates(name: str, flag: str) -> Part:
    plain = name == "blkio_weight_device" or name.endswith("iops")
    return listed(
        f"limits.{name}",
        flag.removeprefix("--").replace("-", " "),
        "seldom",
        lambda rate: show_rate(rate, plain=plain),
        lambda field, line: read_rate(field, line, weight=name == "blkio_weight_device"),
        "/dev/sda:10m" if not plain else "/dev/sda:100",
    )


LABELS: dict[str, tuple[str, Any, str]] = {  # of the table's fields: section, label, example
    "working_dir": ("main", _("Working folder"), "/app"),
    "user": ("main", _("User"), "1000:1000"),
    "tty": ("main", _("A terminal (TTY)"), ""),
    "stdin": ("main", _("Keep standard input open"), ""),
    "labels": ("environment", _("Labels"), "com.example.team=web"),
    "hostname": ("network", _("Host name"), ""),
    "publish_all": ("network", _("Publish all exposed ports"), ""),
    "dns": ("network", _("DNS servers"), "10.0.0.2"),
    "extra_hosts": ("network", _("Further hosts"), "db:10.0.0.3"),
    "tmpfs": ("files", "tmpfs", "/run:size=64m"),
    "read_only": ("files", _("Read-only root file system"), ""),
    "auto_remove": ("life", _("Remove it when it ends"), ""),
    "init": ("life", _("An init process reaps its children"), ""),
    "stop_signal": ("life", _("Stop signal"), "SIGTERM"),
    "stop_timeout": ("life", _("Seconds until it is killed"), "10"),
    "log.driver": ("life", _("Log driver"), "json-file"),
    "log.options": ("life", _("Options of the log driver"), "max-size=10m"),
    "limits.cpus": ("limits", _("CPUs"), "1.5"),
    "limits.cpu_shares": ("limits", _("Share of CPU"), "1024"),
    "limits.cpuset_cpus": ("limits", _("Which CPUs"), "0-2,4"),
    "limits.cpuset_mems": ("limits", _("Which memory nodes"), "0"),
    "limits.memory": ("limits", _("Memory"), "512m"),
    "limits.memory_reservation": ("limits", _("Reserved memory"), "256m"),
    "limits.memory_swap": ("limits", _("Memory and swap together"), "1g"),
    "limits.memory_swappiness": ("limits", _("Swappiness"), "60"),
    "limits.pids": ("limits", _("Processes"), "200"),
    "limits.blkio_weight": ("limits", _("Weight of block I/O"), "500"),
    "shm_size": ("limits", _("Shared memory"), "64m"),
    "privileged": ("security", _("Privileged: as root on the host"), ""),
    "cap_add": ("security", _("Added capabilities"), "NET_ADMIN"),
    "cap_drop": ("security", _("Dropped capabilities"), "ALL"),
    "security_opt": ("security", _("Security options"), "no-new-privileges"),
    "group_add": ("security", _("Further groups"), "audio"),
    "sysctls": ("security", "sysctl", "net.core.somaxconn=1024"),
}


OFFERS = {  # suggestions for fields that may hold anything
    "stop_signal": ("SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP", "SIGUSR1", "SIGKILL"),
    "log.driver": ("json-file", "local", "journald", "syslog", "fluentd", "gelf", "awslogs", "splunk", "none"),
    "userns_mode": ("host",),
    "pid_mode": ("host", "container:"),
    "ipc_mode": ("private", "shareable", "host", "none", "container:"),
    "uts_mode": ("host",),
    "cgroupns_mode": ("private", "host"),
    "isolation": ("default", "process", "hyperv"),
}


def _rest() -> list[Part]:
    """The fields of the table: labelled ones in their sections, the others, by their flag's name, among the seldom ones."""
    found = []
    for entry in FIELDS:
        section, label, hint = LABELS.get(
            entry.name, ("seldom", entry.flags[0].removeprefix("--").replace("-", " "), "")
        )
        found.append(plain(entry, label, section, hint, offers=OFFERS.get(entry.name, ())))
    return found


PARTS: list[Part] = [
    text_part("image", _("Image"), "main", "nginx:1.27"),
    text_part("name", _("Name"), "main", "web"),
    Part("command", _("Command"), "main", lambda spec: shlex.join(spec.command), lambda spec, text: setattr(spec, "command", words("command", text)), "text", "nginx -g 'daemon off;'"),
    Part("entrypoint", _("Entrypoint"), "main", lambda spec: "" if spec.entrypoint is None else shlex.join(spec.entrypoint or [""]), _entrypoint),
    text_part("pull", _("Pull the image"), "main", choices=PULLS),
    env_part(),
    Part("ports", _("Published ports"), "network", lambda spec: "\n".join(show_ports(spec.ports)), _take_ports, "area", "8080:80", table=PORTS),
    Part("networks", _("Networks"), "network", _show_networks, _take_networks, "area", "name=front,alias=web,ip=10.0.0.9", table=NETWORKS),
    listed("expose", _("Exposed ports"), "seldom", str, read_expose, "80/tcp", several=True),
    text_part("mac_address", _("MAC address"), "seldom", "02:42:ac:11:00:02"),
    listed("mounts", _("Mounts"), "files", lambda mount: show_volume(mount) if is_short(mount) else show_mount(mount), lambda name, line: read_mount(name, line) if line.startswith("type=") else read_volume(name, line), "data:/data:ro", table=mounts(create=True)),
    Part("restart", _("Restart"), "life", lambda spec: show_restart(spec.restart), lambda spec, text: setattr(spec, "restart", read_restart("restart", text or "no")), "text", "unless-stopped, on-failure:3", offers=("no", "always", "unless-stopped", "on-failure", "on-failure:3")),
    Part("health.test", _("Health check"), "life", show_health_test, take_health_test, "text", "curl -f http://localhost/ || exit 1", help=HEALTH_HELP),
    health_number("interval", _("Time between checks"), "30s"),
    health_number("timeout", _("Time for a check"), "5s"),
    health_number("retries", _("Failures until it is unhealthy"), "3"),
    health_number("start_period", _("Time to start"), "10s"),
    health_number("start_interval", _("Time between checks at the start"), "1s"),
    listed("devices", _("Devices"), "security", show_device, read_device, "/dev/ttyUSB0"),
    Part("device_requests", _("GPUs"), "security", lambda spec: "\n".join(show_gpus(one) for one in spec.device_requests if is_gpus(one)), _take_gpus, "area", "all"),
    listed("ulimits", "ulimit", "limits", show_ulimit, read_ulimit, "nofile=1024:2048"),
    text_part("platform", _("Platform"), "seldom", "linux/arm64"),
    *_rest(),
    *(_rates(name, flag) for name, (_key, _rate, flag, _below) in RATES.items()),
]  # fmt: skip
NAMES = {part.name for part in PARTS}


def part_of(field: str) -> str:
    """The part in which a field of a specification stands; "" for none."""
    if field in NAMES:
        return field
    above = field.rpartition(".")[0]
    return {"network_mode": "networks"}.get(field, part_of(above) if above else "")
