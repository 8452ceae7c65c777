"""Which containers a log view shows: named ones, and all of hosts, of Compose projects or of services of a swarm, within
what a user may see."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, F, IntegerField, Q, Value, When

from accounts.rights import Right, allows
from hosts.access import find_containers
from hosts.models import Container

TARGETS_AT_MOST = 200
NAMES_AT_MOST = 1000  # names that are looked at: those above the limit are counted
WORDS_AT_MOST = 50  # hosts, projects and services in one choice
SERVICE = "labels__com.docker.swarm.service.name"


@dataclass(frozen=True)
class LogChoice:
    """`targets` HOST/CONTAINER by name or id. `hosts`, `projects` and `services` (SWARM/SERVICE by name) narrow each
    other, as the filters of a table do."""

    targets: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()
    services: tuple[str, ...] = ()

    @classmethod
    def of(cls, get_list: Callable[[str], list[Any]]) -> "LogChoice":
        """From a query: `target`, `host`, `project` and `service`, each repeatable. `get_list(name)` gives the values."""

        def words(name: str, at_most: int) -> tuple[str, ...]:
            values = (str(value).replace("\0", "")[:300] for value in get_list(name)[:at_most])
            return tuple(dict.fromkeys(value for value in values if value))

        groups = (words(name, WORDS_AT_MOST) for name in ("host", "project", "service"))
        return cls(words("target", NAMES_AT_MOST), *groups)

    @property
    def grows(self) -> bool:
        """Whether containers that are made later can belong to it."""
        return bool(self.hosts or self.projects or self.services)

    def __bool__(self) -> bool:
        return bool(self.targets or self.grows)


@dataclass
class Chosen:
    """What a choice means now. `unknown` names that are not there; `left_out` counts what is above the limit."""

    containers: list[Container] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_out: int = 0


def chosen(user: Any, choice: LogChoice) -> Chosen:
    """The containers of `choice` that `user` may read, each once: the named ones first, then running ones, then those
    that ended last. At most TARGETS_AT_MOST."""
    names = choice.targets[:TARGETS_AT_MOST]
    found = Chosen(left_out=len(choice.targets) - len(names))
    if not allows(user, Right.LOGS_VIEW):
        return found
    rows: dict[int, Container] = {}
    for name, container in zip(names, find_containers(user, list(names)), strict=True):
        if container is None:
            found.unknown.append(name)
        else:
            rows[container.pk] = container
    named = len(rows)
    if choice.grows:
        more = _members(user, choice).exclude(pk__in=list(rows))
        rows |= {row.pk: row for row in more[: TARGETS_AT_MOST - len(rows)]}
        found.left_out += max(0, more.count() - (len(rows) - named))
    found.containers = list(rows.values())
    return found


def _members(user: Any, choice: LogChoice) -> Any:
    rows = Container.objects.visible_to(user).select_related("host")
    if choice.hosts:
        rows = rows.filter(host__name__in=choice.hosts)
    if choice.projects:
        rows = rows.filter(project__in=choice.projects)
    if choice.services:
        wanted = Q(pk=None)
        for word in choice.services:
            swarm, _, service = word.partition("/")
            wanted |= Q(host__member__swarm__name=swarm, **{SERVICE: service})
        rows = rows.filter(wanted)
    running = Case(When(state="running", then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.order_by(running, F("finished").desc(nulls_last=True), "name", "pk")
