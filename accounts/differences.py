"""What an act changed, as it is kept in the audit: what was there before, and after."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

FIELDS_AT_MOST = 30
CHARACTERS_AT_MOST = 2000  # of a field, as JSON
MISSING: tuple[object, ...] = ("", None, [], {}, ())  # of a field that is not set


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """{"before": {...}, "after": {...}} of the fields that are not the same, for an entry's detail; {} when all are. Of two
    mappings (labels) the keys that differ. Long values are cut. Never give it a secret: see `told`."""
    was: dict[str, Any] = {}
    became: dict[str, Any] = {}
    names = [
        name for name in (*before, *(name for name in after if name not in before)) if _differ(name, before, after)
    ]
    for name in names[:FIELDS_AT_MOST]:
        one, other = before.get(name), after.get(name)
        if isinstance(one, Mapping) and isinstance(other, Mapping):
            one, other = _keys(one, other), _keys(other, one)
        if name in before:
            was[name] = _short(one)
        if name in after:
            became[name] = _short(other)
    return {"before": was, "after": became} if names else {}


def _differ(name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    one, other = before.get(name), after.get(name)
    return one != other and not (one in MISSING and other in MISSING)


def _keys(these: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in these.items() if key not in others or others[key] != value}


def _short(value: Any) -> Any:
    """Cut where it is too long for an entry; what is cut ends with an ellipsis."""
    if isinstance(value, str):
        return value if len(value) <= CHARACTERS_AT_MOST else value[:CHARACTERS_AT_MOST] + "…"
    if not isinstance(value, Mapping | list | tuple | set | frozenset):
        return value
    pairs = list(value.items()) if isinstance(value, Mapping) else [("", entry) for entry in value]
    left, kept = CHARACTERS_AT_MOST, 0
    for key, entry in pairs:
        left -= len(str(key)) + len(json.dumps(entry, default=str, ensure_ascii=False)) + 4
        if left < 0:
            break
        kept += 1
    rest = len(pairs) - kept
    if isinstance(value, Mapping):
        return dict(pairs[:kept]) | ({"…": rest} if rest else {})
    return [entry for _key, entry in pairs[:kept]] + ([f"… {rest}"] if rest else [])


@dataclass(frozen=True)
class Line:
    """One field for the page; "" where there was or is nothing."""

    name: str
    before: str
    after: str


def lines(detail: Mapping[str, Any]) -> list[Line]:
    """The difference in an entry's detail for people: of a list what came and what went, of labels each by itself."""
    before, after = (part if isinstance(part := detail.get(side), dict) else {} for side in ("before", "after"))
    found: list[Line] = []
    for name in (*before, *(name for name in after if name not in before)):
        one, other = before.get(name), after.get(name)
        if isinstance(one, dict) or isinstance(other, dict):
            one, other = (side if isinstance(side, dict) else {} for side in (one, other))
            keys = (*one, *(key for key in other if key not in one))
            found += [Line(f"{name}.{key}", words(one.get(key)), words(other.get(key))) for key in keys]
        elif isinstance(one, list) and isinstance(other, list):
            gone, came = ([e for e in these if e not in those] for these, those in ((one, other), (other, one)))
            found.append(Line(name, words(gone), words(came)))
        else:
            found.append(Line(name, words(one), words(other)))
    return [line for line in found if line.before or line.after]


def words(value: Any) -> str:
    """A value for people."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(map(words, value))
    return "" if value is None else str(value)


def told(row: Any, *names: str, marked: Sequence[str] = ()) -> dict[str, Any]:
    """Fields of a row, none of which may be a secret, for `difference`. Of those in `marked`, long texts like certificates,
    a hash, which shows that they changed."""
    return {name: getattr(row, name) for name in names} | {name: _mark(getattr(row, name)) for name in marked}


def _mark(text: str) -> str:
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}" if text else ""
