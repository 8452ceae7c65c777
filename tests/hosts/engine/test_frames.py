"""Log bytes as lines, however they are cut into blocks."""

import pytest

from hosts.engine import frames
from hosts.engine.errors import NotAnEngine

STAMP = "2026-11-24T06:38:36.100813562Z"
LATER = "2026-11-24T06:38:36.200000000Z"


def frame(kind: int, text: bytes, stamp: str = STAMP) -> bytes:
    payload = stamp.encode() + b" " + text
    return bytes([kind, 0, 0, 0]) + len(payload).to_bytes(4, "big") + payload


def fed(splitter: frames.Splitter, data: bytes, size: int) -> list[frames.Line]:
    lines = []
    for start in range(0, len(data), size):
        lines += splitter.feed(data[start : start + size])
    return lines + splitter.end()


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
def test_frames_become_the_same_lines_however_they_are_cut(size: int) -> None:
    long = b"y" * frames.PIECE
    data = b"".join(
        [
            frame(1, b"plain\n"),
            frame(2, "café ".encode() + b"\xff\n"),
            frame(1, long),
            frame(2, b"between\n"),
            frame(1, b"end\n"),
            frame(1, b"\n"),
            frame(1, b"a\rb\0\n"),
            frame(1, b"\n" * 0 + b"no newline"),
        ]
    )
    assert fed(frames.FrameSplitter(place=3), data, size) == [
        (3, 1, STAMP, "plain"),
        (3, 2, STAMP, "café \ufffd"),
        (3, 2, STAMP, "between"),
        (3, 1, STAMP, "y" * frames.PIECE + "end"),
        (3, 1, STAMP, ""),
        (3, 1, STAMP, "a\rb\0"),
        (3, 1, STAMP, "no newline"),
    ]


STRANGE = [
    frame(2, b"the other stream\n"),
    frame(1, b"a piece of a line "),
    frame(2, b"a piece of the other stream "),
    frame(1, "é\n".encode()),
    frame(1, b"zeros \0\0\0\0\n"),
    frame(1, b"\1\0\0\0 is no head\n"),
    frame(1, b"Z two decimals less\n", "2026-11-24T06:38:36.1234567Z"),
    frame(1, b"another zone\n", "2026-11-24T06:38:36.100813562+01:00"),
    frame(1, b""),
    frame(1, b"\n"),
    b"\1\0\0\0\0\0\0\0",
    b"\1\0\0\0\0\0\0\4Z Z\n",
    frame(0, b"of the input\n"),
]


@pytest.mark.parametrize("kind", [1, 2])
@pytest.mark.parametrize("strange", [*STRANGE, b""])
def test_a_block_of_lines_that_are_alike_is_read_as_one_line_after_the_other(kind: int, strange: bytes) -> None:
    """Blocks of one kind of lines take a faster way; what is strange among them must not be seen by it only."""
    usual = [frame(kind, b"line %d\n" % number) for number in range(200)]
    for place in (0, 1, 100, 199, 200):
        data = b"".join([*usual[:place], strange, *usual[place:]])
        one_by_one = fed(frames.FrameSplitter(7), data, frames.ALIKE_AT_LEAST // 2)
        assert fed(frames.FrameSplitter(7), data, 1 << 20) == one_by_one
        assert len(one_by_one) >= 200


def test_a_character_cut_by_two_pieces_is_whole_again() -> None:
    text = "x" * (frames.PIECE - 1) + "é" + "z"
    raw = text.encode()
    data = frame(1, raw[: frames.PIECE]) + frame(1, raw[frames.PIECE :] + b"\n")
    assert fed(frames.FrameSplitter(), data, 1 << 20) == [(0, 1, STAMP, text)]


def test_a_line_that_was_never_finished_does_not_swallow_the_next() -> None:
    data = frame(1, b"killed in the mid") + frame(1, b"next\n", LATER)
    assert fed(frames.FrameSplitter(), data, 1 << 20) == [(0, 1, STAMP, "killed in the mid"), (0, 1, LATER, "next")]


def test_an_error_of_the_daemon_is_no_line() -> None:
    splitter = frames.FrameSplitter()
    payload = b"error grabbing logs: EOF"
    assert splitter.feed(b"\x03\0\0\0" + len(payload).to_bytes(4, "big") + payload) == []
    assert "error grabbing logs" in splitter.error.detail


def test_bytes_without_frames_are_refused() -> None:
    with pytest.raises(NotAnEngine):
        frames.FrameSplitter().feed(b"2026-11-24T06:38:36.100813562Z hello\r\n")


@pytest.mark.parametrize("tty", [False, True])
def test_a_line_over_four_megabytes_is_cut_with_a_mark(tty: bool) -> None:
    size = frames.LINE_AT_MOST + 1000
    if tty:
        pieces = [
            f"{STAMP} ".encode() + b"x" * n for n in [frames.PIECE] * (size // frames.PIECE) + [size % frames.PIECE]
        ]
        data = b"".join(pieces) + b"\r\n"
    else:
        data = frame(1, b"x" * size + b"\n")
    ((_, _, _, text),) = fed(frames.splitter(tty), data, 100_000)
    assert text == "x" * frames.LINE_AT_MOST + f" …[line cut: {frames.LINE_AT_MOST} of {size} bytes]"


@pytest.mark.parametrize("size", [1, 5, 1 << 20])
def test_a_terminals_lines(size: int) -> None:
    long = b"y" * frames.PIECE + f"{STAMP} ".encode() + b"tail"
    data = f"{STAMP} 50%\r100%\r\n{STAMP} ".encode() + long + f"\r\n{STAMP} prompt> ".encode()
    assert fed(frames.TtySplitter(), data, size) == [
        (0, 1, STAMP, "50%\r100%"),
        (0, 1, STAMP, "y" * frames.PIECE + "tail"),
        (0, 1, STAMP, "prompt> "),
    ]


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("2026-11-24T06:38:36Z", "2026-11-24T06:38:36.000000000Z"),
        ("2026-11-24T06:38:36.1Z", "2026-11-24T06:38:36.100000000Z"),
        ("2026-11-24T06:38:36.123456789+01:00", "2026-11-24T05:38:36.123456789Z"),
        ("2026-11-24T00:30:00.5-0530", "2026-11-24T06:00:00.500000000Z"),
        ("yesterday", ""),
    ],
)
def test_timestamps_are_made_comparable(text: str, normal: str) -> None:
    assert frames.normal_stamp(text) == normal


def test_nanoseconds_survive() -> None:
    assert frames.stamp_of(frames.nanoseconds(STAMP)) == STAMP
    assert frames.engine_time(STAMP) == "1795502316.100813562"


@pytest.mark.parametrize("size", [1, 9, 1 << 20])
def test_payloads_are_exact(size: int) -> None:
    data, payloads = frame(1, b"a\xff\0") + frame(2, b"b\n") + frame(1, b""), frames.Payloads()
    out = b"".join(payloads.feed(data[start : start + size]) for start in range(0, len(data), size))
    assert out == f"{STAMP} ".encode() + b"a\xff\0" + f"{STAMP} b\n{STAMP} ".encode()
