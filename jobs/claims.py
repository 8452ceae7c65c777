"""Which queued job runs next: so many at once on a host, one at a time on an object, and each person in turn."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Quota
from common.events import changed
from jobs.kinds import seconds_of
from jobs.models import Job, JobState

LOOKED_AT, LOOKS = 500, 20  # queued jobs at a time: what comes after all of them waits until they move
SHORT_AT_ONCE_ON_A_HOST = 8  # so that a host which hangs does not keep the lane from the others
SHORT_OF_ONE = 6  # of those, of one account, and of one team: so that their slow stops leave the others a way
POSTGRESQL_LOCK = 0x4465726D  # one claim at a time; SQLite has one writer anyway


class Running:
    """What runs now, and what it keeps others from."""

    def __init__(self) -> None:
        self.of_host: Counter[tuple[str, bool]] = Counter()
        self.of_person: Counter[Any] = Counter()
        self.of_team: Counter[tuple[int | None, str]] = Counter()  # long jobs; host "": of all hosts together
        self.short_of: Counter[tuple[str, str, Any]] = Counter()  # host, column, key of an account or a team
        self.locks: dict[str, int] = {}
        for pk, host, person, locks, short, team in Job.objects.filter(state=JobState.RUNNING).values_list(
            "pk", "host", "by_id", "locks", "short", "team"
        ):
            if short:
                self.short_of.update({(host, "by_id", person): 1, (host, "team_id", team): int(team is not None)})
            else:
                self.of_team[team, ""] += 1
                self.of_team[team, host] += bool(host)
            self.of_host[host, short] += 1
            self.of_person[person] += 1
            self.locks |= dict.fromkeys(locks, pk)

    @cached_property
    def most_of_team(self) -> dict[tuple[int, str], int]:
        """How many long jobs of a team may run at once on a host; "": on all of them together."""
        rows = Quota.objects.exclude(jobs=None).values_list("team", "host__name", "jobs")
        return {(team, host or ""): most for team, host, most in rows if most is not None}

    def holds(self, job: Job) -> str:
        """Why `job` has to wait, in words; "" when nothing keeps it."""
        if other := next((self.locks[name] for name in job.locks if name in self.locks), None):
            return _("Waits for job %(id)s, which works on the same object.") % {"id": other}
        at_once = SHORT_AT_ONCE_ON_A_HOST if job.short else settings.JOBS_AT_ONCE_ON_A_HOST
        if job.host and self.of_host[job.host, job.short] >= at_once:
            return _("Waits its turn: as many jobs as may at once run on %(host)s (%(n)s).") % {
                "n": self.of_host[job.host, job.short],
                "host": job.host,
            }
        if (
            job.host
            and job.short
            and any(self.has_its_part(job.host, c, getattr(job, c)) for c in ("by_id", "team_id"))
        ):
            return _(
                "Waits its turn: %(n)s acts of the same account or team run on %(host)s, and leave others room."
            ) % {
                "n": SHORT_OF_ONE,
                "host": job.host,
            }
        for host in ("", job.host) if job.team_id is not None and not job.short else ():
            most = self.most_of_team.get((job.team_id or 0, host))
            if most is not None and self.of_team[job.team_id, host] >= most:
                return _("Waits its turn: the quota of the team %(team)s lets %(n)s jobs run at once.") % {
                    "team": job.team.name if job.team else "",
                    "n": most,
                }
        return ""

    def has_its_part(self, host: str, column: str, key: Any) -> bool:
        """Whether as many short acts of this account ("by_id") or team ("team_id") run on the host as may."""
        return self.short_of[host, column, key] >= SHORT_OF_ONE

    def keeps(self, *, short: bool) -> Q:
        """What is in the queue of hosts and teams of which none may begin now: the look at the queue leaves it out, so
        that however much it is, it keeps nobody else from that look."""
        at_once = SHORT_AT_ONCE_ON_A_HOST if short else settings.JOBS_AT_ONCE_ON_A_HOST
        full = [host for (host, is_short), n in self.of_host.items() if host and is_short == short and n >= at_once]
        found = Q(host__in=full)
        for host, column, key in list(self.short_of) if short else ():
            if host and self.has_its_part(host, column, key):
                found |= Q(host=host, **{column: key})
        for (team, host), most in () if short else self.most_of_team.items():
            if self.of_team[team, host] >= most:
                found |= Q(team=team, host=host) if host else Q(team=team)
        return found

    def ordered(self, queued: Iterable[Job]) -> list[Job]:
        """Who has the least running comes first, then who asked first."""
        return sorted(queued, key=lambda job: (self.of_person[job.by_id], job.pk))


def claim(worker: str, only: int | None = None, *, short: bool = False) -> Job | None:
    """Takes the next job that may run (`only`: this one; `short`: of the lane of short acts) for a worker; None when
    there is none."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [POSTGRESQL_LOCK])
        running, queued = Running(), _queued()
        if only is not None:
            rows = queued.filter(pk=only)
        else:
            rows = queued.filter(short=short).exclude(running.keeps(short=short))
        for job in _looked_through(running, rows):
            if running.holds(job):
                continue
            now = timezone.now()
            values = {
                "state": JobState.RUNNING,
                "started": now,
                "heartbeat": now,
                "deadline": now + timedelta(seconds=seconds_of(job.kind)),
                "worker": worker,
            }
            if not Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(**values):
                continue
            job.refresh_from_db()
            changed("job", job.host, str(job.pk))
            return job
    return None


def _looked_through(running: Running, rows: Any) -> Iterator[Job]:
    """So many at a time, each lot in its order: those that wait for one object keep nobody from the ones behind them."""
    for start in range(0, LOOKS * LOOKED_AT, LOOKED_AT):
        lot = list(rows[start : start + LOOKED_AT])
        yield from running.ordered(lot)
        if len(lot) < LOOKED_AT:
            return


def why_waiting(jobs: Iterable[Job]) -> dict[int, str]:
    """For each queued job of `jobs` why it does not run yet, in words."""
    waiting = [job for job in jobs if job.state == JobState.QUEUED]
    if not waiting:
        return {}
    running = Running()
    rows = _queued().only("host", "by_id", "locks", "short", "team")[:LOOKED_AT]
    free = [job for job in running.ordered(rows) if not running.holds(job)]
    lanes = {short: [job.pk for job in free if job.short == short] for short in (False, True)}
    return {job.pk: running.holds(job) or _place(lanes[job.short], job.pk) for job in waiting}


def _place(free: list[int], pk: int) -> str:
    before = free.index(pk) if pk in free else len(free)
    if not before:
        return _("Next: waits for a worker.")
    return _("Waits for a worker; before it in the queue: %(n)s.") % {"n": before}


def tell_waiting(host: str) -> None:
    """Lets pages of jobs that wait look again: one of them may have got nearer."""
    for other_host, pk in _queued().values_list("host", "pk")[:50]:
        if other_host in {host, ""} or not host:
            changed("job", other_host, str(pk))


def _queued() -> Any:
    return Job.objects.filter(state=JobState.QUEUED).order_by("pk")
