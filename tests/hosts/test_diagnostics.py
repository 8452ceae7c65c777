"""How Dermaga itself does: the page and the API, from rows alone and of the running product."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken
from hosts.inventory import notes, processes
from hosts.models import Host, Process, Watch
from jobs.models import Job
from tests.engines.docker_engine import DockerEngine
from tests.rows import a_host, person
from tests.servers.product import Product
from tests.waiting import until

FRAGMENT = {"HX-Request": "true"}
COUNTS: Any = {
    "sockets": {"logs": 2, "terminal": 1},
    "upstreams": {"logs": 1},
    "lag_seconds": 3.0,
    "opened": {"logs": 7},
    "reconnects": {"logs": 3},
    "skipped_lines": 4711,
    "skipped_samples": 0,
    "hosts": {"quay": {"viewers": 3, "logs": 1, "terminal": 1, "reconnects": 3, "skipped_lines": 4711}},
}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    return client


def event(ago: float) -> dict[str, Any]:
    return {"time_nano": int((timezone.now().timestamp() - ago) * 1e9)}


# ---------------------------------------------------------------- from rows
@pytest.mark.core
@pytest.mark.django_db
def test_a_host_shows_its_lag_its_lists_its_watcher_and_its_streams(admin: Client) -> None:
    host = a_host()
    processes.report("watch", owner="yard:17:abc")
    processes.report("web", COUNTS, "yard:18:def")
    Host.objects.update(lease_owner="yard:17:abc", lease_until=timezone.now() + timedelta(seconds=9))
    noted = notes.Notes()
    noted.connected()
    noted.applied([event(0.05)] * 19 + [event(2.0)])
    noted.listed(0.4)
    notes.write(host.pk, noted.take())
    token = ApiToken.make(person("robot", "admin"), "t")
    shown = admin.get("/api/v1/diagnostics", headers={"Authorization": f"Bearer {token}"}).json()
    found = shown["hosts"][0]
    assert found["host"] == "quay" and found["watched_by"] == "yard:17:abc"
    assert 0.05 <= found["lag_p50"] < 0.5 and 2 <= found["lag_p95"] < 3
    assert (found["events"], found["reconnects"], found["list_seconds"]) == (20, 0, 0.4)
    assert found["streams"] == {
        "viewers": 3, "logs": 1, "stats": 0, "terminal": 1,
        "reconnects": 3, "skipped_lines": 4711, "skipped_samples": 0,
    }  # fmt: skip
    html = admin.get("/diagnostics/").content.decode()
    for words in ("2.0 s", "yard:17", "watches 1 host", "4711", "a browser has not read for 3 s"):
        assert words in html, words


@pytest.mark.django_db
def test_each_connection_after_the_first_counts_as_made_again() -> None:
    host = a_host()
    for expected in (0, 1, 2):
        noted = notes.Notes()  # as of another watcher each time
        noted.connected()
        notes.write(host.pk, noted.take())
        assert Watch.objects.get().reconnects == expected
        assert noted.take() == {}  # nothing new, nothing to write


@pytest.mark.django_db
def test_the_error_of_an_engines_clock_is_said_and_is_no_lag(admin: Client) -> None:
    host = a_host()
    noted = notes.Notes()
    noted.clock_ahead = -300.0
    noted.connected()
    noted.applied([event(300.2)])
    notes.write(host.pk, noted.take())
    watch = Watch.objects.get()
    assert watch.lag_p50 is not None and 0.2 <= watch.lag_p50 < 1
    assert "clock -300 s" in admin.get("/diagnostics/").content.decode()


@pytest.mark.django_db
def test_a_process_that_died_is_marked_and_its_streams_are_not_open(admin: Client) -> None:
    a_host()
    processes.report("web", COUNTS, "yard:18:def")
    Process.objects.update(seen=timezone.now() - timedelta(minutes=5))
    html = admin.get("/diagnostics/").content.decode()
    assert "silent" in html and "nobody" in html
    hosts = admin.get("/api/v1/diagnostics").json()["hosts"]
    assert hosts[0]["streams"]["viewers"] == 0 and hosts[0]["streams"]["skipped_lines"] == 4711
    Process.objects.update(seen=timezone.now() - timedelta(hours=2))
    assert "yard:18" not in admin.get("/diagnostics/?part=product", headers=FRAGMENT).content.decode()
    processes.report("web", COUNTS, "yard:19:def")
    processes.leave("web", "yard:19:def")
    assert admin.get("/api/v1/diagnostics").json()["processes"] == []


@pytest.mark.django_db
def test_it_shows_what_the_product_stands_on(admin: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA = tmp_path
    Job.objects.create(kind="image.pull", by_name="ada", state="queued")
    product = admin.get("/api/v1/diagnostics").json()["product"]
    assert product["database"]["milliseconds"] is not None and product["database_size"] > 0
    assert (product["jobs_queued"], product["jobs_running"], product["folder"]) == (1, 0, str(tmp_path))
    assert 0 < product["disk_free"] <= product["disk_total"]
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    html = admin.get("/diagnostics/?part=product", headers=FRAGMENT).content.decode()
    assert "does not answer" in html and "ConnectionError" in html


@pytest.mark.django_db
def test_a_hundred_hosts_cost_as_many_queries_as_one(admin: Client, django_assert_max_num_queries: Any) -> None:
    for number in range(100):
        a_host(f"h{number:03}")
    with django_assert_max_num_queries(9):
        answer = admin.get("/diagnostics/", headers=FRAGMENT)
    assert len(answer.context["page"].items) == 50
    assert [row.name for row in admin.get("/diagnostics/?search=h07", headers=FRAGMENT).context["page"].items][
        0
    ] == "h070"


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["viewer", "deployer"])
def test_only_administrators_see_it(client: Client, role: str) -> None:
    client.force_login(person("otto", role))
    assert client.get("/diagnostics/").status_code == 403
    assert client.get("/api/v1/diagnostics").status_code == 403
    assert 'href="/diagnostics/"' not in client.get("/").content.decode()


@pytest.mark.django_db
def test_without_hosts_and_processes_it_says_what_comes_next(admin: Client) -> None:
    html = admin.get("/diagnostics/").content.decode()
    assert "No host yet" in html and "No process has said anything yet" in html
    assert 'href="/diagnostics/"' in admin.get("/").content.decode()


# ---------------------------------------------------------------- of the running product
def of_local(product: Product) -> dict[str, Any]:
    return next(row for row in product.api("diagnostics")["hosts"] if row["host"] == "local")


def nobody_looks(product: Product) -> bool:
    streams = of_local(product)["streams"]
    return streams["logs"] == streams["viewers"] == 0


def is_watched(product: Product) -> bool:
    row = of_local(product)
    return bool(row["watched_by"] and row["connected"] and row["listed"] and row["state"] == "online")


@pytest.mark.core
def test_the_running_product_shows_its_parts_and_an_open_log(product: Product, docker_engine: DockerEngine) -> None:
    def roles() -> set[str]:
        return {row["role"] for row in product.api("diagnostics")["processes"] if row["alive"]}

    until(lambda: roles() == {"web", "worker", "beat", "watch"}, "a heartbeat of every part")
    until(lambda: nobody_looks(product), "what tests before this one looked at to be closed")
    until(lambda: is_watched(product), "it to be connected and listed")
    before = of_local(product)
    docker_engine.docker("run", "-d", "--name", "quay-watched", "busybox", "sleep", "1000")
    try:
        until(lambda: of_local(product)["events"] > before["events"], "the events to be counted")
        now = of_local(product)
        assert now["last_event"] != before["last_event"] and now["lag_p50"] < 5
        with product.socket("/ws/logs?target=local/quay-watched"):
            until(
                lambda: (
                    (of_local(product)["streams"]["logs"], of_local(product)["streams"]["viewers"])
                    == (before["streams"]["logs"] + 1, before["streams"]["viewers"] + 1)
                ),
                "the open log to be counted",
                25,
            )
        until(
            lambda: of_local(product)["streams"]["logs"] == before["streams"]["logs"], "the closed log to be let go", 25
        )
    finally:
        docker_engine.docker("rm", "-f", "quay-watched")
