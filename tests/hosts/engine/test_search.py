"""Searching a log: which lines match, no expression that hangs, and every line once."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from hosts.engine import search as search_module
from hosts.engine.endpoint import Endpoint
from hosts.engine.frames import Line
from hosts.engine.places import open_source
from hosts.engine.search import BadPattern, Hit, Matcher, Search, Wanted
from hosts.engine.targets import Target
from tests.engines.docker_engine import DockerEngine

STAMP = "2026-11-24T06:38:36.100813562Z"
LINES: list[Line] = [
    (0, 1, STAMP, "GET /v2/basket 200"),
    (0, 2, STAMP, "ERROR timeout after 5000 ms"),
    (0, 1, STAMP, ""),
    (0, 1, STAMP, "\x1b[31mtime\x1b[0mout in colours: Zeitüberschreitung"),
    (0, 1, STAMP, "two\nlines TIMEOUT"),
    (0, 1, STAMP, '{"level":"warn","msg":"a.b"}'),
]


def found(lines: list[Line], **wanted: Any) -> list[int]:
    return [index for index, *_ in Matcher(Wanted(**wanted)).find(lines)]


@pytest.mark.parametrize(
    ("wanted", "indexes"),
    [
        ({"query": "timeout"}, [1, 3, 4]),
        ({"query": "timeout", "case": True}, [1, 3]),
        ({"query": "a.b"}, [5]),
        ({"query": "a.b", "regex": True}, [5]),
        ({"query": "^(GET|\\{)", "regex": True}, [0, 5]),
        ({"query": "ms$", "regex": True}, [1]),
        ({"query": "^$", "regex": True}, [2]),
        ({"query": "200.*ERROR", "regex": True}, []),
        ({"query": "200[^x]*ERROR", "regex": True}, []),
        ({"query": "200\\s+ERROR", "regex": True}, []),
        ({"query": "x*", "regex": True}, [0, 1, 2, 3, 4, 5]),
        ({"query": "überschr"}, [3]),
        ({"query": "(?s)two.lines", "regex": True}, [4]),
        ({"levels": frozenset({"error"})}, [1]),
        ({"levels": frozenset({"warn", "error"}), "query": "a"}, [1, 5]),
        ({"streams": frozenset({2})}, [1]),
        ({}, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_which_lines_match(wanted: dict[str, object], indexes: list[int]) -> None:
    assert found(LINES, **wanted) == indexes


def test_the_place_of_a_match_counts_characters() -> None:
    ((_, begin, end, text),) = Matcher(Wanted("schreit")).find(LINES[3:4])
    assert text[begin:end] == "schreit"
    assert text == "timeout in colours: Zeitüberschreitung"


@pytest.mark.parametrize("query", ["(", "a)b(", "(?=x)", "(x)\\1", "x" * 1001, "a\nb", "(a{1000}){1000}"])
def test_what_is_no_expression_is_said(query: str) -> None:
    with pytest.raises(BadPattern) as error:
        Matcher(Wanted(query, regex=True))
    assert str(error.value)


@pytest.mark.parametrize("query", ["(a+)+$", "(a|aa)+$", "(.*a){20}x", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_expression_hangs(query: str) -> None:
    lines: list[Line] = [(0, 1, STAMP, "a" * 50_000 + "!")] * 4
    began = time.process_time()
    assert found(lines, query=query, regex=True) == []
    assert time.process_time() - began < 5


# ---------------------------------------------------------------- on an engine
@pytest.fixture(scope="module")
def written(docker_engine: DockerEngine) -> Iterator[Target]:
    script = (
        "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; head -c 70000 /dev/zero | tr '\\0' x; echo; "
        "i=0; while [ $i -lt 500 ]; do echo late $i >&2; i=$((i+1)); done"
    )
    docker_engine.docker("run", "--name", "quay-search", "busybox", "sh", "-c", script)
    yield Target(Endpoint(docker_engine.url), docker_engine.docker("inspect", "-f", "{{.Id}}", "quay-search").strip())
    docker_engine.docker("rm", "-f", "quay-search")


async def everything(search: Search) -> list[list[Hit]]:
    """The hits of each pass."""
    passes = []
    while not search.whole:
        passes.append([hit async for found in search.go() for hit in found.hits])
    return passes


@pytest.mark.parametrize("passes", [("100", "1200", "all"), ("3000", "all"), ("all",), ("20000", "400000", "all")])
async def test_every_line_is_searched_once_newest_pass_first(
    written: Target, monkeypatch: pytest.MonkeyPatch, passes: tuple[str, ...]
) -> None:
    monkeypatch.setattr(search_module, "PASSES", passes)
    search = Search(await open_source(written), Matcher(Wanted("line|late|x$", regex=True)))
    found = await everything(search)
    assert len(found) <= len(passes)
    in_order = [hit.text for each in reversed(found) for hit in each]
    assert [text for text in in_order if text.startswith("line")] == [f"line {n}" for n in range(3000)]
    assert [text for text in in_order if text.startswith("late")] == [f"late {n}" for n in range(500)]
    assert len(in_order) == 3501
    assert {len(text) for text in in_order if text.startswith("x")} == {search_module.LEAD + 1}


async def test_a_span_of_time_is_searched(written: Target) -> None:
    source = await open_source(written)
    hits = [hit for each in reversed(await everything(Search(source, Matcher(Wanted("line"))))) for hit in each]
    since, until = hits[1000].stamp, hits[1999].stamp
    found = await everything(Search(source, Matcher(Wanted("line", since=since, until=until))))
    assert sorted(hit for each in found for hit in each) == sorted(h for h in hits if since <= h.stamp <= until)
