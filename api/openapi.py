"""The API's description: every operation may answer with an error, and each error is problem JSON."""

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema

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
    "description": "An error: not logged in (401), not allowed (403), unknown (404), in no state for it (409), a wrong value "
    "(400, 422), or the host does not answer as it should (502, 504).",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


class DescribedAPI(NinjaAPI):
    """A NinjaAPI that describes its errors."""

    def get_openapi_schema(self, *args: Any, **kwargs: Any) -> OpenAPISchema:
        schema = super().get_openapi_schema(*args, **kwargs)
        schema["components"]["schemas"]["Problem"] = PROBLEM
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"]["default"] = ERROR
        return schema
