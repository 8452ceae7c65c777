"""What is different in a task's log, which a manager has from the task's node: it knows no `until`, and what went wrong
on the way is a message among the lines."""

from hosts.engine.answers import from_answer
from hosts.engine.errors import EngineError
from hosts.engine.frames import Line, Splitter

WRONG = "Error grabbing logs: "


class TaskSplitter:
    """Takes the lines behind `until` (a timestamp, or "") out of what another splitter finds."""

    def __init__(self, split: Splitter, until: str, where: str) -> None:
        self.place = split.place
        self.error: EngineError | None = None
        self._split, self._until, self._where = split, until, where

    def feed(self, block: bytes) -> list[Line]:
        """The lines that `block` completes."""
        return self._kept(self._split.feed(block))

    def end(self) -> list[Line]:
        """What was begun and never finished."""
        return self._kept(self._split.end())

    def _kept(self, lines: list[Line]) -> list[Line]:
        if self._split.error is not None:
            self._fail(self._split.error.detail)
        if lines and not lines[-1][2] and lines[-1][3].startswith(WRONG):  # with a terminal there are no frames
            self._fail(lines.pop()[3])
        return [line for line in lines if line[2] <= self._until] if self._until else lines

    def _fail(self, words: str) -> None:
        self.error = from_answer(500, words.removeprefix(WRONG).strip(), self._where)
