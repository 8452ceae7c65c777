"""Single values of an engine's JSON: bounded, of one type, fit for every database."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

NAME_AT_MOST, TEXT_AT_MOST, LABELS_AT_MOST, LABEL_AT_MOST = 255, 4000, 200, 4096
SPEC_AT_MOST = 400_000  # characters of an object that is kept as it is, written as JSON
DEEPEST = 24
# whose something is: of too many labels these are not left out
FIRST_LABELS = ("dermaga.team", "com.docker.swarm.service.id", "com.docker.swarm.service.name")
ENTRIES_AT_MOST = 200  # of lists inside an object: ports, mounts, tags
BIGGEST = 2**62
TIME = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d+))? ?(Z|[+-]\d\d:?\d\d)?(?: [A-Z]{3,5})?")


def text(value: Any, most: int = TEXT_AT_MOST) -> str:
    """A bounded string that every database takes; "" for anything that is no string or number."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    if isinstance(value, int) and abs(value) > BIGGEST:
        return ""  # Python refuses to print the longest ones
    short = str(value)[: most + 16].replace("\0", "")[:most]
    return short.encode("utf-8", "replace").decode()  # JSON can spell half a surrogate pair


def whole(value: Any) -> int:
    """A whole number that fits a column; 0 for anything else."""
    return min(max(value, -BIGGEST), BIGGEST) if isinstance(value, int) else 0


def labels_of(value: Any) -> dict[str, str]:
    """Bounded labels."""
    pairs = sorted((text(name, NAME_AT_MOST), text(content, LABEL_AT_MOST)) for name, content in items_of(value))
    if len(pairs) > LABELS_AT_MOST:
        pairs = sorted(sorted(pairs, key=lambda pair: pair[0] not in FIRST_LABELS)[:LABELS_AT_MOST])
    return dict(pairs)


def time_of(value: Any) -> datetime | None:
    """A Unix time in seconds or RFC 3339 text (as well as Go's own form); None for Go's zero time and for nonsense."""
    try:
        if isinstance(value, int | float) and 0 < value < 2**35:
            return datetime.fromtimestamp(value, UTC)
        found = TIME.fullmatch(value[:64]) if isinstance(value, str) else None
        if not found or found[1].startswith("000"):
            return None
        zone = "+00:00" if found[3] in {"Z", None} else found[3]
        moment = datetime.fromisoformat(f"{found[1]}.{(found[2] or '0')[:6].ljust(6, '0')}{zone}")
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def items_of(value: Any) -> list[tuple[Any, Any]]:
    """Keys and values of an object; none of what is no object."""
    return list(value.items()) if isinstance(value, dict) else []


def list_of(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def dicts_of(value: Any) -> Iterator[dict[str, Any]]:
    return (entry for entry in list_of(value) if isinstance(entry, dict))


def at(value: Any, *path: str) -> Any:
    """What lies at `path` in nested objects; None where the path breaks off."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def first_of(labels: dict[str, str], names: tuple[str, ...]) -> str:
    return next((labels[name] for name in names if labels.get(name)), "")[:NAME_AT_MOST]


def bounded(value: Any) -> dict[str, Any]:
    """An engine's JSON object as databases take it; {} for one that is too long or too deep to keep."""
    budget = [SPEC_AT_MOST]
    try:
        found = _bounded(value, budget, 0)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _bounded(value: Any, budget: list[int], depth: int) -> Any:
    budget[0] -= 8 + (len(value) if isinstance(value, str) else 0)
    if budget[0] < 0 or depth > DEEPEST:
        raise ValueError
    if isinstance(value, dict):
        return {_plain(key): _bounded(entry, budget, depth + 1) for key, entry in value.items()}
    if isinstance(value, list):
        return [_bounded(entry, budget, depth + 1) for entry in value]
    if isinstance(value, str):
        return _plain(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return whole(value)
    return value if isinstance(value, float) and abs(value) < 1e300 else None


def _plain(value: object) -> str:
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()
