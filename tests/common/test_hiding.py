"""What is secret is taken out of foreign words before they are cut: no half of it stays at the end."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from common.hiding import hiding
from hosts.engine.answers import EngineFailed
from hosts.engine.errors import DETAIL_AT_MOST
from tests.fake_engine import Fail, FakeEngine
from tests.servers.jobs import ended
from tests.servers.product import Product
from tests.waiting import until

SECRET = 'Canary "of" 4711 & more'


@pytest.mark.parametrize("said", [SECRET, json.dumps(SECRET), quote(SECRET), SECRET.replace(" ", "\n")])
def test_wherever_an_error_is_cut_nothing_of_a_secret_stays(said: str) -> None:
    with hiding(SECRET):
        for before in range(DETAIL_AT_MOST - 2 * len(said), DETAIL_AT_MOST + 2):
            error = EngineFailed(f"{'x' * before}{said} went wrong", where="quay")
            assert "Cana" not in error.detail and len(error.detail) <= DETAIL_AT_MOST
    assert "Cana" in EngineFailed(said, where="quay").detail


def test_what_is_hidden_ends_with_its_block() -> None:
    with hiding("outer-secret"):
        with hiding("inner-secret"):
            assert EngineFailed("outer-secret inner-secret", where="quay").detail == "••• •••"
        assert EngineFailed("outer-secret inner-secret", where="quay").detail == "••• inner-secret"


@pytest.mark.core
def test_an_engine_that_repeats_a_secret_at_the_end_of_a_long_error(product: Product, fake_engine: FakeEngine) -> None:
    secret = "canary-0815-at-the-end"
    said = Fail(400, "x" * (DETAIL_AT_MOST - len(secret) // 2) + secret)
    for path in ("/containers/create", "/volumes/create"):
        fake_engine.misbehave(path, said)
    product.api("hosts", "POST", name="parrot", url=fake_engine.url)
    try:
        until(lambda: product.api("hosts/parrot")["state"] == "online", "it is online")
        job = ended(
            product,
            product.api("containers/parrot", "POST", image="busybox:latest", env={"A": secret}, pull="never")["job"],
        )
        fields: dict[str, Any] = {
            "host": "parrot",
            "name": "share",
            "kind": "cifs",
            "share": "//nas/share",
            "username": "u",
        }
        told = product.post("/volumes/create/", **fields, password=secret).text
    finally:
        product.api("hosts/parrot", "DELETE")
    assert job["state"] == "failed" and "xxxx" in job["error"] and "canary-" not in str(job)
    assert "xxxx" in told and "canary-" not in told
