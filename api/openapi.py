"""The API's description: each body by a name of its own, an example of every operation, and errors as problem JSON."""

import json
from collections import defaultdict
from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

from api.examples import example_of

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string", "description": "urn:dermaga:CODE"},
        "title": {"type": "string", "description": "a sentence for people"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "for programs; the same in every language"},
        "detail": {"type": "string", "description": "what the engine or registry itself said"},
        "field": {"type": "string", "description": "which value is wrong"},
        "errors": {"type": "array", "items": {"type": "object"}, "description": "each wrong value and its reason"},
    },
}
ERROR = {
    "description": "An error: not logged in (401), not allowed (403; by the policy of a host: policy_refused; more than a "
    "team's quota: quota_exceeded), unknown (404), in no state for it (409), a wrong value (400, 422), or the host does not "
    "answer as it should (502, 504).",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}
PLACE = "#/components/schemas/"


class Description(OpenAPISchema):
    """Two bodies called Create are two: the library would describe both as the one that comes last."""

    def __init__(self, api: NinjaAPI, path_prefix: str) -> None:
        self.versions: dict[str, dict[str, Any]] = defaultdict(dict)  # name -> module -> schema
        super().__init__(api, path_prefix)
        self._share_names()

    def operation_details(self, operation: Any) -> dict[str, Any]:
        """As the library makes it, with its bodies named after the module that they are from."""
        self.schemas = {}
        found = super().operation_details(operation)
        module = operation.view_func.__module__.rpartition(".")[2]
        names = set(self.schemas)
        for name, schema in self.schemas.items():
            self.versions[name][module] = _named(schema, {other: f"{module}.{other}" for other in names})
        return _named(found, {name: f"{module}.{name}" for name in names})

    def _share_names(self) -> None:
        """What is the same in every module goes by its plain name."""
        same = {name for name, found in self.versions.items() if len(set(map(_plain, found.values()))) == 1}
        while odd := {name for name in same if not _refers(self.versions[name]) <= same}:
            same -= odd
        every = {
            f"{module}.{name}": schema for name, found in self.versions.items() for module, schema in found.items()
        }
        plain = {key: key.partition(".")[2] for key in every if key.partition(".")[2] in same}
        self["components"]["schemas"] = {plain.get(key, key): _named(schema, plain) for key, schema in every.items()}
        self["paths"] = _named(self["paths"], plain)


def _named(part: Any, names: dict[str, str]) -> Any:
    """`part` with its references to `names` changed."""
    if isinstance(part, dict):
        return {key: _named(value, names) if key != "$ref" else _ref(value, names) for key, value in part.items()}
    return [_named(value, names) for value in part] if isinstance(part, list) else part


def _ref(value: str, names: dict[str, str]) -> str:
    name = value.removeprefix(PLACE)
    return PLACE + names.get(name, name)


def _plain(schema: Any) -> str:
    """Its text, without the modules in references."""
    return json.dumps(_named(schema, {name: name.partition(".")[2] for name in _refs(schema)}), default=str)


def _refers(versions: dict[str, Any]) -> set[str]:
    """The plain names that a schema refers to."""
    return {name.partition(".")[2] for schema in versions.values() for name in _refs(schema)}


def _refs(part: Any) -> set[str]:
    if isinstance(part, dict):
        own = {part["$ref"].removeprefix(PLACE)} if isinstance(part.get("$ref"), str) else set()
        return own.union(*map(_refs, part.values())) if part else own
    return set().union(*map(_refs, part)) if isinstance(part, list) else set()


class DescribedAPI(NinjaAPI):
    """A NinjaAPI that describes its errors, and gives an example of each operation."""

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        schema = Description(self, self.get_root_path(path_params or {}) if path_prefix is None else path_prefix)
        schema["components"]["schemas"]["Problem"] = PROBLEM
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                if example := example_of(method, path):
                    example.describe(operation)
                operation["responses"]["default"] = ERROR
        return schema
