"""Patterns that take for ever: those that somebody types, and our own on what somebody types."""

import importlib
import pkgutil
import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client

from hosts.consumers.base import Refusal
from hosts.consumers.log_search import matcher_of
from hosts.registry.names import parse_reference
from tests.rows import a_host, container_json, containers, person

OURS = ("accounts", "api", "common", "dashboard", "hosts", "jobs")
LENGTH = 10_000
SECONDS = 2.0  # a backtracking pattern needs years
PIECES = (
    "a", "A", "1", "-", "_", ".", "/", ":", "=", ",", " ", "\t", "\n", '"', "'", "\\", "[", "{", "<", "\x1b[", "\x1b]", "a-", "a.",
    "a/", "a_", "a__", "a:", "a=", "1.", "1:", "1e", "a b", "a,", "--", '"a"', "a\\", "\x1b[0", "$", "${", "${a:-", "%", "<a", "a@",
    "é", "0", "0.", "::", "fe80:", "\r\n", "a=b,", 'a="b",', "level=", "[a", "(a", "T1", "../",
)  # fmt: skip
ENDS = ("", "!", "\0", "\n", '"', "a")
KILLERS = (
    "(a+)+$",
    "(a|a)*$",
    "(a*)*b",
    "(.*)*x",
    "([a-zA-Z]+)*$",
    "(a|aa)+$",
    "(.*a){25}",
    "^(([a-z])+.)+[A-Z]([a-z])+$",
)
TOO_MUCH = (
    "a" * 1001,
    "(" * 900,
    "(a{1000}){1000}",
    "[" * 500,
    "a{1,100000}",
    "(?=a)",
    r"(a)\1",
    "\n",
)


class TooLong(Exception):
    """It goes on."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Ends even a pattern that is at it: Python looks for signals meanwhile."""

    def ring(*_: Any) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def patterns() -> dict[str, "re.Pattern[str]"]:
    """Every pattern that a module of ours keeps, by its place."""
    found: dict[str, re.Pattern[str]] = {}
    for package in map(importlib.import_module, OURS):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "migrations" in module.name or module.name.endswith("__main__"):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    found.setdefault(value.pattern, value)
                    del name
    return found


def test_none_of_our_own_patterns_takes_long() -> None:
    """As their code uses them, a name or a line at most; on what makes a pattern go back and forth."""
    found = []
    kept = patterns()
    for pattern in kept.values():
        for piece in PIECES:
            for end in ENDS:
                text = (piece * LENGTH)[:LENGTH] + end
                try:
                    with within(SECONDS):
                        pattern.fullmatch(text)
                        pattern.match(text)
                except TooLong:
                    found.append((pattern.pattern[:80], piece, end))
                    break
    assert not found, "\n".join(map(str, found))
    assert len(kept) > 80


@pytest.mark.parametrize("killer", KILLERS)
def test_a_pattern_that_is_typed_runs_in_time_that_grows_with_the_text_alone(killer: str) -> None:
    matcher = matcher_of({"q": [killer], "regex": ["1"]})
    lines: Any = [(0, 1, f"2026-11-24T06:38:{n:02}.000000000Z", "a" * 30_000 + "!") for n in range(20)]
    with within(10):
        matcher.find(lines)


@pytest.mark.parametrize("pattern", TOO_MUCH)
def test_a_pattern_that_is_too_much_is_refused_in_a_sentence(pattern: str) -> None:
    with within(5), pytest.raises(Refusal) as refused:
        matcher_of({"q": [pattern], "regex": ["1"]})
    assert "regular expression" in refused.value.reason and len(refused.value.reason) <= 120


@pytest.mark.parametrize(
    "text", [*("a-" * LENGTH, "a/" * LENGTH, "a." * LENGTH, "a__" * LENGTH), "A" * LENGTH + "/", "-" * LENGTH]
)
def test_the_name_of_an_image_is_read_at_once(text: str) -> None:
    with within(SECONDS):
        parse_reference(text)


@pytest.mark.django_db
def test_a_search_takes_no_pattern_and_no_time(client: Client) -> None:
    """In lists, in Ctrl K, over REST: what is typed is looked for as it is."""
    client.force_login(person("ada", "admin"))
    containers(a_host(), *(container_json("a" * 60 + str(n)) for n in range(100)))
    began = time.monotonic()
    for text in (*KILLERS, "%" * 500, "_" * 500, "%a" * 500, "\\" * 500):
        for path in ("/containers/?search=", "/?q=", "/api/v1/containers?search="):
            answer = client.get(path + re.sub(r"[^\w]", lambda part: f"%{ord(part[0]):02X}", text))
            assert answer.status_code in {200, 422}
            assert b"a" * 60 not in answer.content or "search" not in path
    assert time.monotonic() - began < 30
