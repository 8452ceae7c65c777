"""Log bytes of an engine as lines, a block at a time.

A container without a TTY logs in frames: 1 byte of kind (1 stdout, 2 stderr, 3 an error of the daemon), 3 zero bytes,
4 bytes of length (big-endian), then the payload. With a TTY there are no frames. Both are read here as they come with
`timestamps=1`: each message begins with an RFC 3339 timestamp and a space. The engine cuts messages at 16 KiB and
gives each piece the timestamp of the first; here they are one line again.
"""

import re
from calendar import timegm
from datetime import UTC, datetime
from functools import lru_cache
from itertools import repeat
from struct import Struct
from typing import Protocol

from hosts.engine.answers import EngineFailed
from hosts.engine.errors import EngineError, NotAnEngine

OUT, ERR, DAEMON = 1, 2, 3
HEADER = 8
PIECE = 16 * 1024  # bytes after which an engine cuts a message
LINE_AT_MOST = 4 * 1024 * 1024  # bytes of one line that are shown
FRAME_AT_MOST = 256 * 1024 * 1024  # more is no frame: the bytes are something else
STAMP = 30  # characters of 2026-11-24T06:38:36.100813562Z

# place (index of the target for the viewer), stream (1 out, 2 err), timestamp (UTC, nine decimals), text
Line = tuple[int, int, str, str]

ALIKE_AT_LEAST = 4096  # bytes of a block below which the plain loop is as fast
# the end of a line, and of the frame of the next: kind, length, timestamp, a space
_between = re.compile(r"\n([\1\2])\0\0\0.{4}(.{29}Z) ", re.DOTALL)
_length_at = Struct(">I").unpack_from
_stamp = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?(Z|[+-]\d\d:?\d\d)")


def normal_stamp(text: str) -> str:
    """Any RFC 3339 timestamp as UTC with nine decimals, so that timestamps compare as text. "" when it is none."""
    found = _stamp.fullmatch(text)
    if found is None:
        return ""
    second, fraction, zone = found[1].replace(" ", "T"), (found[2] or "").ljust(9, "0"), found[3]
    if zone not in {"Z", "+00:00", "-00:00", "+0000"}:
        try:
            moment = datetime.fromisoformat(second + (zone if ":" in zone else f"{zone[:3]}:{zone[3:]}"))
            second = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        except (ValueError, OverflowError):
            return ""
    return f"{second}.{fraction}Z"


def moment_stamp(text: str) -> str:
    """The timestamp of a time as people and programs write it: RFC 3339, or seconds since 1970 with up to nine
    decimals. "" when it is neither."""
    stamp = normal_stamp(text)
    seconds, _, fraction = text.partition(".")
    if not stamp and (seconds + fraction).isascii() and seconds.isdecimal() and len(seconds) < 12:
        if fraction and not fraction.isdecimal():
            return ""
        stamp = stamp_of(int(seconds) * 1_000_000_000 + int((fraction or "0")[:9].ljust(9, "0")))
    return stamp


def nanoseconds(stamp: str) -> int:
    """A timestamp (as in a Line) as nanoseconds since 1970."""
    return _seconds(stamp[:19]) * 1_000_000_000 + int(stamp[20:29])


@lru_cache(maxsize=256)
def _seconds(second: str) -> int:
    return timegm(datetime.strptime(second, "%Y-%m-%dT%H:%M:%S").timetuple())


def stamp_of(ns: int) -> str:
    """The timestamp (as in a Line) of nanoseconds since 1970."""
    second = datetime.fromtimestamp(ns // 1_000_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{ns % 1_000_000_000:09d}Z"


def engine_time(stamp: str) -> str:
    """A timestamp as the `since` and `until` of an engine: seconds.nanoseconds."""
    ns = nanoseconds(stamp)
    return f"{ns // 1_000_000_000}.{ns % 1_000_000_000:09d}"


class _Open:
    """A line of which more pieces may come."""

    __slots__ = ("parts", "size", "stamp")

    def __init__(self, stamp: str) -> None:
        self.stamp = stamp
        self.parts: list[str] = []
        self.size = 0

    def add(self, text: str) -> None:
        if self.size < LINE_AT_MOST:
            self.parts.append(text[: LINE_AT_MOST - self.size])
        self.size += len(text)

    def text(self) -> str:
        """The whole line; it is kept as latin-1 until here, since a piece may end inside a character."""
        return _cut(decode("".join(self.parts)), self.size)


def _cut(text: str, size: int) -> str:
    return text if size <= LINE_AT_MOST else f"{text} …[line cut: {LINE_AT_MOST} of {size} bytes]"


def decode(raw: str) -> str:
    """Bytes held as latin-1 text read as UTF-8; what is no UTF-8 becomes U+FFFD."""
    return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "replace")


class FrameSplitter:
    """Frames of a container without a TTY. Raises EngineError for bytes that are no frames.

    `feed` returns the lines that are complete. A frame of kind 3 is kept in `error`: it is no line.
    """

    def __init__(self, place: int = 0) -> None:
        self.place = place
        self.error: EngineError | None = None
        self._waiting: list[bytes] = []
        self._size = 0
        self._need = HEADER
        self._open: dict[int, _Open] = {}

    def feed(self, block: bytes) -> list[Line]:
        """The lines that `block` completes."""
        self._size += len(block)
        if self._size < self._need:
            self._waiting.append(block)
            return []
        data = b"".join([*self._waiting, block]) if self._waiting else block
        lines, used = self._split(data)
        rest = data[used:]
        self._waiting = [rest] if rest else []
        self._size = len(rest)
        return lines

    def end(self) -> list[Line]:
        """What was begun and never finished: a last line without a newline."""
        lines = [(self.place, stream, line.stamp, line.text()) for stream, line in self._open.items()]
        self._open.clear()
        return lines

    def _split(self, data: bytes) -> tuple[list[Line], int]:
        text, total, position = data.decode("latin-1"), len(data), 0
        lines: list[Line] = []
        if not self._open and ALIKE_AT_LEAST <= total <= LINE_AT_MOST:
            lines, position = self._alike(text)
        add, place, pieces = lines.append, self.place, self._open
        self._need = HEADER
        while position + HEADER <= total:
            end = position + HEADER + _length_at(data, position + 4)[0]
            if end > total:
                if end - position > FRAME_AT_MOST or data[position] > DAEMON:
                    raise NotAnEngine("a log stream without frames", where="this host")
                self._need = end - position
                break
            kind, size = data[position], end - position
            # the usual frame, with as few steps as can be
            if size > 39 and data[end - 1] == 10 and data[position + 37] == 90 and 0 < kind < 3 and not pieces:
                line = text[position + 39 : end - 1]
                if not line.isascii() or len(line) > LINE_AT_MOST:
                    line = _cut(decode(line[:LINE_AT_MOST]), len(line))
                add((place, kind, text[position + 8 : position + 38], line))
            else:
                self._unusual(kind, text[position + 8 : end], lines)
            position = end
        return lines, position

    def _alike(self, text: str) -> tuple[list[Line], int]:
        """All lines but the last of `text`, and where that begins, if each is in a frame of its own with a timestamp in
        UTC: nearly all are, and a million lines want to be read in half a second. Else ([], 0). An engine cuts what a
        container writes at each newline, so that none is followed by a head inside a frame."""
        before, *found = _between.split("\n" + text)
        kinds, stamps, texts = found[:-3:3], found[1:-3:3], found[2:-3:3]
        # a header that was taken for text (of the daemon, or behind a piece of a line) has zeros
        joined_stamps, joined = "".join(stamps), "".join(texts)
        if not texts or before or "\0" in joined or "\0" in joined_stamps or " " in joined_stamps:
            return [], 0
        if not joined.isascii():
            texts = list(map(decode, texts))
        lines = list(zip(repeat(self.place), map(ord, kinds), stamps, texts))  # noqa: B905 (endless)
        return lines, len(text) - len(found[-1]) - STAMP - 1 - HEADER

    def _unusual(self, kind: int, payload: str, lines: list[Line]) -> None:
        if kind == DAEMON:
            self.error = EngineFailed(decode(payload).strip())
            return
        if kind > DAEMON:
            raise NotAnEngine("a log stream without frames", where="this host")
        stream = kind or OUT
        first, _, text = payload.partition(" ")
        stamp = normal_stamp(first)
        if not stamp:  # an engine that sends no timestamp
            text = payload
        piece = self._open.get(stream)
        if piece is not None and stamp != piece.stamp:
            # the line before was never finished (its process was killed): it is a line all the same
            lines.append((self.place, stream, piece.stamp, piece.text()))
            piece = None
        if piece is None:
            piece = self._open[stream] = _Open(stamp)
        piece.add(text.removesuffix("\n"))
        if payload.endswith("\n"):
            lines.append((self.place, stream, piece.stamp, piece.text()))
            del self._open[stream]


class TtySplitter:
    """Raw bytes of a container with a TTY: one stream, no frames. The terminal's carriage return before the newline
    is taken off, all others are kept."""

    def __init__(self, place: int = 0) -> None:
        self.place = place
        self.error: EngineError | None = None
        self._waiting: list[bytes] = []
        self._size = 0  # bytes of the unfinished line, also those that were not kept

    def feed(self, block: bytes) -> list[Line]:
        """The lines that `block` completes."""
        head, newline, rest = block.rpartition(b"\n")
        if not newline:
            self._keep(rest)
            return []
        first, *others = head.split(b"\n")
        self._keep(first)
        lines = [self._line(b"".join(self._waiting), self._size)]
        lines += [self._line(raw, len(raw)) for raw in others]
        self._waiting, self._size = [], 0
        self._keep(rest)
        return lines

    def end(self) -> list[Line]:
        """A last line without a newline."""
        lines = [self._line(b"".join(self._waiting), self._size)] if self._size else []
        self._waiting, self._size = [], 0
        return lines

    def _keep(self, part: bytes) -> None:
        if part and self._size < 2 * LINE_AT_MOST:
            self._waiting.append(part)
        self._size += len(part)

    def _line(self, raw: bytes, size: int) -> Line:
        first, _, text = raw.removesuffix(b"\r").partition(b" ")
        stamp = first.decode("latin-1")
        if len(stamp) != STAMP or not stamp.endswith("Z"):
            stamp = normal_stamp(stamp)
        if not stamp:
            text = raw.removesuffix(b"\r")
        elif len(text) > PIECE:
            text = _joined(text, first + b" ")
        shown = text[:LINE_AT_MOST].decode("utf-8", "replace")
        return self.place, OUT, stamp, _cut(shown, max(len(text), size if size > 2 * LINE_AT_MOST else 0))


def _joined(text: bytes, stamp: bytes) -> bytes:
    """Pieces of 16 KiB, each with the stamp before it, as one line."""
    parts, position = [], 0
    while text.startswith(stamp, position + PIECE):
        parts.append(text[position : position + PIECE])
        position += PIECE + len(stamp)
    return b"".join([*parts, text[position:]])


class Splitter(Protocol):
    """What makes lines of a log's bytes; what went wrong on the engine's side is in `error`."""

    place: int
    error: EngineError | None

    def feed(self, block: bytes) -> list[Line]:
        """The lines that `block` completes."""

    def end(self) -> list[Line]:
        """What was begun and never finished."""


def splitter(tty: bool, place: int = 0) -> Splitter:
    """The splitter for a container with or without a TTY."""
    return TtySplitter(place) if tty else FrameSplitter(place)


class Payloads:
    """Frames taken off and nothing else: the bytes that `docker logs` prints (stdout and stderr as they come)."""

    def __init__(self) -> None:
        self.error: EngineError | None = None
        self._left = 0  # bytes of the frame begun that are still to come
        self._kind = OUT
        self._head = b""

    def feed(self, block: bytes) -> bytes:
        """The payload in `block`."""
        data, position, out = self._head + block, 0, []
        self._head = b""
        total = len(data)
        while position < total:
            if self._left:
                part = data[position : position + self._left]
                position += len(part)
                self._left -= len(part)
                if self._kind == DAEMON:
                    self.error = EngineFailed(part.decode("utf-8", "replace").strip())
                else:
                    out.append(part)
            elif total - position < HEADER:
                self._head = data[position:]
                break
            else:
                self._kind, self._left = data[position], _length_at(data, position + 4)[0]
                position += HEADER
        return b"".join(out)
