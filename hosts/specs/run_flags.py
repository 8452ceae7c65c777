"""The flags of `docker run` and what each says. A table: flag -> (takes a value, what is done with it)."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs import kinds
from hosts.specs.devices import read_device, read_gpus, read_rate, read_ulimit
from hosts.specs.fields import FIELDS, HEALTH_TIMES, RATES, Field, get, put
from hosts.specs.inspected import SPECIAL
from hosts.specs.kinds import shown
from hosts.specs.mounts import read_mount, read_volume
from hosts.specs.ports import read_expose, read_ports
from hosts.specs.spec import PULLS, ContainerSpec, Health, Network, Restart


@dataclass
class Reading:
    """What was read so far. `only` are the flags for the one network: --ip, --network-alias, ..."""

    spec: ContainerSpec = field(default_factory=ContainerSpec)
    notes: list[str] = field(default_factory=list)
    entrypoint: str | None = None
    no_health: bool = False
    only: Network = field(default_factory=lambda: Network(""))

    @property
    def health(self) -> Health:
        """The health check, made when the first flag of it comes."""
        self.spec.health = self.spec.health or Health()
        return self.spec.health


@dataclass(frozen=True)
class Flag:
    """`takes`: whether a value follows."""

    takes: bool
    do: Callable[[Reading, str, str], None]  # (reading, flag, value)


def _plain(entry: Field) -> Flag:
    def do(reading: Reading, flag: str, text: str) -> None:
        value = entry.kind.read(flag, text)
        if entry.kind.many == "list":
            get(reading.spec, entry.name).append(value)
        elif entry.kind.many == "pairs":
            get(reading.spec, entry.name)[value[0]] = value[1]
        else:
            put(reading.spec, entry.name, value)

    return Flag(not entry.kind.switch, do)


def _env(reading: Reading, flag: str, text: str) -> None:
    name, value = kinds.read_env(flag, text)
    reading.spec.env[name] = value


def _pull(reading: Reading, flag: str, text: str) -> None:
    if text not in PULLS:
        raise Invalid(
            "pull", gettext_noop("pull: “%(value)s” is none of missing, always, never."), {"value": shown(text)}
        )
    reading.spec.pull = text  # type: ignore[assignment]


def _restart(reading: Reading, flag: str, text: str) -> None:
    reading.spec.restart = read_restart(flag, text)


def read_restart(field: str, text: str) -> Restart:
    """no, always, unless-stopped, on-failure or on-failure:3."""
    found = re.fullmatch(r"(no|always|unless-stopped|on-failure)(?::([0-9]{1,9}))?", text.strip())
    if not found or (found[2] and found[1] != "on-failure"):
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is none of no, always, unless-stopped, on-failure, on-failure:3."),
            {"field": field, "value": shown(text)},
        )
    return Restart(found[1], int(found[2] or 0))


def show_restart(restart: Restart) -> str:
    """The opposite."""
    return f"{restart.policy}:{restart.retries}" if restart.retries else restart.policy


def _network(reading: Reading, flag: str, text: str) -> None:
    if SPECIAL.fullmatch(text):
        reading.spec.network_mode = text
        return
    if text == "default":
        return
    if "=" not in text:
        reading.spec.networks.append(Network(kinds.read_text(flag, text)))
        return
    network = Network("")
    for part in text.split(","):
        name, _sign, value = part.partition("=")
        if name == "driver-opt":
            key, _sign, word = value.partition("=")
            network.driver_options[key] = word
        elif name == "gw-priority":
            network.gateway_priority = kinds.read_whole(flag, value)
        elif name in {"alias", "link-local-ip"}:
            (network.aliases if name == "alias" else network.link_local).append(value)
        elif name in NETWORK_WORDS:
            setattr(network, NETWORK_WORDS[name], value)
        else:
            raise Invalid(
                flag,
                gettext_noop("%(field)s: “%(value)s” is no part of a network."),
                {"field": flag, "value": shown(part)},
            )
    reading.spec.networks.append(network)


NETWORK_WORDS = {"name": "name", "ip": "ipv4", "ip6": "ipv6", "mac-address": "mac_address"}


def _said(what: str) -> Callable[[Reading, str, str], None]:
    def do(reading: Reading, flag: str, text: str) -> None:
        reading.notes.append(what % {"flag": flag})

    return do


def _ignored(reading: Reading, flag: str, text: str) -> None:
    """What only concerns the terminal that the command is typed in."""


def _refused(reason: str) -> Flag:
    def do(reading: Reading, flag: str, text: str) -> None:
        raise Invalid("run", reason, {"flag": flag})

    return Flag(True, do)


def _set(change: Callable[[Reading, str, str], object]) -> Flag:
    def do(reading: Reading, flag: str, text: str) -> None:
        change(reading, flag, text)

    return Flag(True, do)


def _health_time(name: str) -> Flag:
    return _set(lambda reading, flag, text: setattr(reading.health, name, kinds.read_span(flag, text)))


def _no_health(reading: Reading, flag: str, text: str) -> None:
    if kinds.read_switch(flag, text):
        reading.health.test = ["NONE"]


def _note_cidfile(reading: Reading, flag: str, text: str) -> None:
    reading.notes.append(
        _("%(flag)s writes a file where the command is typed: it means nothing here.") % {"flag": flag}
    )


A_FILE = gettext_noop("%(flag)s names a file of the machine where the command is typed. Paste what is in it instead.")
FLAGS: dict[str, Flag] = {flag: _plain(entry) for entry in FIELDS for flag in entry.flags}
FLAGS |= {
    flag: Flag(False, _ignored)
    for flag in ("--detach", "-d", "--sig-proxy", "--quiet", "-q", "--disable-content-trust", "--help")
}
FLAGS |= {
    "--name": _set(lambda r, flag, text: setattr(r.spec, "name", kinds.read_text(flag, text))),
    "--platform": _set(lambda r, flag, text: setattr(r.spec, "platform", kinds.read_text(flag, text))),
    "--pull": Flag(True, _pull),
    "--entrypoint": _set(lambda r, flag, text: setattr(r, "entrypoint", kinds.read_text(flag, text))),
    "--env": Flag(True, _env),
    "-e": Flag(True, _env),
    "--restart": Flag(True, _restart),
    "--publish": _set(lambda r, flag, text: r.spec.ports.extend(read_ports(flag, text))),
    "--expose": _set(lambda r, flag, text: r.spec.expose.extend(read_expose(flag, text))),
    "--volume": _set(lambda r, flag, text: r.spec.mounts.append(read_volume(flag, text))),
    "--mount": _set(lambda r, flag, text: r.spec.mounts.append(read_mount(flag, text))),
    "--network": Flag(True, _network),
    "--network-alias": _set(lambda r, flag, text: r.only.aliases.append(text)),
    "--ip": _set(lambda r, flag, text: setattr(r.only, "ipv4", text)),
    "--ip6": _set(lambda r, flag, text: setattr(r.only, "ipv6", text)),
    "--link-local-ip": _set(lambda r, flag, text: r.only.link_local.append(text)),
    "--mac-address": _set(lambda r, flag, text: setattr(r.spec, "mac_address", text)),
    "--ulimit": _set(lambda r, flag, text: r.spec.ulimits.append(read_ulimit(flag, text))),
    "--device": _set(lambda r, flag, text: r.spec.devices.append(read_device(flag, text))),
    "--gpus": _set(lambda r, flag, text: r.spec.device_requests.append(read_gpus(flag, text))),
    "--health-cmd": _set(lambda r, flag, text: setattr(r.health, "test", ["CMD-SHELL", text])),
    "--health-retries": _set(lambda r, flag, text: setattr(r.health, "retries", kinds.read_whole(flag, text))),
    "--no-healthcheck": Flag(False, _no_health),
    "--attach": Flag(True, _ignored),
    "--detach-keys": Flag(True, _ignored),
    "--cidfile": Flag(True, _note_cidfile),
    "--env-file": _refused(A_FILE),
    "--label-file": _refused(A_FILE),
}
FLAGS |= {flag: _health_time(name) for name, (_key, flag, _compose) in HEALTH_TIMES.items()}
FLAGS |= {
    flag: _set(
        lambda r, flag, text, name=name: getattr(r.spec.limits, name).append(  # type: ignore[misc]
            read_rate(flag, text, weight=name == "blkio_weight_device")
        )
    )
    for name, (_key, _rate, flag, _compose) in RATES.items()
}
FLAGS |= {
    short: FLAGS[long]
    for short, long in (
        ("-p", "--publish"),
        ("-v", "--volume"),
        ("-a", "--attach"),
        ("--net", "--network"),
        ("--net-alias", "--network-alias"),
    )
}
