"""The host and the target of a job lead to their pages, as long as these are there and may be seen."""

import json
import re
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hosts.engine import parse
from hosts.inventory import apply
from hosts.job_pages import READINGS
from hosts.models import Backup, Destination, Host, Service, Swarm
from hosts.models.backups import BackupState
from jobs import kinds, queue
from jobs.models import Job, Schedule
from tests.rows import a_host, a_swarm, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
IMAGE, NETWORK, PLUGIN = "sha256:" + "1" * 64, "2" * 64, "3" * 64
WEB, DB = f"{sum(map(ord, 'web')):08x}cccc", f"{sum(map(ord, 'db')):08x}cccc"


@pytest.fixture
def quay(client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Host:
    """A host with one thing of each kind, and jobs that stay in the queue."""
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    client.force_login(person("ada", "admin"))
    host = a_host()
    a_host("pier")
    containers(host, container_json("web"), container_json("db"))
    tagged = {"Id": IMAGE, "RepoTags": ["redis:7", "redis:latest"]}
    apply.apply_rows(host, "image", [parse.image_row(tagged)])
    apply.apply_rows(host, "network", [parse.network_row({"Id": NETWORK, "Name": "back", "Driver": "bridge"})])
    for place, name in (("quay", "data"), ("pier", "copy")):
        row = parse.volume_row({"Name": name, "Driver": "local"})
        apply.apply_rows(Host.objects.get(name=place), "volume", [row])
    apply.apply_rows(host, "plugin", [parse.plugin_row({"Id": PLUGIN, "Name": "disk:1"})])
    a_swarm(host)
    shelf = Destination.objects.create(name="shelf", kind="folder", folder=str(tmp_path))
    for pk, name in ((7, "a"), (8, "b")):
        key = f"quay/data/{name}.tar.zst"
        Backup.objects.create(pk=pk, host="quay", volume="data", destination=shelf, key=key, state=BackupState.KEPT)
    return host


def told_at(page: str, *places: str) -> str:
    """The rest of the cell or fact that begins with the last of the places, each after the one before; "" for none."""
    for place in places:
        page = page.partition(place)[2]
    return re.split("</td>|</dd>", page, maxsplit=1)[0]


def links(page: str, *places: str) -> list[tuple[str, str]]:
    """(words, address) of the links there."""
    pairs = re.findall(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', told_at(page, *places))
    return [(unescape(words), unescape(url)) for url, words in pairs]


def words_of(page: str, at: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", told_at(page, at))).strip()


ON_JOB, ON_HOST, ON_LIST = '<dt>Target</dt><dd class="mono">', "<dt>Host</dt><dd>", '<td class="rest" title='
ASKED: dict[str, tuple[str, dict[str, Any], list[tuple[str, str]]]] = {
    "pull": ("images/quay/pull", {"image": "redis:latest"}, [("redis:latest", "/images/quay/111111111111/")]),
    "pull of what is not there": ("images/quay/pull", {"image": "nginx:1"}, []),
    "copy of an image": (
        "images/quay/redis:7/copy",
        {"to": "pier"},
        [("redis:7", "/images/quay/111111111111/"), ("pier", "/hosts/pier/")],
    ),
    "many containers": (
        "containers/bulk",
        {},
        [("web", f"/containers/quay/{WEB}/"), ("db", f"/containers/quay/{DB}/")],
    ),
    "commit": (
        "containers/quay/web/commit",
        {"image": "acme/new:1"},
        [("web", f"/containers/quay/{WEB}/")],
    ),
    "copy of a volume": (
        "volumes/quay/data/copy",
        {"to": "pier", "name": "new"},
        [("data", "/volumes/quay/data/")],
    ),
    "backup": ("volumes/quay/data/backup", {"destination": "shelf"}, [("data", "/volumes/quay/data/")]),
    "check of a backup": ("backups/7/check", {}, [("quay/data/a.tar.zst", "/backups/7/")]),
    "restore": (
        "backups/7/restore",
        {"volume": "data", "replace": True},
        [("a.tar.zst", "/backups/7/"), ("data", "/volumes/quay/data/")],
    ),
    "removal of backups": (
        "backups/remove",
        {"backups": [7, 8]},
        [("a.tar.zst", "/backups/7/"), ("b.tar.zst", "/backups/8/")],
    ),
    "join of a swarm that is known": (
        "swarms/join",
        {"host": "pier", "swarm": "SWARM", "role": "worker"},
        [("pier", "/hosts/pier/"), ("SWARM", "/swarms/SWARM/")],
    ),
    "plugin": ("plugins/quay/disk:1/enable", {}, [("disk:1", "/plugins/quay/333333333333/")]),
    "service": (
        "services/SWARM/web/scale",
        {"replicas": 2},
        [("SWARM", "/swarms/SWARM/"), ("web", "/services/SWARM/WEB/")],
    ),
    "stack": ("stacks/SWARM/st/remove", {}, [("SWARM", "/swarms/SWARM/"), ("st", "/stacks/SWARM/st/")]),
    "file": ("containers/quay/web/files/make", {"path": "/srv/new"}, [("web", f"/containers/quay/{WEB}/")]),
    "secret that is not there yet": (
        "secrets/SWARM",
        {"name": "fresh", "value": "canary"},
        [("SWARM", "/swarms/SWARM/")],
    ),
    "new token": ("swarms/SWARM/rotate", {"what": "worker"}, [("SWARM", "/swarms/SWARM/")]),
    "secret": (
        "secrets/SWARM/s1/replace",
        {"value": "canary"},
        [("SWARM", "/swarms/SWARM/"), ("s1", "/secrets/SWARM/qi7z7vkgny7udvksj03lfa614/")],
    ),
}


def test_the_target_of_each_kind_of_job_leads_to_what_is_there(client: Client, quay: Host) -> None:
    swarm, web = Swarm.objects.get().name, Service.objects.get(name="web").engine_id

    def told(words: str) -> str:
        return words.replace("SWARM", swarm).replace("WEB", web)

    jobs = {}
    for asked, (path, body, _links) in ASKED.items():
        if path == "containers/bulk":
            answer = client.post("/containers/bulk/restart/", {"target": ["quay/web", "quay/db"]})
        else:
            answer = client.post(f"/api/v1/{told(path)}", told(json.dumps(body)), content_type="application/json")
        assert answer.status_code in {202, 302}, (asked, answer.content)
        jobs[asked] = Job.objects.latest("pk")
    pages = {asked: client.get(f"/jobs/{job.pk}/").content.decode() for asked, job in jobs.items()}
    expected = {asked: [(told(words), told(url)) for words, url in links] for asked, (_, _, links) in ASKED.items()}
    assert {asked: links(page, ON_JOB) for asked, page in pages.items()} == expected
    assert {asked: words_of(page, ON_JOB) for asked, page in pages.items()} == {a: j.target for a, j in jobs.items()}
    rows = client.get("/jobs/").content.decode()
    assert {a: links(rows, f'<tr id="j{job.pk}">', ON_LIST) for a, job in jobs.items()} == expected
    hosts = {link for page in pages.values() for link in links(page, ON_HOST)}
    assert hosts == {("quay", "/hosts/quay/"), ("pier", "/hosts/pier/")}
    for _words, url in {*hosts, *(link for found in expected.values() for link in found)}:
        assert client.get(url).status_code == 200, url


def test_a_file_that_was_loaded_leads_to_the_image_that_was_in_it(client: Client, quay: Host) -> None:
    olaf = person("olaf", "deployer")
    for images, page in (("redis:latest", "/images/quay/111111111111/"), ("redis:7, nginx:1", ""), ("", "")):
        job = queue.start(olaf, "image.load", host="quay", target="saved.tar", params={"upload": images})
        Job.objects.filter(pk=job.pk).update(result={"images": images})
        shown = client.get(f"/jobs/{job.pk}/").content.decode()
        assert words_of(shown, ON_JOB) == "saved.tar"
        assert links(shown, ON_JOB) == ([("saved.tar", page)] if page else [])


def test_a_schedule_and_its_form_lead_there_too(client: Client, quay: Host) -> None:
    client.post("/api/v1/volumes/quay/data/backup", {"destination": "shelf"}, content_type="application/json")
    job = Job.objects.get()
    form = client.get(f"/jobs/{job.pk}/schedule/").content.decode()
    client.post(f"/jobs/{job.pk}/schedule/", {"name": "nightly", "cron": "0 1 * * *", "timezone": "UTC"})
    schedule = Schedule.objects.get()
    page, rows = client.get(f"/jobs/schedules/{schedule.pk}/"), client.get("/jobs/schedules/")
    for text, at in ((form, ON_JOB), (page.content.decode(), ON_JOB), (rows.content.decode(), ON_LIST)):
        assert links(text, at) == [("data", "/volumes/quay/data/")]
    assert links(page.content.decode(), ON_HOST) == [("quay", "/hosts/quay/")]


def test_what_is_gone_is_plain_text(client: Client, quay: Host) -> None:
    client.post("/api/v1/volumes/quay/data/backup", {"destination": "shelf"}, content_type="application/json")
    job = Job.objects.get()
    apply.apply_rows(quay, "volume", [])
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert (words_of(page, ON_JOB), links(page, ON_JOB)) == ("data -> shelf", [])
    quay.delete()
    page = client.get(f"/jobs/{job.pk}/").content.decode()
    assert (words_of(page, ON_HOST), links(page, ON_HOST)) == ("quay", [])
    assert '<a class="host-name"' not in client.get("/jobs/").content.decode()


def test_a_long_list_of_jobs_asks_no_more_than_a_short_one(client: Client, quay: Host) -> None:
    """However many jobs, and names in each of them."""
    user = person("otto", "deployer")

    def jobs(numbers: range) -> None:
        for n in numbers:
            names = ", ".join(f"v{n}-{k}" for k in range(60))
            queue.start(user, "volume.remove", host="quay", target=names, params={"n": n})
            queue.start(user, "image.pull", host="quay", target=f"nginx:{n}", params={})
            queue.start(user, "container.recreate", host="quay", target=f"c{n}", params={})

    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/jobs/").status_code == 200
        return len(queries)

    jobs(range(1))
    few = asked()
    jobs(range(1, 15))
    assert asked() == few
    page = client.get("/jobs/").content.decode()
    assert "v14-59" in page


def test_every_kind_of_job_that_names_an_object_is_read() -> None:
    """`image.prune` names a rule, measuring nothing."""
    plain = {"image.prune", "disk.measure"}
    assert set(kinds.names()) - READINGS.keys() == plain
    assert READINGS.keys() <= set(kinds.names())
