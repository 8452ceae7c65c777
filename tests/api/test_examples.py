"""An example of every operation: there, valid by its schema, and in the document."""

import json
import re
from typing import Any

import jsonschema_rs
import pytest
from django.core.serializers.json import DjangoJSONEncoder

from api.examples import Example, document, example_of, examples
from api.urls import api
from tests.architecture.sources import PROJECT

SCHEMA: dict[str, Any] = json.loads(json.dumps(api.get_openapi_schema(), cls=DjangoJSONEncoder))
OPERATIONS = {
    f"{method.upper()} {path.removeprefix('/api/v1/')}": operation
    for path, methods in SCHEMA["paths"].items()
    for method, operation in methods.items()
}
HOW = (
    "has no example: add one to api/examples/NOUN.json as its neighbours are, then run python -m api.examples, "
    "which writes docs/api-examples.md"
)


def valid(value: Any, schema: dict[str, Any]) -> list[str]:
    """What is wrong with a value by a schema of the document."""
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "components": SCHEMA["components"]}
    return [error.message for error in jsonschema_rs.validator_for(whole).iter_errors(value)]


def test_every_operation_has_an_example() -> None:
    assert len(OPERATIONS) > 90
    missing = [name for name in OPERATIONS if name not in examples()]
    assert missing == [], f"{', '.join(missing)} {HOW}"


def test_no_example_is_of_an_operation_that_is_gone() -> None:
    assert [name for name in examples() if name not in OPERATIONS] == []


@pytest.mark.parametrize("name", [name for name in OPERATIONS if name in examples()])
def test_an_example_is_what_the_description_allows(name: str) -> None:
    example, operation = examples()[name], OPERATIONS[name]
    assert set(example.path) == set(re.findall(r"\{(\w+)\}", name)), "its path"
    known = {given["name"]: given for given in operation["parameters"]}
    asked = {pair.partition("=")[0] for pair in example.query.split("&") if pair}
    needed = {name for name, given in known.items() if given["in"] == "query" and given["required"]}
    assert needed <= asked, "its query"
    _check_body(example, operation)
    described = operation["responses"].get(str(example.status))
    assert described is not None, f"it answers {example.status}"
    if "content" in described:
        assert valid(example.answer, described["content"]["application/json"]["schema"]) == []
    else:
        assert example.answer is None


def _check_body(example: Example, operation: dict[str, Any]) -> None:
    content = operation.get("requestBody", {}).get("content", {})
    if example.body is not None:
        assert valid(example.body, content["application/json"]["schema"]) == []
    elif example.form is not None:
        schema = content["multipart/form-data"]["schema"]
        assert set(schema.get("required", ())) <= set(example.form) <= set(schema["properties"])
    else:
        assert not operation.get("requestBody", {}).get("required"), "its body"


def test_the_openapi_document_holds_the_examples() -> None:
    pull = OPERATIONS["POST images/{host}/pull"]
    assert pull["requestBody"]["content"]["application/json"]["example"] == {"image": "nginx:1.27"}
    assert pull["responses"]["202"]["content"]["application/json"]["example"] == {"job": 4711}


def test_the_document_is_what_the_examples_make() -> None:
    assert (PROJECT / "docs" / "api-examples.md").read_text() == document(), "run python -m api.examples"


def test_an_example_is_a_line_that_can_be_typed() -> None:
    made = example_of("post", "/api/v1/networks/{host}/{network}/connect")
    assert made and made.curl() == (
        'curl -H "Authorization: Bearer $TOKEN" --json \'{"container": "web", "aliases": ["www"]}\' '
        '"$DERMAGA/api/v1/networks/fra-1/front/connect"'
    )


def test_bodies_of_one_name_in_two_modules_are_two() -> None:
    bodies = {
        noun: OPERATIONS[f"POST {noun}/{{host}}"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        for noun in ("networks", "volumes")
    }
    assert len(set(bodies.values())) == 2
    network = SCHEMA["components"]["schemas"][bodies["networks"].rpartition("/")[2]]
    assert {"pools", "internal"} <= set(network["properties"])
    references = set(re.findall(r"#/components/schemas/([\w.]+)", json.dumps(SCHEMA)))
    assert references <= set(SCHEMA["components"]["schemas"])
