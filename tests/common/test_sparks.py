"""Sparklines."""

from math import nan

import pytest

from common.templatetags.sparks import spark


def coordinates(svg: str) -> list[list[tuple[float, float]]]:
    """The points of each line."""
    lines = [part.split('"')[0] for part in svg.split('points="')[1:]]
    return [[tuple(map(float, pair.split(","))) for pair in line.split()] for line in lines]  # type: ignore[misc]


def test_a_line_goes_from_left_to_right_and_shows_its_range_in_words() -> None:
    svg = spark([0.0, 50.0, 100.0], "CPU")
    assert coordinates(svg) == [[(0, 18.5), (40, 10), (80, 1.5)]]
    assert "<title>CPU, last hour: 0.0 % to 100 %</title>" in svg
    assert 'role="img"' in svg
    assert "style" not in svg


def test_a_gap_is_no_line() -> None:
    lines = coordinates(spark([10.0, 10.0, nan, 10.0, nan], "CPU"))
    assert [len(line) for line in lines] == [2, 2]
    assert lines[1][0][0] == 60


def test_a_little_noise_stays_little() -> None:
    ((first, second),) = coordinates(spark([0.1, 0.2], "CPU"))
    assert first[1] - second[1] < 1
    ((first, second),) = coordinates(spark([1000.0, 1001.0], "Memory", "bytes"))
    assert first[1] - second[1] < 1


@pytest.mark.parametrize("points", [None, [], [nan] * 30, [nan, 1.0, nan]])
def test_there_is_no_line_of_nothing(points: list[float] | None) -> None:
    assert spark(points, "CPU") == ""


def test_equal_points_and_huge_ones_are_drawn() -> None:
    for points in ([0.0, 0.0], [1e15, 1e15], [5.0] * 30):
        for unit in ("percent", "bytes"):
            for line in coordinates(spark(points, "x", unit)):
                assert all(0 <= y <= 20 for _, y in line)
