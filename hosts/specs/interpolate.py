"""Compose's ${VARIABLES}. There is no environment here to take them from: only defaults count."""

import re
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.kinds import shown

FOUND = re.compile(
    r"\$(?:(?P<dollar>\$)|\{(?P<name>[A-Za-z_]\w*)(?::?(?P<sign>[-+?])(?P<word>[^}]*))?\}|(?P<plain>[A-Za-z_]\w*))"
)


def put_in(value: Any, place: str = "compose") -> Any:
    """All texts below `value` with their variables replaced. Raises Invalid for one without a default."""
    if isinstance(value, str):
        return FOUND.sub(lambda found: _word(found, place), value)
    if isinstance(value, list):
        return [put_in(entry, place) for entry in value]
    if isinstance(value, dict):
        return {key: put_in(entry, str(key)) for key, entry in value.items()}
    return value


def _word(found: "re.Match[str]", place: str) -> str:
    if found["dollar"]:
        return "$"
    if found["sign"] == "-":
        return found["word"]
    if found["sign"] == "+":
        return ""
    raise Invalid(
        "compose",
        gettext_noop(
            "%(place)s: the variable %(name)s has no value here. Write the value, or a default: ${%(name)s:-x}."
        ),
        {"place": shown(place), "name": found["name"] or found["plain"]},
    )


def guard(value: Any) -> Any:
    """The opposite: a dollar is doubled, so that compose leaves it alone."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [guard(entry) for entry in value]
    if isinstance(value, dict):
        return {key: guard(entry) for key, entry in value.items()}
    return value
