"""How far a log has been read, and what tells old lines from new ones when it is read again.

All readers of one log see its lines in the same order. Timestamps alone do not tell them apart: those of stdout and stderr
are out of order by moments, and an engine may stamp thousands of lines alike.
"""

import operator
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice

from hosts.engine.frames import Line, nanoseconds, stamp_of

OVERLAP = 2_000_000_000  # nanoseconds that a resumed stream is asked to repeat: two writers stamp out of order
REMEMBER = 1024 * 1024  # bytes of lines that are remembered for it at most
Key = tuple[int, str, str]  # stream, timestamp, text
_key: Callable[[Line], Key] = operator.itemgetter(1, 2, 3)
_stamp: Callable[[Line], str] = operator.itemgetter(2)


def is_coarse(stamp: str) -> bool:
    """Whether a timestamp is of whole seconds, as Podman's are: thousands of lines have the same one."""
    return stamp.endswith(".000000000Z")


class Cursor:
    """How far a log has been read: the newest timestamp, and the lines of the last moments to tell a repetition."""

    def __init__(self) -> None:
        self.newest = ""
        self.piece: Line | None = None  # a first line that may be the last piece of a longer one
        self._floor = ""  # every line up to here has been read; below it no line is compared
        self._at_floor = 0  # lines with just that timestamp that are remembered no more, where timestamps are coarse
        self._recent: deque[tuple[list[Line], int]] = deque()
        self._bytes = 0

    def add(self, lines: list[Line], size: int) -> None:
        """`lines` were read, about `size` bytes of them."""
        if not lines:
            return
        self.newest = max(self.newest, lines[-1][2])
        self._recent.append((lines, size))
        self._bytes += size
        if self._bytes < REMEMBER and len(self._recent) & 15:
            return  # a live log comes in many small batches: they are looked through now and then
        while len(self._recent) > 1 and (self._bytes > REMEMBER or self._is_old(self._recent[0][0])):
            old, gone = self._recent.popleft()
            self._bytes -= gone
            # only neighbours are ever out of order: the last lines tell how far the dropped ones went
            floor = max(self._floor, *(line[2] for line in old[-50:]))
            if is_coarse(floor):
                before = self._at_floor if floor == self._floor else 0
                self._at_floor = before + sum(line[2] == floor for line in old)
            self._floor = floor

    def _is_old(self, lines: list[Line]) -> bool:
        last = lines[-1][2]
        if last[:17] == self.newest[:17]:  # the same minute: far cheaper than arithmetic for each batch
            return int(self.newest[17:19] or 0) - int(last[17:19] or 0) > 2
        return not last or nanoseconds(self.newest) - nanoseconds(last) > OVERLAP + 1_000_000_000

    @property
    def is_coarse(self) -> bool:
        """Whether the timestamps cannot tell lines apart: then the end of a log does not tell where it was read to."""
        return is_coarse(self.newest)

    @property
    def since(self) -> str:
        """From where a resumed stream is to be asked; "" for the beginning."""
        if not self.newest:
            return ""
        overlap = stamp_of(max(0, nanoseconds(self.newest) - OVERLAP))
        return max(overlap, self._floor)

    def mark(self) -> "Mark":
        """Where a stream is now, for `behind`."""
        return Mark([lines for lines, _ in self._recent])

    def resume(self) -> "Resume":
        """What tells old lines from new ones in a stream opened with `since`."""
        since, skip = self.since, 0
        edge = since
        if self._floor and is_coarse(self._floor):
            skip = self._at_floor if self._floor >= since else 0
        elif self._floor:
            edge = max(since, stamp_of(nanoseconds(self._floor) + 1))
        known = [line for lines, _ in self._recent for line in lines if line[2] >= since]
        return Resume(known, self.newest, edge=edge, piece=self.piece, skip=(self._floor, skip))

    def behind(self, mark: "Mark", sees: Callable[[Line], bool] = bool) -> "Resume":
        """What tells old lines from new ones in another stream of the same log, which was at `mark` before this was
        read: it brings first what it is behind with, then what is new. `sees`: which of its lines are meant."""
        known = [line for lines, _ in self._recent for line in lines]
        end = mark.end_in(known, sees)
        return Resume(known[end or 0 :], self.newest, begun=end is not None or not known)

    def has(self, line: Line) -> bool:
        """Whether `line` was read; lines from before the last moments count as read."""
        return line[2] < self.since or any(_key(line) == _key(known) for lines, _ in self._recent for known in lines)

    def repeats(self, lines: list[Line], proved: str = "") -> int | None:
        """The index of the first of `lines`, the next of the same stream, that was read before. A stream that was taken up
        again at the timestamp `proved` repeats nothing until a newer line has come."""
        stamps = list(map(_stamp, lines))
        if stamps[0] > self.newest and all(map(operator.lt, stamps, islice(stamps, 1, None))):
            return None  # the usual case: timestamps grow
        top, seen = self.newest, set[Key]()
        for index, line in enumerate(lines):
            if line[2] > top:
                top = line[2]
            elif top > proved and not is_coarse(line[2]) and (_key(line) in seen or self._was_read(line)):
                return index
            seen.add(_key(line))
        return None

    def _was_read(self, line: Line) -> bool:
        if line[2] <= self._floor:
            return True
        earlier, key = 0, _key(line)  # without its place, which differs from stream to stream
        for lines, _ in reversed(self._recent):
            if key in map(_key, lines):
                return True
            earlier += lines[0][2] < line[2]
            if earlier > 1:  # only neighbours are ever out of order
                return False
        return False


@dataclass(frozen=True)
class Mark:
    """How far a stream was at some moment."""

    recent: list[list[Line]]

    def end_in(self, past: list[Line], sees: Callable[[Line], bool]) -> int | None:
        """The place in `past` behind the last line of the stream; None when it is not there."""
        last = next((line for lines in reversed(self.recent) for line in reversed(lines) if sees(line)), None)
        if last is None:
            return None
        key = _key(last)
        places = [place for place, line in enumerate(past, 1) if _key(line) == key]
        places = places or [place for place, line in enumerate(past, 1) if _is_piece(last, line)]
        # equal lines: as many of them as the stream had shown
        shown = sum(_key(line) == key for lines in self.recent for line in lines)
        return places[min(shown, len(places)) - 1] if places else None


def _is_piece(piece: Line, line: Line) -> bool:
    """Whether `line` is `piece`, or the line that it is the end of."""
    return piece[1:3] == line[1:3] and line[3].endswith(piece[3]) and not is_coarse(piece[2])


class Resume:
    """Takes the lines out that were read before, one for one, and notices when lines in between are missing.

    `known` are lines read before, in their order. A stream brings what is older than they first, then they, then what is
    new; when it has `begun`, nothing older comes any more.
    """

    def __init__(
        self,
        known: Iterable[Line],
        newest: str,
        *,
        edge: str = "",
        begun: bool = False,
        piece: Line | None = None,
        skip: tuple[str, int] = ("", 0),
    ) -> None:
        self._order = [_key(line) for line in known]
        self._known = Counter(self._order)
        self._begun = begun
        self._skip_stamp, self._skip = skip  # as many lines of that timestamp come first and were read
        self._edge = edge  # every line before it was read
        self._piece = piece
        self.newest = newest
        self.connected = not newest  # a line read before was seen again: nothing is missing in between
        self.first_new = ""  # timestamp of the first line that was not read before
        self._beyond = stamp_of(nanoseconds(newest) + OVERLAP) if newest else ""

    @property
    def gap(self) -> bool:
        """Whether lines are missing between what was read before and the first new line."""
        return bool(self.first_new) and not self.connected and self.first_new > self.newest

    @property
    def done(self) -> bool:
        """Whether all lines from now on are new."""
        return not self._known and (self._begun or bool(self.first_new))

    def fresh(self, lines: list[Line]) -> list[Line]:
        """Those of `lines` that were not read before."""
        if self.done:
            return lines
        found = []
        for line in lines:
            if self._take(line):
                self.connected = True
            elif self._begun or line[2] > self.newest:
                self._begun = True
                self.first_new = self.first_new or line[2] or "0"
                found.append(line)
        if found and found[-1][2] > self._beyond:
            self._known.clear()
        return found

    def _take(self, line: Line) -> bool:
        """Whether the line was read before; if so it will not count a second time."""
        if self._skip and line[2] == self._skip_stamp:
            self._skip -= 1
            self._begun = True
            return True
        key = _key(line)
        if self._known.get(key):
            self._begin(key)
            self._known[key] -= 1
            if not self._known[key]:
                del self._known[key]
            return True
        if line[2] and line[2] < self._edge:
            return True
        # a stream that began with the log's last piece shows the whole line now
        if self._piece is not None and self._known.get(_key(self._piece)) and _is_piece(self._piece, line):
            self._begin(_key(self._piece))
            del self._known[_key(self._piece)]
            return True
        return False

    def _begin(self, key: Key) -> None:
        if not self._begun:
            # what was read before this line will not come: an equal line that does is a new one
            self._known = Counter(self._order[self._order.index(key) :])
            self._begun = True
            self._order.clear()
