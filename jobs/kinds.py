"""The kinds of jobs: which function runs each, and what it is called on pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Failure

if TYPE_CHECKING:
    from jobs.run import JobContext

Run = Callable[["JobContext"], dict[str, Any]]
HOUR = 3600.0


@dataclass(frozen=True)
class Kind:
    """`run` gets the job's context and returns its result; `right` is what starting it, again too, demands; `seconds`
    is how long it may take in all."""

    name: str
    title: Any
    right: Right
    run: Run
    seconds: float = HOUR


_kinds: dict[str, Kind] = {}


def add_kind(name: str, title: Any, right: Right, run: Run, *, seconds: float = HOUR) -> None:
    """Called once for each kind when the apps are ready (hosts/jobs.py)."""
    _kinds[name] = Kind(name, title, right, run, seconds)


def get_kind(name: str) -> Kind:
    """The kind; raises Failure for a job of a version that knew more."""
    if name not in _kinds:
        raise Failure(
            "unknown_kind", 409, gettext_noop("This version does not know how to do that: %(kind)s."), {"kind": name}
        )
    return _kinds[name]


def title_of(name: str) -> str:
    """What a kind is called in the reader's language."""
    return str(_kinds[name].title) if name in _kinds else name


def seconds_of(name: str) -> float:
    """How long a job of this kind may take in all."""
    return _kinds[name].seconds if name in _kinds else HOUR
