"""The stats history over REST."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client

from hosts.inventory import history
from hosts.models import Container, Host
from tests.rows import a_host, container_json, containers, person
from tests.stats import rates

pytestmark = [pytest.mark.core, pytest.mark.django_db]


@pytest.fixture
def now() -> int:
    """An hour of samples of two containers ends here, one each 30 s; `web` has a spike in the middle."""
    host = a_host()
    containers(host, container_json("web"), container_json("db"))
    rows = {c.name: c for c in Container.objects.all()}
    now = int(time.time())
    for at in range(now - 3600, now, 30):
        cpu = 95.0 if now - 1800 <= at < now - 1740 else 2.0
        taken = [history.Taken(rows["web"], rates(cpu, memory=2**20)), history.Taken(rows["db"], rates(1.0))]
        history.record(host, at, taken, 30)
    return now


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(person("vera", "viewer"))
    return client


def get(client: Client, path: str, **params: Any) -> Any:
    answer = client.get(f"/api/v1/{path}", params)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_last_hour_is_what_comes_without_a_span(viewer: Client, now: int) -> None:
    answer = get(viewer, "containers/quay/web/stats")
    assert answer["tier"] == "raw"
    assert answer["to"] - answer["from"] == pytest.approx(3600, abs=60)
    assert len(answer["time"]) == pytest.approx(119, abs=3)
    assert set(answer["metrics"]) == {"cpu", "memory", "net_rx", "net_tx", "block_read", "block_write", "pids"}
    assert max(answer["metrics"]["cpu"]["max"]) == 95.0
    assert set(answer["metrics"]["memory"]["avg"]) == {2**20}
    assert answer["latest"]["cpu"] == 2.0
    assert answer["memory_limit"] == 2**30


def test_few_points_still_show_the_spike(viewer: Client, now: int) -> None:
    answer = get(viewer, "containers/quay/web/stats", points=5, metric="cpu")
    assert len(answer["time"]) <= 7
    assert list(answer["metrics"]) == ["cpu"]
    cpu = answer["metrics"]["cpu"]
    assert max(cpu["max"]) == 95.0 and min(cpu["min"]) == 2.0 and max(cpu["avg"]) < 20


@pytest.mark.parametrize("form", ["unix", "rfc"])
def test_a_span_is_named_in_either_form(viewer: Client, now: int, form: str) -> None:
    times = {"from": now - 1800, "to": now - 1740}
    if form == "rfc":
        times = {name: datetime.fromtimestamp(at, UTC).isoformat() for name, at in times.items()}
    answer = get(viewer, "containers/quay/web/stats", **times)
    assert set(answer["metrics"]["cpu"]["avg"]) == {95.0}


@pytest.mark.parametrize(
    "query", ["from=yesterday", "points=1", "points=100000", "metric=heat", "from=200&to=100", "to=9e99", "from=-5"]
)
def test_a_span_that_makes_no_sense_is_refused(viewer: Client, now: int, query: str) -> None:
    assert viewer.get(f"/api/v1/containers/quay/web/stats?{query}").status_code == 422


def test_ages_ago_and_far_ahead_are_empty_and_no_error(viewer: Client, now: int) -> None:
    for query in ("from=0&to=100", "from=1&to=4000000000", "from=4000000000&to=4000003600"):
        answer = viewer.get(f"/api/v1/containers/quay/web/stats?{query}&points=10")
        assert answer.status_code == 200, query


def test_a_host_has_the_sum(viewer: Client, now: int) -> None:
    Host.objects.update(cpus=4)
    answer = get(viewer, "hosts/quay/stats")
    assert answer["cpus"] == 4
    assert max(answer["metrics"]["cpu"]["max"]) == 96.0


def test_several_come_in_one_answer(viewer: Client, now: int) -> None:
    answer = get(viewer, "stats", target=["quay/db", "quay/web"], metric="cpu", points=10)
    assert [item["container"] for item in answer["items"]] == ["db", "web"]
    assert [max(item["metrics"]["cpu"]["max"]) for item in answer["items"]] == [1.0, 95.0]
    assert viewer.get("/api/v1/stats?metric=cpu").status_code == 422
    assert viewer.get("/api/v1/stats?target=quay/web&target=quay/nothing").status_code == 404
    many = "&".join(["target=quay/web"] * 201)
    assert viewer.get(f"/api/v1/stats?{many}").status_code == 422


def test_a_removed_container_s_history_is_found_by_its_name(viewer: Client, now: int) -> None:
    containers(Host.objects.get())
    assert not Container.objects.exists()
    assert max(get(viewer, "containers/quay/web/stats")["metrics"]["cpu"]["max"]) == 95.0
    assert viewer.get("/api/v1/containers/quay/never/stats").status_code == 404


def test_one_that_was_never_sampled_has_no_points(viewer: Client, now: int) -> None:
    containers(Host.objects.get(), container_json("new"))
    answer = get(viewer, "containers/quay/new/stats")
    assert (answer["time"], answer["latest"], answer["metrics"]["cpu"]["avg"]) == ([], None, [])


def test_it_refuses_an_outsider(client: Client, now: int) -> None:
    for path in ("containers/quay/web/stats", "hosts/quay/stats", "stats?target=quay/web"):
        assert client.get(f"/api/v1/{path}").status_code == 401
