"""Jobs: rows that tell the truth, whatever happens to the worker."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.rights import Right
from accounts.tasks import forget_old_sessions
from common.errors import Conflict
from dashboard.celery import app
from jobs import kinds, queue, run
from jobs.models import Job, JobState
from jobs.run import Cancelled, JobContext, run_job
from jobs.tasks import forget_old
from tests.rows import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]


@pytest.fixture
def job_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[JobContext], Any]], Job]:
    """A queued job that runs a function."""

    def make(run: Callable[[JobContext], Any]) -> Job:
        monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", "Test", Right.IMAGES_MANAGE, run))
        monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
        return queue.start(person("otto", "deployer"), "test", params={})

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


# ---------------------------------------------------------------- hand-over
@pytest.fixture
def handed_over(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Ids of the jobs whose message reached the broker."""
    sent: list[int] = []

    def send(args: list[int], retry: bool) -> None:
        sent.extend(args)

    monkeypatch.setattr("jobs.tasks.run.apply_async", send)
    monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", "Test", Right.IMAGES_MANAGE, lambda context: {}))
    return sent


def aged(job: Job, seconds: float) -> None:
    """As if it had been made, and handed over, so long ago."""
    then = timezone.now() - timedelta(seconds=seconds)
    Job.objects.filter(pk=job.pk).update(created=then, handed_over=then)


def test_a_lost_message_is_sent_again_at_doubling_waits(handed_over: list[int]) -> None:
    job = queue.start(person("otto", "deployer"), "test", params={})
    assert handed_over == [job.pk]
    aged(job, 10)
    queue.recover()
    assert len(handed_over) == 1
    aged(job, 3600)
    for _ in range(100):
        queue.recover()
    assert len(handed_over) == 2
    Job.objects.update(handed_over=timezone.now() - timedelta(seconds=1700))
    queue.recover()  # it waited 1900 s before the last message, so it waits as long for this one
    assert len(handed_over) == 2


def test_jobs_that_could_not_be_handed_over_go_out_when_the_broker_is_back(
    handed_over: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []

    def away(args: list[int], retry: bool) -> None:
        tried.extend(args)
        raise ConnectionError("no broker")

    with monkeypatch.context() as broken:
        broken.setattr("jobs.tasks.run.apply_async", away)
        otto = person("otto", "deployer")
        jobs = [queue.start(otto, "test", params={"n": n}) for n in range(3)]
        Job.objects.update(created=timezone.now() - timedelta(hours=1))
        tried.clear()
        queue.recover()
        assert tried == [jobs[0].pk]  # one try tells that it is away still
    queue.recover()
    assert handed_over == [job.pk for job in jobs]


def test_after_a_start_all_that_was_queued_is_handed_over(handed_over: list[int]) -> None:
    otto = person("otto", "deployer")
    jobs = [queue.start(otto, "test", params={"n": n}) for n in range(3)]
    handed_over.clear()
    queue.recover(all_workers_gone=True)
    assert handed_over == [job.pk for job in jobs]


def test_old_jobs_and_old_sessions_are_forgotten(job_of: Any, client: Client) -> None:
    old = job_of(lambda context: {})
    new = queue.start(old.by, "test", params={"n": 1})
    waiting = queue.start(old.by, "test", params={"n": 2})
    long_ago = timezone.now() - timedelta(days=91)
    Job.objects.filter(pk=old.pk).update(state=JobState.DONE, ended=long_ago)
    Job.objects.filter(pk=new.pk).update(state=JobState.DONE, ended=timezone.now())
    Job.objects.filter(pk=waiting.pk).update(created=long_ago)
    client.force_login(old.by)
    Session.objects.create(session_key="old", session_data="", expire_date=long_ago)
    forget_old()
    forget_old_sessions()
    assert set(Job.objects.values_list("pk", flat=True)) == {new.pk, waiting.pk}
    assert Session.objects.count() == 1


def test_what_is_scheduled_is_there() -> None:
    app.loader.import_default_modules()
    assert {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()} <= set(app.tasks)


# ---------------------------------------------------------------- workers that seem dead
def test_a_heartbeat_at_the_last_moment_keeps_the_job_alive(job_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    job = job_of(lambda context: {})
    long_ago = timezone.now() - timedelta(minutes=1)
    Job.objects.filter(pk=job.pk).update(state=JobState.RUNNING, heartbeat=long_ago, worker="slow:1")
    read = type(Job.objects.all()).values_list

    def and_then_it_beats(rows: Any, *fields: str, **options: Any) -> Any:
        found = list(read(rows, *fields, **options))
        Job.objects.filter(pk=job.pk).update(heartbeat=timezone.now())
        return found

    monkeypatch.setattr(type(Job.objects.all()), "values_list", and_then_it_beats)
    assert run.interrupt_dead(timezone.now() - timedelta(seconds=12)) == 0
    job.refresh_from_db()
    assert job.state == JobState.RUNNING


def test_a_job_that_was_taken_for_dead_stops_working(job_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEARTBEAT_SECONDS", 0)
    monkeypatch.setattr(run, "LISTEN_SECONDS", 0.02)
    stopped = []

    def work(context: JobContext) -> dict[str, Any]:
        run.interrupt_dead(timezone.now() + timedelta(days=1))
        try:
            wait_until_cancelled(context)
        except Cancelled:
            stopped.append(True)
            raise
        return {}

    job = job_of(work)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, stopped) == (JobState.INTERRUPTED, [True])


def wait_until_cancelled(context: JobContext) -> None:
    done = threading.Event()
    context.on_cancel(done.set)
    assert done.wait(10)
    context.check_cancelled()


# ---------------------------------------------------------------- rights
@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "viewer"}])
def test_it_does_not_run_for_who_may_not_any_more(job_of: Any, change: dict[str, Any]) -> None:
    runs: list[int] = []
    job = job_of(lambda context: runs.append(1) or {})
    User.objects.update(**change)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, runs) == (JobState.FAILED, [])
    assert "may not do that any more" in job.error


def test_it_does_not_run_for_an_account_that_is_gone(job_of: Any) -> None:
    job = job_of(lambda context: {})
    User.objects.all().delete()
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED


def test_it_stops_when_who_started_it_loses_the_right(job_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "HEARTBEAT_SECONDS", 0)
    monkeypatch.setattr(run, "LISTEN_SECONDS", 0.02)

    def work(context: JobContext) -> dict[str, Any]:
        User.objects.update(is_active=False)
        wait_until_cancelled(context)
        return {}

    job = job_of(work)
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.CANCELLED, "The account that started this job may not do that any more.")


# ---------------------------------------------------------------- words
def test_what_went_wrong_inside_is_for_the_log_alone(job_of: Any) -> None:
    def fail(context: JobContext) -> None:
        raise RuntimeError("password=canary-4711")

    job = job_of(fail)
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "canary" not in job.error
    assert f"job {job.pk}" in job.error


def test_a_kind_that_this_version_does_not_know_fails_with_a_sentence(job_of: Any, client: Client) -> None:
    job = job_of(lambda context: {})
    Job.objects.update(kind="beam.up")
    run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.error) == (JobState.FAILED, "This version does not know how to do that: beam.up.")
    client.force_login(job.by)
    assert client.post(f"/jobs/{job.pk}/again/").status_code == 409


def test_a_log_that_is_cut_says_so(job_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LOG_LINES_AT_MOST", 3)

    def talk(context: JobContext) -> dict[str, Any]:
        for number in range(10):
            context.log(f"line {number}")
        return {}

    job = job_of(talk)
    run_job(job.pk)
    assert [line.text for line in job.lines.all()] == ["line 0", "line 1", "… and more: a job keeps 3 lines."]
