"""A .env file is read as Compose reads it, and what is written of variables is read back as it was."""

import pytest

from hosts.specs import dotenv
from tests.hosts.specs.random_specs import HARD

READ = {  # as `docker compose config` shows them
    "A=1 # comment\nB=a#b\n# none\n\nexport C = spaced  ": {"A": "1", "B": "a#b", "C": "spaced"},
    "A: yaml\nB.c-d[0]=x\r\nD=": {"A": "yaml", "B.c-d[0]": "x", "D": ""},
    'A=\'one\n$TWO # \\n it\\\'s\'\nB="one\ntwo\\tthree \\"q\\"" # comment': {
        "A": "one\n$TWO # \\n it's",
        "B": 'one\ntwo\tthree "q"',
    },
    "A=x\nB=$A-${A}y\nC=${NO:-d}${A:+e}\nD=\"\\$A $$A\"\nE='$A'": {
        "A": "x",
        "B": "x-xy",
        "C": "de",
        "D": "$A $A",
        "E": "$A",
    },
    "\ufeffA=1\nA=2": {"A": "2"},
}


@pytest.mark.parametrize("text", READ, ids=range(len(READ)))
def test_lines_quotes_escapes_and_variables_are_read(text: str) -> None:
    found = dotenv.parse(text)
    assert (found.pairs, found.wrong) == (READ[text], [])


def test_each_wrong_line_is_named_and_the_others_are_read() -> None:
    found = dotenv.parse("A\nB C=1\nX='a\nOK=1\nY=$NO\n\n=z\nZ=1")
    assert found.pairs == {"OK": "1", "Z": "1"}
    told = [str(error) for error in found.wrong]
    assert [line.split(":")[0] for line in told] == ["Line 1", "Line 2", "Line 3", "Line 5", "Line 7"]
    assert "“A” has no value here" in told[0] and "“B C” is no name" in told[1] and "not closed" in told[2]
    assert "the variable NO has no value here" in told[3]
    for text in ("A=\0", "A=\ufffd", "A=" + "x" * 300_000):
        assert "is no .env file" in str(dotenv.parse(text).wrong[0])


def test_what_is_written_is_read_back() -> None:
    values = [
        *HARD,
        "\r\n mixed \r",
        "ends \\",
        "'",
        '"',
        "$$",
        "\\$",
        "\\n",
        "a #b",
        "'q'",
        "\x85",
        "v\x0b",
        "x\u2028y",
    ]
    pairs = {f"N{n}": value for n, value in enumerate(values)}
    pairs |= {name: "$x" for name in ("a b", "#c", '"q"', "export y", "x=y", "l\nm", "dollar$", "back\\slash", "ünï")}
    found = dotenv.parse(dotenv.show(pairs))
    assert (found.pairs, found.wrong) == (pairs, [])
