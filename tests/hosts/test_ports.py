"""Links of published ports: to the host's own address, and never to anything that an engine made up."""

from typing import Any

import pytest
from django.test import Client

from hosts.models import Host
from tests.rows import container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]


def links(client: Client, url: str, *ports: dict[str, Any], browser: str = "localhost:8000") -> list[str]:
    host = Host.objects.create(name="quay", url=url, kind=url.partition(":")[0], state="online")
    containers(host, container_json("web", Ports=[{"PrivatePort": 80, "Type": "tcp", **port} for port in ports]))
    client.force_login(person("ada", "admin"))
    page = client.get("/containers/", headers={"Host": browser}).context["page"]
    return [port.url for port in page.items[0].published]


@pytest.mark.parametrize(
    ("url", "port", "link"),
    [
        ("tcp://10.0.0.5:2375", {"PublicPort": 8080, "IP": "0.0.0.0"}, "http://10.0.0.5:8080"),
        ("tcp://10.0.0.5:2375", {"PublicPort": 8080, "IP": "::"}, "http://10.0.0.5:8080"),
        ("tcp://10.0.0.5:2375", {"PublicPort": 8080}, "http://10.0.0.5:8080"),
        ("tcp://10.0.0.5:2375", {"PublicPort": 8080, "IP": "192.168.1.7"}, "http://192.168.1.7:8080"),
        ("tcp://10.0.0.5:2375", {"PublicPort": 8080, "IP": "fd00::1"}, "http://[fd00::1]:8080"),
        ("tcp://[fd00::5]:2375", {"PublicPort": 8080, "IP": "0.0.0.0"}, "http://[fd00::5]:8080"),
        ("ssh://root@far.example.com", {"PublicPort": 8080, "IP": "0.0.0.0"}, "http://far.example.com:8080"),
        ("unix:///run/docker.sock", {"PublicPort": 8080, "IP": "0.0.0.0"}, "http://localhost:8080"),
        ("unix:///run/docker.sock", {"PublicPort": 8080, "IP": "127.0.0.1"}, "http://localhost:8080"),
        ("tcp://10.0.0.5:2375", {"PublicPort": 8080, "IP": "127.0.0.1"}, ""),
        ("tcp://10.0.0.5:2375", {"PublicPort": 53, "IP": "0.0.0.0", "Type": "udp"}, ""),
        ("tcp://10.0.0.5:2375", {"PublicPort": 80, "IP": "javascript:alert(1)//"}, ""),
        ("tcp://10.0.0.5:2375", {"PublicPort": 80, "IP": "evil.example.com/"}, ""),
    ],
)
def test_a_published_port_links_to_its_host(client: Client, url: str, port: dict[str, Any], link: str) -> None:
    assert links(client, url, port) == [link]


def test_a_host_behind_a_socket_has_the_address_that_the_browser_used(client: Client) -> None:
    port = {"PublicPort": 8080, "IP": "0.0.0.0"}
    assert links(client, "unix:///run/docker.sock", port, browser="[::1]:8000") == ["http://[::1]:8080"]


def test_a_port_that_is_not_published_is_none(client: Client) -> None:
    assert links(client, "tcp://10.0.0.5:2375", {}) == []
