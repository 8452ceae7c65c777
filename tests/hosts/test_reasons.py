"""A view that shows nothing says why, and what comes next."""

import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from hosts.inventory import history
from hosts.models import Container, Host
from tests.rows import a_host, container_json, containers, person
from tests.stats import rates

pytestmark = [pytest.mark.django_db, pytest.mark.core]
LISTS = ("containers", "images", "networks", "volumes", "events")


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(person("otto", "deployer"))
    return client


def html(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def lost(name: str) -> Host:
    """A host that was never reached."""
    host = a_host(name, "unreachable")
    Host.objects.filter(pk=host.pk).update(last_seen=None, reason_template="Nobody answers there.")
    return host


# ---------------------------------------------------------------- lists
@pytest.mark.parametrize("noun", LISTS)
def test_an_empty_list_says_whether_there_is_no_host_or_none_that_answers(operator: Client, noun: str) -> None:
    assert "No host yet" in html(operator, f"/{noun}/")
    host = lost("far")
    shown = html(operator, f"/{noun}/")
    assert "1 host was never reached" in shown and "Nobody answers there." in shown and "/hosts/far/" in shown
    Host.objects.filter(pk=host.pk).update(enabled=False, state="disabled")
    assert "All hosts are disabled" in html(operator, f"/{noun}/")
    Host.objects.filter(pk=host.pk).update(enabled=True, state="online", last_seen=timezone.now())
    assert f"No {noun}" in html(operator, f"/{noun}/")


def test_a_filter_that_hides_all_says_how_many_and_offers_to_go(operator: Client) -> None:
    containers(a_host(), container_json("web"), container_json("db"))
    shown = html(operator, "/containers/?search=nobody")
    assert "<h2>The filter hides all 2 rows" in shown
    assert '<a class="button primary" href="?">Clear the filter</a>' in shown
    assert "<h2>The filter hides the only row" in html(operator, "/hosts/?search=nobody")


def test_a_list_of_one_lost_host_names_that_host_and_not_the_filter(operator: Client) -> None:
    containers(a_host(), container_json("web"))
    lost("far")
    shown = html(operator, "/containers/?host=far")
    assert "Nobody answers there." in shown and "<h2>The filter hides" not in shown
    assert "<h2>The filter hides the only row" in html(operator, "/containers/?host=quay&state=dead")


# ---------------------------------------------------------------- charts
def reason(client: Client, **params: Any) -> str:
    return str(client.get("/api/v1/containers/quay/web/stats", params).json()["reason"])


def test_a_chart_without_points_says_why(operator: Client) -> None:
    host = a_host()
    containers(host, container_json("web"))
    assert reason(operator).startswith("No sample yet. Running containers are sampled every 30 seconds")
    web, now = Container.objects.get(), int(time.time())
    history.record(host, now - 60, [history.Taken(web, rates(2.0))], 30)
    assert reason(operator) == ""
    past = {"from": now - 7200, "to": now - 3600}
    assert "The last sample is of" in reason(operator, **past)
    containers(host, container_json("web", State="exited", Status="Exited (0) 1 hour ago"))
    assert "The container does not run" in reason(operator, **past)
    Host.objects.update(state="refused", reason_template="It refuses.")
    assert "It refuses." in reason(operator, **past)
    assert "It refuses." in operator.get("/api/v1/hosts/quay/stats", past).json()["reason"]
    Host.objects.update(enabled=False, state="disabled")
    assert "The host is disabled" in reason(operator, **past)
    assert reason(operator) == ""  # what was sampled before still shows


# ---------------------------------------------------------------- terminals
@pytest.mark.parametrize(
    ("container", "host", "sentence"),
    [
        ({"State": "exited"}, {}, "The container does not run."),
        ({"State": "paused"}, {}, "The container is paused."),
        ({}, {"state": "refused", "reason_template": "It refuses."}, "It refuses."),
        ({}, {"enabled": False, "state": "disabled"}, "The host of this container is disabled."),
    ],
)
def test_a_terminal_that_cannot_be_opened_says_why(
    operator: Client, container: dict[str, Any], host: dict[str, Any], sentence: str
) -> None:
    containers(a_host(), container_json("web", **container))
    Host.objects.update(**host)
    shown = html(operator, "/containers/quay/web/terminal/")
    assert sentence in shown and "<terminal-view" not in shown
    containers(Host.objects.get(), container_json("web"))
    Host.objects.update(enabled=True, state="online", reason_template="")
    part = operator.get("/containers/quay/web/terminal/?part=terminal", headers={"HX-Request": "true"}).content.decode()
    assert "A terminal can be opened now" in part
    assert "<terminal-view" in html(operator, "/containers/quay/web/terminal/")


def test_who_may_not_open_terminals_is_refused_with_a_reason(client: Client) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("vera", "viewer"))
    answer = client.get("/containers/quay/web/terminal/")
    assert answer.status_code == 403 and "role" in answer.content.decode()
