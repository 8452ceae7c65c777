"""Where the host and the target of a job lead. Which pages there are is known above this app, which says so once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from jobs.models import Job, Schedule

Work = Job | Schedule


class Piece(NamedTuple):
    """A part of a target's words; `url` is "" for plain text."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Links:
    """Where a job or a schedule leads; its target is all pieces, one after the other."""

    host: str = ""
    target: list[Piece] = field(default_factory=list)


Finder = Callable[[Any, Sequence[Work]], list[Links]]
_finders: list[Finder] = []


def set_finder(finder: Finder) -> None:
    """Called once when the apps are ready (hosts/jobs.py)."""
    _finders[:] = [finder]


def add_links(user: Any, found: Sequence[Any]) -> None:
    """Puts `links` on each job or schedule: to what is still there and `user` may see."""
    plain = [Links(target=[Piece(work.target)]) for work in found]
    for work, links in zip(found, _finders[0](user, found) if _finders else plain, strict=True):
        work.links = links
