"""A list as a file: CSV, JSON, or JSON a line, of all rows that meet the filters, made while it is sent."""

import csv
import io
import json
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from datetime import date
from typing import Any

from asgiref.sync import sync_to_async
from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.utils import timezone

from common.downloads import attachment

Columns = Mapping[str, Callable[[Any], Any]]
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "ndjson": "application/x-ndjson"}
CHUNK = 500  # rows that are read and held at once
ROWS_AT_MOST = 500_000
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")  # what a spreadsheet takes a cell for a formula by


def as_file(rows: QuerySet[Any], columns: Columns, name: str, kind: str) -> StreamingHttpResponse:
    """`rows` in their order; which they are is settled when the file begins. `kind` is one of KINDS."""
    keys = list(rows.values_list("pk", flat=True)[:ROWS_AT_MOST])
    blocks = {"csv": _csv, "json": _json, "ndjson": _ndjson}[kind](rows, keys, columns)
    response = StreamingHttpResponse(blocks, content_type=KINDS[kind])
    response["Content-Disposition"] = _named(name, kind)
    response["X-Accel-Buffering"] = "no"
    return response


def small_file(rows: list[dict[str, Any]], name: str, kind: str) -> HttpResponse:
    """A few rows that are at hand, as `as_file` gives those of a query."""
    if kind == "csv":
        body = _lines([list(rows[0])] if rows else []) + _lines(
            [_cell(value) for value in row.values()] for row in rows
        )
    elif kind == "ndjson":
        body = _json_lines(rows)
    else:
        body = (json.dumps(rows, ensure_ascii=False, default=_plain, indent=0) + "\n").encode()
    response = HttpResponse(body, content_type=KINDS[kind])
    response["Content-Disposition"] = _named(name, kind)
    return response


def _named(name: str, kind: str) -> str:
    stamp = timezone.now().strftime("%Y%m%d-%H%M%S")
    return attachment(f"{name}-{stamp}.{kind}")


async def _chunks(rows: QuerySet[Any], keys: list[Any], columns: Columns) -> AsyncGenerator[list[dict[str, Any]]]:
    def read(some: list[Any]) -> list[dict[str, Any]]:
        found = rows.order_by().in_bulk(some)
        return [{name: of(found[key]) for name, of in columns.items()} for key in some if key in found]

    for start in range(0, len(keys), CHUNK):
        yield await sync_to_async(read)(keys[start : start + CHUNK])


async def _csv(rows: QuerySet[Any], keys: list[Any], columns: Columns) -> AsyncGenerator[bytes]:
    yield _lines([list(columns)])
    async for chunk in _chunks(rows, keys, columns):
        yield _lines([_cell(value) for value in row.values()] for row in chunk)


def _lines(rows: Iterable[list[Any]]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula gets an apostrophe before it: names come from engines."""
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False, default=str) if value else ""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, str) and value.startswith(FORMULA):
        return f"'{value}"
    return value


async def _json(rows: QuerySet[Any], keys: list[Any], columns: Columns) -> AsyncGenerator[bytes]:
    between = "[\n"
    async for chunk in _chunks(rows, keys, columns):
        yield (between + ",\n".join(json.dumps(row, ensure_ascii=False, default=_plain) for row in chunk)).encode()
        between = ",\n"
    yield b"[]\n" if between == "[\n" else b"\n]\n"


async def _ndjson(rows: QuerySet[Any], keys: list[Any], columns: Columns) -> AsyncGenerator[bytes]:
    async for chunk in _chunks(rows, keys, columns):
        yield _json_lines(chunk)


def _json_lines(rows: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, default=_plain) + "\n" for row in rows).encode()


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)
