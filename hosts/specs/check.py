"""What is wrong with a specification: a sentence for each field, before an engine hears of it."""

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts import options
from hosts.specs.fields import HEALTH_TIMES, RATES
from hosts.specs.kinds import shown
from hosts.specs.mounts import PROPAGATIONS, RECURSIONS, is_path
from hosts.specs.ports import PROTOCOLS, RANGE
from hosts.specs.spec import ContainerSpec, Health, Mount, Network, Port, Ulimit

TEXT_AT_MOST = 128 * 1024  # characters of one value
MANY = 1000  # entries of one list
INT64 = 2**63 - 1
IMAGE_ID = re.compile(r"sha256:[0-9a-f]{6,64}")
SIGNAL = re.compile(r"(?:SIG)?(?:[A-Z]{2,6}[0-9]?|RTM(?:IN|AX)(?:[+-][0-9]{1,2})?)|[1-9]|[1-5][0-9]|6[0-4]")
MAC = re.compile(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}")
EXPOSED = re.compile(r"[0-9]{1,5}/(tcp|udp|sctp)")
POLICIES = ("", "no", "always", "unless-stopped", "on-failure")
NO_MOUNT = Mount("")
ONLY_FOR = (  # parts of a mount, and the types that have them
    (("bind",), ("create", "propagation", "recursive")),
    (("volume", "cluster"), ("no_copy", "driver", "driver_options", "labels")),
    (("volume", "image"), ("subpath",)),
    (("tmpfs",), ("size", "mode", "options")),
)
CPUS_AT_LEAST = 0.01
MAY_BE_NEGATIVE = {"limits.memory_swap", "limits.pids", "oom_score_adj", "limits.cpu_quota", "limits.cpu_rt_runtime"}


def problems(spec: ContainerSpec) -> list[Invalid]:
    """All that is wrong, in the order of the fields; none when it may be created."""
    return [*check_values("", spec), *_main(spec), *_network(spec), *_files(spec), *_limits(spec)]


def check(spec: ContainerSpec) -> None:
    """Raises the first problem, which has the others in `others`."""
    found = problems(spec)
    if found:
        found[0].others = found[1:]
        raise found[0]


def wrong(field: str, template: str, value: object = "", **params: object) -> Invalid:
    """An error at a field; the sentence may name %(field)s and %(value)s."""
    return Invalid(field, template, {"field": field, "value": shown(value), **params})


def check_values(name: str, value: Any) -> Iterator[Invalid]:
    """What no value of its kind may be: texts with NUL, numbers that an engine cannot hold, endless lists."""
    if is_dataclass(value):
        for entry in fields(value):
            yield from check_values(f"{name}.{entry.name}".lstrip("."), getattr(value, entry.name))
    elif isinstance(value, str):
        if "\0" in value:
            yield wrong(name, gettext_noop("%(field)s: a NUL byte cannot be in it."))
        elif len(value) > TEXT_AT_MOST:
            yield wrong(name, gettext_noop("%(field)s: this is too long."))
    elif isinstance(value, int | float) and not isinstance(value, bool):
        if abs(value) > INT64:
            yield wrong(name, gettext_noop("%(field)s: the number is too large."))
        elif (
            value < 0
            and name not in MAY_BE_NEGATIVE
            and not name.startswith(("ulimits", "device_requests", "networks"))
        ):
            yield wrong(name, gettext_noop("%(field)s: %(value)s is below 0."), value)
    elif isinstance(value, list | dict):
        if len(value) > MANY:
            yield wrong(name, gettext_noop("%(field)s: at most %(most)s of them."), most=MANY)
            return
        for key, entry in enumerate(value) if isinstance(value, list) else value.items():
            if not isinstance(value, list):
                yield from check_values(name, key)
                if not str(key).strip() or ("=" in str(key) and name == "env"):
                    yield wrong(name, gettext_noop("%(field)s: “%(value)s” is no name."), key)
            yield from check_values(f"{name}.{key}" if isinstance(value, list) else name, entry)


def _main(spec: ContainerSpec) -> Iterator[Invalid]:
    if not spec.image.strip():
        yield wrong("image", gettext_noop("Which image? Write a name like nginx:1.27."))
    elif len(spec.image) > options.REFERENCE_AT_MOST or not (
        options.REFERENCE.fullmatch(spec.image) or IMAGE_ID.fullmatch(spec.image)
    ):
        yield wrong("image", gettext_noop("“%(value)s” is no name of an image. Write one like nginx:1.27."), spec.image)
    if spec.name and not options.NAME.fullmatch(spec.name):  # also with a slash, which an engine takes off
        yield Invalid("name", options.NOT_A_NAME)
    if spec.stop_signal and not SIGNAL.fullmatch(spec.stop_signal):
        sentence = gettext_noop("%(signal)s is not a signal: use a name like TERM or HUP, or a number from 1 to 64.")
        yield Invalid("stop_signal", sentence, {"signal": shown(spec.stop_signal)})
    policy = spec.restart.policy
    if policy not in POLICIES:
        yield wrong(
            "restart.policy",
            gettext_noop("“%(value)s” is none of no, always, unless-stopped, on-failure."),
            policy,
        )
    elif spec.restart.retries and policy != "on-failure":
        yield wrong("restart.retries", gettext_noop("A number of retries goes with on-failure only."))
    if spec.auto_remove and policy not in {"", "no"}:
        yield wrong(
            "auto_remove", gettext_noop("A container that is removed when it ends cannot be restarted: choose one.")
        )
    if spec.health:
        yield from check_health(spec.health)
    for option in spec.security_opt:
        name, sign, value = option.partition("=")
        if name == "seccomp" and sign and value not in {"unconfined", "builtin"} and not value.lstrip().startswith("{"):
            yield wrong(
                "security_opt",
                gettext_noop("seccomp: %(value)s is a file that is not here. Paste the profile itself, as JSON."),
                value,
            )


def check_health(health: Health) -> Iterator[Invalid]:
    """What is wrong with a health check."""
    kind = health.test[0] if health.test else ""
    if kind not in {"", "NONE", "CMD", "CMD-SHELL"} or (kind == "CMD-SHELL" and len(health.test) != 2):
        yield wrong(
            "health.test",
            gettext_noop("A health check is [“CMD-SHELL”, line], [“CMD”, word, …] or [“NONE”]."),
        )
    if kind == "CMD" and len(health.test) < 2:
        yield wrong("health.test", gettext_noop("The health check has no command."))
    for name in HEALTH_TIMES:
        if 0 < getattr(health, name) < 0.001:
            yield wrong(f"health.{name}", gettext_noop("%(field)s: at least 1 ms."))


# ---------------------------------------------------------------- network
def is_address(text: str, *versions: int) -> bool:
    """Whether it is an IP address, of these versions if any are given."""
    try:
        return ipaddress.ip_address(text.strip("[]").partition("%")[0]).version in (versions or (4, 6))
    except ValueError:
        return False


def _network(spec: ContainerSpec) -> Iterator[Invalid]:
    if spec.network_mode and spec.networks:
        yield wrong(
            "networks",
            gettext_noop("With the network %(value)s a container is in no other network."),
            spec.network_mode,
        )
    if spec.mac_address and not MAC.fullmatch(spec.mac_address):
        yield wrong(
            "mac_address",
            gettext_noop("“%(value)s” is no MAC address. Write one like 02:42:ac:11:00:02."),
            spec.mac_address,
        )
    names = [network.name for network in spec.networks]
    for at, network in enumerate(spec.networks):
        if names.index(network.name) != at:
            yield wrong(f"networks.{at}.name", gettext_noop("The network %(value)s is there twice."), network.name)
        yield from _one_network(f"networks.{at}", network)
    for at, port in enumerate(spec.ports):
        yield from _port(f"ports.{at}", port)
    for entry in spec.expose:
        if not EXPOSED.fullmatch(entry) or not 1 <= int(entry.partition("/")[0]) <= 65535:
            yield wrong("expose", gettext_noop("“%(value)s” is no port. Write one like 80/tcp."), entry)
    for entry in spec.dns:
        if not is_address(entry):
            yield wrong("dns", gettext_noop("“%(value)s” is no address of a DNS server."), entry)
    for entry in spec.extra_hosts:
        name, _, address = entry.partition(":")
        if not name or not (is_address(address) or address == "host-gateway"):
            yield wrong("extra_hosts", gettext_noop("“%(value)s” is not name:address."), entry)


def _one_network(name: str, network: Network) -> Iterator[Invalid]:
    if not network.name.strip():
        yield wrong(f"{name}.name", gettext_noop("A network needs its name."))
    for field, value, version in (("ipv4", network.ipv4, 4), ("ipv6", network.ipv6, 6)):
        if value and not is_address(value, version):
            yield wrong(
                f"{name}.{field}", gettext_noop("“%(value)s” is no IPv%(version)s address."), value, version=version
            )
    if network.mac_address and not MAC.fullmatch(network.mac_address):
        yield wrong(f"{name}.mac_address", gettext_noop("“%(value)s” is no MAC address."), network.mac_address)
    for address in network.link_local:
        if not is_address(address):
            yield wrong(f"{name}.link_local", gettext_noop("“%(value)s” is no address."), address)


def _port(name: str, port: Port) -> Iterator[Invalid]:
    if not 1 <= port.container <= 65535:
        yield wrong(f"{name}.container", gettext_noop("A port is a number from 1 to 65535."))
    if port.protocol not in PROTOCOLS:
        yield wrong(f"{name}.protocol", gettext_noop("“%(value)s” is none of tcp, udp, sctp."), port.protocol)
    found = RANGE.fullmatch(port.host)
    if port.host and not (found and int(found[1]) <= int(found[2] or found[1]) <= 65535):
        yield wrong(f"{name}.host", gettext_noop("“%(value)s” is no port on the host."), port.host)
    if port.address and not is_address(port.address):
        yield wrong(f"{name}.address", gettext_noop("“%(value)s” is no address of the host."), port.address)


# ---------------------------------------------------------------- files
def _files(spec: ContainerSpec) -> Iterator[Invalid]:
    seen: set[str] = set()
    for at, mount in enumerate(spec.mounts):
        yield from check_mount(f"mounts.{at}", mount)
        if mount.target in seen or mount.target in spec.tmpfs:
            yield wrong(f"mounts.{at}.target", gettext_noop("%(value)s is mounted twice."), mount.target)
        seen.add(mount.target)
    for path in spec.tmpfs:
        if not path.startswith("/"):
            yield wrong("tmpfs", gettext_noop("“%(value)s” is no path: it begins with a slash."), path)
    for at, device in enumerate(spec.devices):
        if not device.host or not re.fullmatch(r"[rwm]{0,3}", device.permissions):
            yield wrong(f"devices.{at}", gettext_noop("A device has a path, and permissions of r, w and m."))


def check_mount(name: str, mount: Mount) -> Iterator[Invalid]:
    """What is wrong with one mount."""
    if not is_path(mount.target) or mount.target.startswith((".", "~")):
        yield wrong(
            f"{name}.target",
            gettext_noop("“%(value)s” is no path in the container: it begins with a slash."),
            mount.target,
        )
    elif mount.target.rstrip("/") == "":
        yield wrong(f"{name}.target", gettext_noop("Nothing can be mounted over the whole container."))
    relative = mount.source.startswith((".", "~"))
    if mount.type == "bind" and (not is_path(mount.source) or relative):
        yield wrong(
            f"{name}.source",
            gettext_noop("“%(value)s” is no path on the host. Write the whole path, which begins with a slash."),
            mount.source,
        )
    if mount.type == "volume" and is_path(mount.source):
        yield wrong(f"{name}.source", gettext_noop("“%(value)s” is no name of a volume."), mount.source)
    if mount.type == "tmpfs" and mount.source:
        yield wrong(f"{name}.source", gettext_noop("A tmpfs has no source."))
    if mount.propagation and mount.propagation not in PROPAGATIONS:
        yield wrong(f"{name}.propagation", gettext_noop("“%(value)s” is no propagation."), mount.propagation)
    if mount.recursive and mount.recursive not in RECURSIONS:
        yield wrong(
            f"{name}.recursive",
            gettext_noop("“%(value)s” is none of enabled, disabled, writable, readonly."),
            mount.recursive,
        )
    for kinds, names in ONLY_FOR:
        for field in names if mount.type not in kinds else ():
            if getattr(mount, field) != getattr(NO_MOUNT, field):
                yield wrong(
                    f"{name}.{field}",
                    gettext_noop("%(field)s: this is for a mount of the type %(kinds)s, and not for %(value)s."),
                    mount.type,
                    kinds=", ".join(kinds),
                )
    if mount.selinux not in {"", "z", "Z"}:
        yield wrong(f"{name}.selinux", gettext_noop("SELinux is z (shared) or Z (private)."))


# ---------------------------------------------------------------- limits
def _limits(spec: ContainerSpec) -> Iterator[Invalid]:
    limits = spec.limits
    if limits.memory_swap > 0 and not limits.memory:
        yield wrong("limits.memory_swap", gettext_noop("Memory and swap together need a limit of memory."))
    elif 0 < limits.memory_swap < limits.memory or limits.memory_swap < -1:
        yield wrong("limits.memory_swap", gettext_noop("This is memory and swap together: at least the memory, or -1."))
    if limits.memory and limits.memory_reservation > limits.memory:
        yield wrong("limits.memory_reservation", gettext_noop("The reservation is above the limit of memory."))
    if limits.memory_swappiness is not None and not 0 <= limits.memory_swappiness <= 100:
        yield wrong("limits.memory_swappiness", gettext_noop("Swappiness is a number from 0 to 100."))
    if limits.cpus and (limits.cpu_period or limits.cpu_quota):
        yield wrong("limits.cpus", gettext_noop("CPUs and a period or quota say the same: choose one."))
    yield from check_cpus(limits.cpus)
    if limits.blkio_weight and not 10 <= limits.blkio_weight <= 1000:
        yield wrong("limits.blkio_weight", gettext_noop("The weight of block I/O is a number from 10 to 1000."))
    if not -1000 <= spec.oom_score_adj <= 1000:
        yield wrong("oom_score_adj", gettext_noop("This is a number from -1000 to 1000."))
    for field in ("cpuset_cpus", "cpuset_mems"):
        value = getattr(limits, field)
        if value and not re.fullmatch(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", value):
            yield wrong(f"limits.{field}", gettext_noop("“%(value)s” is no list. Write one like 0-2,4."), value)
    yield from check_limits_of_processes(spec.ulimits)
    for name in RATES:
        for rate in getattr(limits, name):
            if not rate.path.startswith("/"):
                yield wrong(f"limits.{name}", gettext_noop("“%(value)s” is no device: write /dev/sda:10m."), rate.path)


def check_cpus(cpus: float) -> Iterator[Invalid]:
    """What is wrong with a limit of CPUs."""
    if 0 < cpus < CPUS_AT_LEAST:
        yield wrong("limits.cpus", gettext_noop("At least 0.01 CPUs: of much less an engine makes no limit."))


def check_limits_of_processes(ulimits: list[Ulimit]) -> Iterator[Invalid]:
    """What is wrong with ulimits."""
    for at, limit in enumerate(ulimits):
        if not re.fullmatch(r"[a-z]+", limit.name):
            yield wrong(f"ulimits.{at}", gettext_noop("“%(value)s” is no name of a limit, like nofile."), limit.name)
        elif 0 <= limit.hard < limit.soft or (limit.soft == -1 and limit.hard != -1):
            yield wrong(f"ulimits.{at}", gettext_noop("%(value)s: the soft limit is above the hard one."), limit.name)
