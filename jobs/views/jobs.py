"""Jobs: list, page, cancel, again."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.downloads import attachment
from common.htmx import template_for
from jobs import queue
from jobs.claims import why_waiting
from jobs.filters import COLUMNS, JOBS
from jobs.kinds import NOT_REPEATABLE, may_repeat, names, why_once
from jobs.links import add_links
from jobs.log_text import log_text
from jobs.models import Job

LINES_SHOWN = 5000


@guard(Right.JOBS_VIEW, live=True)
@require_GET
def job_list(request: HttpRequest) -> HttpResponseBase:
    """Newest first."""
    rows = Job.objects.visible_to(request.user).listed()
    if menu := JOBS.menu(request, rows):
        return menu
    if file := JOBS.file(request, rows, COLUMNS, "jobs"):
        return file
    context = JOBS.context(request, rows)
    add_links(request.user, context["page"].items)
    waiting = why_waiting(context["page"].items)
    for job in context["page"].items:
        job.waits = waiting.get(job.pk, "")
    return render(request, template_for(request, "jobs/page.html", "jobs/_rows.html"), context)


@guard(Right.JOBS_VIEW, live=True)
@require_GET
def job_page(request: HttpRequest, job_id: int) -> HttpResponse:
    """One job, live; as many may look as like to."""
    job = queue.get_job(request.user, job_id)
    add_links(request.user, [job])
    known = job.kind in names()  # an older version's may not be
    repeatable, why = may_repeat(job), why_once(job.kind, job.params, job.sealed) if known else NOT_REPEATABLE
    context = {
        "job": job,
        "lines": job.lines.all()[:LINES_SHOWN],
        "waits": why_waiting([job]).get(job.pk, ""),
        "repeatable": repeatable,
        "by_clock": not why,
        "once": gettext(why) if repeatable and why else "",
    }
    return render(request, template_for(request, "jobs/job.html", "jobs/_job.html"), context)


@guard(Right.JOBS_VIEW)
@require_GET
def job_log(request: HttpRequest, job_id: int) -> HttpResponse:
    """The whole log as a text file: a time and a line each."""
    job = queue.get_job(request.user, job_id)
    answer = HttpResponse(log_text(job), content_type="text/plain; charset=utf-8")
    answer["Content-Disposition"] = attachment(f"job-{job.pk}.log")
    return answer


@guard(Right.JOBS_MANAGE)
@require_POST
def job_cancel(request: HttpRequest, job_id: int) -> HttpResponse:
    """Asks it to stop."""
    job = queue.get_job(request.user, job_id)
    if job.is_open:
        queue.cancel(request.user, job)
    return redirect("job_page", job_id)


@guard(Right.JOBS_MANAGE)
@require_POST
def job_again(request: HttpRequest, job_id: int) -> HttpResponse:
    """Starts it once more."""
    return redirect("job_page", queue.again(request.user, queue.get_job(request.user, job_id)).pk)
