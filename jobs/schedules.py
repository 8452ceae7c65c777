"""Making, changing and running schedules."""

from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference, told
from accounts.origin import came_from
from accounts.rights import Right, allows_at
from common.errors import Conflict, Denied, DermagaError, Invalid, NotFound
from common.events import changed
from jobs import queue
from jobs.cron import next_time, times
from jobs.kinds import get_kind, rule_of
from jobs.models import Job, RunOutcome, Schedule, ScheduleRun

NAME_AT_MOST = 100
LATE_AFTER = timedelta(minutes=5)  # a time that nobody took for so long was missed
MISSED_AT_MOST = 10_000  # times that are counted after a long pause
RUNS_KEPT = 500  # of a schedule
TOLD = ("name", "cron", "timezone", "catch_up", "enabled")

log = structlog.get_logger("dermaga.schedules")


def get_schedule(actor: Any, pk: int) -> Schedule:
    """The schedule, if the actor may see it."""
    schedule = Schedule.objects.visible_to(actor).filter(pk=pk).first()
    if schedule is None:
        raise NotFound
    return schedule


def add(actor: Any, job: Job, *, name: str, cron: str, timezone: str, catch_up: bool = False) -> Schedule:
    """Schedules what `job` does, as `actor`. Raises Denied without the right to start such a job."""
    if not _may(actor, job):
        raise Denied
    rule = rule_of(job)
    schedule = Schedule(
        kind=rule.kind,
        host=job.host,
        to=job.to,
        team=job.team,
        target=rule.target,
        params=rule.params,
        sealed=job.sealed,
        locks=rule.locks,
        by=actor,
        by_name=actor.username,
    )
    return _store(actor, schedule, "schedule.add", name=name, cron=cron, timezone=timezone, catch_up=catch_up)


def change(actor: Any, schedule: Schedule, *, name: str, cron: str, timezone: str, catch_up: bool) -> Schedule:
    """Changes its name and times. It goes on as the account that made it."""
    _demand(actor, schedule)
    return _store(actor, schedule, "schedule.change", name=name, cron=cron, timezone=timezone, catch_up=catch_up)


def set_enabled(actor: Any, schedule: Schedule, enabled: bool) -> None:
    """Lets it run, or not. What falls into the pause is not missed."""
    _demand(actor, schedule)
    with transaction.atomic():
        was = _stored_now(schedule)
        schedule.enabled = enabled
        schedule.next_run = next_time(schedule.cron, schedule.timezone, timezone.now()) if enabled else None
        schedule.save(update_fields=["enabled", "next_run"])
        _said(actor, "schedule.enable" if enabled else "schedule.disable", schedule, was)


def remove(actor: Any, schedule: Schedule) -> None:
    """Deletes it with its history; jobs that it started stay."""
    _demand(actor, schedule)
    with transaction.atomic():
        _said(actor, "schedule.remove", schedule, told(schedule, *TOLD), {})
        schedule.delete()


def run_now(actor: Any, schedule: Schedule) -> Job:
    """Starts its job once, now, as `actor`."""
    _demand(actor, schedule)
    return _start(actor, schedule)


def run_due(now: datetime) -> int:
    """Starts what is due and says what was missed; harmless when several processes do so at once."""
    due = Schedule.objects.filter(enabled=True, next_run__lte=now).select_related("by")
    return sum(_run(schedule, now) for schedule in list(due[:200]))


def _run(schedule: Schedule, now: datetime) -> bool:
    planned = schedule.next_run
    assert planned is not None
    latest, more = _latest(schedule, planned, now)
    with transaction.atomic():
        following = next_time(schedule.cron, schedule.timezone, now)
        taken = Schedule.objects.filter(pk=schedule.pk, enabled=True, next_run=planned).update(next_run=following)
        if not taken:
            return False  # another process was first, or it has just been changed
        run = ScheduleRun(schedule=schedule, planned=latest, more=more)
        late = now - latest > LATE_AFTER
        if late and not schedule.catch_up:
            run.outcome, run.reason = RunOutcome.MISSED, gettext_noop("Dermaga did not run at that time.")
        else:
            _try(schedule, run, late)
        run.save()
        old = schedule.runs.values_list("pk", flat=True)[RUNS_KEPT:]
        ScheduleRun.objects.filter(pk__in=list(old)).delete()
        changed("schedule", "", str(schedule.pk))
    return True


def _latest(schedule: Schedule, planned: datetime, now: datetime) -> tuple[datetime, int]:
    """The last time up to `now`, and how many were before it."""
    latest, more = planned, 0
    for time in islice(times(schedule.cron, schedule.timezone, planned), MISSED_AT_MOST):
        if time > now:
            break
        latest, more = time, more + 1
    return latest, more


def _try(schedule: Schedule, run: ScheduleRun, late: bool) -> None:
    newest = Job.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    try:
        run.job = _start(schedule.by, schedule)
    except DermagaError as error:
        run.outcome, run.reason = RunOutcome.REFUSED, str(error)[:500]
        log.warning("schedule refused", schedule=schedule.pk, reason=error.code)
        return
    joined = run.job.pk <= newest
    run.outcome = RunOutcome.JOINED if joined else RunOutcome.LATE if late else RunOutcome.STARTED


def _start(actor: Any, schedule: Schedule) -> Job:
    if actor is None:
        raise Conflict(gettext_noop("The account that made this schedule is gone. Make it anew with another one."))
    with came_from(f"schedule {schedule.name}"):
        return queue.start(
            actor,
            schedule.kind,
            host=schedule.host,
            to=schedule.to,
            team=schedule.team_id,
            target=schedule.target,
            params=schedule.params,
            sealed=schedule.sealed,
            locks=schedule.locks,
            schedule=schedule,
        )


def _store(
    actor: Any, schedule: Schedule, action: str, *, name: str, cron: str, timezone: str, catch_up: bool
) -> Schedule:
    name = name.strip()
    if not name or len(name) > NAME_AT_MOST:
        raise Invalid("name", gettext_noop("Give it a name of at most %(n)s characters."), {"n": NAME_AT_MOST})
    if not name.isprintable():  # no database takes a NUL
        raise Invalid("name", gettext_noop("A name is one line, without control characters."))
    schedule.name, schedule.cron, schedule.timezone = name, " ".join(cron.split()), timezone.strip()
    schedule.catch_up = catch_up
    following = next_time(schedule.cron, schedule.timezone, _now())
    if following is None:
        raise Invalid("cron", gettext_noop("There is no such time: this expression never comes true."))
    schedule.next_run = following if schedule.enabled else None
    try:
        with transaction.atomic():
            was = _stored_now(schedule)
            schedule.save()
            _said(actor, action, schedule, was)
    except IntegrityError as error:
        raise Invalid("name", gettext_noop("There is a schedule of this name already. Choose another.")) from error
    return schedule


def _now() -> datetime:
    return timezone.now()


def _demand(actor: Any, schedule: Schedule) -> None:
    if not _may(actor, schedule):
        raise Denied


def _may(actor: Any, work: Job | Schedule) -> bool:
    rights = (Right.JOBS_MANAGE, get_kind(work.kind).right)
    return all(allows_at(actor, right, work.host, work.to, team=work.team_id) for right in rights)


def _stored_now(schedule: Schedule) -> dict[str, Any]:
    old = Schedule.objects.filter(pk=schedule.pk).first()
    return told(old, *TOLD) if old else {}


def _said(actor: Any, action: str, schedule: Schedule, was: dict[str, Any], now: dict[str, Any] | None = None) -> None:
    detail = {"schedule": schedule.pk, "kind": schedule.kind}
    detail |= difference(was, told(schedule, *TOLD) if now is None else now)
    record(actor, action, schedule.name, host=schedule.host, detail=detail)
    changed("schedule", "", str(schedule.pk))
