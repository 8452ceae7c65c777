"""Removes what somebody was shown, one thing after the other: how such jobs start and what they tell."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _

from accounts.rights import Right
from common.errors import DermagaError, Invalid
from hosts.actions.act import demand, may_go_on
from hosts.models import Container, Host, Network
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

AT_ONCE = 500  # things of one job


def check_number(things: Sequence[Any], *, none: str, too_many: str) -> None:
    """Raises Invalid when there is nothing to remove, or more than one job takes."""
    if not things:
        raise Invalid("targets", none)
    if len(things) > AT_ONCE:
        raise Invalid("targets", too_many, {"most": AT_ONCE})


def start(
    actor: Any,
    right: Right,
    noun: str,
    host: Host,
    things: Sequence[Container | Network],
    *,
    rule: dict[str, Any] | None,
    none: str,
    too_many: str,
) -> Job:
    """Starts a job that removes these things of one host; by the `rule` that made the list goes a schedule of it."""
    demand(actor, right, host)
    check_number(things, none=none, too_many=too_many)
    return queue.start(
        actor,
        f"{noun}.prune",
        host=host.name,
        target=", ".join(thing.name for thing in things),
        params={"host": host.name, "targets": sorted([thing.engine_id, thing.name] for thing in things), "rule": rule},
        locks=[lock(host.name, noun, thing.engine_id) for thing in things],
    )


def one_by_one(context: JobContext, names: Iterable[str], removals: Iterable[Callable[[], str]]) -> list[bool]:
    """Removes each, and tells of it; whether each has gone. A removal says why it keeps a thing, "" for one that is gone;
    a DermagaError is its own failure, and anything else ends the job."""
    parts: list[dict[str, Any]] = [{"id": name, "state": "queued", "error": ""} for name in names]
    with _saying_what_went(context, parts):
        for n, (part, remove) in enumerate(zip(parts, removals, strict=True)):
            context.progress(n / len(parts), part["id"], parts)
            part["state"] = "running"
            try:
                part["error"] = remove()
                part["state"] = "skipped" if part["error"] else "done"
            except DermagaError as error:
                part["state"], part["error"] = "failed", str(error)
            context.log(f"{part['id']}: {part['error'] or _('removed')}")
    context.progress(1, "", parts, now=True)
    return [part["state"] == "done" for part in parts]


@contextmanager
def _saying_what_went(context: JobContext, parts: list[dict[str, Any]]) -> Iterator[None]:
    """The `state` of the part that is asked for is "running"."""
    try:
        yield
    except BaseException as error:
        asked = [part for part in parts if part["state"] == "running"]
        for part in parts:
            if part["state"] in {"running", "queued"}:
                part["state"] = "skipped"
        if isinstance(error, Cancelled):
            done = sum(part["state"] == "done" for part in parts)
            words = _("%(done)s of %(all)s were removed before it was stopped.")
            context.leaves(words % {"done": done, "all": len(parts)})
        for part in asked:
            if isinstance(error, Cancelled):
                may_go_on(context, part["id"])
            else:
                part["state"] = "failed"
        raise
