"""Rows of fields in a form: a list of a specification, an entry or a few of them a row. Each row's fields are named
PART.NUMBER.COLUMN, so that a row may come and go without the others."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.kinds import shown

Row = dict[str, str]
ROWS_AT_MOST = 1000
SECRET = re.compile(r"pass|pwd|secret|token|key|credential|private|auth|salt|dsn|signature|cookie", re.IGNORECASE)


@dataclass(frozen=True)
class Column:
    """`kind`: text, area (several lines), lines (name=value, one a line), choice or switch. `offers` names a list of
    suggestions of the page. `more`: it stands below the row, folded. `only`: the first column's choices that it is for."""

    name: str
    label: Any
    kind: str = "text"
    hint: Any = ""
    choices: tuple[str, ...] = ()
    offers: str = ""
    more: bool = False
    only: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True)
class Table:
    """How a list is shown as rows and read from them. `read` gives what one row stands for and raises Invalid with a
    column's name as its field; `key` is what no two entries have in common."""

    columns: tuple[Column, ...]
    show: Callable[[Any], list[Row]]
    read: Callable[[Row], list[Any]]
    put: Callable[[Any, list[Any]], None]
    one: Any  # what a row is called
    key: Callable[[Any], str] | None = None
    secret: str = ""  # the column of a value that hides where the first column's name looks like a secret's
    counts: Callable[[Any], bool] = lambda entry: True  # whether an entry is one of the specification's list
    most: int = 60  # rows above which a form begins as text: a page with thousands of fields is slow

    def column(self, name: str) -> Column:
        """The column of a field of an entry, or the first one."""
        return next((column for column in self.columns if column.name == name), self.columns[0])

    def sent(self, part: str, values: Mapping[str, str], *, empty: bool = False) -> list[tuple[int, Row]]:
        """(number, row) as a browser sent them; with `empty` also those that say nothing."""
        named = re.compile(rf"{re.escape(part)}\.([0-9]{{1,6}})\.(\w+)")
        found: dict[int, Row] = {}
        for name, value in values.items():
            if match := named.fullmatch(name):
                found.setdefault(int(match[1]), {})[match[2]] = value
        rows = [(number, self.whole(row)) for number, row in sorted(found.items())]
        return [(number, row) for number, row in rows if empty or self.says(row)]

    def whole(self, row: Row) -> Row:
        """With each column's value; nothing else."""
        return {column.name: row.get(column.name, "") for column in self.columns}

    def says(self, row: Row) -> bool:
        """Whether anything is typed in it."""
        typed = (column for column in self.columns if column.kind not in {"choice", "switch"})
        return any(row.get(column.name, "").strip() for column in typed)

    def empty(self) -> Row:
        """A new row."""
        return {column.name: column.default for column in self.columns}

    def named(self, part: str, number: int, row: Row) -> dict[str, str]:
        """The row as fields of a form."""
        return {f"{part}.{number}.{name}": value for name, value in self.whole(row).items()}

    def shown(self, part: str, values: Mapping[str, str], errors: Mapping[str, list[str]]) -> dict[str, Any]:
        """Rows for a page; one to type in where there are none, and a model for new ones."""
        rows = self.sent(part, values, empty=True) or [(0, self.empty())]
        return {
            "rows": [self._shown(part, str(number), row, errors) for number, row in rows],
            "model": self._shown(part, "__", self.empty(), {}),
            "count": sum(self.says(row) for _, row in rows),
        }

    def _shown(self, part: str, number: str, row: Row, errors: Mapping[str, list[str]]) -> dict[str, Any]:
        kind = row[self.columns[0].name]
        cells: list[dict[str, Any]] = []
        for column in self.columns:
            name, value = f"{part}.{number}.{column.name}", row[column.name]
            wrong = errors.get(name, [])
            # what is set for another type than the chosen one does not hide
            stray = bool(column.only) and kind not in column.only and value not in {"", column.default}
            cells.append(
                {"column": column, "name": name, "value": value, "errors": wrong, "stray": stray or bool(wrong)}
            )
        more = [cell for cell in cells if cell["column"].more]
        return {
            "number": number,
            "cells": [cell for cell in cells if not cell["column"].more],
            "more": more,
            "set": sum(cell["value"] not in {"", cell["column"].default} for cell in more),
            "open": any(cell["errors"] for cell in more),
            "wrong": [words for cell in cells for words in cell["errors"]],
            "secret": bool(self.secret) and is_secret(kind),
        }


@dataclass
class Taken:
    """What rows say: the entries, which row each of the list is from, and what is wrong by (row, column)."""

    entries: list[Any] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    wrong: list[tuple[int, str, Invalid]] = field(default_factory=list)


def take(table: Table, rows: list[tuple[int, Row]]) -> Taken:
    """Reads them all."""
    taken, seen = Taken(), set()
    for number, row in rows[:ROWS_AT_MOST]:
        try:
            for entry in table.read(row):
                if table.key and (key := table.key(entry)) in seen:
                    sentence = gettext_noop("“%(value)s” is there twice.")
                    raise Invalid(table.columns[0].name, sentence, {"value": shown(key)})
                if table.key:
                    seen.add(table.key(entry))
                taken.entries.append(entry)
                taken.places += [number] if table.counts(entry) else []
        except Invalid as error:
            column = table.column(error.field.rpartition(".")[2])
            if "field" in error.params:
                error.params["field"] = column.label
            taken.wrong.append((number, column.name, error))
    return taken


def is_secret(name: str) -> bool:
    """Whether a variable's name looks like that of something to hide."""
    return bool(SECRET.search(name))
