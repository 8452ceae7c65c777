"""What makes hosts parts of swarms: init, join, leave, unlock. Each is a job on one host."""

from contextlib import suppress
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from hosts.actions.act import demand, host_of, recorded
from hosts.actions.asking import Asking
from hosts.actions.swarm.manager import manager_for
from hosts.engine.answers import Answered
from hosts.engine.errors import EngineError
from hosts.engine.parse.swarms import member_of
from hosts.inventory import swarms
from hosts.models import Host, Node, Swarm, SwarmMember
from hosts.swarm_plan import REMOTES_AT_MOST, ROLES, TOKEN, InitPlan, NodePlan, check_address
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

SECONDS = 90.0  # joining takes an engine up to 20 s by itself
KEY_AT_MOST = 200
BACKGROUND = "continue in the background"  # an engine's words when joining takes it more than 20 s
MAYBE = gettext_noop("The engine of %(host)s may do it all the same. The list of swarms shows what the host is now.")
GOES_ON = gettext_noop("The host %(host)s may go on trying to join by itself. Leave the swarm by force to end that.")


def _part(host: Host) -> SwarmMember | None:
    return SwarmMember.objects.filter(host=host).select_related("swarm").first()


def _has_swarms(host: Host) -> None:
    if host.engine == "Podman":
        raise Conflict(gettext_noop("%(host)s runs Podman, which has no swarms."), {"host": host.name})


def _is_free(host: Host) -> None:
    _has_swarms(host)
    part = _part(host)
    if part is not None:
        words = {"host": host.name, "swarm": part.swarm.name if part.swarm else part.state}
        raise Conflict(gettext_noop("%(host)s is in a swarm already (%(swarm)s). Let it leave first."), words)


def _start(actor: Any, kind: str, host: Host, target: str, sealed: dict[str, Any] | None = None, **params: Any) -> Job:
    return queue.start(
        actor,
        kind,
        host=host.name,
        target=target,
        params={"host": host.name, **params},
        sealed=sealed,
        locks=[lock(host.name, "swarm", "")],
    )


def _refresh(asking: Asking) -> dict[str, Any]:
    """Asks the host what it is now, and stores that."""
    answer = asking.ask("GET", "/info", seconds=30)
    member = member_of(answer.get("Swarm") if isinstance(answer, dict) else None)
    swarms.apply_member(asking.host.pk, member)
    return {"host": asking.host.name, "state": member["state"], "node": member["node_id"]}


# ---------------------------------------------------------------- init
def start_init(actor: Any, host: Host, plan: InitPlan) -> Job:
    """Starts a job that makes a swarm of this host; with `force_new_cluster` out of what a manager that has lost the
    others still knows."""
    demand(actor, Right.SWARM_MANAGE, host)
    _has_swarms(host)
    if not plan.force_new_cluster:
        _is_free(host)
    plan.check()
    return _start(actor, "swarm.init", host, host.name, body=plan.body())


def run_init(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    host, asking = host_of(context), Asking(host_of(context), context)
    with recorded(context.job.by, Right.SWARM_MANAGE, host, "swarm.init", host.name):
        context.progress(0.1)
        _post(context, asking, "/swarm/init", body=context.params["body"])
        found = _refresh(asking)
        part = _part(host)
        return {**found, "swarm": part.swarm.name if part and part.swarm else ""}


# ---------------------------------------------------------------- join
def start_join(
    actor: Any,
    host: Host,
    plan: NodePlan,
    *,
    swarm: Swarm | None = None,
    role: str = "worker",
    token: str = "",
    remotes: list[str] | None = None,
) -> Job:
    """Starts a job that lets the host join: a `swarm` known here, whose token for that `role` is fetched and used without
    being shown, or with a `token` the one at the addresses `remotes`."""
    demand(actor, Right.SWARM_MANAGE, host)
    _is_free(host)
    plan.check()
    if swarm is not None:
        if role not in ROLES:
            raise Invalid("role", gettext_noop("Choose worker or manager."))
        demand(actor, Right.SWARM_MANAGE, swarm)
        words = f"{host.name} -> {swarm.name} ({role})"
        return _start(actor, "swarm.join", host, words, swarm=swarm.engine_id, role=role, body=plan.body())
    token, found = token.strip(), [one for one in remotes or [] if one]
    if not TOKEN.fullmatch(token):
        raise Invalid(
            "token", gettext_noop("This is no join token. It begins with SWMTKN-1- and is copied as a whole.")
        )
    if not found or len(found) > REMOTES_AT_MOST:
        raise Invalid("remotes", gettext_noop("Name a manager of the swarm: 10.0.0.5:2377."))
    for remote in found:
        check_address("remotes", remote)
    words = f"{host.name} -> {found[0]}"
    return _start(actor, "swarm.join", host, words, {"token": token}, remotes=found, body=plan.body())


def run_join(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    host, params = host_of(context), context.params
    asking = Asking(host, context)
    detail = {"swarm": params.get("swarm", ""), "role": params.get("role", "")}
    with recorded(context.job.by, Right.SWARM_MANAGE, host, "swarm.join", context.job.target, detail=detail):
        context.progress(0.1)
        token, remotes = context.sealed.get("token", ""), params.get("remotes", [])
        if params.get("swarm"):
            token, remotes = _way_in(context, params["swarm"], params["role"])
        context.hide(token)
        body = {**params["body"], "RemoteAddrs": remotes, "JoinToken": token}
        context.progress(0.3, _("Joining"))
        _post(context, asking, "/swarm/join", body=body, left=GOES_ON)
        return _refresh(asking)


def _way_in(context: JobContext, swarm_id: str, role: str) -> tuple[str, list[str]]:
    """The swarm's token for that role, and where its managers are."""
    swarm = Swarm.objects.filter(engine_id=swarm_id).first()
    if swarm is None:
        raise Failure("no_swarm", 404, gettext_noop("This swarm is not known here any more."))
    manager = Asking(manager_for(swarm, context), context)
    answer = manager.ask("GET", "/swarm", seconds=30)
    nodes = Node.objects.filter(swarm=swarm, role="manager").order_by("-leader", "name")
    places = [node.data.get("manager_address", "") for node in nodes]
    # the one that has just answered comes first: another may be down
    part = SwarmMember.objects.get(host=manager.host)
    places.sort(key=lambda place: place.rpartition(":")[0] != part.address)
    return answer["JoinTokens"][role.capitalize()], [place for place in places if place][:REMOTES_AT_MOST]


def _post(
    context: JobContext,
    asking: Asking,
    path: str,
    query: dict[str, str] | None = None,
    body: Any = None,
    *,
    left: str = MAYBE,
) -> None:
    """Asks for it; an engine that did not say no may do it all the same, which is then said as what is `left`."""
    try:
        asking.ask("POST", path, query, body, seconds=SECONDS)
    except BaseException as error:
        if not isinstance(error, Answered) or BACKGROUND in error.detail:
            context.leaves(_(left) % {"host": asking.host.name})
        if not context.cancelled:  # who cancels does not wait for another answer
            _try_refresh(asking.host)
        raise


def _try_refresh(host: Host) -> None:
    with suppress(EngineError):  # the watcher asks again
        _refresh(Asking(host))


# ---------------------------------------------------------------- leave
def start_leave(actor: Any, host: Host, *, force: bool = False) -> Job:
    """Starts a job that takes the host out of its swarm. A manager leaves by `force` only."""
    demand(actor, Right.SWARM_MANAGE, host)
    _has_swarms(host)
    part = _part(host)
    if part is None:
        raise Conflict(gettext_noop("%(host)s is in no swarm."), {"host": host.name})
    if part.control and not force:
        raise Conflict(
            gettext_noop("%(host)s is a manager. Demote it first, or let it leave by force."), {"host": host.name}
        )
    return _start(actor, "swarm.leave", host, host.name, force=force)


def run_leave(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    host, force = host_of(context), context.params["force"]
    asking = Asking(host, context)
    with recorded(context.job.by, Right.SWARM_MANAGE, host, "swarm.leave", host.name, detail={"force": force}):
        context.progress(0.1)
        _post(context, asking, "/swarm/leave", {"force": "1"} if force else {})
        return _refresh(asking)


# ---------------------------------------------------------------- unlock
def start_unlock(actor: Any, host: Host, key: str) -> Job:
    """Starts a job that unlocks a manager which was started again while autolock was on."""
    demand(actor, Right.SWARM_MANAGE, host)
    _has_swarms(host)
    key = key.strip()
    if not key.isascii() or not key or len(key) > KEY_AT_MOST:
        raise Invalid("key", gettext_noop("Enter the unlock key. It begins with SWMKEY-1-."))
    return _start(actor, "swarm.unlock", host, host.name, {"key": key})


def run_unlock(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    host, key = host_of(context), context.sealed["key"]
    context.hide(key)
    asking = Asking(host, context)
    with recorded(context.job.by, Right.SWARM_MANAGE, host, "swarm.unlock", host.name):
        context.progress(0.1)
        _post(context, asking, "/swarm/unlock", body={"UnlockKey": key})
        return _refresh(asking)
