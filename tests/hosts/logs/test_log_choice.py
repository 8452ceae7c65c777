"""Which containers a log view shows, and its page."""

import json
import re
from html import unescape

import pytest
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from hosts.access import find_containers
from hosts.log_choice import TARGETS_AT_MOST, LogChoice, chosen
from hosts.models import Container
from tests.rows import a_host, container_json, containers, person

pytestmark = pytest.mark.django_db


def entry(number: int, name: str, project: str = "", **more: str) -> dict[str, object]:
    labels = {"com.docker.compose.project": project} if project else {}
    return container_json(name, Id=f"{number:012x}".ljust(64, "0"), Labels=labels, **more)


def a_fleet() -> None:
    containers(
        a_host("quay"),
        entry(1, "shop-web", "shop"),
        entry(2, "shop-db", "shop"),
        entry(3, "done", State="exited"),
    )
    containers(a_host("pier"), entry(4, "shop-web", "shop"), entry(5, "mail"))


def names(choice: LogChoice) -> set[str]:
    return {str(container) for container in chosen(person("vera", "viewer"), choice).logs}


@pytest.mark.parametrize(
    ("choice", "found"),
    [
        (LogChoice(targets=("quay/shop-db", "pier/mail")), {"quay/shop-db", "pier/mail"}),
        (LogChoice(hosts=("quay",)), {"quay/shop-web", "quay/shop-db", "quay/done"}),
        (LogChoice(projects=("shop",)), {"quay/shop-web", "quay/shop-db", "pier/shop-web"}),
        (LogChoice(hosts=("quay",), projects=("shop",)), {"quay/shop-web", "quay/shop-db"}),
        (LogChoice(targets=("pier/mail",), projects=("shop",), hosts=("pier",)), {"pier/mail", "pier/shop-web"}),
        (LogChoice(), set()),
    ],
)
def test_a_choice_is_named_ones_and_all_of_hosts_and_projects(choice: LogChoice, found: set[str]) -> None:
    a_fleet()
    assert names(choice) == found


def test_running_ones_come_before_ended_ones_and_what_is_above_the_limit_is_counted() -> None:
    host = a_host("quay")
    many = [entry(number, f"c{number}") for number in range(2, TARGETS_AT_MOST + 1)]
    ended = [entry(number, f"e{number}", State="exited") for number in range(1000, 1005)]
    containers(host, *ended, *many)
    found = chosen(person("vera", "viewer"), LogChoice(hosts=("quay",)))
    assert len(found.logs) == TARGETS_AT_MOST
    assert [c.state for c in found.logs[-2:]] == ["running", "exited"]
    assert found.left_out == 4


def test_who_may_not_read_logs_has_no_choice() -> None:
    a_fleet()
    user = person("nobody", "viewer")
    user.role = "none"
    assert chosen(user, LogChoice(hosts=("quay",))).logs == []


def test_containers_are_found_by_name_id_and_prefix_in_few_queries(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    a_fleet()
    rows = {str(row): row for row in Container.objects.all()}
    whole = rows["quay/shop-db"].engine_id
    asked = ["quay/shop-web", f"quay/{whole}", f"quay/{whole[:12]}", "quay/0000", "pier/nobody", "nowhere/mail", "x"]
    vera = person("vera", "viewer")
    assert not vera.standing.at  # asked for once in a request
    with django_assert_num_queries(2):  # one for names, one for ids
        found = find_containers(vera, asked)
    assert [str(row) if row else None for row in found] == ["quay/shop-web", *["quay/shop-db"] * 2, *[None] * 4]
    with django_assert_num_queries(1):
        found = find_containers(vera, ["quay/shop-web", "pier/mail"])
    assert [str(row) for row in found] == ["quay/shop-web", "pier/mail"]


def choice_in(page: str) -> dict[str, list[str]]:
    found = re.search(r'<log-view choice="([^"]*)"', page)
    assert found
    return json.loads(unescape(found[1]))


def test_the_page_holds_the_choice_and_says_what_is_gone(client: Client) -> None:
    a_fleet()
    client.force_login(person("vera", "viewer"))
    page = client.get("/logs/?target=quay/shop-db&target=pier/mail&target=pier/lost&level=error").content.decode()
    whole = [f"{c.host.name}/{c.engine_id}" for c in Container.objects.filter(name__in=["shop-db", "mail"])]
    assert sorted(choice_in(page)["target"]) == sorted(whole)
    assert "1 chosen container is gone" in page
    assert 'href="?target=quay%2Fshop-db&amp;target=pier%2Fmail&amp;level=error"' in page  # the chip of the lost one
    page = client.get("/logs/?host=quay&project=shop").content.decode()
    assert choice_in(page) == {"target": [], "host": ["quay"], "project": ["shop"]}
    assert "<log-view" not in client.get("/logs/").content.decode()


def test_what_can_be_added_is_found_by_words(client: Client) -> None:
    a_fleet()
    client.force_login(person("vera", "viewer"))
    part = client.get("/logs/choices/?search=shop").content.decode()
    assert 'name="project" value="shop"' in part
    assert part.count('name="target"') == 3
    assert 'name="host"' not in part
    assert 'name="host" value="pier"' in client.get("/logs/choices/?search=pier").content.decode()
    assert "Nothing matches" in client.get("/logs/choices/?search=zzz").content.decode()
