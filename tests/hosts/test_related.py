"""Each page of an object leads to where else it shows: its events, its jobs, and what belongs to it."""

import pytest
from django.test import Client

from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host, Registry
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
NET = {"Id": "a" * 64, "Name": "back", "Driver": "bridge"}


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(person("vera", "viewer"))
    host = a_host()
    labels = {"com.docker.compose.project": "shop", "com.docker.compose.service": "web"}
    containers(host, container_json("web", Labels=labels, NetworkSettings={"Networks": {"back": {}}}))
    apply.apply_rows(host, "image", [parse.image_row({"Id": "sha256:" + "1" * 64, "RepoTags": ["acme/web:1"]})])
    apply.apply_rows(host, "network", [parse.network_row(NET)])
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data", "Driver": "local"})])
    apply.apply_rows(host, "plugin", [parse.plugin_row({"Id": "2" * 64, "Name": "acme/disk:1", "Enabled": True})])
    Registry.objects.create(name="team", address="registry.example")
    return client


@pytest.mark.parametrize(
    ("page", "links"),
    [
        (
            "/containers/quay/web/",
            [
                "/containers/?host=quay&amp;project=shop",
                "/events/?host=quay&amp;kind=container&amp;name=web",
                "/jobs/?host=quay&amp;search=web",
                "/images/quay/111111111111/",
            ],
        ),
        (
            f"/images/quay/{'1' * 12}/",
            ["/events/?host=quay&amp;kind=image&amp;name=acme%2Fweb%3A1", "/jobs/?host=quay&amp;search=acme%2Fweb%3A1"],
        ),
        (
            "/networks/quay/back/",
            ["/events/?host=quay&amp;kind=network&amp;name=back", "/hosts/quay/map/?network=back", "/containers/quay/"],
        ),
        ("/volumes/quay/data/", ["/events/?host=quay&amp;kind=volume&amp;name=data", "/jobs/?host=quay&amp;search=data"]),
        (f"/plugins/quay/{'2' * 12}/", ["/volumes/?driver=acme%2Fdisk%3A1", "/jobs/?host=quay&amp;search=acme%2Fdisk%3A1"]),
        (
            "/hosts/quay/",
            ["/plugins/?host=quay", "/jobs/?host=quay", "/jobs/schedules/?host=quay", "/hosts/quay/map/", "/events/?host=quay"],
        ),
        ("/registries/team/", ["/images/?search=registry.example"]),
    ],
)  # fmt: skip
def test_a_page_leads_to_what_is_related(viewer: Client, page: str, links: list[str]) -> None:
    html = viewer.get(page).content.decode()
    assert [link for link in links if f'href="{link}' not in html] == []


def test_a_name_in_a_link_is_only_a_name(viewer: Client) -> None:
    evil = {"Id": "b" * 64, "Name": 'a"&name=<b>', "Driver": "bridge"}
    apply.apply_rows(Host.objects.get(), "network", [parse.network_row(evil)])
    html = viewer.get(f"/networks/quay/{'b' * 12}/").content.decode()
    assert "name=a%22%26name%3D%3Cb%3E" in html and "<b>" not in html
