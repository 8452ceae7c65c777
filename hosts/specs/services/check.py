"""What is wrong with a service's specification: a sentence for each field, before an engine hears of it."""

import re
from collections.abc import Iterator

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts import options
from hosts.specs.check import (
    IMAGE_ID,
    SIGNAL,
    check_cpus,
    check_health,
    check_limits_of_processes,
    check_mount,
    check_values,
    is_address,
    wrong,
)
from hosts.specs.fields import get
from hosts.specs.ports import PROTOCOLS
from hosts.specs.services.spec import File, ServiceSpec

NAME = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?")
CONSTRAINT = re.compile(r"\s*[a-zA-Z0-9][\w-]*+(\.[\w./-]*+)?\s*(==|!=)\s*\S.*", re.DOTALL)
GENERIC = re.compile(r"[A-Za-z0-9][\w.-]*=\S+")
PLATFORM = re.compile(r"[a-z0-9]*/[a-z0-9_]*")
CREDENTIAL = re.compile(r"(config|file|registry)://\S+")
ONE_OF = {
    "endpoint_mode": ("", "vip", "dnsrr"),
    "restart.condition": ("", "none", "on-failure", "any"),
    "update.failure_action": ("", "pause", "continue", "rollback"),
    "rollback.failure_action": ("", "pause", "continue"),
    "update.order": ("", "stop-first", "start-first"),
    "rollback.order": ("", "stop-first", "start-first"),
    "isolation": ("", "default", "process", "hyperv"),
    "privileges.apparmor": ("", "default", "disabled"),
}
LINE = re.compile(r"[^\0\s]{0,255}|[^\0\n\r]{0,255}\}\}[^\0\s]{0,255}")
REPLICAS_AT_MOST = 100_000


def problems(spec: ServiceSpec) -> list[Invalid]:
    """All that is wrong, in the order of the fields; none when it may be created."""
    return [*check_values("", spec), *_main(spec), *_network(spec), *_files(spec), *_placing(spec), *_changing(spec)]


def check(spec: ServiceSpec) -> None:
    """Raises the first problem, which has the others in `others`."""
    found = problems(spec)
    if found:
        found[0].others = found[1:]
        raise found[0]


def check_replicas(name: str, wanted: int) -> None:
    """Raises Invalid for a number of tasks that nobody means."""
    if not 0 <= wanted <= REPLICAS_AT_MOST:
        raise Invalid(name, gettext_noop("Write a number from 0 to %(most)s."), {"most": REPLICAS_AT_MOST})


def _main(spec: ServiceSpec) -> Iterator[Invalid]:
    if not spec.name:
        yield wrong("name", gettext_noop("A service needs a name."))
    elif not NAME.fullmatch(spec.name):
        sentence = gettext_noop(
            "“%(value)s” is no name of a service: up to 63 letters, digits, dashes and underscores, a letter or digit "
            "at both ends."
        )
        yield wrong("name", sentence, spec.name)
    if not spec.image.strip():
        yield wrong("image", gettext_noop("Which image? Write a name like nginx:1.27."))
    elif len(spec.image) > options.REFERENCE_AT_MOST or not (
        options.REFERENCE.fullmatch(spec.image) or IMAGE_ID.fullmatch(spec.image)
    ):
        yield wrong("image", gettext_noop("“%(value)s” is no name of an image. Write one like nginx:1.27."), spec.image)
    if not LINE.fullmatch(spec.hostname) or not spec.hostname.isascii():  # it may be a template: {{.Node.Hostname}}
        yield wrong("hostname", gettext_noop("“%(value)s” is no host name."), spec.hostname)
    if not LINE.fullmatch(spec.user):
        yield wrong(
            "user",
            gettext_noop("“%(value)s” is no user: write a name or a number, NAME:GROUP or 1000:1000."),
            spec.user,
        )
    if spec.stop_signal and not SIGNAL.fullmatch(spec.stop_signal):
        sentence = gettext_noop("%(signal)s is not a signal: use a name like TERM or HUP, or a number from 1 to 64.")
        yield wrong("stop_signal", sentence, signal=spec.stop_signal[:80])
    for name, allowed in ONE_OF.items():
        if (value := get(spec, name)) not in allowed:
            words = ", ".join(word for word in allowed if word)
            yield wrong(name, gettext_noop("“%(value)s” is none of %(words)s."), value, words=words)
    yield from _mode(spec)
    if spec.health:
        yield from check_health(spec.health)


def _mode(spec: ServiceSpec) -> Iterator[Invalid]:
    mode = spec.mode
    for name, value, kind in (
        ("replicas", mode.replicas, "replicated"),
        ("concurrent", mode.concurrent, "replicated-job"),
        ("completions", mode.completions, "replicated-job"),
    ):
        if value is None:
            continue
        if mode.kind != kind:
            yield wrong(f"mode.{name}", gettext_noop("This number goes with %(kind)s only."), kind=kind)
        elif value > REPLICAS_AT_MOST:
            sentence = gettext_noop("Write a number from 0 to %(most)s.")
            yield wrong(f"mode.{name}", sentence, most=REPLICAS_AT_MOST)
    if mode.kind.endswith("-job"):
        if spec.restart.condition == "any":
            yield wrong("restart.condition", gettext_noop("A job ends: it is restarted on-failure or not at all."))
        if spec.update != type(spec.update)() or spec.rollback != type(spec.rollback)():
            yield wrong("update.parallelism", gettext_noop("A job has no rolling update: leave these empty."))


# ---------------------------------------------------------------- network
def _network(spec: ServiceSpec) -> Iterator[Invalid]:
    names = [network.name for network in spec.networks]
    for at, network in enumerate(spec.networks):
        if not network.name.strip():
            yield wrong(f"networks.{at}.name", gettext_noop("A network needs its name."))
        elif names.index(network.name) != at:
            yield wrong(f"networks.{at}.name", gettext_noop("The network %(value)s is there twice."), network.name)
    taken = set()
    for at, port in enumerate(spec.ports):
        name = f"ports.{at}"
        if not 1 <= port.target <= 65535 or not 0 <= port.published <= 65535:
            yield wrong(f"{name}.target", gettext_noop("A port is a number from 1 to 65535."))
        if port.protocol not in PROTOCOLS:
            yield wrong(f"{name}.protocol", gettext_noop("“%(value)s” is none of tcp, udp, sctp."), port.protocol)
        if port.mode not in {"ingress", "host"}:
            yield wrong(f"{name}.mode", gettext_noop("“%(value)s” is neither ingress nor host."), port.mode)
        if port.mode == "ingress" and spec.endpoint_mode == "dnsrr":
            yield wrong(f"{name}.mode", gettext_noop("With dnsrr a port can only be published in the mode host."))
        if port.published and (port.published, port.protocol) in taken:
            yield wrong(f"{name}.published", gettext_noop("The port %(value)s is published twice."), port.published)
        taken.add((port.published, port.protocol))
    for entry in spec.dns:
        if not is_address(entry):
            yield wrong("dns", gettext_noop("“%(value)s” is no address of a DNS server."), entry)
    for entry in spec.extra_hosts:
        host, _, address = entry.partition(":")
        if not host or not is_address(address):
            yield wrong("extra_hosts", gettext_noop("“%(value)s” is not name:address."), entry)


# ---------------------------------------------------------------- files
def _files(spec: ServiceSpec) -> Iterator[Invalid]:
    seen: set[str] = set()
    for at, mount in enumerate(spec.mounts):
        yield from check_mount(f"mounts.{at}", mount)
        if mount.target in seen:
            yield wrong(f"mounts.{at}.target", gettext_noop("%(value)s is mounted twice."), mount.target)
        seen.add(mount.target)
    for noun in ("secrets", "configs"):
        places = set()
        for at, entry in enumerate(getattr(spec, noun)):
            yield from _file(f"{noun}.{at}", entry)
            place = entry.target or entry.source
            if place in places:
                yield wrong(f"{noun}.{at}.target", gettext_noop("Two of them are the file %(value)s."), place)
            places.add(place)


def _file(name: str, entry: File) -> Iterator[Invalid]:
    if not entry.source.strip():
        yield wrong(f"{name}.source", gettext_noop("Which one? Write its name."))
    for key, value in (("uid", entry.uid), ("gid", entry.gid)):
        if value and not re.fullmatch(r"[0-9]{1,10}", value):
            yield wrong(f"{name}.{key}", gettext_noop("“%(value)s” is no number of a user or group."), value)
    if entry.mode is not None and not 0 <= entry.mode <= 0o7777:
        yield wrong(f"{name}.mode", gettext_noop("%(field)s: write a mode like 0440."))


# ---------------------------------------------------------------- where and how
def _placing(spec: ServiceSpec) -> Iterator[Invalid]:
    for entry in spec.placement.constraints:
        if not CONSTRAINT.fullmatch(entry):
            sentence = gettext_noop("“%(value)s” is no constraint. Write one like node.role==worker.")
            yield wrong("placement.constraints", sentence, entry)
    for entry in spec.placement.spread:
        if not re.fullmatch(r"(node|engine)\.labels\.\S+", entry):
            sentence = gettext_noop("“%(value)s” is no label of nodes. Write one like node.labels.zone.")
            yield wrong("placement.spread", sentence, entry)
    for entry in spec.placement.platforms:
        if not PLATFORM.fullmatch(entry) or entry == "/":
            yield wrong("placement.platforms", gettext_noop("“%(value)s” is not like linux/amd64."), entry)
    for entry in spec.reservations.generic:
        if not GENERIC.fullmatch(entry):
            sentence = gettext_noop("“%(value)s” is no resource. Write one like GPU=2.")
            yield wrong("reservations.generic", sentence, entry)
    for key in ("cpus", "memory"):
        limit, reserved = getattr(spec.limits, key), getattr(spec.reservations, key)
        if limit and reserved > limit:
            yield wrong(f"reservations.{key}", gettext_noop("More is reserved than the limit allows."))
    yield from check_cpus(spec.limits.cpus)
    if spec.limits.memory and spec.limits.memory < 4 * 1024 * 1024:
        yield wrong("limits.memory", gettext_noop("An engine wants at least 4m of memory."))
    if not -1000 <= spec.oom_score_adj <= 1000:
        yield wrong("oom_score_adj", gettext_noop("This is a number from -1000 to 1000."))
    yield from check_limits_of_processes(spec.ulimits)


def _changing(spec: ServiceSpec) -> Iterator[Invalid]:
    for name in ("update", "rollback"):
        ratio = getattr(spec, name).ratio
        if ratio is not None and not 0 <= ratio <= 1:
            yield wrong(f"{name}.ratio", gettext_noop("A share of failures is a number from 0 to 1."))
    credential = spec.privileges.credential_spec
    if credential and not CREDENTIAL.fullmatch(credential):
        sentence = gettext_noop("“%(value)s” is not config://NAME, file://NAME or registry://NAME.")
        yield wrong("privileges.credential_spec", sentence, credential)
    seccomp = spec.privileges.seccomp
    if seccomp and seccomp not in {"default", "unconfined"} and not seccomp.lstrip().startswith("{"):
        sentence = gettext_noop("seccomp: %(value)s is a file that is not here. Paste the profile itself, as JSON.")
        yield wrong("privileges.seccomp", sentence, seccomp)
