"""The name of an event leads to the page of what it is about, as long as that is there and may be seen."""

from datetime import UTC, datetime

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Config, Host, Node, Secret, Service
from tests.rows import a_host, a_swarm, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
IMAGE, NETWORK, PLUGIN, CONTAINER = "sha256:" + "1" * 64, "2" * 64, "3" * 64, "4" * 64


def happens(host: Host, *about: tuple[str, str]) -> None:
    """An event for each (kind, id)."""
    rows = []
    for second, (kind, ref) in enumerate(about):
        nano = int(datetime(2026, 11, 24, 10, 0, second, tzinfo=UTC).timestamp()) * 10**9
        actor = {"ID": ref, "Attributes": {"name": f"{kind}-{second}"}}
        rows.append(parse.event_row({"Type": kind, "Action": "update", "timeNano": nano, "Actor": actor}))
    apply.apply_events(host, rows)


@pytest.fixture
def quay(client: Client) -> Host:
    client.force_login(person("vera", "viewer"))
    host = a_host()
    containers(host, container_json("web", Id=CONTAINER))
    apply.apply_rows(host, "image", [parse.image_row({"Id": IMAGE, "RepoTags": ["redis:7"]})])
    apply.apply_rows(host, "network", [parse.network_row({"Id": NETWORK, "Name": "back", "Driver": "bridge"})])
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data", "Driver": "local"})])
    apply.apply_rows(host, "plugin", [parse.plugin_row({"Id": PLUGIN, "Name": "disk:1"})])
    a_swarm(host)
    return host


def test_every_kind_of_object_is_a_link_that_works(client: Client, quay: Host) -> None:
    models = {"service": Service, "node": Node, "secret": Secret, "config": Config}
    of_swarm = [(kind, model.objects.all()[0].engine_id) for kind, model in models.items()]
    there = [("container", CONTAINER), ("image", IMAGE), ("image", "redis:7"), ("network", NETWORK)]
    there += [("volume", "data"), ("plugin", PLUGIN), *of_swarm]
    happens(quay, *there)
    items = client.get("/events/", headers={"HX-Request": "true"}).context["page"].items
    assert sorted((event.kind, event.actor_id) for event in items) == sorted(there)
    for event in items:
        assert event.page.startswith(f"/{event.kind}s/"), event.kind
        assert client.get(event.page).status_code == 200, event.page


def test_what_is_gone_or_of_another_host_is_no_link(client: Client, quay: Host) -> None:
    other = a_host("pier")
    happens(other, ("container", CONTAINER), ("image", "redis:7"), ("volume", "data"))
    happens(quay, ("container", "9" * 64), ("service", "9" * 25), ("daemon", "x"))
    items = client.get("/events/", headers={"HX-Request": "true"}).context["page"].items
    assert [event.page for event in items] == [""] * 6
