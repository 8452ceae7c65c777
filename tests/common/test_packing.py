"""Pages travel packed."""

import gzip

import pytest
from django.test import Client

from tests.rows import a_host, container_json, containers, person


@pytest.mark.django_db
def test_a_part_of_a_page_travels_packed(client: Client) -> None:
    client.force_login(person("ada", "admin"))
    containers(a_host(), *(container_json(f"c{'x' * n}") for n in range(40)))
    packed = client.get("/containers/", headers={"HX-Request": "true", "Accept-Encoding": "gzip"})
    plain = client.get("/containers/", headers={"HX-Request": "true"}).content
    assert packed["Content-Encoding"] == "gzip"
    assert len(gzip.decompress(packed.content)) > len(plain) * 0.9
    assert len(packed.content) < len(plain) / 8
