"""A specification from and to a `docker run` command line. Nothing is executed."""

import re
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs import words
from hosts.specs.devices import is_gpus, show_device, show_gpus, show_rate, show_ulimit
from hosts.specs.fields import FIELDS, HEALTH_TIMES, RATES, get, is_said
from hosts.specs.kinds import show_span, shown
from hosts.specs.mounts import is_short, show_mount, show_volume
from hosts.specs.ports import show_ports
from hosts.specs.run_flags import FLAGS, Reading, show_restart
from hosts.specs.spec import ContainerSpec, Health, Network

PROGRAMS = {"docker", "podman", "nerdctl"}
VERBS = {"run": True, "create": False}  # whether it starts


@dataclass
class Read:
    """What a text says, and what it says that means nothing here."""

    spec: ContainerSpec
    notes: list[str] = field(default_factory=list)
    start: bool = True


# ---------------------------------------------------------------- reading
def from_run(text: str) -> Read:
    """`docker run ...`, `docker create ...`, or what would come after it. Raises Invalid that names the flag."""
    line = words.split(text)
    start, line = _beginning(line)
    reading = Reading()
    rest = _flags(reading, line)
    if not rest:
        raise Invalid("image", gettext_noop("The image is missing: it comes after the flags."))
    spec = reading.spec
    spec.image, spec.command = rest[0], rest[1:]
    if reading.entrypoint is not None:
        spec.entrypoint = [reading.entrypoint] if reading.entrypoint else []
    _only_network(reading)
    return Read(spec, reading.notes, start)


def _beginning(line: list[str]) -> tuple[bool, list[str]]:
    while line and line[0] in {"$", "#", "sudo"}:
        line = line[1:]
    if line and line[0].rpartition("/")[2] in PROGRAMS:
        line = line[1:]
        if line[:1] == ["container"]:
            line = line[1:]
        if not line or line[0] not in VERBS:
            raise Invalid(
                "run",
                gettext_noop("“%(value)s” makes no container: the line is docker run or docker create."),
                {"value": shown(" ".join(line[:1]))},
            )
    if line and line[0] in VERBS:
        return VERBS[line[0]], line[1:]
    return True, line


def _flags(reading: Reading, line: list[str]) -> list[str]:
    """Takes the flags; gives what comes after them."""
    at = 0
    while at < len(line) and line[at].startswith("-") and line[at] != "-":
        word = line[at]
        at += 1
        if word == "--":
            break
        for flag, value in _parted(word):
            known = FLAGS.get(flag)
            if known is None:
                raise Invalid(
                    "run", gettext_noop("docker run has no flag %(flag)s that is known here."), {"flag": shown(flag)}
                )
            if value is None and known.takes:
                if at == len(line):
                    raise Invalid("run", gettext_noop("The flag %(flag)s wants a value."), {"flag": flag})
                value, at = line[at], at + 1
            known.do(reading, flag, "true" if value is None else value)
    return line[at:]


def _parted(word: str) -> list[tuple[str, str | None]]:
    """--flag=value, -fvalue, or short switches in one: -itd."""
    if word.startswith("--"):
        name, sign, value = word.partition("=")
        return [(name, value if sign else None)]
    found: list[tuple[str, str | None]] = []
    for at, letter in enumerate(word[1:], start=1):
        known = FLAGS.get(f"-{letter}")
        rest = word[at + 1 :]
        if known and known.takes and rest:
            return [*found, (f"-{letter}", rest.removeprefix("="))]
        if known and not known.takes and rest.startswith("="):
            return [*found, (f"-{letter}", rest[1:])]
        found.append((f"-{letter}", None))
    return found


def _only_network(reading: Reading) -> None:
    """--ip and the like are for the one network that the line names."""
    only, spec = reading.only, reading.spec
    if only == Network(""):
        return
    if spec.network_mode or len(spec.networks) != 1:
        raise Invalid(
            "run",
            gettext_noop("--ip, --ip6, --link-local-ip and --network-alias are for one --network of your own."),
        )
    network = spec.networks[0]
    network.aliases += only.aliases
    network.ipv4, network.ipv6 = only.ipv4 or network.ipv4, only.ipv6 or network.ipv6
    network.link_local += only.link_local


# ---------------------------------------------------------------- writing
def to_run(spec: ContainerSpec, *, start: bool = True) -> tuple[str, list[str]]:
    """(the command line, one flag a line; sentences about what it cannot say)."""
    flags, notes = _written(spec), _unsaid(spec)
    command = spec.command
    if spec.entrypoint is not None:
        flags.append(["--entrypoint", spec.entrypoint[0] if spec.entrypoint else ""])
        command = [*spec.entrypoint[1:], *command]
    head = "docker run -d" if start else "docker create"
    last = words.join([spec.image or "IMAGE", *command])
    return " \\\n  ".join([head, *(words.join(_joined(flag)) for flag in flags), last]), notes


def _joined(flag: list[str]) -> list[str]:
    """A value that is empty or looks like a flag is bound to its flag."""
    if len(flag) == 2 and (not flag[1] or flag[1].startswith("-")):
        return [f"{flag[0]}={flag[1]}"]
    return flag


def _written(spec: ContainerSpec) -> list[list[str]]:
    flags: list[list[str]] = []
    flags += [["--name", spec.name]] if spec.name else []
    flags += [["--platform", spec.platform]] if spec.platform else []
    flags += [["--pull", spec.pull]] if spec.pull != "missing" else []
    flags += [["-e", f"{name}={value}"] for name, value in spec.env.items()]
    flags += [["-p", text] for text in show_ports(spec.ports)]
    flags += [["--expose", port.removesuffix("/tcp")] for port in spec.expose]
    for mount in spec.mounts:
        flags.append(["-v", show_volume(mount)] if is_short(mount) else ["--mount", show_mount(mount)])
    flags += _networks(spec)
    flags += [["--restart", show_restart(spec.restart)]] if spec.restart.policy else []
    flags += _health(spec.health) if spec.health else []
    for entry in FIELDS:
        if not is_said(spec, entry.name):
            continue
        value, flag = get(spec, entry.name), entry.flags[0]
        if entry.kind.many == "list":
            flags += [[flag, entry.kind.show(word)] for word in value]
        elif entry.kind.many == "pairs":
            flags += [[flag, f"{name}{entry.kind.sign}{word}".removesuffix(":")] for name, word in value.items()]
        elif entry.kind.switch:
            flags.append([flag] if value else [f"{flag}=false"])
        else:
            flags.append([flag, entry.kind.show(value)])
    flags += [["--ulimit", show_ulimit(limit)] for limit in spec.ulimits]
    flags += [["--device", show_device(device)] for device in spec.devices]
    flags += [["--gpus", show_gpus(request)] for request in spec.device_requests if is_gpus(request)]
    for name, (_key, _rate, flag, _compose) in RATES.items():
        plain = name == "blkio_weight_device" or name.endswith("iops")
        flags += [[flag, show_rate(rate, plain=plain)] for rate in getattr(spec.limits, name)]
    return flags


def _networks(spec: ContainerSpec) -> list[list[str]]:
    flags = [["--network", spec.network_mode]] if spec.network_mode else []
    flags += [["--mac-address", spec.mac_address]] if spec.mac_address else []
    for network in spec.networks:
        plain = Network(network.name, network.aliases, network.ipv4, network.ipv6, network.link_local)
        if len(spec.networks) == 1 and network == plain:
            flags.append(["--network", network.name])
            flags += [["--network-alias", alias] for alias in network.aliases]
            flags += [["--ip", network.ipv4]] if network.ipv4 else []
            flags += [["--ip6", network.ipv6]] if network.ipv6 else []
            flags += [["--link-local-ip", address] for address in network.link_local]
            continue
        flags.append(["--network", network_words(network)])
    return flags


def network_words(network: Network) -> str:
    """What --network takes: a name, or name=...,alias=...,ip=..."""
    parts = [f"name={network.name}", *(f"alias={alias}" for alias in network.aliases)]
    parts += [f"ip={network.ipv4}"] if network.ipv4 else []
    parts += [f"ip6={network.ipv6}"] if network.ipv6 else []
    parts += [f"mac-address={network.mac_address}"] if network.mac_address else []
    parts += [f"link-local-ip={address}" for address in network.link_local]
    parts += [f"driver-opt={name}={value}" for name, value in network.driver_options.items()]
    parts += [f"gw-priority={network.gateway_priority}"] if network.gateway_priority else []
    return network.name if len(parts) == 1 else ",".join(parts)


def _health(health: Health) -> list[list[str]]:
    flags: list[list[str]] = []
    if health.test == ["NONE"]:
        flags.append(["--no-healthcheck"])
    elif health.test:
        shell = health.test[0] == "CMD-SHELL"
        flags.append(["--health-cmd", health.test[-1] if shell else words.join(health.test[1:])])
    for name, (_key, flag, _compose) in HEALTH_TIMES.items():
        if seconds := getattr(health, name):
            flags.append([flag, show_span(seconds)])
    return flags + ([["--health-retries", str(health.retries)]] if health.retries else [])


def _unsaid(spec: ContainerSpec) -> list[str]:
    notes = []
    if spec.health and spec.health.test[:1] == ["CMD"]:
        notes.append(_("docker run gives a health check to a shell; here it is without one."))
    if any(not is_gpus(request) for request in spec.device_requests):
        notes.append(_("docker run has no flag for device requests that are not for GPUs: they are left out."))
    for mount in spec.mounts:
        if not is_short(mount) and (mount.options or mount.selinux or (mount.create and mount.type != "bind")):
            notes.append(_("docker run cannot say all options of the mount at %(path)s.") % {"path": mount.target})
    if any(network.links for network in spec.networks):
        notes.append(_("docker run cannot give links to one network of several: they are left out."))
    if len(spec.entrypoint or []) > 1:
        notes.append(_("docker run has no entrypoint of several words: all but the first are in the command here."))
    if not re.search(r"\S", spec.image):
        notes.append(_("The image is missing."))
    return notes
