"""Who uses an image, a network or a volume: counted by the database, a few named on the page."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Container, Host, Use
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
IMAGE = "sha256:" + "1" * 64
PAGES = ("/networks/", "/volumes/", "/images/")


def using(name: str, networks: tuple[str, ...] = ("front",), volume: str = "data") -> dict[str, Any]:
    return container_json(
        name,
        Id=name.encode().hex().ljust(64, "0"),
        NetworkSettings={"Networks": {network: {"IPAddress": "10.0.0.2"} for network in networks}},
        Mounts=[{"Type": "volume", "Name": volume, "Source": "/v", "Destination": "/data", "RW": True}],
    )


def things(host: Host) -> None:
    apply.apply_rows(
        host,
        "network",
        [parse.network_row({"Id": "n1", "Name": "front"}), parse.network_row({"Id": "n2", "Name": "b"})],
    )
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data"})])
    apply.apply_rows(host, "image", [parse.image_row({"Id": IMAGE, "RepoTags": ["acme/web:1"]})])


@pytest.fixture
def page(client: Client) -> Client:
    client.force_login(person("ada", "admin"))
    things(a_host())
    return client


def users(client: Client, path: str) -> dict[tuple[str, str], tuple[list[str], int]]:
    """(host, row) -> (names shown, how many in all)."""
    items = client.get(path).context["page"].items
    return {(row.host.name, row.name): ([u.name for u in row.users.shown], row.users.count) for row in items}


@pytest.mark.parametrize("path", PAGES)
def test_the_first_few_users_are_named_and_all_are_counted(page: Client, path: str) -> None:
    containers(Host.objects.get(), *(using(f"web-{n}") for n in range(7)))
    found = users(page, path)
    assert (["web-0", "web-1", "web-2", "web-3"], 7) in found.values()
    html = page.get(path).content.decode()
    assert "web-3</a> +3" in html
    assert "web-4" not in html


@pytest.mark.parametrize("path", PAGES)
def test_a_like_named_row_of_another_host_has_users_of_its_own(page: Client, path: str) -> None:
    things(a_host("lab"))
    containers(Host.objects.get(name="quay"), using("web"))
    found = {host: names for (host, name), (names, _) in users(page, path).items() if name != "b"}
    assert found == {"quay": ["web"], "lab": []}


def test_uses_follow_the_container(page: Client) -> None:
    host = Host.objects.get()
    containers(host, using("web"))
    containers(host, using("web", networks=("front", "b")))
    assert users(page, "/networks/") == {("quay", "front"): (["web"], 1), ("quay", "b"): (["web"], 1)}
    containers(host, using("web", networks=("b",), volume="other"))
    assert users(page, "/networks/") == {("quay", "front"): ([], 0), ("quay", "b"): (["web"], 1)}
    assert users(page, "/volumes/") == {("quay", "data"): ([], 0)}
    containers(host)
    assert not Use.objects.exists()


def test_uses_are_written_again_only_when_they_changed(page: Client) -> None:
    host = Host.objects.get()
    containers(host, using("web"))
    before = set(Use.objects.values_list("pk", flat=True))
    containers(host, using("web") | {"State": "exited", "Status": "Exited (0) 1 second ago"})
    assert Container.objects.get().state == "exited"
    assert set(Use.objects.values_list("pk", flat=True)) == before


@pytest.mark.parametrize("path", PAGES)
def test_a_page_never_reads_all_containers(page: Client, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    containers(Host.objects.get(), *(using(f"web-{n}") for n in range(60)))
    made = []
    monkeypatch.setattr(Container, "__init__", lambda *args, **kwargs: made.append(args))
    with CaptureQueriesContext(connection) as queries:
        assert page.get(path, headers={"HX-Request": "true"}).status_code == 200
    assert made == []
    assert len(queries) <= 6


def test_two_who_write_the_same_container_at_once_do_each_other_no_harm(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = apply._apply_uses

    def with_another_before(rows: list[Any], old: dict[str, Any]) -> None:
        write(rows, old)
        write(rows, old)

    monkeypatch.setattr(apply, "_apply_uses", with_another_before)
    containers(Host.objects.get(), using("web"))
    assert sorted(Use.objects.values_list("noun", "name")) == [("network", "front"), ("volume", "data")]
