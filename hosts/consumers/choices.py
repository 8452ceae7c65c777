"""What the sockets of logs are asked: a query in the address, or the same names in a first message."""

from typing import Any

import orjson

from hosts.consumers.base import BAD_QUERY, Refusal
from hosts.engine.frames import moment_stamp, normal_stamp
from hosts.engine.logs import LogQuery
from hosts.engine.places import Place

TAIL = "500"
MESSAGE_AT_MOST = 256 * 1024  # characters
Query = dict[str, list[str]]


def message_of(text: str | None) -> dict[str, Any]:
    """A message as a JSON object. Raises Refusal."""
    try:
        message: Any = orjson.loads((text or "")[:MESSAGE_AT_MOST])
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict):
        raise Refusal(BAD_QUERY, "A message must be a JSON object.")
    return message


def query_of(message: dict[str, Any]) -> Query:
    """A message {"target": ["fra-1/web"], "host": [], "tail": 500} as a query; other values than words are left out."""
    found = {}
    for name, value in message.items():
        values = value if isinstance(value, list) else [value]
        if words := [_word(each) for each in values if isinstance(each, str | int | float)]:
            found[name] = words
    return found


def _word(value: str | float) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def flag(query: Query, name: str, otherwise: str = "1") -> bool:
    """Whether `name` is on: 0, false and no are not."""
    return query.get(name, [otherwise])[-1].lower() not in {"0", "false", "no"}


def log_query(query: Query) -> LogQuery:
    """The part of a log that a query names. Raises Refusal."""
    tail = query.get("tail", [TAIL if not query.get("since") else "all"])[-1]
    if tail != "all" and not (tail.isascii() and tail.isdecimal() and len(tail) < 10):
        raise Refusal(BAD_QUERY, 'tail must be a number or "all".')
    stdout, stderr = flag(query, "stdout"), flag(query, "stderr")
    if not stdout and not stderr:
        raise Refusal(BAD_QUERY, "Ask for stdout, stderr or both.")
    return LogQuery(tail, moment(query, "since"), moment(query, "until"), stdout, stderr)


def moment(query: Query, name: str) -> str:
    """The time `name` as a timestamp, from RFC 3339 or seconds since 1970 with up to nine decimals; "" without one.
    Raises Refusal."""
    text = query.get(name, [""])[-1].strip()
    if not text:
        return ""
    stamp = moment_stamp(text)
    if not stamp:
        raise Refusal(BAD_QUERY, f"{name} must be a time like 2026-11-24T06:38:36Z or seconds since 1970.")
    return stamp


def place_of(value: Any) -> Place:
    """A place [timestamp, how many of the lines that bear it are known]. Raises Refusal."""
    stamp, have = value if isinstance(value, list) and len(value) == 2 else (None, None)
    stamp = normal_stamp(stamp) if isinstance(stamp, str) else ""
    if not stamp or not isinstance(have, int) or not 0 <= have < 1_000_000:
        raise Refusal(BAD_QUERY, 'A place is written ["2026-11-24T06:38:36.100813562Z", 1].')
    return Place(stamp, have)
