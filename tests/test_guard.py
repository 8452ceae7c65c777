"""The guard: nothing is served without a rule."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from accounts.guard import rule_of
from accounts.rights import Right
from api.urls import api
from dashboard.routing import socket_urls
from tests.rows import a_host, container_json, containers, person


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, path)
        else:
            yield path, entry


def our_routes() -> list[tuple[str, URLPattern]]:
    return [(path, entry) for path, entry in routes() if not path.startswith("api/v1/")]


@pytest.mark.core
def test_every_route_has_a_rule_or_is_closed() -> None:
    open_ones = [p for p, e in our_routes() if rule_of(e.callback, e.name) is None and not p.startswith("account/")]
    assert open_ones == []
    assert len(our_routes()) > 40


@pytest.mark.core
def test_every_socket_has_a_rule() -> None:
    assert len(socket_urls) >= 2
    for route in socket_urls:
        assert isinstance(route.callback.consumer_class.rule, Right), route


@pytest.mark.core
def test_every_api_operation_has_a_rule() -> None:
    operations = [
        op for _, router in api._routers for path in router.path_operations.values() for op in path.operations
    ]
    assert len(operations) > 15
    assert [
        op.view_func.__name__ for op in operations if not isinstance(getattr(op.view_func, "rule", None), Right)
    ] == []


@pytest.mark.django_db
def test_a_library_route_that_is_not_listed_is_not_served(client: Client) -> None:
    assert client.get("/account/signup/").status_code == 404
    assert client.get("/account/email/").status_code == 404


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/", "/containers/", "/hosts/", "/images/", "/registries/", "/networks/", "/volumes/", "/jobs/", "/events/"],
)
def test_a_stranger_is_sent_to_the_login_page(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 302
    assert answer["Location"].startswith("/account/login/?next=")


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/", "/containers/", "/hosts/", "/images/", "/registries/", "/networks/", "/volumes/", "/jobs/", "/events/"],
)
def test_a_viewer_sees_every_list(client: Client, path: str) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("vera", "viewer"))
    assert client.get(path).status_code == 200
    assert client.get(path, headers={"HX-Request": "true"}).status_code == 200


@pytest.mark.core
@pytest.mark.django_db
def test_a_viewer_cannot_act_and_an_operator_cannot_administer(client: Client) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("vera", "viewer"))
    for path in ("/containers/quay/web/stop/", "/containers/quay/web/environment/", "/images/pull/", "/hosts/add/"):
        assert client.post(path).status_code == 403, path
    assert client.get("/containers/quay/web/terminal/").status_code == 403
    client.force_login(person("otto", "deployer"))
    for path in ("/hosts/add/", "/hosts/quay/remove/", "/users/", "/users/add/"):
        assert client.get(path).status_code == 403, path


@pytest.mark.django_db
def test_a_disabled_account_is_out_at_once(client: Client) -> None:
    user = person("gone", "admin")
    client.force_login(user)
    user.is_active = False
    user.save()
    assert client.get("/").status_code == 302


@pytest.mark.django_db
def test_acts_are_never_done_by_a_get(client: Client) -> None:
    containers(a_host(), container_json("web"))
    client.force_login(person("ada", "admin"))
    for path, route in our_routes():
        if (
            route.name
            and route.name.split("_")[0] == "container"
            and route.name.split("_")[1]
            in {
                "start",
                "stop",
                "restart",
                "kill",
                "pause",
                "unpause",
                "rename",
                "remove",
                "bulk",
                "environment",
            }
        ):
            url = "/" + path.replace("<slug:host>", "quay").replace("<str:ref>", "web").replace(
                "<slug:verb>", "stop"
            ).replace("<slug:noun>", "container")
            assert client.get(url).status_code == 405, url
