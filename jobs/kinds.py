"""The kinds of jobs: which function runs each, and what it is called on pages."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Conflict, Failure

if TYPE_CHECKING:
    from jobs.models import Job
    from jobs.run import JobContext

Run = Callable[["JobContext"], dict[str, Any]]
Once = str | Callable[[dict[str, Any], dict[str, Any]], str]
HOUR = 3600.0
NOT_REPEATABLE = gettext_noop(
    "This cannot be repeated: it took a file that was sent, or a list that was looked through. Ask for it anew."
)
SENT = gettext_noop("the files that were sent are gone when it has run.")


@dataclass(frozen=True)
class Rule:
    """What a schedule starts in place of a job."""

    kind: str
    target: str
    params: dict[str, Any]
    locks: list[str]


@dataclass(frozen=True)
class Kind:
    """`run` gets the job's context and returns its result; `right` is what starting it, again too, demands; `seconds`
    is how long it may take in all. One that is not `repeatable` can neither be started again nor put on a schedule.
    `uploads` names the keys of files that its parameters keep (common.uploads). `rule` is for one that works through a
    list that somebody was shown, `targets`: what a schedule starts in its place, from its parameters; None where there is
    no rule that made the list. `once` says why a schedule of it makes no sense, though one may start it again after
    it failed: a sentence, or a function of its parameters and sealed ones that gives one, or "" where it does make sense.
    One that is `short` runs in a lane of its own (jobs.lane), beside the places of its host."""

    name: str
    title: Any
    right: Right
    run: Run
    seconds: float = HOUR
    repeatable: bool = True
    uploads: Callable[[dict[str, Any]], list[str]] | None = None
    once: Once = ""
    rule: Callable[[dict[str, Any]], Rule | None] | None = None
    short: bool = False


_kinds: dict[str, Kind] = {}


def add_kind(
    name: str,
    title: Any,
    right: Right,
    run: Run,
    *,
    seconds: float = HOUR,
    repeatable: bool = True,
    uploads: Callable[[dict[str, Any]], list[str]] | None = None,
    once: Once = "",
    rule: Callable[[dict[str, Any]], Rule | None] | None = None,
    short: bool = False,
) -> None:
    """Called once for each kind when the apps are ready (hosts/jobs.py)."""
    _kinds[name] = Kind(name, title, right, run, seconds, repeatable, uploads, once, rule, short)


def uploads_of(name: str, params: dict[str, Any]) -> list[str]:
    """The keys of the files that a job of this kind keeps."""
    kind = _kinds.get(name)
    return kind.uploads(params) if kind and kind.uploads else []


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


def may_repeat(job: "Job") -> bool:
    """Whether a job that has ended can be started again: one that took files, while these are there, as they are when
    its worker died; one that worked through a list, unless it came to its end: what was kept wants another look."""
    kind = _kinds.get(job.kind)
    if kind is None or not kind.repeatable or (kind.rule and "targets" in job.params and job.state == "done"):
        return False
    return uploads.are_kept(*uploads_of(job.kind, job.params))


def is_kept(name: str) -> bool:
    """Whether what was sealed for a job of this kind is of use when it has ended: for starting it again."""
    kind = _kinds.get(name)
    return kind is None or kind.repeatable


def why_once(name: str, params: dict[str, Any], sealed: dict[str, Any]) -> str:
    """Why such a job cannot be put on a schedule; "" when it can. Raises Failure as `get_kind`."""
    kind = get_kind(name)
    if not kind.repeatable or (kind.rule and kind.rule(params) is None):
        return NOT_REPEATABLE
    if uploads_of(name, params):
        return SENT
    return kind.once if isinstance(kind.once, str) else kind.once(params, sealed)


def rule_of(job: "Job") -> Rule:
    """What a schedule that is made from the job starts. Raises Conflict where it makes no sense, with the reason."""
    if why := why_once(job.kind, job.params, job.sealed):
        raise Conflict(why)
    rule = get_kind(job.kind).rule
    return (rule and rule(job.params)) or Rule(job.kind, job.target, job.params, job.locks)


def names() -> list[str]:
    """Of all kinds."""
    return list(_kinds)
