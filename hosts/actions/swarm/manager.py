"""How acts on a swarm run: through a manager among the hosts that answers for it now.

Which one is found out by a question before the act is sent: a manager that cannot be reached, is none any more, is
locked or has lost the others is passed over, and nothing is ever sent to two.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NoReturn
from urllib.parse import quote

from django.utils.translation import gettext_noop

from accounts.differences import difference
from accounts.rights import Right
from common.errors import Conflict, Failure
from hosts.actions.act import asks_now, current_job, failure, recorded_at
from hosts.actions.asking import Asking
from hosts.engine.answers import Answered
from hosts.engine.errors import EngineError
from hosts.inventory import swarms
from hosts.inventory.swarm_reader import NO_LEADER, ROWS
from hosts.models import Host, Swarm, SwarmMember
from hosts.models.swarms import SwarmCorner, SwarmMirrored
from jobs.run import JobContext

PROBE_SECONDS = 6.0
TRIES = 4
OUT_OF_SEQUENCE = "update out of sequence"


def manager_for(swarm: Swarm, context: JobContext | None = None) -> Host:
    """A host through which the swarm can be changed now. Raises Failure with what is wrong with all of them."""
    found = SwarmMember.objects.filter(swarm=swarm, host__enabled=True).select_related("host")
    # first the one that it is read through, then those that answer, then those that may be back
    members = sorted(
        (member for member in found if member.control or member.state != "active"),
        key=lambda m: (m.host_id != swarm.reader_id, not m.host.is_live, not m.control, m.host.name),
    )
    wrong: list[tuple[Host, EngineError]] = []
    for member in members:
        try:
            Asking(member.host, context).ask("GET", "/swarm", seconds=PROBE_SECONDS)
            return member.host
        except EngineError as error:
            wrong.append((member.host, error))
    _refuse(swarm, wrong)


def _refuse(swarm: Swarm, wrong: list[tuple[Host, EngineError]]) -> NoReturn:
    said = [(host, error) for host, error in wrong if isinstance(error, Answered)]
    for host, error in said:
        if NO_LEADER in error.detail.lower():
            template = gettext_noop(
                "The swarm %(swarm)s has no leader: more than half of its managers must be up and reach each other. "
                "Bring them back, or force a new cluster on the one that is left."
            )
            raise Failure("no_leader", 503, template, {"swarm": swarm.name, "host": host.name}, error.detail)
    for host, error in said:
        if "locked" in error.detail.lower() or "encrypted" in error.detail.lower():
            template = gettext_noop("The manager %(host)s is locked. Unlock it with the swarm's unlock key.")
            raise Failure("swarm_locked", 409, template, {"swarm": swarm.name, "host": host.name}, error.detail)
    if wrong:
        host, first = wrong[0]
        template = gettext_noop("No manager of the swarm %(swarm)s can be asked. %(host)s: %(reason)s")
        words = {"swarm": swarm.name, "host": host.name, "reason": str(first)}
        raise Failure("no_manager", 503, template, words, first.detail)
    template = gettext_noop("None of the hosts is a manager of the swarm %(swarm)s. Add one of its managers as a host.")
    raise Failure("no_manager", 503, template, {"swarm": swarm.name})


@contextmanager
def on_manager(
    actor: Any,
    right: Right,
    thing: Swarm | SwarmMirrored | SwarmCorner,
    action: str,
    target: str,
    *,
    context: JobContext | None = None,
    detail: dict[str, Any] | None = None,
) -> Iterator[Asking]:
    """`recorded` in the name of the swarm that `thing` is, or is in, with a manager to ask. In a job by its `context`,
    which cancels.

    Raises Denied, and Failure (no manager, or what it said).
    """
    context = context or current_job()
    with recorded_at(actor, right, thing, action, target, detail=detail):
        asks_now()
        yield Asking(manager_for(thing if isinstance(thing, Swarm) else thing.swarm, context), context)


def update(
    manager: Asking,
    noun: str,
    engine_id: str,
    change: Callable[[dict[str, Any]], None],
    version: int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Any:
    """Changes the specification of an object ("node", "service", "secret", "config") and gives the engine's answer.

    `change` alters the specification as it is now: when somebody else was quicker it is asked for again and changed
    again. With the `version` that a person has looked at it is not: that is a Conflict. `headers` go with the change.
    """
    path = f"/{noun}s/{quote(engine_id, safe='')}"
    for left in reversed(range(TRIES)):
        raw = manager.ask("GET", path, seconds=30)
        spec, current = raw["Spec"], raw["Version"]["Index"]
        if version is not None and current != version:
            raise moved_on(str(spec.get("Name") or engine_id[:12]))
        change(spec)
        try:
            return manager.ask("POST", f"{path}/update", {"version": str(current)}, spec, seconds=30, headers=headers)
        except EngineError as error:
            if OUT_OF_SEQUENCE not in error.detail:
                raise
            if version is not None or not left:
                raise moved_on(str(spec.get("Name") or engine_id[:12])) from error
    return None


def setting(detail: dict[str, Any], told: Mapping[str, Any]) -> Callable[[dict[str, Any]], None]:
    """A change for `update` that sets parts of a specification by the engine's names, and says in an audit's `detail` what
    they were and became."""

    def change(spec: dict[str, Any]) -> None:
        was = {name.lower(): spec.get(name) for name in told}
        detail.update(difference(was, {name.lower(): value for name, value in told.items()}))
        spec.update(told)

    return change


def moved_on(name: str) -> Conflict:
    """Somebody else has changed it since it was looked at."""
    return Conflict(
        gettext_noop("%(name)s was changed by somebody else meanwhile. Look at it as it is now, and change it again."),
        {"name": name},
    )


def refresh(manager: Asking, swarm: Swarm, noun: str, engine_id: str) -> None:
    """Reads one object into its row, so that the page which follows an act is true; the events come a moment later."""
    try:
        row = ROWS[noun](manager.ask("GET", f"/{noun}s/{quote(engine_id, safe='')}", seconds=10))
    except EngineError as error:
        if error.status != 404:
            raise failure(error) from error
        row = None
    swarms.apply_objects(swarm, noun, [row] if row else [], only={engine_id})
