"""Amounts of what a quota bounds, and how they are said."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from accounts.models import Quota
from common.templatetags.ui import cpus, filesize_iec
from hosts.models import Container, Host
from hosts.policy.allotted import Allotted
from hosts.specs.kinds import NANO

PIDS_AT_MOST = 2**22  # processes that Linux can have


@dataclass(frozen=True)
class Amount:
    """CPUs in billionths, memory and volumes in bytes; what is shared out on a host."""

    containers: int = 0
    cpus: int = 0
    memory: int = 0
    pids: int = 0
    volumes: int = 0
    volume_bytes: int = 0
    ports: int = 0

    def __add__(self, other: "Amount") -> "Amount":
        mine, more = asdict(self), asdict(other)
        return Amount(**{name: mine[name] + more[name] for name in NAMES})

    def times(self, number: int) -> "Amount":
        """So many of them."""
        return Amount(**{name: number * value for name, value in asdict(self).items()})

    def beyond(self, other: "Amount") -> "Amount":
        """What each is more than there."""
        mine, less = asdict(self), asdict(other)
        return Amount(**{name: max(0, mine[name] - less[name]) for name in NAMES})

    def most(self, other: "Amount") -> "Amount":
        """The greater one of each."""
        mine, more = asdict(self), asdict(other)
        return Amount(**{name: max(mine[name], more[name]) for name in NAMES})

    @classmethod
    def of(cls, value: Any) -> "Amount":
        """From JSON."""
        return cls(**{name: int(value.get(name) or 0) for name in NAMES})

    def as_json(self) -> dict[str, int]:
        """Without what is 0."""
        return {name: value for name, value in asdict(self).items() if value}


NAMES = [entry.name for entry in fields(Amount)]


@dataclass(frozen=True)
class Size:
    """CPUs and memory in bytes of a host, or of the biggest of several."""

    cpus: int | None = 0
    memory: int | None = 0


def of_container(host: Host | Size, wants: Allotted) -> Amount:
    """One container. Where it says no limit it counts as all that its host has."""
    return Amount(
        containers=1,
        cpus=wants.nano_cpus or (host.cpus or 0) * NANO,
        memory=wants.memory or host.memory or 0,
        pids=wants.pids or PIDS_AT_MOST,
        ports=wants.ports,
    )


def of_row(container: Container) -> Amount:
    """One that is in the table."""
    wants = Allotted(
        container.nano_cpus or 0, container.memory_limit or 0, container.pids_limit or 0, container.ports_published or 0
    )
    return of_container(container.host, wants)


def bound(quota: Quota, name: str) -> int | None:
    """A quota's bound in the units of an Amount; None where there is none."""
    value = getattr(quota, name)
    return value if value is None or name != "cpus" else round(value * NANO)


def _count(value: int) -> str:
    return f"{value:,}".replace(",", " ") if value >= 10_000 else str(value)


class Words(NamedTuple):
    """How a bound is called, how its values are shown, the sentence of a refusal, and the field that it is about."""

    label: Any
    show: Callable[[int], str]
    refused: str
    field: str


WORDS: dict[str, Words] = {
    "containers": Words(
        _("Containers"),
        _count,
        gettext_noop("The quota of the team %(team)s on %(place)s is used up. Containers: %(used)s of %(most)s."),
        "name",
    ),
    "cpus": Words(
        _("CPUs"),
        cpus,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s does not suffice. CPUs: %(used)s of %(most)s are given out, and "
            "this asks for %(wanted)s."
        ),
        "limits.cpus",
    ),
    "memory": Words(
        _("Memory"),
        filesize_iec,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s does not suffice. Memory: %(used)s of %(most)s are given out, and "
            "this asks for %(wanted)s."
        ),
        "limits.memory",
    ),
    "pids": Words(
        _("Processes"),
        _count,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s does not suffice. Processes: %(used)s of %(most)s are given out, "
            "and this asks for %(wanted)s."
        ),
        "limits.pids",
    ),
    "volumes": Words(
        _("Volumes"),
        _count,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s does not suffice. Volumes: there are %(used)s of %(most)s, and this "
            "asks for %(wanted)s."
        ),
        "name",
    ),
    "volume_bytes": Words(
        _("Size of volumes"),
        filesize_iec,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s is used up. Its volumes hold %(used)s, and may hold %(most)s."
        ),
        "name",
    ),
    "ports": Words(
        _("Published ports"),
        _count,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s does not suffice. Published ports: %(used)s of %(most)s, and this "
            "asks for %(wanted)s."
        ),
        "ports",
    ),
    "pulls": Words(
        _("Images pulled a day"),
        _count,
        gettext_noop(
            "The quota of the team %(team)s on %(place)s is used up. Images pulled in 24 hours: %(used)s of %(most)s."
        ),
        "image",
    ),
    "jobs": Words(_("Jobs at once"), _count, "", ""),
}
UNBOUND = {  # of one that says no limit
    "cpus": gettext_noop(
        "The quota of the team %(team)s on %(place)s does not suffice. CPUs: %(used)s of %(most)s are given out, and a "
        "container without a limit counts as all of its host. Give it a limit."
    ),
    "memory": gettext_noop(
        "The quota of the team %(team)s on %(place)s does not suffice. Memory: %(used)s of %(most)s are given out, and a "
        "container without a limit counts as all of its host. Give it a limit."
    ),
    "pids": gettext_noop(
        "The quota of the team %(team)s on %(place)s does not suffice. Processes: %(used)s of %(most)s are given out, and a "
        "container without a limit counts as all that a host can have. Give it a limit."
    ),
}
