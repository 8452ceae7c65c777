"""How grave a log line is: what tests/levels.json says, as the browser finds it too."""

import json
from pathlib import Path

import pytest

from hosts.engine.levels import level_of

CASES = json.loads((Path(__file__).parents[2] / "levels.json").read_text())


@pytest.mark.parametrize(("text", "level"), [(case[0], case[1]) for case in CASES])
def test_the_level_of_a_line(text: str, level: str) -> None:
    assert level_of(text) == level
