"""Which logs a view shows: of named containers, and of all of hosts, of Compose projects or of services of a swarm, within
what a user may see. Of a service also those of tasks on nodes that are no hosts here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Case, F, IntegerField, Q, Value, When

from accounts.rights import Right, allows
from hosts.access import may
from hosts.log_sources import Log, find_logs, logs_of_tasks, on_no_host
from hosts.models import Container, Task

TARGETS_AT_MOST = 200
NAMES_AT_MOST = 1000  # names that are looked at: those above the limit are counted
WORDS_AT_MOST = 50  # hosts, projects and services in one choice
SERVICE = "labels__com.docker.swarm.service.name"


@dataclass(frozen=True)
class LogChoice:
    """`targets` HOST/CONTAINER by name or id, NODE/TASK by id. `hosts`, `projects` and `services` (SWARM/SERVICE by name) narrow each
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

    logs: list[Log] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    left_out: int = 0


def chosen(user: Any, choice: LogChoice) -> Chosen:
    """The logs of `choice` that `user` may read, each once: the named ones first, then those of what runs, then of what
    ended last. At most TARGETS_AT_MOST."""
    names = choice.targets[:TARGETS_AT_MOST]
    found = Chosen(left_out=len(choice.targets) - len(names))
    if not allows(user, Right.LOGS_VIEW):
        return found
    logs: dict[tuple[str, str], Log] = {}
    for name, log in zip(names, find_logs(user, list(names)), strict=True):
        if log is None or not may(user, Right.LOGS_VIEW, log):
            found.unknown.append(name)
        else:
            logs.setdefault(log.key, log)
    if choice.grows:
        more, total = _members(user, choice)
        left = [log for log in more if log.key not in logs]
        total -= len(more) - len(left)
        kept = left[: max(0, TARGETS_AT_MOST - len(logs))]
        logs |= {log.key: log for log in kept}
        found.left_out += max(0, total - len(kept))
    found.logs = list(logs.values())
    return found


def _members(user: Any, choice: LogChoice) -> tuple[list[Log], int]:
    """The logs of a choice that grows, and how many there are in all. One more than fit are looked at, for each that
    may be named as well."""
    most = 2 * TARGETS_AT_MOST
    rows = Container.objects.visible_to(user).select_related("host")
    rows = rows.granted(user, Right.LOGS_VIEW)
    if choice.hosts:
        rows = rows.filter(host__name__in=choice.hosts)
    if choice.projects:
        rows = rows.filter(project__in=choice.projects)
    tasks: Any = Task.objects.none()
    if choice.services:
        wanted, their = Q(pk=None), Q(pk=None)
        for word in choice.services:
            swarm, _, service = word.partition("/")
            wanted |= Q(host__member__swarm__name=swarm, **{SERVICE: service})
            their |= Q(swarm__name=swarm, service_name=service)
        rows = rows.filter(wanted)
        if not choice.hosts and not choice.projects:  # these are of our hosts
            tasks = on_no_host(Task.objects.visible_to(user)).filter(their)
            tasks = tasks.granted(user, Right.LOGS_VIEW)
    running = Case(When(state="running", then=Value(0)), default=Value(1), output_field=IntegerField())
    containers = rows.order_by(running, F("finished").desc(nulls_last=True), "name", "pk")
    others = tasks.order_by(running, "-since", "name", "pk")
    logs = [Log.of(row) for row in containers[:most]] + logs_of_tasks(list(others[:most]))
    known: dict[tuple[str, str], Log] = {}
    for log in sorted(logs, key=lambda log: log.state != "running"):
        known.setdefault(log.key, log)
    return list(known.values()), rows.count() + tasks.count() - (len(logs) - len(known))
