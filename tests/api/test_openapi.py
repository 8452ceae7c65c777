"""What the API's description promises is what it answers, whatever is sent to it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.serializers.json import DjangoJSONEncoder
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from schemathesis import GenerationMode, checks

from api.urls import api
from tests.fake_engine.fleet import FakeFleet
from tests.servers.product import Product
from tests.waiting import until

EXAMPLES = 6  # of each operation and way
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]
HOST = "quay"
schema = schemathesis.openapi.from_dict(json.loads(json.dumps(api.get_openapi_schema(), cls=DjangoJSONEncoder)))
OPERATIONS = [found.ok() for found in schema.get_all_operations()]


@pytest.fixture(scope="module")
def fleet() -> Iterator[FakeFleet]:
    """An engine that can be asked for anything, and nothing comes to harm."""
    with FakeFleet(1, 5) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def alone(fleet: FakeFleet) -> Iterator[Product]:
    """The product."""
    with Product() as product:
        yield product


@pytest.fixture
def served(alone: Product, fleet: FakeFleet) -> Product:
    """The product with that host in it: an operation before may have removed it."""
    names = [row["name"] for row in alone.api("hosts?limit=500")["items"]]
    if HOST not in names:
        alone.api("hosts", "POST", name=HOST, url=fleet.urls[0])
    until(
        lambda: alone.api(f"containers?host={HOST}")["count"], "its containers show", 70
    )  # one that was removed is back with the next list
    return alone


@pytest.mark.parametrize("way", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["right", "wrong"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_it_answers_as_described_whatever_is_sent(served: Product, operation: Any, way: GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=way), known=booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any, known: bool) -> None:
        if known:
            names = {"host": HOST, "container": container_of(served)} | dict.fromkeys(("job_id", "schedule_id"), 1)
            case.path_parameters |= {name: names[name] for name in case.path_parameters or {} if name in names}
        headers = {"Authorization": f"Bearer {served.token}"}
        response = case.call(base_url=served.url, headers=headers, timeout=30)
        case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except Unsatisfiable:
        assert way is GenerationMode.NEGATIVE  # nothing can be wrong with it


def container_of(product: Product) -> str:
    """Some container of that host."""
    items = product.api(f"containers?host={HOST}&limit=1")["items"]
    return items[0]["name"] if items else "gone"


def test_every_list_is_described_and_answers(served: Product) -> None:
    """The other test would not see it if all that it asked was unknown."""
    lists = [op for op in OPERATIONS if op.method == "get" and "{" not in op.path]
    assert len(lists) >= 5
    for operation in lists:
        if any(given.get("required") for given in operation.definition.raw.get("parameters", ())):
            continue  # has to be told of what
        assert isinstance(served.api(operation.path.removeprefix("/api/v1/")), dict), operation.label
