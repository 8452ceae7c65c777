"""The queue: who runs next, who waits and is told why, and what becomes of secrets and leftovers."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, Quota, Team, User
from accounts.rights import Right
from common.errors import Conflict
from hosts.models import Host
from jobs import claims, kinds, queue, run
from jobs.claims import claim
from jobs.models import Job, JobState, lock
from jobs.places import Places
from jobs.run import JobContext, run_job, run_next
from jobs.tasks import run as wake
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
WEB = lock("fra-1", "container", "web")


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody takes jobs but the test."""
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)


@pytest.fixture
def works(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes the kind "test" run a function."""

    def make(run: Callable[[JobContext], Any], seconds: float = 60) -> None:
        monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", "Test", Right.IMAGES_MANAGE, run, seconds))

    make(lambda context: {})
    return make


def asked(name: str, number: int = 0, host: str = "fra-1", **options: Any) -> Job:
    by = User.objects.filter(username=name).first() or person(name, "deployer")
    return queue.start(by, "test", host=host, params={"n": number}, **options)


def log_in(client: Client, job: Job) -> None:
    """As who asked for it."""
    client.force_login(User.objects.get(pk=job.by_id))


def states() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("state", flat=True))


# ---------------------------------------------------------------- who runs next
def test_only_so_many_run_at_once_on_a_host_and_another_host_is_not_kept(works: Any, settings: Any) -> None:
    settings.JOBS_AT_ONCE_ON_A_HOST = 2
    for number in range(3):
        asked("otto", number)
    asked("otto", host="ham-2")
    taken = [claim("worker") for _ in range(4)]
    assert [job and job.host for job in taken] == ["fra-1", "fra-1", "ham-2", None]
    assert states() == ["running", "running", "queued", "running"]


def test_jobs_that_wait_for_one_object_keep_nobody_from_those_behind_them(
    works: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LOOKED_AT", 3)
    first, *_more = [asked("otto", n, locks=[WEB]) for n in range(9)]
    other = asked("olga", 99)
    assert claim("worker") == first
    assert claim("worker") == other
    assert claim("worker") is None


def test_an_account_has_so_many_jobs_in_the_queue_and_no_more(works: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "QUEUED_AT_MOST", 3)
    for n in range(3):
        asked("otto", n)
    with pytest.raises(Conflict, match="3 jobs in the queue"):
        asked("otto", 4)
    assert asked("olga", 4).state == JobState.QUEUED
    claim("worker")
    assert asked("otto", 4).state == JobState.QUEUED


def test_so_many_jobs_of_a_team_run_at_once_and_the_others_do_not_wait_behind_its_queue(
    works: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LOOKED_AT", 3)
    team = Team.objects.create(name="north")
    a_host("fra-1")
    Quota.objects.create(team=team, jobs=2)
    first, second, third, *_more = [asked("otto", n, team=team.pk) for n in range(6)]
    other = asked("olga", 9)
    taken = [claim("worker") for _ in range(4)]
    assert {job.pk for job in taken if job} == {first.pk, second.pk, other.pk} and taken[3] is None
    assert claims.why_waiting([third]) == {
        third.pk: "Waits its turn: the quota of the team north lets 2 jobs run at once."
    }
    Job.objects.filter(pk=first.pk).update(state=JobState.DONE)
    assert claim("worker") == third
    # on one host, with more for all of them
    Quota.objects.all().delete()
    Quota.objects.create(team=team, jobs=1, host=Host.objects.get(name="fra-1"))
    assert claim("worker") is None
    elsewhere = asked("otto", 7, host="", team=team.pk)
    assert claim("worker") == elsewhere


def test_one_job_at_a_time_works_on_an_object(works: Any) -> None:
    first, second = asked("otto", 1, locks=[WEB]), asked("otto", 2, locks=[WEB, lock("fra-1", "container", "db")])
    assert claim("worker") == first
    assert claim("worker") is None
    Job.objects.filter(pk=first.pk).update(state=JobState.DONE)
    assert claim("worker") == second


def test_who_asks_for_much_does_not_keep_the_next_person_waiting(works: Any, settings: Any) -> None:
    settings.JOBS_AT_ONCE_ON_A_HOST = 3
    for number in range(5):
        asked("otto", number)
    asked("olga", 9)
    assert [claim("worker").by_name for _ in range(3)] == ["otto", "olga", "otto"]  # type: ignore[union-attr]


def test_a_worker_that_is_woken_runs_all_that_may_run(works: Any) -> None:
    ran: list[int] = []
    works(lambda context: ran.append(context.params["n"]) or {})
    for number in range(3):
        asked("otto", number, locks=[WEB])
    wake(0)  # a message is a wake-up, whatever job it names
    assert ran == [0, 1, 2]
    assert run_next() is False


def test_long_jobs_leave_threads_for_the_products_own_work(works: Any) -> None:
    """With all places taken a thread that is woken goes back to its pool, and the job that it was woken for is not
    forgotten: who has a place looks once more."""
    begun, go_on = threading.Semaphore(0), threading.Event()

    def wait(context: JobContext) -> dict[str, Any]:
        begun.release()
        assert go_on.wait(20)
        return {}

    works(wait)
    two = Places(2)
    for number in range(2):
        asked("otto", number)
    threads = [threading.Thread(target=closing(two.work)) for _ in range(2)]
    for thread in threads:
        thread.start()
    assert begun.acquire(timeout=20) and begun.acquire(timeout=20)
    asked("olga", 3)
    two.work()  # comes back at once
    assert states() == ["running", "running", "queued"]
    go_on.set()
    for thread in threads:
        thread.join(20)
    assert states() == ["done", "done", "done"]
    assert settings.CELERY_WORKER_CONCURRENCY > settings.JOBS_AT_ONCE


def closing(work: Callable[[], None]) -> Callable[[], None]:
    """With the thread's connection closed at its end."""

    def run() -> None:
        try:
            work()
        finally:
            connection.close()

    return run


def test_a_place_that_a_dead_worker_held_goes_to_who_waited(works: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    woken: list[int] = []
    dead, waiting = asked("otto", 1, locks=[WEB]), asked("otto", 2, locks=[WEB])
    monkeypatch.setattr(queue, "enqueue", lambda job_id: woken.append(job_id) or True)
    long_ago = timezone.now() - timedelta(minutes=1)
    Job.objects.filter(pk=dead.pk).update(state=JobState.RUNNING, heartbeat=long_ago, worker="dead:1")
    Job.objects.filter(pk=waiting.pk).update(handed_over=timezone.now())
    queue.recover()
    assert woken == [waiting.pk]


# ---------------------------------------------------------------- the same job twice
def test_the_same_job_asked_for_twice_is_one_job_until_it_has_ended(works: Any) -> None:
    first = asked("otto", 1)
    assert asked("olga", 1) == first
    assert asked("otto", 2) != first
    assert AuditEntry.objects.filter(actor_name="olga", action="job.test", detail__joined=True).count() == 1
    run_job(first.pk)
    assert asked("otto", 1) != first


def test_a_job_that_is_being_cancelled_is_not_joined(works: Any) -> None:
    first = asked("otto", 1)
    claim("worker")
    queue.cancel(first.by, first)
    assert asked("otto", 1) != first


def test_jobs_that_differ_in_a_secret_alone_are_two(works: Any) -> None:
    assert asked("otto", 1, sealed={"password": "a"}) != asked("otto", 1, sealed={"password": "b"})


# ---------------------------------------------------------------- waiting is said
def test_a_queued_job_says_why_it_waits(works: Any, settings: Any, client: Client) -> None:
    settings.JOBS_AT_ONCE_ON_A_HOST = 1
    first, same, other, free, last = (
        asked("otto", 1, locks=[WEB]),
        asked("otto", 2, locks=[WEB]),
        asked("otto", 3),
        asked("otto", 4, host="ham-2"),
        asked("otto", 5, host="ber-3"),
    )
    claim("worker", only=first.pk)
    log_in(client, first)

    def waits(job: Job) -> Any:
        words = client.get(f"/api/v1/jobs/{job.pk}").json()["waits"]
        assert words in client.get(f"/jobs/{job.pk}/").content.decode()
        return words

    assert waits(first) == ""
    assert waits(same) == f"Waits for job {first.pk}, which works on the same object."
    assert waits(other) == "Waits its turn: as many jobs as may at once run on fra-1 (1)."
    assert waits(free) == "Next: waits for a worker."
    assert waits(last) == "Waits for a worker; before it in the queue: 1."
    assert "Next: waits for a worker." in client.get("/jobs/").content.decode()


# ---------------------------------------------------------------- time, leftovers, secrets
def test_a_job_that_takes_too_long_is_ended_and_says_what_it_left(works: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "LISTEN_SECONDS", 0.02)

    def work(context: JobContext) -> dict[str, Any]:
        context.leaves("The container web.new is stopped on fra-1.")
        ended = threading.Event()
        context.on_cancel(ended.set)
        assert ended.wait(10)
        context.check_cancelled()
        return {}

    works(work, seconds=0.1)
    job = asked("otto")
    run_next()
    job.refresh_from_db()
    assert job.state == JobState.FAILED
    assert "took longer than" in job.error
    assert job.left == ["The container web.new is stopped on fra-1."]


def test_what_a_failed_job_left_shows_on_its_page(works: Any, client: Client) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        context.leaves("The image half:1 stays on fra-1.")
        raise Conflict("The quay is full.")

    works(work)
    job = asked("otto")
    run_next()
    log_in(client, job)
    assert "The image half:1 stays on fra-1." in client.get(f"/jobs/{job.pk}/").content.decode()
    answer = client.get(f"/api/v1/jobs/{job.pk}").json()
    assert (answer["left"], answer["result"]) == (["The image half:1 stays on fra-1."], {})


def test_a_sealed_secret_shows_nowhere(works: Any, client: Client) -> None:
    canary = "canary-4711-é"

    def work(context: JobContext) -> dict[str, Any]:
        secret = context.sealed["password"]
        context.hide(secret)
        context.log(f"login with {secret}")
        context.progress(0.5, f"as {secret}", now=True)
        context.leaves(f"a file with {secret}")
        raise Conflict("refused: %(what)s", {"what": secret})

    works(work)
    job = asked("otto", sealed={"password": canary})
    run_next()
    log_in(client, job)
    seen = "".join(
        client.get(path).content.decode()
        for path in (f"/jobs/{job.pk}/", f"/jobs/{job.pk}/log/", f"/api/v1/jobs/{job.pk}", "/jobs/", "/api/v1/jobs")
    )
    assert "login with •••" in seen
    assert "refused: •••" in seen
    with connection.cursor() as cursor:  # nor in the database, but encrypted
        for table in ("jobs_job", "jobs_jobline", "accounts_auditentry"):
            cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
            seen += repr(cursor.fetchall())
    assert "canary-4711" not in seen
    job.refresh_from_db()
    again = queue.again(job.by, job)
    assert Job.objects.get(pk=again.pk).sealed == {"password": canary}


# ---------------------------------------------------------------- the log as a file
def test_the_log_is_downloaded_whole(works: Any, client: Client) -> None:
    def work(context: JobContext) -> dict[str, Any]:
        for number in range(700):
            context.log(f"step {number}")
        return {}

    works(work)
    job = asked("otto")
    run_next()
    client.force_login(person("vera", "viewer"))
    answer = client.get(f"/jobs/{job.pk}/log/")
    assert answer["Content-Disposition"] == f'attachment; filename="job-{job.pk}.log"'
    lines = answer.content.decode().splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [f"step {number}" for number in range(700)]
    assert client.get(f"/api/v1/jobs/{job.pk}/log").content == answer.content
    assert client.get("/api/v1/jobs/999999/log").status_code == 404
