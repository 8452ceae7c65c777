"""Celery's doors: a name and a call."""

from celery import shared_task
from django.utils import timezone

from common import uploads
from jobs import queue, schedules
from jobs.places import places


@shared_task(name="jobs.run")
def run(job_id: int) -> None:
    """A message is a wake-up: the worker runs what is next, which need not be this job, until nothing may run."""
    places.work()


@shared_task(name="jobs.recover", expires=30)
def recover() -> None:
    """Every few seconds: nothing stays "running" whose worker is dead."""
    queue.recover()


@shared_task(name="jobs.forget_old", expires=600)
def forget_old() -> None:
    """Jobs are kept for JOBS_KEPT_DAYS."""
    queue.forget_old()


@shared_task(name="jobs.forget_old_uploads", expires=600)
def forget_old_uploads() -> None:
    """Files that were sent for jobs are kept for UPLOADS_KEPT_HOURS."""
    uploads.forget_old()


@shared_task(name="jobs.run_schedules", expires=10)
def run_schedules() -> None:
    """Every ten seconds: starts what is due by the clock."""
    schedules.run_due(timezone.now())
