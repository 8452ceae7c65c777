"""Jobs over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from jobs import queue
from jobs.filters import JOBS
from jobs.models import Job

router = Router(tags=["jobs"])


def show(job: Job) -> dict[str, Any]:
    """A job as JSON."""
    return {
        "id": job.pk,
        "kind": job.kind,
        "host": job.host,
        "target": job.target,
        "state": job.state,
        "progress": job.progress,
        "message": job.message,
        "parts": job.parts,
        "result": job.result,
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
    rows, _ = JOBS.ordered(JOBS.narrow(Job.objects.visible_to(request.user), request.GET), sort)
    return many(rows, limit, offset, show)


@router.get("/{job_id}", response=dict)
@needs(Right.JOBS_VIEW)
def job_get(request: HttpRequest, job_id: int) -> Any:
    """One job."""
    return show(queue.get_job(request.user, job_id))


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
