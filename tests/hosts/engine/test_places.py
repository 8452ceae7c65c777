"""Places in a log are found again exactly, in memory and on a real engine."""

import random
from collections.abc import Iterator

import pytest

from hosts.engine.endpoint import Endpoint
from hosts.engine.frames import Line, stamp_of
from hosts.engine.logs import LogQuery, replay
from hosts.engine.places import From, Page, Place, Source, UpTo, after, before, open_source
from hosts.engine.targets import Target
from tests.engines.docker_engine import DockerEngine

MS = 1_000_000


def line(ms: int, text: str, stream: int = 1) -> Line:
    return (0, stream, stamp_of(1_760_000_000_000 * MS + ms * MS), text)


LOG = [line(0, "a"), line(5, "b"), line(7, "late", 2), line(5, "c"), line(5, "d"), line(9, "e"), line(9000, "f")]


def pieces(lines: list[Line], size: int) -> Iterator[list[Line]]:
    for start in range(0, len(lines), size):
        yield lines[start : start + size]


def read_from(place: Place, size: int) -> tuple[str, bool]:
    start = From(place)
    found = [each[3] for part in pieces(LOG, size) for each in start.feed(part)]
    if not start.passed:
        found += [each[3] for each in start.end()]
    return " ".join(found), start.found


def read_up_to(place: Place, size: int) -> str:
    stop = UpTo(place)
    found = [each[3] for part in pieces(LOG, size) for each in stop.feed(part)]
    if not stop.done:
        found += [each[3] for each in stop.end()]
    return " ".join(found)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("ms", "have", "found"),
    [
        (0, 0, "a b late c d e f"),
        (0, 1, "b late c d e f"),
        (5, 0, "b late c d e f"),
        (5, 1, "late c d e f"),
        (5, 2, "d e f"),
        (5, 3, "e f"),
        (7, 1, "c d e f"),
        (8, 0, "e f"),
        (9000, 1, ""),
    ],
)
def test_reading_on_from_a_place(ms: int, have: int, found: str, size: int) -> None:
    assert read_from(Place(line(ms, "")[2], have), size) == (found, True)


def test_reading_on_from_a_place_that_was_rotated_away() -> None:
    assert read_from(Place(line(5, "")[2], 4), 2) == ("late e f", False)


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(
    ("ms", "have", "found"),
    [
        (0, 0, ""),
        (5, 0, "a"),
        (5, 3, "a"),
        (5, 2, "a b late"),
        (5, 1, "a b late c"),
        (7, 1, "a b"),
        (9, 1, "a b late c d"),
        (9001, 0, "a b late c d e f"),
    ],
)
def test_reading_back_to_a_place(ms: int, have: int, found: str, size: int) -> None:
    assert read_up_to(Place(line(ms, "")[2], have), size) == found


# ---------------------------------------------------------------- on an engine
WRITER = (
    "i=0; while [ $i -lt 4000 ]; do echo line $i; echo err $i >&2; i=$((i+1)); done; "
    "sleep 0.3; head -c 70000 /dev/zero | tr '\\0' x; echo; echo last"
)


@pytest.fixture(scope="module")
def written(docker_engine: DockerEngine) -> Iterator[Target]:
    docker_engine.docker("run", "--name", "quay-places", "busybox", "sh", "-c", WRITER)
    yield Target(Endpoint(docker_engine.url), docker_engine.docker("inspect", "-f", "{{.Id}}", "quay-places").strip())
    docker_engine.docker("rm", "-f", "quay-places")


async def whole(source: Source) -> list[Line]:
    return [each async for burst in await replay(source.target, LogQuery(), source.tty) for each in burst.lines]


def have_first(lines: list[Line], index: int) -> Place:
    """The place behind line `index` for one who has the lines up to it."""
    stamp = lines[index][2]
    return Place(stamp, sum(each[2] == stamp for each in lines[: index + 1]))


def have_last(lines: list[Line], index: int) -> Place:
    """The place before line `index` for one who has it and all that follow."""
    stamp = lines[index][2]
    return Place(stamp, sum(each[2] == stamp for each in lines[index:]))


async def test_pages_meet_exactly_in_both_directions(written: Target) -> None:
    source = await open_source(written)
    lines = await whole(source)
    assert len(lines) == 8002
    chosen = random.Random(7).sample(range(1, len(lines) - 1), 12)
    for index in chosen:
        page = await after(source, have_first(lines, index), 700)
        assert page.lines == lines[index + 1 :][:700]
        assert page.more == (index + 1 + 700 < len(lines))
        page = await before(source, have_last(lines, index), 700)
        assert page.lines == lines[max(0, index - 700) : index]
        assert page.more == (index > 700)


async def test_the_whole_log_is_walked_from_its_end(written: Target) -> None:
    source = await open_source(written)
    lines = await whole(source)
    found: list[Line] = lines[-1:]
    more = True
    while more:
        page = await before(source, have_last(found, 0), 999, len(found))
        found, more = page.lines + found, page.more
    assert found == lines


async def test_a_time_is_a_place(written: Target) -> None:
    source = await open_source(written)
    lines = await whole(source)
    stamp = lines[3000][2]
    first = next(index for index, each in enumerate(lines) if each[2] >= stamp)
    assert (await after(source, Place(stamp), 10)).lines == lines[first : first + 10]
    assert (await before(source, Place(stamp), 10)).lines == lines[first - 10 : first]
    assert await before(source, Place("2020-01-01T00:00:00.000000000Z"), 10) == Page([], False)
    assert await after(source, Place("2200-01-01T00:00:00.000000000Z"), 10) == Page([], False)


async def test_a_part_of_long_lines_is_shorter(written: Target, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosts.engine.places.PAGE_BYTES_AT_MOST", 60_000)
    source = await open_source(written)
    lines = await whole(source)
    page = await before(source, have_last(lines, len(lines) - 1), 50)
    assert page.more and 0 < len(page.lines) < 50
    assert page.lines == lines[-1 - len(page.lines) : -1]
