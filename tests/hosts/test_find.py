"""Ctrl K: what it finds, for whom."""

import re

import pytest
from django.test import Client

from hosts.models import Container, Host
from jobs.models import Job, Schedule
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
OPTION = re.compile(r'role="option".*?<span class="words clip">(.*?)</span>', re.S)


@pytest.fixture
def fleet() -> Host:
    host = a_host("fra-1")
    containers(host, container_json("web"), container_json("web-db", State="exited"), container_json("other"))
    Job.objects.create(kind="image.pull", by_name="ada", host="fra-1", target="acme/web:2")
    Schedule.objects.create(name="web nightly", kind="image.pull", cron="0 0 * * *", timezone="UTC")
    return host


def found(role: str, query: str) -> tuple[list[str], str]:
    client = Client()
    client.force_login(person(f"{role}-{query}"[:30], role))
    answer = client.get("/find/", {"q": query})
    assert answer.status_code == 200
    page = answer.content.decode()
    return OPTION.findall(page), page


def test_it_finds_objects_jobs_schedules_and_the_lists_for_the_words(fleet: Host) -> None:
    words, page = found("viewer", "web")
    assert words[:2] == ["web", "web-db"]
    assert "Pull image acme/web:2" in words
    assert "web nightly" in words
    assert 'href="/containers/?search=web"' in page
    assert "fra-1" in found("viewer", "fra")[0]


def test_nothing_typed_gives_the_places_that_one_may_see(fleet: Host) -> None:
    assert {"Users", "Add host", "Pull an image"} <= set(found("admin", "")[0])
    assert not {"Users", "Add host", "Pull an image", "Diagnostics"} & set(found("viewer", "")[0])


def test_a_verb_and_a_name_are_an_act_that_the_state_and_the_rights_allow(fleet: Host) -> None:
    words, page = found("operator", "restart web")
    web = Container.objects.get(name="web")
    assert words[0] == "Restart web"
    assert f'action="/containers/fra-1/{web.engine_id[:12]}/restart/"' in page
    assert "Restart web?" in page  # asks first
    assert "Start web-db" in found("operator", "start web")[0]
    assert "Logs web" in found("viewer", "logs web")[0]
    assert not [word for word in found("viewer", "restart web")[0] if word.startswith("Restart")]


def test_what_was_typed_is_only_text(fleet: Host) -> None:
    _words, page = found("viewer", '<script>alert("x")</script>')
    assert "<script>" not in page
    assert found("viewer", "a" * 5000)[0] is not None
