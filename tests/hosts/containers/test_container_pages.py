"""The table of containers, from rows alone: no engine is asked."""

import re
from typing import Any

import pytest
from django.test import Client

from hosts.inventory import apply
from hosts.models import Container, Host
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
COMPOSE = {"com.docker.compose.project": "payments", "com.docker.compose.service": "api", "tier": "front"}
ODD = {"double__under": "1", "8080": "http", 'it\'s "quoted" $.x': "\\%_"}


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    first, second = a_host("fra-1"), a_host("lab")
    containers(
        first,
        container_json("api-1", Labels=COMPOSE, Status="Up 2 hours (unhealthy)"),
        container_json("redis", Image="redis:7", Labels=ODD),
    )
    containers(second, container_json("job", State="exited", Status="Exited (3) 2 hours ago"))
    return client


def names(client: Client, query: str) -> set[str]:
    answer = client.get(f"/containers/?{query}", headers={"HX-Request": "true"})
    assert answer.status_code == 200
    return {container.name for container in answer.context["page"].items}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"api-1", "redis", "job"}),
        ("host=lab", {"job"}),
        ("state=running", {"api-1", "redis"}),
        ("state=running&state=exited", {"api-1", "redis", "job"}),
        ("health=unhealthy", {"api-1"}),
        ("image=redis", {"redis"}),
        ("project=payments", {"api-1"}),
        ("label=tier", {"api-1"}),
        ("label=tier=front", {"api-1"}),
        ("label=tier=back", set()),
        ("label=com.docker.compose.service=api", {"api-1"}),
        ("label=double__under=1", {"redis"}),
        ("label=8080=http", {"redis"}),
        ("label=8080", {"redis"}),
        ("label=it%27s%20%22quoted%22%20%24.x=%5C%25_", {"redis"}),
        ("label=tier=front&label=8080", {"api-1", "redis"}),
        ("label==", set()),
        ("attention=1", {"api-1", "job"}),
        ("project=none", {"redis", "job"}),
        ("project=none&host=fra-1", {"redis"}),
        ("search=red", {"redis"}),
        ("search=%25", set()),
        ("search=_", set()),
        ("search=%5C", set()),
        (f"search={'x' * 10_000}", set()),
        ("search=fra-1+api", {"api-1"}),
        ("search=%27%22--", set()),
        ("group=project&sort=-created&page=99999999999", {"api-1", "redis", "job"}),
        ("sort=password&column=nonsense&page=x", {"api-1", "redis", "job"}),
    ],
)
def test_it_filters_by_what_the_url_says(page: Client, query: str, expected: set[str]) -> None:
    assert names(page, query) == expected


def facet(client: Client, query: str, name: str) -> dict[str, int]:
    answer = client.get(f"/containers/?{query}&facet={name}", headers={"HX-Request": "true"})
    return {choice.value: choice.count for choice in answer.context["menu"].choices}


def test_a_filter_s_values_are_counted_within_the_other_filters(page: Client) -> None:
    assert facet(page, "", "state") == {"running": 2, "exited": 1}
    assert facet(page, "host=lab", "state") == {"exited": 1}
    assert facet(page, "host=lab", "host") == {"fra-1": 2, "lab": 1}
    assert facet(page, "host=lab&project=gone", "project") == {"none": 1, "gone": 0}
    assert facet(page, "search=redis", "image") == {"redis:7": 1}


def test_a_chip_takes_its_filter_away_and_keeps_the_rest(page: Client) -> None:
    html = page.get("/containers/?state=running&state=exited&label=tier&sort=-name&column=host&page=1").content.decode()
    assert 'href="?label=tier&amp;sort=-name&amp;column=host" aria-label="Remove the filter State"' in html
    assert "State: 2" in html
    assert "Label: tier" in html


def test_groups_say_how_much_is_in_them(page: Client) -> None:
    containers(Host.objects.get(name="lab"), container_json("api-2", Labels=COMPOSE), container_json("other"))
    items = page.get("/containers/?group=project").context["page"].items
    heads = {item.group.key: (item.group.containers, item.group.hosts, item.group.host) for item in items}
    assert heads == {"payments": (2, 2, None), "": (2, 2, None)}
    assert [item.group.key for item in items] == ["payments", "payments", "", ""]
    by_host = page.get("/containers/?group=host").context["page"].items
    assert {item.group.key: item.group.containers for item in by_host} == {"fra-1": 2, "lab": 2}


def test_it_says_that_a_lost_host_s_rows_are_old(page: Client) -> None:
    Host.objects.filter(name="lab").update(state="unreachable", reason_template="No answer.")
    html = page.get("/containers/?host=lab").content.decode()
    assert 'class="stale"' in html
    assert "No answer." in html


def test_markup_in_names_and_labels_stays_text(page: Client) -> None:
    evil = "<script>alert(1)</script>"
    containers(
        Host.objects.get(name="lab"), container_json("x", Image=evil, Labels={"com.docker.compose.project": evil})
    )
    html = page.get("/containers/?host=lab&column=image&column=project").content.decode()
    assert evil not in html
    assert "&lt;script&gt;alert(1)" in html


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("", "3 on 2 hosts"),
        ("page=7", "3 on 2 hosts"),
        ("state=running", "2 of 3"),
        ("search=red&host=fra-1", "1 of 3"),
        ("search=+", "3 of 3"),
        ("state=dead", "0 of 3"),
    ],
)
def test_page_and_part_say_how_many_there_are(page: Client, query: str, said: str) -> None:
    a_host("empty")
    for headers in ({}, {"HX-Request": "true"}):
        html = page.get(f"/containers/?{query}", headers=headers).content.decode()
        assert re.search(rf'data-words-of="list-count">{said}\s*</span>', html)


def test_the_number_of_queries_does_not_grow_with_the_rows(page: Client, django_assert_num_queries: Any) -> None:
    containers(Host.objects.get(name="lab"), *(container_json(f"many-{n}-{'x' * n}") for n in range(60)))
    # two for who asks; one each for how many match, their keys in order, the rows, and on how many hosts they are
    with django_assert_num_queries(6):
        page.get("/containers/", headers={"HX-Request": "true"})
    with django_assert_num_queries(6):  # how many there are without the filter, and not on how many hosts
        page.get("/containers/?state=running&search=many&sort=-created", headers={"HX-Request": "true"})
    with django_assert_num_queries(7):  # what is in the groups
        page.get("/containers/?group=project", headers={"HX-Request": "true"})
    with django_assert_num_queries(3):
        page.get("/containers/?facet=host", headers={"HX-Request": "true"})
    # five for the frame, which has counted all containers already; no value of a filter is counted before its menu is opened
    with django_assert_num_queries(12):
        page.get("/containers/?state=running&search=many&sort=-created")
    with django_assert_num_queries(12):
        page.get("/containers/")


def row_of(client: Client, name: str, query: str = "") -> str:
    html = client.get(f"/containers/?search={name}&{query}", headers={"HX-Request": "true"}).content.decode()
    return html[html.index("<tbody") : html.index("</tbody>")]


def test_a_row_kept_for_others_is_never_what_somebody_may_not_see(page: Client) -> None:
    whole, viewer = row_of(page, "redis"), Client()
    viewer.force_login(person("vera", "viewer"))
    assert "/restart/" in whole
    assert "/terminal/" in whole
    assert "redis" in row_of(viewer, "redis")
    assert "/restart/" not in row_of(viewer, "redis")
    assert "/terminal/" not in row_of(viewer, "redis")
    assert row_of(page, "redis") == whole


def test_a_row_is_kept_only_until_something_in_it_changes(page: Client) -> None:
    before = row_of(page, "redis")
    assert row_of(page, "redis") == before
    assert "Logs of redis" in before
    containers(Host.objects.get(name="fra-1"), container_json("redis", Image="redis:8", Labels=ODD))
    assert "redis:8" in row_of(page, "redis")
    Host.objects.filter(name="fra-1").update(state="unreachable", reason_template="No answer.")
    assert "No answer." in row_of(page, "redis")
    page.cookies["django_language"] = "id"
    assert "Log redis" in row_of(page, "redis")


def test_the_links_of_a_kept_row_keep_the_query_of_the_page_they_are_in(page: Client) -> None:
    assert "sort=-name" in row_of(page, "api-1", "column=project&sort=-name")
    assert "sort=-name" not in row_of(page, "api-1", "column=project")


def test_environment_values_are_hidden_until_they_are_revealed(page: Client) -> None:
    container = Container.objects.get(name="redis")
    inspect = {"Id": container.engine_id, "Config": {"Env": ["TOKEN=canary-4711", "PATH=/bin"]}, "State": {}}
    apply.apply_details(container.host, {container.engine_id: inspect})
    html = page.get("/containers/fra-1/redis/").content.decode()
    assert "TOKEN" in html
    assert "canary-4711" not in html
    assert "canary-4711" in page.post("/containers/fra-1/redis/environment/").content.decode()


def test_what_an_engine_no_longer_lists_leaves_the_table() -> None:
    host = a_host()
    containers(host, container_json("one"), container_json("three"))
    containers(host, container_json("three"))
    assert list(Container.objects.values_list("name", flat=True)) == ["three"]


def test_a_host_s_keys_are_stored_encrypted_and_never_shown(client: Client) -> None:
    from django.db import connection

    Host.objects.create(name="far", url="tcp://10.0.0.9:2376", kind="tls", tls_key="canary-key-4711")
    with connection.cursor() as cursor:
        cursor.execute("SELECT tls_key FROM hosts_host")
        assert "canary" not in cursor.fetchone()[0]
    client.force_login(person("ada", "admin"))
    for path in ("/hosts/far/", "/hosts/far/edit/", "/api/v1/hosts/far"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert "canary" not in answer.content.decode()
