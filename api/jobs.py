"""Jobs over REST."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Router

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from jobs import queue
from jobs.claims import why_waiting
from jobs.filters import JOBS
from jobs.log_text import log_text
from jobs.models import Job

router = Router(tags=["jobs"])


def show(job: Job, waits: str = "") -> dict[str, Any]:
    """A job as JSON; `waits` says why a queued one does not run yet."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "host": job.host,
        "target": job.target,
        "state": job.state,
        "progress": job.progress,
        "message": job.message,
        "waits": waits,
        "left": job.left,
        "parts": job.parts,
        "result": job.outcome,
        "error": job.error,
        "created": job.created,
        "started": job.started,
        "ended": job.ended,
        "by": job.by_name,
    }


@router.get("", response=Many)
@needs(Right.JOBS_VIEW)
def job_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All jobs, newest first; the same filters as the page: search, state, host, by."""
    rows, _ = JOBS.ordered(JOBS.narrow(Job.objects.visible_to(request.user).listed(), request.GET), sort)
    return many(rows, limit, offset, show)


@router.get("/{job_id}", response=dict)
@needs(Right.JOBS_VIEW)
def job_get(request: HttpRequest, job_id: int) -> Any:
    """One job."""
    job = queue.get_job(request.user, job_id)
    return show(job, why_waiting([job]).get(job.pk, ""))


@router.get("/{job_id}/log", response={200: None})
@needs(Right.JOBS_VIEW)
def job_log(request: HttpRequest, job_id: int) -> Any:
    """Its whole log as text: a time and a line each."""
    return HttpResponse(log_text(queue.get_job(request.user, job_id)), content_type="text/plain; charset=utf-8")


@router.post("/{job_id}/cancel", response={202: dict})
@needs(Right.JOBS_MANAGE)
def job_cancel(request: HttpRequest, job_id: int) -> Any:
    """Asks it to stop."""
    return 202, show(queue.cancel(request.user, queue.get_job(request.user, job_id)))


@router.post("/{job_id}/again", response={202: dict})
@needs(Right.JOBS_MANAGE)
def job_again(request: HttpRequest, job_id: int) -> Any:
    """Starts a job that has ended once more, as a new job."""
    return 202, {"job": queue.again(request.user, queue.get_job(request.user, job_id)).pk}
