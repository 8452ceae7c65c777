"""Schedules: list, page, form, and what can be done to one."""

from datetime import datetime
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import template_for
from jobs import queue, schedules
from jobs.cron import times
from jobs.filters import SCHEDULE_COLUMNS, SCHEDULES
from jobs.forms import ScheduleForm
from jobs.kinds import rule_of
from jobs.links import add_links
from jobs.models import Job, Schedule, ScheduleRun

RUNS_SHOWN = 100
TIMES_SHOWN = 5


@guard(Right.JOBS_VIEW, live=True)
@require_GET
def schedule_list(request: HttpRequest) -> HttpResponseBase:
    """By name."""
    rows = Schedule.objects.visible_to(request.user)
    if menu := SCHEDULES.menu(request, rows):
        return menu
    if file := SCHEDULES.file(request, rows, SCHEDULE_COLUMNS, "schedules"):
        return file
    context = SCHEDULES.context(request, rows)
    _add_last(context["page"].items)
    add_links(request.user, context["page"].items)
    return render(request, template_for(request, "schedules/page.html", "schedules/_rows.html"), context)


def _add_last(found: list[Any]) -> None:
    """Puts its newest run, as `last`, on each schedule."""
    newest = ScheduleRun.objects.filter(schedule__in=found).order_by().values("schedule").annotate(newest=Max("pk"))
    runs = ScheduleRun.objects.in_bulk([row["newest"] for row in newest])
    last = {run.schedule_id: run for run in runs.values()}
    for schedule in found:
        schedule.last = last.get(schedule.pk)


@guard(Right.JOBS_VIEW, live=True)
@require_GET
def schedule_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What it starts, when, and what became of each time."""
    schedule = schedules.get_schedule(request.user, pk)
    add_links(request.user, [schedule])
    context = {
        "schedule": schedule,
        "runs": schedule.runs.select_related("job")[:RUNS_SHOWN],
        "coming": _coming(schedule.cron, schedule.timezone) if schedule.enabled else [],
    }
    return render(request, template_for(request, "schedules/schedule.html", "schedules/_schedule.html"), context)


@guard(Right.JOBS_MANAGE)
@require_http_methods(["GET", "POST"])
def schedule_add(request: HttpRequest, job_id: int) -> HttpResponse:
    """Puts what a job did on a schedule."""
    job = queue.get_job(request.user, job_id)
    job.target = rule_of(job).target
    form = ScheduleForm(request.POST or None, initial={"name": f"{job.title} {job.target}"[: schedules.NAME_AT_MOST]})
    return _form(request, form, job=job)


@guard(Right.JOBS_MANAGE)
@require_http_methods(["GET", "POST"])
def schedule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Its name and times."""
    schedule = schedules.get_schedule(request.user, pk)
    return _form(request, ScheduleForm(request.POST or None, schedule=schedule), schedule=schedule)


def _form(
    request: HttpRequest, form: ScheduleForm, *, job: Job | None = None, schedule: Schedule | None = None
) -> HttpResponse:
    if request.method == "POST" and form.is_valid():
        try:
            stored = _store(request, form.cleaned_data, job, schedule)
            messages.success(request, _("Stored %(name)s.") % {"name": stored.name})
            return redirect("schedule_page", stored.pk)
        except Invalid as error:
            form.refuse(error)
    of = schedule or job
    add_links(request.user, [of])
    context = {"form": form, "job": job, "schedule": schedule, "of": of}
    context |= _preview(form["cron"].value() or "", form["timezone"].value() or "")
    return render(request, "schedules/form.html", context, status=422 if form.errors else 200)


def _store(request: HttpRequest, values: dict[str, Any], job: Job | None, schedule: Schedule | None) -> Schedule:
    if schedule is not None:
        return schedules.change(request.user, schedule, **values)
    assert job is not None
    return schedules.add(request.user, job, **values)


@guard(Right.JOBS_MANAGE)
@require_GET
def schedule_times(request: HttpRequest) -> HttpResponse:
    """The next times of what is being typed, or what is wrong with it."""
    context = _preview(request.GET.get("cron", "")[:100], request.GET.get("timezone", "")[:100])
    return render(request, "schedules/_times.html", context)


def _preview(cron: str, zone: str) -> dict[str, Any]:
    try:
        return {"coming": _coming(cron, zone), "wrong": ""}
    except Invalid as error:
        return {"coming": [], "wrong": str(error)}


def _coming(cron: str, zone: str) -> list[datetime]:
    """The next times, as clocks of that zone show them."""
    found = islice(times(cron, zone, timezone.now()), TIMES_SHOWN)
    return [time.astimezone(ZoneInfo(zone)) for time in found]


@guard(Right.JOBS_MANAGE)
@require_POST
def schedule_enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets it run again."""
    schedules.set_enabled(request.user, schedules.get_schedule(request.user, pk), True)
    return redirect("schedule_page", pk)


@guard(Right.JOBS_MANAGE)
@require_POST
def schedule_disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Lets it rest."""
    schedules.set_enabled(request.user, schedules.get_schedule(request.user, pk), False)
    return redirect("schedule_page", pk)


@guard(Right.JOBS_MANAGE)
@require_POST
def schedule_run(request: HttpRequest, pk: int) -> HttpResponse:
    """Starts its job now."""
    try:
        return redirect("job_page", schedules.run_now(request.user, schedules.get_schedule(request.user, pk)).pk)
    except DermagaError as error:
        messages.error(request, str(error))
        return redirect("schedule_page", pk)


@guard(Right.JOBS_MANAGE)
@require_POST
def schedule_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Deletes it."""
    schedule = schedules.get_schedule(request.user, pk)
    schedules.remove(request.user, schedule)
    messages.success(request, _("Removed the schedule %(name)s.") % {"name": schedule.name})
    return redirect("schedule_list")
