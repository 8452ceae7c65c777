"""Kinds of values: how each is read from text, shown as text, and put for an engine and in compose."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid

UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}
SIZE = re.compile(r"(-1|[0-9]{1,19}(?:\.[0-9]{1,6})?) ?([bkmgtp]?)(?:i?b)?", re.IGNORECASE)
SPAN_PART = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?|\.[0-9]{1,9})(ns|us|µs|ms|s|m|h)")
SECONDS_OF = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
WHOLE = re.compile(r"[-+]?[0-9]{1,19}")
NANO = 1_000_000_000
ON, OFF = {"1", "t", "true"}, {"0", "f", "false"}


def shown(value: object) -> str:
    """A wrong value as a sentence quotes it."""
    return str(value)[:80]


def read_text(field: str, text: str) -> str:
    """As it is; a NUL ends a text for an engine, and is therefore refused."""
    if "\0" in text:
        raise Invalid(field, gettext_noop("%(field)s: a NUL byte cannot be in it."), {"field": field})
    return text


def read_whole(field: str, text: str) -> int:
    """A whole number."""
    if not WHOLE.fullmatch(text.strip()):
        raise Invalid(
            field, gettext_noop("%(field)s: “%(value)s” is no whole number."), {"field": field, "value": shown(text)}
        )
    return int(text)


def read_decimal(field: str, text: str) -> float:
    """A number like 1.5."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no number. Write one like 1.5."),
            {"field": field, "value": shown(text)},
        )
    return number


def read_bytes(field: str, text: str) -> int:
    """Bytes: 512m, 1.5g, 1048576; -1 where that means "without limit"."""
    found = SIZE.fullmatch(text.strip())
    if not found:
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no size. Write one like 512m or 2g."),
            {"field": field, "value": shown(text)},
        )
    return (
        int(float(found[1]) * UNITS[found[2].lower()]) if "." in found[1] else int(found[1]) * UNITS[found[2].lower()]
    )


def show_bytes(value: int) -> str:
    """The shortest exact text: 512m."""
    for unit in ("p", "t", "g", "m", "k"):
        if value and value > 0 and value % UNITS[unit] == 0:
            return f"{value // UNITS[unit]}{unit}"
    return str(value)


def read_span(field: str, text: str) -> float:
    """Seconds of a span like 1m30s, 500ms or (plain) 30."""
    word = text.strip()
    if re.fullmatch(r"[0-9]{1,10}(\.[0-9]{1,9})?", word):
        return float(word)
    parts = SPAN_PART.findall(word)
    if not parts or "".join(f"{number}{unit}" for number, unit in parts) != word:
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is no time span. Write one like 30s, 1m30s or 500ms."),
            {"field": field, "value": shown(text)},
        )
    return round(sum(float(number) * SECONDS_OF[unit] for number, unit in parts), 9)


def show_span(seconds: float) -> str:
    """As text: 1m30s, 500ms."""
    nanos = round(seconds * NANO)
    words, rest = [], nanos // NANO
    for unit, size in (("h", 3600), ("m", 60), ("s", 1)):
        if rest >= size:
            words.append(f"{rest // size}{unit}")
            rest %= size
    for unit, size in (("ms", 10**6), ("us", 10**3), ("ns", 1)):
        if (nanos % NANO) % size == 0 and nanos % NANO:
            words.append(f"{nanos % NANO // size}{unit}")
            break
    return "".join(words) or "0s"


def read_switch(field: str, text: str) -> bool:
    """true or false, as flags take it."""
    word = text.strip().lower()
    if word not in ON | OFF:
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” is neither true nor false."),
            {"field": field, "value": shown(text)},
        )
    return word in ON


def read_pair(field: str, text: str) -> tuple[str, str]:
    """name=value; a name alone has an empty value."""
    name, _, value = read_text(field, text).partition("=")
    if not name.strip():
        raise Invalid(
            field, gettext_noop("%(field)s: “%(value)s” is not name=value."), {"field": field, "value": shown(text)}
        )
    return name, value


def read_env(field: str, text: str) -> tuple[str, str]:
    """NAME=value of an environment. A name alone would take the value of the machine where a command is typed."""
    name, sign, value = read_text(field, text).partition("=")
    if not sign or not name.strip():
        raise Invalid(
            field,
            gettext_noop("%(field)s: “%(value)s” has no value here. Write NAME=value."),
            {"field": field, "value": shown(name)},
        )
    return name, value


def read_host(field: str, text: str) -> str:
    """name:address, also written name=address."""
    name, sign, address = read_text(field, text).partition("=")
    if not sign:
        name, sign, address = text.partition(":")
    if not name.strip() or not address.strip():
        raise Invalid(
            field, gettext_noop("%(field)s: “%(value)s” is not name:address."), {"field": field, "value": shown(text)}
        )
    return f"{name}:{address.removeprefix('[').removesuffix(']')}"


def read_tmpfs(field: str, text: str) -> tuple[str, str]:
    """path, or path:options."""
    path, _, options = read_text(field, text).partition(":")
    return path, options


def same(value: Any) -> Any:
    return value


def plain_number(value: float) -> int | float:
    """Without needless digits."""
    return int(value) if float(value).is_integer() else value


@dataclass(frozen=True)
class Kind:
    """`read` takes one word; `many` says that a flag may be repeated: "" (no), list or pairs."""

    read: Callable[[str, str], Any]
    show: Callable[[Any], str] = str
    many: str = ""
    engine: Callable[[Any], Any] = same
    from_engine: Callable[[Any], Any] = same
    compose: Callable[[Any], Any] = same
    switch: bool = False
    sign: str = "="  # between the name and the value of a pair


TEXT = Kind(read_text)
NUMBER = Kind(read_whole)
SWITCH = Kind(read_switch, lambda value: "true" if value else "false", switch=True)
CPUS = Kind(
    read_decimal,
    lambda value: str(plain_number(value)),
    engine=lambda value: round(value * NANO),
    from_engine=lambda value: value / NANO,
    compose=plain_number,
)
BYTES = Kind(read_bytes, show_bytes, compose=show_bytes)
SPAN = Kind(read_span, show_span)
TEXTS = Kind(read_text, many="list")
HOSTS = Kind(read_host, many="list")
PAIRS = Kind(read_pair, many="pairs")
TMPFS = Kind(read_tmpfs, many="pairs", sign=":")
