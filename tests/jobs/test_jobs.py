"""Jobs: rows that tell the truth, whatever happens to the worker."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.rights import Right
from common.errors import Conflict
from jobs import kinds, queue
from jobs.models import Job, JobState
from jobs.run import JobContext, run_job
from tests.rows import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]


@pytest.fixture
def job_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[JobContext], Any]], Job]:
    """A queued job that runs a function."""

    def make(run: Callable[[JobContext], Any]) -> Job:
        monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", "Test", Right.IMAGES_MANAGE, run))
        monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
        return queue.start(person("otto", "operator"), "test", params={})

    return make


def test_it_ends_as_done_with_its_result(job_of: Any) -> None:
    job = job_of(lambda context: {"answer": 42})
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result, job.percent) == (JobState.DONE, {"answer": 42}, 100)


def test_it_ends_as_failed_with_the_reason(job_of: Any) -> None:
    def fail(context: JobContext) -> None:
        raise Conflict("The quay is full.")

    job = job_of(fail)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, "The quay is full.")


def test_it_runs_once_however_often_it_is_handed_over(job_of: Any) -> None:
    runs: list[int] = []
    job = job_of(lambda context: runs.append(1) or {})
    run_job(job.pk)
    run_job(job.pk)
    assert runs == [1]


def test_a_queued_job_is_cancelled_at_once_and_never_runs(job_of: Any) -> None:
    runs: list[int] = []
    job = job_of(lambda context: runs.append(1) or {})
    queue.cancel(job.by, job)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, runs) == (JobState.CANCELLED, [])


def test_a_dead_worker_s_job_is_marked_interrupted_and_can_start_again(job_of: Any) -> None:
    job = job_of(lambda context: {})
    long_ago = timezone.now() - timedelta(minutes=1)
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, heartbeat=long_ago, worker="dead:1")
    queue.recover()
    job.refresh_from_db()
    assert job.state == JobState.INTERRUPTED
    again = queue.again(job.by, job)
    run_job(again.pk)
    again.refresh_from_db()
    assert (again.state, again.again_of_id) == (JobState.DONE, job.pk)


def test_a_living_worker_s_job_is_left_alone(job_of: Any) -> None:
    job = job_of(lambda context: {})
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, heartbeat=timezone.now(), worker="alive:1")
    queue.recover()
    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_a_viewer_sees_a_job_and_cannot_cancel_it(job_of: Any, client: Client) -> None:
    job = job_of(lambda context: {})
    client.force_login(person("vera", "viewer"))
    assert client.get(f"/jobs/{job.pk}/").status_code == 200
    assert client.post(f"/jobs/{job.pk}/cancel/").status_code == 403
    assert client.get("/jobs/999999/").status_code == 404


def test_it_is_started_again_over_the_api(job_of: Any, client: Client) -> None:
    job = job_of(lambda context: {})
    client.force_login(job.by)
    assert client.post(f"/api/v1/jobs/{job.pk}/again").status_code == 409
    run_job(job.pk)
    answer = client.post(f"/api/v1/jobs/{job.pk}/again")
    assert answer.status_code == 202
    assert Job.objects.get(pk=answer.json()["job"]).again_of_id == job.pk
    client.force_login(person("vera", "viewer"))
    assert client.post(f"/api/v1/jobs/{job.pk}/again").status_code == 403


def test_progress_never_goes_back(job_of: Any) -> None:
    shares = []

    def work(context: JobContext) -> dict[str, Any]:
        for share in (0.5, 0.2, 2.0, 0.9):
            context.progress(share, now=True)
            shares.append(Job.objects.get(pk=context.job.pk).progress)
        return {}

    run_job(job_of(work).pk)
    assert shares == [0.5, 0.5, 1, 1]
