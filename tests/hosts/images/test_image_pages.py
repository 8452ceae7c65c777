"""Images, networks, volumes and events in tables: filters with counts, and dialogs that keep what was typed."""

from typing import Any

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Event, Host
from jobs.models import Job, Schedule
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
FRAGMENT = {"HX-Request": "true"}


def image_json(number: int, *tags: str) -> dict[str, Any]:
    return {"Id": f"sha256:{number:064x}", "RepoTags": list(tags), "Size": 1000, "Created": 1_760_000_000, "Labels": {}}


@pytest.fixture
def admin(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    host = a_host()
    images = [image_json(1, "redis:7"), image_json(2, "nginx:1"), image_json(3)]
    apply.apply_rows(host, "image", [parse.image_row(image) for image in images])
    networks = {"NetworkSettings": {"Networks": {"back": {"NetworkID": "a" * 64}}}}
    containers(host, container_json("web", ImageID=f"sha256:{1:064x}", **networks))
    rows = [
        {"Id": "a" * 64, "Name": "back", "Driver": "bridge"},
        {"Id": "b" * 64, "Name": "front", "Driver": "macvlan"},
    ]
    apply.apply_rows(host, "network", [parse.network_row(row) for row in rows])
    return client


def names(client: Client, path: str) -> list[str]:
    return [row.name for row in client.get(path, headers=FRAGMENT).context["page"].items]


def counts(client: Client, path: str, facet: str) -> dict[str, int | None]:
    menu = client.get(f"{path}?facet={facet}", headers=FRAGMENT).context["menu"]
    return {choice.value: choice.count for choice in menu.choices}


def test_images_are_filtered_by_their_use(admin: Client) -> None:
    assert counts(admin, "/images/", "use") == {"dangling": 1, "in use": 1, "unused": 1}
    assert names(admin, "/images/?use=in+use") == ["redis:7"]
    assert names(admin, "/images/?use=dangling&use=unused") == ["", "nginx:1"]
    assert names(admin, "/images/?search=ngi&use=in+use") == []
    assert "<h2>The filter hides all 3 rows" in admin.get("/images/?search=zzz").content.decode()


def test_networks_are_filtered_by_driver_and_use(admin: Client) -> None:
    assert counts(admin, "/networks/", "driver") == {"bridge": 1, "macvlan": 1}
    assert names(admin, "/networks/?use=in+use") == ["back"]
    assert names(admin, "/networks/?driver=macvlan") == ["front"]


def test_events_are_filtered_and_lead_to_containers_that_are_there(admin: Client) -> None:
    host = Host.objects.get()
    there = host.container_set.get().engine_id
    for number, (action, actor) in enumerate((("die", there), ("oom", "f" * 64), ("start", there))):
        attributes = {"name": "web", "exitCode": "3"} if action == "die" else {"name": "web"}
        raw = {"Type": "container", "Action": action, "Actor": {"ID": actor, "Attributes": attributes}}
        apply.apply_events(host, [parse.event_row(raw | {"timeNano": (1_760_000_000 + number) * 10**9})])
    items = admin.get("/events/", headers=FRAGMENT).context["page"].items
    assert [(event.action, bool(event.page), event.is_bad) for event in items] == [
        ("start", True, False),
        ("oom", False, True),
        ("die", True, True),
    ]
    assert "exit code 3" in items[2].detail
    assert names_of_events(admin, "kind=network") == []
    assert names_of_events(admin, "search=oom") == ["oom"]
    assert counts(admin, "/events/", "host") == {"quay": None}


def names_of_events(client: Client, query: str) -> list[str]:
    return [event.action for event in client.get(f"/events/?{query}", headers=FRAGMENT).context["page"].items]


@pytest.mark.parametrize(
    "reference", ["", "   ", "UPPER", "a b", "a:b:c", "x" * 500, "a\0b", "http://x/y", "ö", "$(id)", "-v", "a@sha256:1"]
)
def test_a_wrong_image_name_is_said_at_the_field_and_stays(admin: Client, reference: str) -> None:
    answer = admin.post("/images/pull/", {"reference": reference, "host": "quay"}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert answer.context["field"] == "reference"
    assert answer.context["typed"] == {"reference": reference, "host": "quay"}
    assert not Job.objects.exists()


def test_an_unknown_host_is_said_at_its_field(admin: Client) -> None:
    answer = admin.post("/images/pull/", {"reference": "nginx", "host": "gone"}, headers=FRAGMENT)
    assert answer.status_code == 422
    assert "There is no such host" in answer.content.decode().split('id="host-error"')[1]


def test_a_pull_leads_to_its_job(admin: Client) -> None:
    answer = admin.post("/images/pull/", {"reference": "nginx", "host": "quay"}, headers=FRAGMENT)
    job = Job.objects.get()
    assert (answer.status_code, answer["HX-Redirect"]) == (204, f"/jobs/{job.pk}/")
    assert job.target == "nginx:latest"
    assert admin.post("/images/prune/", {"host": "quay"})["Location"] == f"/jobs/{job.pk + 1}/"


def test_an_image_is_found_by_each_of_its_names(admin: Client) -> None:
    host = Host.objects.get()
    row = parse.image_row(image_json(1, "acme/web:1") | {"RepoTags": ["acme/web:1", "zulu.example:5000/team/web:2"]})
    apply.apply_rows(host, "image", [row])
    for path in ("/images/?search={}", "/api/v1/images?search={}"):
        for word in ("acme/web", "zulu.example:5000/team/web:2", "TEAM/web"):
            assert "acme/web:1" in admin.get(path.format(word)).content.decode(), (path, word)
        assert "acme/web:1" not in admin.get(path.format("tango")).content.decode()


def test_jobs_are_filtered_and_paged(admin: Client) -> None:
    Job.objects.bulk_create([Job(kind="image.pull", by_name="otto", host="quay", target=f"i{n}") for n in range(60)])
    Job.objects.create(kind="image.pull", by_name="ada", host="far", target="other", state="failed")
    assert len(jobs(admin, "")) == 50
    assert jobs(admin, "by=ada") == ["other"]
    assert jobs(admin, "state=failed") == ["other"]
    assert jobs(admin, "search=i59") == ["i59"]
    assert jobs(admin, "state=nonsense&page=7&sort=params") == []


def jobs(client: Client, query: str) -> list[str]:
    return [job.target for job in client.get(f"/jobs/?{query}", headers=FRAGMENT).context["page"].items]


@pytest.mark.parametrize(
    ("path", "queries"),
    [
        ("/images/", 6),
        ("/networks/", 6),
        ("/volumes/", 6),
        ("/events/", 6),
        ("/jobs/", 11),  # queued ones say what they wait for; hosts, swarms and images that are there are links
        ("/jobs/schedules/", 7),  # each with its last time
    ],
)
def test_a_list_costs_as_many_queries_whatever_it_holds(
    admin: Client, path: str, queries: int, django_assert_max_num_queries: Any
) -> None:
    host = Host.objects.get()
    apply.apply_rows(host, "image", [parse.image_row(image_json(n, f"image-{n}:1")) for n in range(60)])
    Job.objects.bulk_create([Job(kind="image.pull", by_name="ada", host="quay", target=f"i{n}") for n in range(60)])
    Event.objects.bulk_create(
        [Event(host=host, time=host.since, time_nano=n, kind="container", action="start") for n in range(60)]
    )
    schedules = [Schedule(name=f"s{n}", kind="image.pull", cron="0 0 * * *", timezone="UTC") for n in range(60)]
    for schedule in Schedule.objects.bulk_create(schedules):
        schedule.runs.create(planned=host.since, outcome="missed")
    with django_assert_max_num_queries(queries):
        admin.get(path, headers=FRAGMENT)
