"""Short acts: each is a job in a lane of its own (jobs.lane), and the request waits a second for its end.

`soon(act, actor, ...)` reads as `act(actor, ...)`: what it gives and what it raises is the act's, but an act that takes
longer raises StillRunning. Which acts there are is in hosts/short_kinds.py.
"""

import base64
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any

from django.utils.translation import gettext_noop
from pydantic import TypeAdapter

from accounts.rights import Right
from common.errors import DermagaError, Failure, NotFound, StillRunning
from hosts import access
from hosts.access import may
from hosts.actions.act import cancelled_with, checked, may_go_on
from hosts.models import Config, Host, Image, Node, Plugin, Secret, Service, Swarm, Volume
from hosts.models.base import Owned
from hosts.models.owners import TEAM_LABEL
from hosts.models.swarms import SwarmOwned
from hosts.network_plan import NetworkPlan
from hosts.owning import team_called, teams_there
from hosts.pages import NOUNS
from hosts.specs.spec import Restart
from hosts.swarm_owning import teams_in
from hosts.swarm_plan import SettingsPlan
from hosts.volume_plan import VolumePlan
from jobs import queue, waiting
from jobs.kinds import Once, add_kind, get_kind
from jobs.models import Job, JobState, lock
from jobs.problems import error_of
from jobs.run import Cancelled, JobContext

WAIT_SECONDS = 1.0
SECONDS = 150.0  # that an act may take in all; its questions have shorter deadlines of their own
PLANS = {plan.__name__: plan for plan in (NetworkPlan, Restart, SettingsPlan, VolumePlan)}
CANCELLED = gettext_noop("It was cancelled.")
DIED = gettext_noop("The worker that ran this job died. Start it again.")
Args = tuple[Any, ...]


@dataclass(frozen=True)
class Short:
    """An act of a `kind`. Of its arguments, `locks` gives the names of what it works on (None: each row among them),
    `target` what it is about (None: the first that has a name), and `when` whether it is of this kind, where one act is
    of several."""

    kind: str
    act: Callable[..., Any]
    locks: Callable[[Args], list[str]] | None
    target: Callable[[Args], str] | None
    when: Callable[[Args], bool]


_by_act: dict[Callable[..., Any], list[Short]] = {}
_by_kind: dict[str, Short] = {}


def add(
    kind: str,
    title: Any,
    right: Right,
    act: Callable[..., Any],
    *,
    seconds: float = SECONDS,
    repeatable: bool = True,
    once: Once = "",
    locks: Callable[[Args], list[str]] | None = None,
    target: Callable[[Args], str] | None = None,
    when: Callable[[Args], bool] = lambda args: True,
) -> None:
    """Called once for each when the apps are ready (hosts/short_kinds.py)."""
    _by_kind[kind] = Short(kind, act, locks, target, when)
    _by_act.setdefault(act, []).append(_by_kind[kind])
    add_kind(kind, title, right, run, seconds=seconds, repeatable=repeatable, once=once, short=True)


def soon(act: Callable[..., Any], actor: Any, *args: Any, **options: Any) -> Any:
    """Does it, and gives what it gives. Raises what it raises, and StillRunning."""
    return _end_of(begin(act, actor, *args, shown=False, **options))


def begin(act: Callable[..., Any], actor: Any, *args: Any, shown: bool = True, **options: Any) -> Job:
    """Starts it and gives its job. Raises what can be said without asking an engine."""
    checked(act, actor, *args, **options)
    short = next(one for one in _by_act[act] if one.when(args))
    given = {"args": [_packed(arg) for arg in args], "options": {name: _packed(o) for name, o in options.items()}}
    rows = [arg for arg in args if type(arg) in NOUNS]
    right = get_kind(short.kind).right
    return queue.start(
        actor,
        short.kind,
        host=_place(rows[0]),
        team=_team(actor, right, rows, _said(args, options)),
        target=short.target(args) if short.target else _target(args),
        params={},
        sealed=given,  # some are secret, and no database takes every text otherwise
        locks=short.locks(args) if short.locks else _locks(short.kind, args),
        shown=shown,
    )


def _end_of(job: Job) -> Any:
    ended = waiting.wait(job.pk, WAIT_SECONDS)
    if ended is None:
        Job.objects.filter(pk=job.pk).update(shown=True)
        raise StillRunning(job.pk, job.title, job.target)
    if ended.state == JobState.DONE:
        return ended.result.get("value")
    if ended.state == JobState.FAILED and ended.problem:
        raise error_of(ended.problem)
    died = ended.state == JobState.INTERRUPTED
    raise Failure(ended.state, 409, DIED if died else CANCELLED)


def run(context: JobContext) -> dict[str, Any]:
    """Runs in the lane of a worker."""
    given = context.sealed
    short, actor, by_name = _by_kind[context.job.kind], context.job.by, not context.job.origin
    args = [_unpacked(actor, arg, by_name) for arg in given["args"]]
    options = {name: _unpacked(actor, option, by_name) for name, option in given["options"].items()}
    try:
        with cancelled_with(context):
            value = short.act(actor, *args, **options)
    except Cancelled:
        may_go_on(context, context.job.target)
        raise
    return {} if value is None else {"value": value}


# ---------------------------------------------------------------- what it is about
def _said(args: Args, options: dict[str, Any]) -> str:
    """The team that the labels of what is made name."""
    plans = [arg.labels for arg in args if isinstance(arg, NetworkPlan | VolumePlan)]
    labels = options.get("labels") or next(iter(plans), None)
    return str(labels.get(TEAM_LABEL) or "") if isinstance(labels, dict) else ""


def _team(actor: Any, right: Right, rows: list[Any], said: str) -> int | None:
    """The team whose things it is about: of the rows, the first one's for which `actor` may do it; on a host or in a
    swarm, that which is `said` or the only one, of who may do it for their teams alone."""
    if isinstance(rows[0], Host | Swarm):
        if may(actor, right, rows[0]):
            return None
        first: Host | Swarm = rows[0]
        teams = teams_there(actor, right, first) if isinstance(first, Host) else teams_in(actor, right, first)
        wanted = team_called(said)
        return wanted if wanted in teams else next(iter(teams), None)
    owned = [row for row in rows if isinstance(row, Owned | SwarmOwned)]
    return next((row.owner_id for row in owned if may(actor, right, row)), None)


def _place(row: Any) -> str:
    """The host that it is on; the swarm's objects are on none."""
    if isinstance(row, Host):
        return row.name
    return str(row.host.name) if hasattr(row, "host") else ""


def _target(args: Args) -> str:
    """What it works on, by name: the first row or plan that is no host."""
    named = [arg for arg in args if hasattr(arg, "name") and not isinstance(arg, Host)] or args
    first = named[0]
    swarm = getattr(first, "swarm", None)
    words = str(first) if isinstance(first, Image) else str(first.name)
    return f"{swarm.name}/{words}" if swarm else words


def _locks(kind: str, args: Args) -> list[str]:
    """Of the rows, and of what is made by a plan."""
    place, noun = next((_place(arg) for arg in args if type(arg) in NOUNS), ""), kind.partition(".")[0]
    made = [lock(place, noun, arg.name) for arg in args if isinstance(arg, NetworkPlan | VolumePlan)]
    return made + [name for arg in args if (name := _lock(arg))]


def _lock(row: Any) -> str:
    """As other jobs name it."""
    noun = NOUNS.get(type(row), "")
    if isinstance(row, Host) or not noun:
        return ""
    if isinstance(row, Swarm):
        return lock(row.engine_id, "swarm", "")
    if isinstance(row, Service):
        return lock(row.swarm.engine_id, noun, row.name)
    if isinstance(row, Node | Secret | Config):
        return lock(row.swarm.name, noun, row.name)
    return lock(row.host.name, noun, row.name if isinstance(row, Volume | Plugin) else row.engine_id)


# ---------------------------------------------------------------- arguments as JSON
OF_SWARM = (Node, Service, Secret, Config)
FIND: dict[str, Callable[..., Any]] = {
    **access.GET_OWNED,
    "plugin": access.get_plugin,
    "host": lambda actor, _place, name: access.get_host(actor, name),
    "swarm": lambda actor, _place, ref: _swarm(actor, ref),
    **{
        NOUNS[model]: lambda actor, swarm, ref, model=model: access.get_of_swarm(actor, model, swarm, ref)
        for model in OF_SWARM
    },
}


def _swarm(actor: Any, ref: str) -> Swarm:
    """Also one that `actor` may see a part of alone: the act asks for its right."""
    for right in (Right.SECRETS_MANAGE, Right.CONFIGS_MANAGE):
        with suppress(DermagaError):
            return access.get_swarm_to_make_in(actor, ref, right)
    return access.get_swarm(actor, ref)


def _within(row: Any) -> str:
    """The name of the host or swarm that it belongs to."""
    if isinstance(row, Host | Swarm):
        return ""
    return str((row.swarm if isinstance(row, OF_SWARM) else row.host).name)


def _packed(value: Any) -> Any:
    """As JSON. Every dictionary is marked as what it is: nobody's label is taken for a row."""
    if type(value) in NOUNS:
        key = value.name if isinstance(value, Host | Volume) else value.engine_id
        return {"row": [NOUNS[type(value)], _within(value), key, value.name]}
    if is_dataclass(value) and not isinstance(value, type):
        return {"plan": [PLANS[type(value).__name__].__name__, asdict(value)]}
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, dict):
        return {"map": {name: _packed(part) for name, part in value.items()}}
    return [_packed(part) for part in value] if isinstance(value, list | tuple) else value


def _unpacked(actor: Any, value: Any, by_name: bool) -> Any:
    """Rows as they are now. With `by_name`, as on a schedule, also the one that was made anew under its name since."""
    if isinstance(value, list):
        return [_unpacked(actor, part, by_name) for part in value]
    if not isinstance(value, dict):
        return value
    ((what, said),) = value.items()
    if what == "row":
        return _row(actor, *said, by_name=by_name)
    if what == "plan":
        return TypeAdapter(PLANS[said[0]]).validate_python(said[1])
    if what == "bytes":
        return base64.b64decode(said)
    return {name: _unpacked(actor, part, by_name) for name, part in said.items()}


def _row(actor: Any, noun: str, place: str, key: str, name: str, *, by_name: bool) -> Any:
    find = FIND[noun]
    try:
        return find(actor, place, key)
    except NotFound:
        if not by_name:
            raise
        return find(actor, place, name)
