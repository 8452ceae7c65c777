"""The examples of the API's documentation against what the product really answers: every call of a test is compared."""

import re
from functools import cache
from typing import Any

from api.examples import Example, examples

VARY = {"GET containers/{host}/{container}/specification"}  # what is not said is left out


@cache
def _operations() -> list[tuple[str, re.Pattern[str], Example]]:
    """Those with fixed names come before those with a parameter in the same place."""
    found = []
    for operation, example in examples().items():
        method, _, template = operation.partition(" ")
        place = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        found.append((method, re.compile(place), example))
    return sorted(found, key=lambda entry: entry[2].operation.count("{"))


def example_for(method: str, path: str) -> Example | None:
    """The example of the operation that a call is of; `path` is behind /api/v1/."""
    place = path.partition("?")[0]
    return next((example for verb, at, example in _operations() if verb == method and at.fullmatch(place)), None)


def differences(method: str, path: str, status: int, answer: Any) -> list[str]:
    """Sentences, one for each place where the example's answer has other fields than this one."""
    example = example_for(method, path)
    if example is None or example.operation in VARY or example.status != status or example.answer is None:
        return []
    return [f"{example.operation}: {sentence}" for sentence in _compared("answer", example.answer, answer)]


def _compared(place: str, said: Any, true: Any) -> list[str]:
    if isinstance(said, dict) and isinstance(true, dict):
        found = [f"{place} has no {key}" for key in sorted(said.keys() - true.keys())]
        found += [f"{place} has {key} too" for key in sorted(true.keys() - said.keys())]
        for key in ("items", "rows"):
            found += _compared(f"{place}.{key}", said.get(key), true.get(key))
        return found
    if isinstance(said, list) and isinstance(true, list) and said and true:
        return _compared(f"{place}[0]", said[0], true[0])
    return []
