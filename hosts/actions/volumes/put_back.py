"""Puts back what jobs held (hosts.models.Hold): at their end, and from time to time what a killed worker left.

It is the system's act, not that of who started the job: an account that lost its rights meanwhile leaves no container
stopped.
"""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import SYSTEM, Right
from common.errors import DermagaError, Failure
from hosts.actions.act import recorded
from hosts.actions.asking import Asking
from hosts.engine import volume_helpers
from hosts.engine.answers import Conflict, NotFound
from hosts.models import Hold
from hosts.models.holds import HoldKind
from jobs.models import OPEN_STATES, Job
from jobs.run import JobContext, add_left

SECONDS = 60.0  # for one request
CANCELLED_SECONDS = 1.5  # who cancelled a job does not wait longer for one: it goes on later
STOP_SECONDS = 10  # an engine gives a container that says nothing else
SETTLED = timedelta(seconds=60)  # what an engine did not answer about is done by then, or not at all
AGAIN = timedelta(seconds=10)  # between two tries, and longer the older it is
TRIED_FOR = timedelta(days=1)
AT_ONCE = 200

DONE = {
    HoldKind.CONTAINER: gettext_noop("Started %(name)s again on %(host)s."),
    HoldKind.VOLUME: gettext_noop("Removed the half filled volume %(name)s from %(host)s."),
    HoldKind.HELPER: gettext_noop("Removed the helper container %(name)s from %(host)s."),
    HoldKind.IMAGE: gettext_noop("Removed the helper image %(name)s from %(host)s."),
}
WAITS = {
    HoldKind.CONTAINER: gettext_noop("%(name)s on %(host)s was stopped and is not started again yet. %(why)s"),
    HoldKind.VOLUME: gettext_noop("The half filled volume %(name)s on %(host)s is not removed yet. %(why)s"),
    HoldKind.HELPER: gettext_noop("The helper container %(name)s on %(host)s is not removed yet. %(why)s"),
    HoldKind.IMAGE: gettext_noop("The helper image %(name)s on %(host)s is not removed yet. %(why)s"),
}
GONE = gettext_noop("%(name)s on %(host)s was stopped, and is gone: it could not be started again.")
MAYBE = gettext_noop("The volume %(name)s may have been made on %(host)s: look, and remove it if nobody needs it.")
GOES_ON = gettext_noop("Dermaga goes on trying.")
GIVEN_UP = gettext_noop("Dermaga does not try it again.")


def settle(context: JobContext, hold: Hold) -> None:
    """At the end of a job: puts it back, or says that it is still to be done, by `put_back`."""
    if hold.pk is None:  # the engine did not do it
        return
    try:
        said = _undo(hold, CANCELLED_SECONDS if context.cancelled else SECONDS)
    except DermagaError as error:
        context.leaves(f"{_words(hold, WAITS[HoldKind(hold.kind)], error)} {_(GOES_ON)}")
        return
    hold.delete()
    if said == DONE[HoldKind(hold.kind)]:
        context.log(_words(hold, said))
    elif said:
        context.leaves(_words(hold, said))


def put_back(actor: Any) -> None:
    """Puts back what jobs held that have ended: their workers were killed, or the engine was away. Their pages say so."""
    now = timezone.now()
    rows = Hold.objects.exclude(job__state__in=OPEN_STATES).select_related("job", "host")
    for hold in rows.order_by("-pk")[:AT_ONCE]:  # helpers before what they use
        if not hold.host.is_live or not _is_due(hold, now):
            continue
        if not Hold.objects.filter(pk=hold.pk, tried=hold.tried).update(tried=now):
            continue  # another process is at it
        _try_again(actor, hold, now)


def _is_due(hold: Hold, now: datetime) -> bool:
    return hold.tried is None or now - hold.tried > max(AGAIN, (hold.tried - hold.made) / 2)


def _try_again(actor: Any, hold: Hold, now: datetime) -> None:
    try:
        said = _words(hold, _undo(hold, SECONDS, actor))
    except DermagaError as error:
        if now - hold.made < TRIED_FOR:
            return
        said = f"{_words(hold, WAITS[HoldKind(hold.kind)], error)} {_(GIVEN_UP)}"
    job: Job = hold.job
    hold.delete()
    if said:
        add_left(job, said)


def _words(hold: Hold, template: str, error: DermagaError | None = None) -> str:
    params = {"name": hold.name, "host": hold.host.name, "why": error.whole if error else ""}
    return _(template) % params if template else ""


# ---------------------------------------------------------------- on the engine
def _undo(hold: Hold, seconds: float, actor: Any = SYSTEM) -> str:
    """Puts it back; the template of what is to be said of it. Raises DermagaError when it is to be tried again."""
    undo = {
        HoldKind.CONTAINER: _start,
        HoldKind.VOLUME: _remove_volume,
        HoldKind.HELPER: _remove_helper,
        HoldKind.IMAGE: _remove_image,
    }[HoldKind(hold.kind)]
    detail = {"job": hold.job_id, "kind": hold.kind}
    with recorded(actor, Right.CONTAINERS_OPERATE, hold.host, "job.put_back", hold.name, detail=detail):
        return undo(hold, Asking(hold.host), seconds)


def _may_still_come(hold: Hold, seconds: float = 0) -> bool:
    return not hold.sure and timezone.now() - hold.made < SETTLED + timedelta(seconds=seconds)


def _start(hold: Hold, ask: Asking, seconds: float) -> str:
    path = f"/containers/{quote(hold.ref, safe='')}"
    try:
        if not hold.sure:  # an engine goes on stopping it when nobody waits any more: a start before that has no effect
            found = ask.ask("GET", f"{path}/json", seconds=seconds) or {}
            stops_for = int((found.get("Config") or {}).get("StopTimeout") or STOP_SECONDS)
            if (found.get("State") or {}).get("Running"):
                if _may_still_come(hold, stops_for):
                    raise Failure("stopping", 409, gettext_noop("It is still being stopped."))
                return ""
        ask.ask("POST", f"{path}/start", seconds=seconds)
    except NotFound:
        return GONE
    except Conflict:
        found = ask.ask("GET", f"{path}/json", seconds=seconds) or {}
        if not (found.get("State") or {}).get("Running"):
            raise
    return DONE[HoldKind.CONTAINER]


def _remove_volume(hold: Hold, ask: Asking, seconds: float) -> str:
    if not hold.sure:  # one of that name may be somebody else's
        return MAYBE
    try:
        ask.ask("DELETE", f"/volumes/{quote(hold.ref, safe='')}", seconds=seconds)
    except NotFound:
        return ""
    return DONE[HoldKind.VOLUME]


def _remove_helper(hold: Hold, ask: Asking, seconds: float) -> str:
    there = volume_helpers.remove(hold.host.endpoint(), hold.ref, version=ask.version, seconds=seconds)
    if not there and _may_still_come(hold):
        raise Failure("making", 409, gettext_noop("Its engine may still be making it."))
    return DONE[HoldKind.HELPER] if there else ""


def _remove_image(hold: Hold, ask: Asking, seconds: float) -> str:
    try:
        ask.ask("DELETE", f"/images/{quote(hold.ref, safe='/:@')}", seconds=seconds)
    except NotFound:
        if _may_still_come(hold):
            raise Failure("making", 409, gettext_noop("Its engine may still be making it.")) from None
        return ""
    return DONE[HoldKind.IMAGE]
