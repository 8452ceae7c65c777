"""Bodies as an engine reads them: it takes the names of their fields in any case, and a value of nothing for none."""

import posixpath
from collections.abc import Mapping
from typing import Any


class Twice(ValueError):
    """A field is there in two spellings: which one counts is the engine's affair."""


def lowered(body: Any) -> dict[str, Any]:
    """The fields of one object by their names in small letters; no object: none. Raises Twice."""
    if not isinstance(body, Mapping):
        return {}
    found: dict[str, Any] = {}
    for name, value in body.items():
        if str(name).lower() in found:
            raise Twice(str(name))
        found[str(name).lower()] = value
    return found


def is_said(value: Any) -> bool:
    """Whether it asks for something: nothing, 0, false and what is empty do not."""
    return bool(value) and value != {"": ""}


def texts(value: Any) -> list[str]:
    """A list's entries as texts; a text alone is a list of one."""
    if isinstance(value, str):
        return [value] if value else []
    return [str(entry) for entry in value] if isinstance(value, list | tuple) else []


def objects(value: Any) -> list[dict[str, Any]]:
    """A list's objects, `lowered`. Raises Twice."""
    return [lowered(entry) for entry in value] if isinstance(value, list | tuple) else []


def whole_path(path: str) -> str:
    """Without doubled slashes and single dots; "" for one with two dots, which nobody needs here."""
    if not path.startswith("/") or ".." in path.split("/") or not path.isprintable():
        return ""
    return "/" + posixpath.normpath(path).lstrip("/")
