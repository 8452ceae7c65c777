"""Lists of the API: {"items": [...], "count": n}."""

from typing import Any

from django.db.models import QuerySet
from ninja import Schema
from ninja.params.functions import Query
from pydantic import Field

Limit = Query(50, ge=1, le=500)
Offset = Query(0, ge=0, le=10_000_000)


class Many(Schema):
    """A part of a list and how long all of it is."""

    items: list[dict[str, Any]]
    count: int = Field(description="how many there are in all")


def many(rows: QuerySet[Any], limit: int, offset: int, show: Any) -> dict[str, Any]:
    """The asked part of `rows`, each through `show`."""
    return {"items": [show(row) for row in rows[offset : offset + limit]], "count": rows.count()}


class Started(Schema):
    """What was asked for takes longer than a second, and goes on as this job."""

    job: int
