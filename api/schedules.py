"""Schedules over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from jobs import queue, schedules
from jobs.filters import SCHEDULES
from jobs.models import Schedule, ScheduleRun

router = Router(tags=["schedules"])


class NewSchedule(Schema):
    """`job`: the id of the job whose work is repeated. `cron`: minute, hour, day, month and weekday."""

    job: int
    name: str
    cron: str
    timezone: str = "UTC"
    catch_up: bool = False


class ScheduleChange(Schema):
    """What is left out stays."""

    name: str | None = None
    cron: str | None = None
    timezone: str | None = None
    catch_up: bool | None = None
    enabled: bool | None = None


def show(schedule: Schedule) -> dict[str, Any]:
    """A schedule as JSON."""
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "kind": schedule.kind,
        "host": schedule.host,
        "target": schedule.target,
        "cron": schedule.cron,
        "timezone": schedule.timezone,
        "catch_up": schedule.catch_up,
        "enabled": schedule.enabled,
        "next": schedule.next_run,
        "by": schedule.by_name,
    }


def show_run(run: ScheduleRun) -> dict[str, Any]:
    """One time of a schedule as JSON; `more` times before it were missed as well."""
    return {
        "planned": run.planned,
        "time": run.time,
        "outcome": run.outcome,
        "reason": run.reason,
        "more": run.more,
        "job": run.job_id,
    }


@router.get("", response=Many)
@needs(Right.JOBS_VIEW)
def schedule_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All schedules; the same filters as the page: search, host, by."""
    rows, _ = SCHEDULES.ordered(SCHEDULES.narrow(Schedule.objects.visible_to(request.user), request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("", response={201: dict})
@needs(Right.JOBS_MANAGE)
def schedule_add(request: HttpRequest, body: NewSchedule) -> Any:
    """Puts what a job did on a schedule."""
    values = body.dict()
    return 201, show(schedules.add(request.user, queue.get_job(request.user, values.pop("job")), **values))


@router.get("/{schedule_id}", response=dict)
@needs(Right.JOBS_VIEW)
def schedule_get(request: HttpRequest, schedule_id: int) -> Any:
    """One schedule."""
    return show(schedules.get_schedule(request.user, schedule_id))


@router.patch("/{schedule_id}", response=dict)
@needs(Right.JOBS_MANAGE)
def schedule_change(request: HttpRequest, schedule_id: int, body: ScheduleChange) -> Any:
    """Changes its name or times, enables or disables it."""
    schedule = schedules.get_schedule(request.user, schedule_id)
    changes = body.dict(exclude_none=True)
    enabled = changes.pop("enabled", None)
    if changes:
        kept = {name: getattr(schedule, name) for name in ("name", "cron", "timezone", "catch_up")}
        schedules.change(request.user, schedule, **(kept | changes))
    if enabled is not None:
        schedules.set_enabled(request.user, schedule, enabled)
    return show(schedule)


@router.delete("/{schedule_id}", response={204: None})
@needs(Right.JOBS_MANAGE)
def schedule_remove(request: HttpRequest, schedule_id: int) -> Any:
    """Deletes it; jobs that it started stay."""
    schedules.remove(request.user, schedules.get_schedule(request.user, schedule_id))
    return 204, None


@router.get("/{schedule_id}/runs", response=Many)
@needs(Right.JOBS_VIEW)
def schedule_runs(request: HttpRequest, schedule_id: int, limit: int = Limit, offset: int = Offset) -> Any:
    """What became of each time, newest first."""
    return many(schedules.get_schedule(request.user, schedule_id).runs.all(), limit, offset, show_run)


@router.post("/{schedule_id}/run", response={202: dict})
@needs(Right.JOBS_MANAGE)
def schedule_run(request: HttpRequest, schedule_id: int) -> Any:
    """Starts its job now."""
    return 202, {"job": schedules.run_now(request.user, schedules.get_schedule(request.user, schedule_id)).pk}
