"""Celery's doors: a name and a call."""

from celery import shared_task

from jobs import queue
from jobs.run import run_job


@shared_task(name="jobs.run")
def run(job_id: int) -> None:
    """Runs one job."""
    run_job(job_id)


@shared_task(name="jobs.recover", expires=30)
def recover() -> None:
    """Every few seconds: nothing stays "running" whose worker is dead."""
    queue.recover()


@shared_task(name="jobs.forget_old", expires=600)
def forget_old() -> None:
    """Jobs are kept for JOBS_KEPT_DAYS."""
    queue.forget_old()
