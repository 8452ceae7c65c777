"""/metrics: who may read it, what it says, and that it is Prometheus' format."""

import re
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import ApiToken, User
from api.exposition import Exposition
from hosts.inventory import history, processes
from hosts.models import Container, Host, Process
from jobs.models import Job
from tests.rows import a_host, container_json, containers, person
from tests.stats import rates

pytestmark = [pytest.mark.core, pytest.mark.django_db]
LINE = re.compile(
    r"(?:# (?:HELP|TYPE) dermaga_[a-z_]+ .+|dermaga_[a-z_]+(?:\{[a-z_]+=\"(?:[^\"\\\n]|\\.)*\"(?:,[a-z_]+=\"(?:[^\"\\\n]|\\.)*\")*\})? "
    r"-?[0-9.e+]+)"
)
COUNTS: Any = {
    "sockets": {"logs": 2},
    "upstreams": {"logs": 1},
    "lag_seconds": 1.5,
    "opened": {"logs": 7, "stats": 1},
    "reconnects": {"logs": 3},
    "skipped_lines": 4711,
    "skipped_samples": 9,
}


def read(client: Client, user: User | None = None) -> dict[str, float]:
    """The samples by name and labels, after a look at the format."""
    token = ApiToken.make(user or person("robot", "viewer"), f"t{time.monotonic_ns()}")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    text = answer.content.decode()
    assert text.endswith("\n")
    lines = text.splitlines()
    assert [line for line in lines if not LINE.fullmatch(line)] == []
    named = [line.rpartition(" ")[0] for line in lines if not line.startswith("#")]
    assert len(named) == len(set(named))
    return {
        name: float(line.rpartition(" ")[2])
        for name, line in zip(named, [x for x in lines if x[0] != "#"], strict=True)
    }


def test_it_says_what_hosts_and_containers_do(client: Client) -> None:
    host = a_host()
    Host.objects.update(cpus=4, memory=2**33, engine="Docker", engine_version="26.1.5", api_version="1.45")
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    done = container_json("done", State="exited", Status="Exited (3) 1 hour ago")
    containers(host, container_json("web", Labels=labels), container_json("fresh"), done)
    web = Container.objects.get(name="web")
    history.record(host, int(time.time()) - 5, [history.Taken(web, rates(150, memory=2**20))], 30)
    found = read(client)
    assert found['dermaga_host_up{host="quay"}'] == 1
    info = 'dermaga_host_info{host="quay",state="online",engine="Docker",version="26.1.5",api="1.45"}'
    assert found[info] == 1
    assert found['dermaga_host_cpu_percent{host="quay"}'] == 37.5
    assert found['dermaga_host_memory_used_bytes{host="quay"}'] == 2**20
    assert 5 <= found['dermaga_host_sample_age_seconds{host="quay"}'] < 60
    assert found['dermaga_container_cpu_percent{host="quay",container="web"}'] == 150
    assert found['dermaga_container_memory_limit_bytes{host="quay",container="web"}'] == 2**30
    assert 'dermaga_container_cpu_percent{host="quay",container="fresh"}' not in found
    about = 'host="quay",container="web",project="shop",service="web",state="running",health=""'
    assert found[f"dermaga_container_info{{{about}}}"] == 1
    assert found['dermaga_containers{host="quay",state="running"}'] == 2
    assert found['dermaga_containers{host="quay",state="exited"}'] == 1
    assert found['dermaga_containers{host="quay",state="paused"}'] == 0
    assert 5 <= found["dermaga_history_lag_seconds"] < 60


def test_it_says_how_jobs_and_streams_do(client: Client) -> None:
    job = Job.objects.create(kind="image.pull", by_name="ada", state="queued")
    Job.objects.create(kind="image.pull", by_name="ada", state="failed")
    Job.objects.filter(pk=job.pk).update(created=timezone.now() - timedelta(seconds=90))
    processes.report("web", COUNTS, "web-1:7:abc")
    found = read(client)
    assert found['dermaga_jobs{state="queued"}'] == found['dermaga_jobs{state="failed"}'] == 1
    assert found['dermaga_jobs{state="running"}'] == 0
    assert 90 <= found["dermaga_jobs_lag_seconds"] < 120
    of = 'process="web-1:7:abc"'
    assert found[f'dermaga_sockets{{kind="logs",{of}}}'] == 2
    assert found[f'dermaga_sockets{{kind="stats",{of}}}'] == 0
    assert found[f'dermaga_upstreams{{kind="logs",{of}}}'] == 1
    assert found[f'dermaga_upstream_reconnects_total{{kind="logs",{of}}}'] == 3
    assert found[f"dermaga_log_lines_skipped_total{{{of}}}"] == 4711
    assert found[f"dermaga_stream_lag_seconds{{{of}}}"] == 1.5


def test_a_process_that_fell_silent_has_no_open_streams_and_keeps_its_totals(client: Client) -> None:
    processes.report("web", COUNTS, "web-1:7:abc")
    Process.objects.update(seen=timezone.now() - timedelta(seconds=60))
    found = read(client)
    assert found['dermaga_sockets{kind="logs",process="web-1:7:abc"}'] == 0
    assert found['dermaga_stream_lag_seconds{process="web-1:7:abc"}'] == 0
    assert found['dermaga_log_lines_skipped_total{process="web-1:7:abc"}'] == 4711
    Process.objects.update(seen=timezone.now() - timedelta(days=2))
    processes.report("web", COUNTS, "web-2:7:def")
    assert list(Process.objects.values_list("owner", flat=True)) == ["web-2:7:def"]


def test_the_page_about_it_lists_every_family(client: Client) -> None:
    processes.report("web", COUNTS, "web-1:7:abc")
    host = a_host()
    Host.objects.update(cpus=4, memory=2**33)
    containers(host, container_json("web"))
    history.record(host, int(time.time()) - 5, [history.Taken(Container.objects.get(), rates(1))], 30)
    families = {name.partition("{")[0] for name in read(client)}
    listed = set(re.findall(r"`(dermaga_[a-z_]+)", (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()))
    assert families == listed


def test_an_empty_installation_says_so(client: Client) -> None:
    assert read(client)['dermaga_jobs{state="queued"}'] == 0


def test_only_a_token_opens_it(client: Client) -> None:
    ada = person("ada", "admin")
    client.force_login(ada)
    assert client.get("/metrics").status_code == 401  # a session is no token
    for wrong in ("", "Bearer", "Bearer nonsense", "Basic dmg_x"):
        answer = client.get("/metrics", headers={"Authorization": wrong})
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    token = ApiToken.make(ada, "prometheus")
    assert client.post("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 405
    ada.is_active = False
    ada.save()
    assert client.get("/metrics", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_thousand_containers_cost_as_many_queries_as_one(client: Client, django_assert_max_num_queries: Any) -> None:
    host, robot = a_host(), person("robot", "viewer")
    containers(host, *(container_json(f"many-{n:04}", Id=f"{n:064x}") for n in range(1000)))
    rows = list(Container.objects.all())
    history.record(host, int(time.time()) - 5, [history.Taken(row, rates(1)) for row in rows], 30)
    with django_assert_max_num_queries(11):
        found = read(client, robot)
    assert sum(name.startswith("dermaga_container_cpu_percent") for name in found) == 1000


def test_the_format_escapes_what_people_name_things() -> None:
    out = Exposition()
    out.gauge("x", "Words.", 1, name='a"b\\c\nd')
    out.gauge("x", "Words.", 2, name='a"b\\c\nd')
    out.gauge("x", "Words.", None, name="unknown")
    out.counter("y_total", "More.", 10**15)
    assert str(out) == (
        '# HELP dermaga_x Words.\n# TYPE dermaga_x gauge\ndermaga_x{name="a\\"b\\\\c\\nd"} 2\n'
        "# HELP dermaga_y_total More.\n# TYPE dermaga_y_total counter\ndermaga_y_total 1e+15\n"
    )
