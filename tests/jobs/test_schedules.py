"""Schedules: a job again and again by the clock, and what became of each time."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.rights import Right
from common import uploads
from jobs import kinds, queue, schedules
from jobs.cron import times
from jobs.models import Job, JobState, RunOutcome, Schedule, ScheduleRun
from jobs.run import JobContext, run_next
from tests.rows import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
NIGHTLY = {"name": "nightly", "cron": "30 2 * * *", "timezone": "Asia/Jakarta"}


@pytest.fixture(autouse=True)
def a_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", "Test", Right.IMAGES_MANAGE, lambda context: {}))
    once = kinds.Kind("once", "Once", Right.IMAGES_MANAGE, lambda context: {}, repeatable=False)
    monkeypatch.setitem(kinds._kinds, "once", once)


@pytest.fixture
def otto(client: Client) -> User:
    """Logged in."""
    user = person("otto", "deployer")
    client.force_login(user)
    return user


@pytest.fixture
def nightly(otto: User, client: Client) -> Schedule:
    """Made from a job that has ended."""
    job = queue.start(otto, "test", host="fra-1", target="acme/web", params={"n": 1}, sealed={"key": "canary-4711"})
    run_next()
    answer = client.post("/api/v1/schedules", {"job": job.pk, **NIGHTLY}, content_type="application/json")
    assert answer.status_code == 201, answer.content
    return Schedule.objects.get(pk=answer.json()["id"])


def due(schedule: Schedule, ago: timedelta) -> None:
    """As if its next time had been so long ago."""
    Schedule.objects.filter(pk=schedule.pk).update(cron="0 0 1 1 *", next_run=timezone.now() - ago)


def outcomes(schedule: Schedule) -> list[tuple[str, int]]:
    return list(schedule.runs.order_by("pk").values_list("outcome", "more"))


# ---------------------------------------------------------------- times
def test_the_times_are_those_of_the_zone_also_when_its_clocks_change() -> None:
    def first(cron: str, zone: str, after: datetime, n: int) -> list[str]:
        found = times(cron, zone, after)
        return [next(found).strftime("%m-%d %H:%M") for _ in range(n)]

    assert first("30 2 * * *", "Asia/Jakarta", datetime(2026, 11, 26, tzinfo=UTC), 2) == ["11-26 19:30", "11-27 19:30"]
    # 02:30 does not exist in Berlin on 28 March 2027, and comes twice on 31 October
    spring = datetime(2027, 3, 27, 12, tzinfo=UTC)
    assert first("30 2 * * *", "Europe/Berlin", spring, 2) == ["03-28 01:00", "03-29 00:30"]
    autumn = datetime(2027, 10, 30, 12, tzinfo=UTC)
    assert first("30 2 * * *", "Europe/Berlin", autumn, 2) == ["10-31 00:30", "11-01 01:30"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cron", "every night"),
        ("cron", "61 * * * *"),
        ("cron", "0 0 31 2 *"),
        ("cron", ""),
        ("timezone", "Mars/Olympus"),
        ("timezone", "../etc"),
        ("name", "  "),
        ("name", "n" * 101),
    ],
)
def test_a_wrong_value_is_refused_at_its_field_and_nothing_is_stored(
    otto: User, client: Client, field: str, value: str
) -> None:
    job = queue.start(otto, "test", params={})
    body = {"job": job.pk, **NIGHTLY, field: value}
    answer = client.post("/api/v1/schedules", body, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    page = client.post(f"/jobs/{job.pk}/schedule/", body)
    assert page.status_code == 422
    assert f'id="id_{field}_error"' in page.content.decode()
    assert not Schedule.objects.exists()


def test_a_name_is_taken_once(nightly: Schedule, client: Client) -> None:
    body = {"job": Job.objects.get().pk, **NIGHTLY}
    answer = client.post("/api/v1/schedules", body, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, "name")


# ---------------------------------------------------------------- running
def test_it_starts_its_job_when_its_time_has_come_and_once_only(nightly: Schedule) -> None:
    assert schedules.run_due(timezone.now()) == 0
    due(nightly, timedelta(seconds=20))
    assert [schedules.run_due(timezone.now()) for _ in range(2)] == [1, 0]
    job = Job.objects.get(schedule=nightly)
    assert (job.by_name, job.host, job.target, job.params) == ("otto", "fra-1", "acme/web", {"n": 1})
    assert job.sealed == {"key": "canary-4711"}
    assert outcomes(nightly) == [(RunOutcome.STARTED, 0)]
    nightly.refresh_from_db()
    assert nightly.next_run is not None
    assert nightly.next_run > timezone.now()


def test_times_that_nobody_took_are_said_to_be_missed(nightly: Schedule, client: Client) -> None:
    due(nightly, timedelta(minutes=90))
    Schedule.objects.update(cron="*/30 * * * *")
    now = timezone.now().replace(minute=55)
    Schedule.objects.update(next_run=now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1))
    schedules.run_due(now)
    assert outcomes(nightly) == [(RunOutcome.MISSED, 3)]
    assert not Job.objects.filter(schedule=nightly).exists()
    page = client.get(f"/jobs/schedules/{nightly.pk}/").content.decode()
    assert "Dermaga did not run at that time." in page
    assert "3 times before it were missed as well." in page


def test_a_missed_time_is_caught_up_with_once_when_it_says_so(nightly: Schedule) -> None:
    due(nightly, timedelta(minutes=90))
    Schedule.objects.update(catch_up=True)
    schedules.run_due(timezone.now())
    assert outcomes(nightly) == [(RunOutcome.LATE, 0)]
    assert Job.objects.filter(schedule=nightly).count() == 1


def test_a_job_that_still_runs_is_not_started_twice(nightly: Schedule) -> None:
    for _ in range(2):
        due(nightly, timedelta(seconds=5))
        schedules.run_due(timezone.now())
    assert outcomes(nightly) == [(RunOutcome.STARTED, 0), (RunOutcome.JOINED, 0)]
    assert Job.objects.filter(schedule=nightly).count() == 1


@pytest.mark.parametrize("change", [{"is_active": False}, {"role": "viewer"}])
def test_it_does_not_run_for_who_may_not_any_more(nightly: Schedule, change: dict[str, Any]) -> None:
    User.objects.update(**change)
    due(nightly, timedelta(seconds=5))
    schedules.run_due(timezone.now())
    assert outcomes(nightly) == [(RunOutcome.REFUSED, 0)]
    assert not Job.objects.filter(schedule=nightly).exists()


def test_it_does_not_run_for_an_account_that_is_gone(nightly: Schedule) -> None:
    User.objects.all().delete()
    due(nightly, timedelta(seconds=5))
    schedules.run_due(timezone.now())
    assert outcomes(nightly) == [(RunOutcome.REFUSED, 0)]
    assert "account that made this schedule is gone" in ScheduleRun.objects.get().reason


# ---------------------------------------------------------------- people
def test_it_rests_while_disabled_and_what_falls_into_the_pause_is_not_missed(nightly: Schedule, client: Client) -> None:
    client.post(f"/jobs/schedules/{nightly.pk}/disable/")
    assert schedules.run_due(timezone.now() + timedelta(days=3)) == 0
    assert client.get(f"/api/v1/schedules/{nightly.pk}").json()["next"] is None
    client.post(f"/jobs/schedules/{nightly.pk}/enable/")
    assert outcomes(nightly) == []
    assert client.get(f"/api/v1/schedules/{nightly.pk}").json()["next"] is not None


def test_it_is_changed_run_now_and_removed(nightly: Schedule, client: Client) -> None:
    url = f"/api/v1/schedules/{nightly.pk}"
    changed = client.patch(url, {"cron": "0  5 * * 1", "enabled": False}, content_type="application/json").json()
    assert (changed["cron"], changed["enabled"], changed["name"]) == ("0 5 * * 1", False, "nightly")
    job = client.post(f"{url}/run").json()["job"]
    assert Job.objects.get(pk=job).schedule_id == nightly.pk
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404
    assert Job.objects.filter(pk=job).exists()
    acts = set(AuditEntry.objects.filter(action__startswith="schedule.").values_list("action", flat=True))
    assert acts == {"schedule.add", "schedule.change", "schedule.disable", "schedule.remove"}


def test_the_page_makes_one_from_a_job_and_shows_the_next_times(otto: User, client: Client) -> None:
    job = queue.start(otto, "test", host="fra-1", target="acme/web", params={})
    assert f"/jobs/{job.pk}/schedule/" in client.get(f"/jobs/{job.pk}/").content.decode()
    assert client.get(f"/jobs/{job.pk}/schedule/").status_code == 200
    answer = client.post(f"/jobs/{job.pk}/schedule/", {**NIGHTLY, "catch_up": "on"}, follow=True)
    page = answer.content.decode()
    assert page.count("02:30") == 5
    assert "WIB" in page
    assert client.get("/jobs/schedules/").content.decode().count("30 2 * * *") == 1
    typed = client.get("/jobs/schedules/times/?cron=99+*+*+*+*&timezone=UTC").content.decode()
    assert "not a cron expression" in typed


def test_what_took_a_file_is_not_repeated(otto: User, client: Client) -> None:
    job = queue.start(otto, "once", params={})
    run_next()
    answer = client.post("/api/v1/schedules", {"job": job.pk, **NIGHTLY}, content_type="application/json")
    assert (answer.status_code, Schedule.objects.count()) == (409, 0)
    assert client.post(f"/api/v1/jobs/{job.pk}/again").status_code == 409
    assert "/again/" not in client.get(f"/jobs/{job.pk}/").content.decode()


def test_a_job_that_took_a_file_is_started_again_while_the_file_is_there(
    otto: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is when the worker was killed: a job that ends drops it."""

    def work(context: JobContext) -> dict[str, Any]:
        key = context.params["upload"]
        text = uploads.place_of(key).read_text()
        uploads.drop(key)
        return {"text": text}

    kind = kinds.Kind("sends", "Sends", Right.IMAGES_MANAGE, work, uploads=lambda params: [params["upload"]])
    monkeypatch.setitem(kinds._kinds, "sends", kind)
    key = uploads.keep(SimpleUploadedFile("web.tar", b"what was sent"))
    job = queue.start(otto, "sends", params={"upload": key})
    Job.objects.update(state=JobState.RUNNING, heartbeat=timezone.now() - timedelta(minutes=1), worker="dead:1")
    queue.recover()
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert "/again/" in page and "/schedule/" not in page
    again = client.post(f"/api/v1/jobs/{job.pk}/again").json()["job"]
    uploads.drop(key)  # what is left of the worker comes to its end
    run_next()
    assert Job.objects.get(pk=again).result == {"text": "what was sent"}
    for pk in (job.pk, again):
        assert "/again/" not in client.get(f"/jobs/{pk}/").content.decode()
        assert client.post(f"/api/v1/jobs/{pk}/again").status_code == 409


def test_a_list_that_was_shown_is_gone_through_again_unless_that_came_to_its_end(
    otto: User, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = kinds.Kind("lists", "Lists", Right.IMAGES_MANAGE, lambda context: {}, rule=lambda params: None)
    monkeypatch.setitem(kinds._kinds, "lists", kind)
    job = queue.start(otto, "lists", params={"targets": ["a"]})
    for state, status in ((JobState.DONE, 409), (JobState.INTERRUPTED, 202)):
        Job.objects.filter(pk=job.pk).update(state=state)
        assert client.post(f"/api/v1/jobs/{job.pk}/again").status_code == status
        assert ("/again/" in client.get(f"/jobs/{job.pk}/").content.decode()) == (status == 202)


def test_a_viewer_sees_schedules_and_changes_none(nightly: Schedule, client: Client) -> None:
    client.force_login(person("vera", "viewer"))
    assert client.get(f"/jobs/schedules/{nightly.pk}/").status_code == 200
    assert client.get(f"/api/v1/schedules/{nightly.pk}/runs").json() == {"items": [], "count": 0}
    for verb in ("enable", "disable", "run", "remove", "edit"):
        assert client.post(f"/jobs/schedules/{nightly.pk}/{verb}/").status_code == 403
    assert client.delete(f"/api/v1/schedules/{nightly.pk}").status_code == 403


def test_no_secret_of_its_job_shows(nightly: Schedule, client: Client) -> None:
    seen: Callable[[str], str] = lambda path: client.get(path).content.decode()  # noqa: E731
    paths = (
        f"/jobs/schedules/{nightly.pk}/",
        "/jobs/schedules/",
        f"/api/v1/schedules/{nightly.pk}",
        "/api/v1/schedules",
    )
    assert "canary" not in "".join(map(seen, paths))
