"""Downloads of logs, and streams taken up again."""

import orjson
import pytest

from hosts.engine.answers import EngineFailed, LogDriverUnreadable
from hosts.engine.cursors import Cursor
from hosts.engine.endpoint import Endpoint
from hosts.engine.frames import Line, stamp_of
from hosts.engine.logs import LogQuery, iter_log_download, open_log
from hosts.engine.targets import Target
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.fake_engine import FakeEngine, Raw


async def test_a_download_as_ndjson(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("echo a; echo b >&2; echo; echo c")
    docker_engine.docker("wait", name)
    blocks = [block async for block in iter_log_download(Target(Endpoint(docker_engine.url), name), ndjson=True)]
    lines = [orjson.loads(line) for line in b"".join(blocks).splitlines()]
    assert sorted((line["stream"], line["text"]) for line in lines) == [
        ("stderr", "b"), ("stdout", ""), ("stdout", "a"), ("stdout", "c"),
    ]  # fmt: skip
    assert all(line["time"].endswith("Z") for line in lines)


async def test_an_unreadable_log_is_an_error_before_the_first_block(docker_engine: DockerEngine) -> None:
    docker_engine.docker("run", "--name", "mute", "--log-driver", "none", "busybox", "true")
    try:
        with pytest.raises(LogDriverUnreadable):
            async for _ in iter_log_download(Target(Endpoint(docker_engine.url), "mute")):
                pass
    finally:
        docker_engine.docker("rm", "-f", "mute")


# ---------------------------------------------------------------- cursors
def line(number: int, text: str = "", stream: int = 1) -> Line:
    return 0, stream, stamp_of(1_795_502_316_000_000_000 + number * 100_000_000), text or f"line {number}"


def read(*lines: Line) -> Cursor:
    cursor = Cursor()
    for one in lines:
        cursor.add([one], 100)
    return cursor


def test_a_resumed_stream_repeats_nothing() -> None:
    cursor = read(*(line(number) for number in range(50)))
    again = [line(number) for number in range(55) if line(number)[2] >= cursor.since]
    resume = cursor.resume()
    assert resume.fresh(again) == [line(number) for number in range(50, 55)]
    assert resume.done
    assert not resume.gap


def test_equal_lines_at_one_timestamp_are_dropped_one_for_one() -> None:
    resume = read(line(1), line(2, "same"), line(2, "same")).resume()
    assert resume.fresh([line(1), line(2, "same"), line(2, "same"), line(2, "same")]) == [line(2, "same")]


def test_a_line_stamped_earlier_by_the_other_stream_is_not_lost() -> None:
    resume = read(line(1), line(3)).resume()
    assert resume.fresh([line(1), line(3), line(2, "late", stream=2)]) == [line(2, "late", stream=2)]


def test_lines_that_were_rotated_away_are_a_gap() -> None:
    resume = read(line(1), line(2)).resume()
    assert resume.fresh([line(90)]) == [line(90)]
    assert resume.gap


def test_much_that_was_read_is_remembered_in_little_memory() -> None:
    cursor = Cursor()
    for number in range(2000):
        cursor.add([line(0, f"{number} {'x' * 1000}")] * 10, 10_000)
    assert sum(size for _, size in cursor._recent) <= 1024 * 1024 + 10_000
    assert cursor.resume().fresh([line(0, "an older one"), line(1)]) == [line(1)]


def test_a_stream_that_is_behind_shows_nothing_from_before_the_past() -> None:
    stream = read(line(1), line(2))
    past = read(line(4), line(5), line(6))
    resume = past.behind(stream.mark())
    assert resume.fresh([line(3), line(4)]) == []
    assert resume.fresh([line(5), line(6), line(7)]) == [line(7)]
    assert resume.done


# ---------------------------------------------------------------- Podman
@pytest.mark.parametrize("count", [10, 5000])
def test_lines_of_one_second_are_told_apart_by_their_order(count: int) -> None:
    """Podman stamps with whole seconds: so many equal lines are more than are remembered."""
    cursor = Cursor()
    lines = [line(0), *[line(10, "same " * 100)] * count]
    for one in lines:
        cursor.add([one], 500)
    resume = cursor.resume()
    news = [*[line(10, "same " * 100)] * 3, line(20, "same " * 100)]
    again = [one for one in lines if one[2] >= cursor.since]
    assert resume.fresh([*again, *news]) == news
    assert cursor.is_coarse


def test_a_minute_that_begins_makes_nothing_old() -> None:
    cursor = Cursor()
    before, after = "2026-11-24T06:38:59.900000000Z", "2026-11-24T06:39:00.100000000Z"
    cursor.add([(0, 1, before, "out")], 10)
    cursor.add([(0, 1, after, "out")], 10)
    late = (0, 2, "2026-11-24T06:38:59.800000000Z", "err")
    assert cursor.resume().fresh([(0, 1, before, "out"), (0, 1, after, "out"), late]) == [late]


def plain(body: bytes) -> Raw:
    """A short answer without frames, as Go labels it by itself."""
    head = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
    return Raw(head % len(body) + body)


@pytest.mark.parametrize("follow", [False, True])
async def test_a_refusal_that_comes_as_a_log_is_an_error(fake_engine: FakeEngine, follow: bool) -> None:
    said = b'{"cause":"no such file or directory","message":"failed to obtain logs","response":500}\n'
    fake_engine.misbehave("/containers/*/logs", plain(said))
    target = Target(Endpoint(fake_engine.url), fake_engine.containers[0].id, "1.41")
    with pytest.raises(EngineFailed) as caught:
        await open_log(target, LogQuery(), follow=follow)
    assert "failed to obtain logs" in str(caught.value)


@pytest.mark.parametrize("line", [b"hello\r\n", b'{"message":"mine","response":500}\r\n', b"[]\r\n", b""])
async def test_a_short_log_of_a_terminal_is_none(fake_engine: FakeEngine, line: bytes) -> None:
    fake_engine.misbehave("/containers/*/logs", plain(line))
    target = Target(Endpoint(fake_engine.url), fake_engine.containers[0].id, "1.41")
    stream = await open_log(target, LogQuery())
    assert await stream.read_all() == line
    stream.close()
