"""Short acts: a request waits a second for what it asked for, and leaves the rest to a job."""

import re
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

import pytest
import requests

from accounts.models import Team, User
from jobs import claims, lane, queue
from jobs.claims import claim
from jobs.models import Job, JobState, lock
from jobs.run import WORKER, interrupt_dead, run_claimed
from tests.engines.docker_engine import DockerEngine
from tests.fake_engine import FakeContainer, FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour
from tests.fake_engine.wire import Connection, Request
from tests.rows import person
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
STUBBORN = ("busybox", "sh", "-c", "trap '' TERM; while :; do sleep 1; done")
WITHIN = 2.5  # seconds that a request may take whose act hangs: its own one, and a busy machine's
PAGE = "/containers/local/"


class Silent(Behaviour):
    """Never answers."""

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        await connection.closed_by_client()


@pytest.fixture
def slow(product: Product) -> Iterator[FakeEngine]:
    """A host called "slow" that never answers an act on "web"."""
    with FakeEngine([FakeContainer("web")], tcp=True) as engine:
        engine.misbehave("/containers/*/pause", Silent())
        engine.misbehave("/containers/*/rename", Silent())
        engine.misbehave("/containers/*/archive", Silent())
        product.api("hosts", "POST", name="slow", url=engine.url)
        try:
            until(lambda: product.api("containers?host=slow&state=running")["count"] == 1, "its container shows")
            yield engine
        finally:
            product.api("hosts/slow", "DELETE")


@pytest.fixture
def clicked(product: Product, docker_engine: DockerEngine) -> Iterator[Callable[..., str]]:
    """Makes a running container of that name, and knows it."""
    made = []

    def make(name: str, *command: str) -> str:
        docker_engine.docker("run", "-d", "--name", name, *(command or ("busybox", "sleep", "1000")))
        made.append(name)
        until(lambda: product.api(f"containers?search={name}&state=running")["count"] == 1, f"{name} shows")
        return name

    yield make
    docker_engine.docker("rm", "-f", *made)


def answered(product: Product, path: str, **body: Any) -> requests.Response:
    """What the API answers, an error too."""
    headers = {"Authorization": f"Bearer {product.token}"}
    return requests.post(f"{product.url}/api/v1/{path}", headers=headers, json=body, timeout=30)


def toasts(page: str) -> list[str]:
    return re.findall(r'<div class="toast \w+"><div>(.*?)</div>', page, re.S)


# ---------------------------------------------------------------- ended within the second
def test_a_quick_act_is_answered_with_its_end_and_is_in_no_list(product: Product, clicked: Callable[..., str]) -> None:
    name = clicked("quick")
    page = product.post(f"{PAGE}{name}/pause/", next="/containers/").text
    assert toasts(page) == [f"Paused {name} on local."]
    until(lambda: product.api(f"containers/local/{name}")["state"] == "paused", "its row says so")
    assert product.api(f"containers/local/{name}/unpause", "POST") == {"done": "unpause"}
    kinds = {row["kind"] for row in product.api(f"jobs?search={name}")["items"]}
    assert kinds.isdisjoint({"container.pause", "container.unpause"})
    entries = product.api(f"audit?search={name}&action=container.unpause")["items"]
    assert [(one["outcome"], one["via"], one["address"]) for one in entries] == [("done", "token tests", "127.0.0.1")]


def test_an_engines_refusal_comes_as_if_the_request_had_asked(product: Product, clicked: Callable[..., str]) -> None:
    first, second = clicked("refused-1"), clicked("refused-2")
    answer = answered(product, f"containers/local/{second}/rename", name=first)
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (409, 409)
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "is already in use by container" in problem["detail"]
    page = product.post(f"{PAGE}{second}/rename/", asked="1", name=first)
    assert page.status_code == 422
    assert f'value="{first}"' in page.text


# ---------------------------------------------------------------- not ended within the second
def test_a_stop_that_takes_long_goes_on_as_a_job_that_ends_well(product: Product, clicked: Callable[..., str]) -> None:
    name = clicked("stubborn-click", *STUBBORN)
    began = monotonic()
    page = product.post(f"{PAGE}{name}/stop/", timeout="3", next=f"{PAGE}{name}/").text
    assert monotonic() - began < WITHIN
    (toast,) = toasts(page)
    (job,) = re.findall(r'<a href="/jobs/(\d+)/">Job \1</a>', toast)
    assert f"Stop container: {name}." in toast
    # a second one of another kind waits for it, and says so
    waits = answered(product, f"containers/local/{name}/rename", name="later-name")
    assert waits.status_code == 202
    row = product.api(f"jobs/{waits.json()['job']}")
    assert row["state"] == "queued" and f"job {job}" in row["waits"]
    product.api(f"jobs/{row['id']}/cancel", "POST")
    assert ended(product, int(job))["state"] == "done"
    until(lambda: product.api(f"containers/local/{name}")["state"] == "exited", "its row says so")
    assert int(job) in [row["id"] for row in product.api(f"jobs?search={name}")["items"]]


def test_a_kill_ends_what_a_stop_waits_for(product: Product, clicked: Callable[..., str]) -> None:
    name = clicked("killed-click", *STUBBORN)
    job = product.api(f"containers/local/{name}/stop", "POST", timeout=60)["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] == "running", "the stop runs")
    assert product.api(f"containers/local/{name}/kill", "POST") == {"done": "kill"}
    assert ended(product, job)["state"] == "done"


def test_what_hangs_is_answered_with_its_job_and_keeps_no_other_host(
    product: Product, slow: FakeEngine, clicked: Callable[..., str]
) -> None:
    name = clicked("beside")
    began = monotonic()
    answer = answered(product, "containers/slow/web/pause")
    assert monotonic() - began < WITHIN
    assert (answer.status_code, answer.json().keys()) == (202, {"job"})
    again = answered(product, "containers/slow/web/pause")  # the same job
    assert again.json() == answer.json()
    assert product.api(f"containers/local/{name}/pause", "POST") == {"done": "pause"}
    product.api(f"jobs/{answer.json()['job']}/cancel", "POST")
    job = ended(product, answer.json()["job"])
    assert (job["state"], job["left"]) == (
        "cancelled",
        ["No answer came for web: the engine may do it all the same."],
    )
    assert product.api("audit?host=slow&action=container.pause&outcome=cancelled")["count"] == 1


def test_a_dialog_whose_act_hangs_leads_to_its_job(product: Product, slow: FakeEngine) -> None:
    began = monotonic()
    page = product.post("/containers/slow/web/rename/", asked="1", name="front")
    assert monotonic() - began < WITHIN
    number = int(re.fullmatch(r".*/jobs/(\d+)/", page.url)[1])  # type: ignore[index]
    product.api(f"jobs/{number}/cancel", "POST")
    assert ended(product, number)["state"] == "cancelled"


def test_a_text_that_is_not_stored_at_once_goes_with_its_job(product: Product, slow: FakeEngine) -> None:
    began = monotonic()
    answer = product.answer("containers/slow/web/files/content?path=/x", "PUT", {"text": "canary-4712", "stamp": "1"})
    assert (answer.status_code, monotonic() - began < WITHIN) == (202, True)
    number = answer.json()["job"]
    assert product.api(f"jobs/{number}")["target"] == "web:/x"
    product.api(f"jobs/{number}/cancel", "POST")
    assert ended(product, number)["state"] == "cancelled"
    assert not _is_sealed(product, number)
    again = product.answer(f"jobs/{number}/again", "POST", {})
    assert (again.status_code, "cannot be repeated" in again.json()["title"]) == (409, True)


def _is_sealed(product: Product, number: int) -> bool:
    code = f"from jobs.models import Job; print('canary-4712' in str(Job.objects.get(pk={number}).sealed))"
    return {"True": True, "False": False}[product.manage("shell", "-v", "0", "-c", code).strip()]


# ---------------------------------------------------------------- the lane
@pytest.fixture
def nobody_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    monkeypatch.setattr(lane, "call", lambda: None)


def asked(
    kind: str,
    number: int = 0,
    host: str = "fra-1",
    locks: tuple[str, ...] = (),
    by: str = "otto",
    team: int | None = None,
) -> Job:
    account = User.objects.filter(username=by).first() or person(by, "deployer")
    params = {"n": number, "args": [], "options": {}}
    return queue.start(account, kind, host=host, target="web", params=params, locks=locks, team=team)


@pytest.mark.django_db
def test_an_act_does_not_wait_for_builds_but_for_what_works_on_the_same_object(
    nobody_works: None, settings: Any
) -> None:
    settings.JOBS_AT_ONCE_ON_A_HOST = 2
    web = lock("fra-1", "container", "web")
    for number in range(3):
        asked("image.build", number, locks=(web,) if number == 0 else ())
    assert [claim("worker") is not None for _ in range(3)] == [True, True, False]
    kept, free = asked("container.stop", 1, locks=(web,)), asked("container.stop", 2)
    assert claim("worker", short=True) == free
    assert claim("worker", short=True) is None
    Job.objects.filter(kind="image.build", state=JobState.RUNNING).update(state=JobState.DONE)
    assert claim("worker") is not None  # the build that waited, and no act
    assert claim("worker", short=True) == kept


@pytest.mark.django_db
@pytest.mark.parametrize("end", ["cancelled", "interrupted", "failed"])
def test_what_was_sealed_for_an_act_that_nobody_can_repeat_ends_with_it(nobody_works: None, end: str) -> None:
    kept, dropped = (sealed_one(kind) for kind in ("secret.labels", "secret.create"))
    for job in (kept, dropped):
        if end == "cancelled":
            queue.cancel(job.by, job)
        elif end == "interrupted":
            assert claim("worker", short=True) == job
        else:
            assert claim(WORKER, short=True) == job
            run_claimed(job)
    if end == "interrupted":
        interrupt_dead(None, ["worker"])
    rows = [Job.objects.get(pk=job.pk) for job in (kept, dropped)]
    assert [row.state for row in rows] == [end, end]
    assert [bool(row.sealed) for row in rows] == [True, False]


def sealed_one(kind: str) -> Job:
    by = User.objects.filter(username="ada").first() or person("ada", "admin")
    row = {"row": ["swarm", "", "gone", "gone"]}
    return queue.start(by, kind, target="gone/x", params={}, sealed={"args": [row], "options": {}})


@pytest.mark.django_db
def test_a_host_that_hangs_takes_a_part_of_the_lane_only(nobody_works: None) -> None:
    for number in range(20):
        asked("container.start", number, by=("ada", "olga")[number % 2])
    elsewhere = asked("container.start", 20, host="ham-2")
    taken = [claim("worker", short=True) for _ in range(10)]
    assert sum(job is not None and job.host == "fra-1" for job in taken) == 8
    assert elsewhere in taken


@pytest.mark.django_db
@pytest.mark.parametrize("of", ["account", "team"])
def test_slow_acts_of_one_account_or_team_leave_the_others_a_way(
    nobody_works: None, of: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "LOOKED_AT", 3)
    monkeypatch.setattr(claims, "LOOKS", 2)
    team = Team.objects.create(name="north").pk if of == "team" else None
    for number in range(12):
        kept = asked("container.stop", number, by="ada" if of == "account" or number % 2 else "nils", team=team)
    other = asked("container.stop", 99, by="olga")
    taken = [claim("worker", short=True) for _ in range(9)]
    assert [job.by_name for job in taken if job].count("olga") == 1 and other in taken
    assert sum(job is not None for job in taken) == 7
    assert "6 acts of the same account or team" in claims.why_waiting([kept])[kept.pk]
