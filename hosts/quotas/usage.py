"""What a team has: of the tables, of what is being made for it, and of what it pulled."""

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Substr
from django.utils import timezone

from accounts.models import Quota
from accounts.models.quotas import BOUNDS
from hosts.engine.volume_helpers import NAME as HELPERS
from hosts.models import Container, Host, Pull, Reservation, Service, Volume
from hosts.quotas.amounts import NAMES, WORDS, Amount, bound, of_row
from hosts.quotas.tasks import apart_from_tasks, counted, of_services, running_tasks, services_of
from jobs.models import Job

# all that is counted and shown: a host has long columns, and secrets that would be decrypted for each row
COLUMNS = (
    *("name", "engine_id", "nano_cpus", "memory_limit", "pids_limit", "ports_published"),
    *("host__name", "host__cpus", "host__memory"),
)
A_DAY = timedelta(hours=24)


def containers_of(team: int, host: Host | None = None) -> QuerySet[Container]:
    """Those that count; of all hosts without `host`. The containers of its services' tasks count with these."""
    rows = _containers_of(team, host)
    return apart_from_tasks(rows) if Service.objects.filter(owner=team).exists() else rows


def _containers_of(team: int, host: Host | None) -> QuerySet[Container]:
    # SQLite's startswith takes large letters for small ones
    beginning = Substr("name", 1, len(HELPERS))
    rows = Container.objects.filter(owner=team).annotate(beginning=beginning).exclude(beginning=HELPERS)
    rows = rows.select_related("host").only(*COLUMNS)
    return rows.filter(host=host) if host else rows


def volumes_of(team: int, host: Host | None = None) -> QuerySet[Volume]:
    """Its own, without those that are shared with it."""
    rows = Volume.objects.filter(owner=team)
    return rows.filter(host=host) if host else rows


def used(team: int, host: Host | None = None, *, without: str = "") -> Amount:
    """What it has there, with what is being made; `without` the container or service of this id."""
    services = counted(services_of(team, host), host)
    all_rows = _containers_of(team, host)
    rows = {row.engine_id: row for row in (apart_from_tasks(all_rows) if services else all_rows)}
    rows.pop(without, None)
    amounts = {key: of_row(row) for key, row in rows.items()}
    volumes = volumes_of(team, host)
    found = Amount(volumes=volumes.count(), volume_bytes=volumes.aggregate(n=Sum("size"))["n"] or 0)
    held = _held(team, host, without)
    for reservation in held:
        if reservation.swarm_id:
            continue
        more, row = Amount.of(reservation.amount), rows.get(reservation.key)
        if row is None:
            found += more
        else:  # it is being changed, or its limits are not read yet
            amounts[row.engine_id] = more if row.nano_cpus is None else amounts[row.engine_id].most(more)
    for amount in amounts.values():
        found += amount
    if services or any(reservation.swarm_id for reservation in held):
        running = running_tasks(all_rows) if services else ()
        found += of_services(services, running, held, host, without)
    return found


def _held(team: int, host: Host | None, without: str) -> list[Reservation]:
    held = Reservation.objects.filter(team=team, until__gt=timezone.now())
    held = held.exclude(key=without) if without else held
    return list(held.filter(Q(host=host) | Q(swarm__members__host=host)) if host else held)


def pulls_of(team: int, host: Host | None = None) -> QuerySet[Pull]:
    """Those of the last 24 hours."""
    rows = Pull.objects.filter(team=team, time__gt=timezone.now() - A_DAY)
    return rows.filter(host=host) if host else rows


def jobs_of(team: int, host: Host | None = None) -> QuerySet[Job]:
    """Those that run or wait."""
    rows = Job.objects.open().filter(team=team, short=False)
    return rows.filter(host=host.name) if host else rows


@dataclass(frozen=True)
class Line:
    """One bound of a quota: how much of it is used. In the units of an Amount, pulls and jobs by number."""

    name: str
    most: int
    used: int

    @property
    def label(self) -> Any:
        """What it is about."""
        return WORDS[self.name].label

    @property
    def left(self) -> int:
        """What may still be had."""
        return max(0, self.most - self.used)

    @property
    def percent(self) -> int:
        """Of the bound, up to 100."""
        return min(100, round(100 * self.used / self.most)) if self.most else 100

    @property
    def words(self) -> dict[str, str]:
        """Its numbers for people."""
        show = WORDS[self.name].show
        return {"most": show(self.most), "used": show(self.used), "left": show(self.left)}


def lines(quota: Quota) -> list[Line]:
    """All bounds of a quota."""
    amount = used(quota.team_id, quota.host)
    has = {name: getattr(amount, name) for name in NAMES}
    has["pulls"] = pulls_of(quota.team_id, quota.host).count()
    has["jobs"] = jobs_of(quota.team_id, quota.host).count()
    most = {name: bound(quota, name) for name in BOUNDS}
    return [Line(name, n, has[name]) for name, n in most.items() if n is not None]


def by_whom(rows: QuerySet[Any]) -> list[tuple[str, int]]:
    """Who pulled, or started jobs, and how many: the most first."""
    return Counter(rows.values_list("by_name", flat=True)).most_common()
