"""What can be done to services of a swarm: made, changed, scaled, tried again, taken back, removed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from typing import Any
from urllib.parse import quote

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference
from accounts.rights import Right
from common.errors import Conflict, DermagaError, Failure, Invalid
from hosts import logins
from hosts.actions import policing
from hosts.actions.act import demand, may_go_on
from hosts.actions.asking import Asking
from hosts.actions.swarm import manager as managers
from hosts.actions.swarm.manager import OUT_OF_SEQUENCE, TRIES, moved_on, on_manager, refresh
from hosts.actions.swarm.service_progress import Convergence
from hosts.engine.answers import Answered
from hosts.engine.errors import EngineError
from hosts.inventory import swarms
from hosts.models import Service, Swarm
from hosts.models.swarms import SwarmCorner
from hosts.quotas.services import check_service_now, team_of
from hosts.service_specs import network_names, revision_of, secrets_of, specification, version_of
from hosts.specs.services.body import Ids, put_over, to_engine
from hosts.specs.services.check import check, check_replicas
from hosts.specs.services.inspected import from_inspect, ids_of
from hosts.specs.services.spec import ServiceSpec, from_json, to_json
from hosts.swarm_owning import (
    check_service_uses,
    check_stays,
    claimed_in,
    corner_of,
    ids_for,
    image_of,
    is_limited_in,
    with_team,
)
from hosts.swarm_plan import check_labels
from jobs import queue
from jobs.models import Job, lock
from jobs.run import Cancelled, JobContext

REGISTRY_SECONDS = 20.0
SCALABLE = ("replicated", "replicated-job")


# ---------------------------------------------------------------- making
def start_create(
    actor: Any, swarm: Swarm, spec: ServiceSpec, *, pin: bool = True, account: str | int | None = None
) -> Job:
    """Starts the job. `pin`: to the digest that the registry has now, so that all nodes run the same. `account` is who
    logs in there, the nodes too, as in `logins.choose`. Raises Invalid for a wrong field, and for one that this swarm's
    managers are too old for."""
    labels, corner = claimed_in(actor, Right.SERVICES_MANAGE, swarm, spec.labels)
    demand(actor, Right.SERVICES_MANAGE, corner)
    spec.labels = labels
    with_team(actor, corner, spec)
    _check(spec)
    if Service.objects.filter(swarm=swarm, name=spec.name).exists():
        raise Invalid("name", gettext_noop("The swarm has a service called %(name)s already."), {"name": spec.name})
    body = to_engine(spec, version_of(swarm), ids_for(actor, corner))
    check_service_uses(actor, corner, body)
    policing.allow_service_now(actor, swarm, "service.create", spec.name, body)
    check_service_now(actor, team_of(body), swarm, body, "service.create", spec.name)
    params = {"pin": pin, "account": logins.choose(actor, spec.image, account, team=corner.owner_id)}
    return _start(actor, "service.create", corner, spec.name, params, {"spec": to_json(spec)})


def run_create(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: makes it, and waits until its tasks run."""
    swarm, spec = _swarm_of(context), from_json(context.sealed["spec"])
    context.hide(*secrets_of(spec))
    detail: dict[str, Any] = {"image": spec.image, "job": context.job.pk}
    corner = SwarmCorner(swarm, context.job.team_id)
    with _on_manager(context, corner, "service.create", detail) as manager:
        body = to_engine(spec, manager.version, ids_for(context.job.by, corner))
        check_service_uses(context.job.by, corner, body)  # it may have waited
        headers = _login(context, spec.image)
        _name_image(context, manager, corner, body, headers)
        context.progress(0.05, _("Making the service"), now=True)
        try:
            with _naming_nobody(context, corner):
                answer = manager.ask("POST", "/services/create", body=body, headers=headers) or {}
        except (EngineError, Cancelled) as error:
            if not isinstance(error, Answered):
                sentence = _("No answer came from %(host)s: the service %(name)s may be there.")
                context.leaves(sentence % {"host": manager.host.name, "name": spec.name})
            raise
        _warn(context, answer)
    engine_id = str(answer.get("ID") or "")
    return _converge(context, swarm, manager, engine_id)


# ---------------------------------------------------------------- changing
def revealed(actor: Any, service: Service) -> ServiceSpec:
    """Its specification with the values of its environment; who looked is in the audit."""
    demand(actor, Right.CONTAINERS_REVEAL, service)
    record(actor, "service.reveal", service.name, host=service.swarm.name)
    return specification(service)


def start_edit(
    actor: Any,
    service: Service,
    spec: ServiceSpec,
    *,
    revision: str = "",
    pin: bool = True,
    account: str | int | None = None,
) -> Job:
    """Starts a job that gives it another specification; what we do not know of it stays. `revision` (service_specs.
    revision_of): what the change was made from. `account` as for a new one, and "keep": the nodes keep the login that they
    have, as they do without a default account; with 0 it is taken away. Raises Conflict when `revision` is no more."""
    demand(actor, Right.SERVICES_MANAGE, service)
    if service.data.get("spec_cut"):
        raise Conflict(gettext_noop("The specification of %(name)s is too long to be changed here."), _words(service))
    if revision and revision != revision_of(service.spec):
        raise moved_on(service.name)
    if spec.name != service.name:
        raise Invalid("name", gettext_noop("A service keeps its name. Make another one instead."))
    check_stays(actor, Right.SERVICES_MANAGE, service, spec.labels)
    corner = corner_of(service)
    with_team(actor, corner, spec, service.data.get("volumes", ()))
    _check(spec)
    _is_same_kind(service, spec)
    body = to_engine(spec, version_of(service.swarm), _with(ids_for(actor, corner), service.spec))
    check_service_uses(actor, corner, body, service.spec, network_names(service))
    policing.allow_service_now(actor, service.swarm, "service.update", service.name, body)
    check_service_now(actor, team_of(body), service.swarm, body, "service.update", service.name, service)
    params = {"revision": revision, "pin": pin, "networks": network_names(service)}
    params["account"] = _choose(actor, spec.image, account, corner)
    if account == "keep" and logins.registry_of(spec.image) != logins.registry_of(service.image):
        raise Invalid("account", ELSEWHERE, {"registry": logins.registry_of(service.image)})
    return _start(actor, "service.update", corner, service.name, params, {"spec": to_json(spec)}, service)


def run_edit(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: changes it, and waits until its tasks are the new ones."""
    corner, spec = _corner_of(context), from_json(context.sealed["spec"])
    context.hide(*secrets_of(spec))
    with _on_manager(context, corner, "service.update", image=spec.image, job=context.job.pk) as manager:
        headers = _login(context, spec.image, had=True)

        def change(told: dict[str, Any]) -> None:
            if context.params["revision"] and revision_of(told) != context.params["revision"]:
                raise moved_on(spec.name)
            known, names = _with(ids_for(context.job.by, corner), told), context.params["networks"]
            before = to_engine(from_inspect(told, names), NEWEST, ids_of(told))
            after = to_engine(spec, manager.version, known)
            if _image(after) != _image(before):
                if not headers and logins.registry_of(_image(after)) != logins.registry_of(_image(before)):
                    headers.update(logins.NO_HEADERS)  # what the nodes have kept is not for that registry
                _name_image(context, manager, corner, after, headers)
            made = put_over(told, before, after)
            told.clear()
            told.update(made)

        _change(context, manager, corner, change, headers)
    return _converge(context, corner.swarm, manager, context.params["id"])


def start_scale(actor: Any, service: Service, replicas: int) -> Job:
    """Starts a job that gives it so many tasks (a replicated-job: so many to complete)."""
    demand(actor, Right.SERVICES_MANAGE, service)
    check_replicas("replicas", replicas)
    if service.mode not in SCALABLE:
        sentence = gettext_noop("%(name)s runs once on each node: there is no number of tasks to set.")
        raise Invalid("replicas", sentence, _words(service))
    body, team = deepcopy(service.spec), service.owner_id
    if _set_number(body, replicas):  # one that is too long to be kept is compared in the job
        check_service_now(actor, team, service.swarm, body, "service.scale", service.name, service, number="replicas")
    return _start(actor, "service.scale", corner_of(service), service.name, {"replicas": replicas}, {}, service)


def run_scale(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    corner, wanted = _corner_of(context), context.params["replicas"]
    detail: dict[str, Any] = {"replicas": wanted, "job": context.job.pk}

    def change(told: dict[str, Any]) -> None:
        had = _set_number(told, wanted)
        if had:
            detail.update(difference({"replicas": had[0]}, {"replicas": wanted}))
        else:
            sentence = gettext_noop("%(name)s runs once on each node: there is no number of tasks to set.")
            raise Conflict(sentence, {"name": context.params["service"]})

    with _on_manager(context, corner, "service.scale", detail) as manager:
        _change(context, manager, corner, change)
    return _converge(context, corner.swarm, manager, context.params["id"])


def _set_number(spec: dict[str, Any], wanted: int) -> tuple[Any] | None:
    """Sets how many tasks a Spec wants, and gives what it was; None where there is no number to set."""
    mode = spec.get("Mode") or {}
    for kind, number in (("Replicated", "Replicas"), ("ReplicatedJob", "TotalCompletions")):
        if isinstance(mode.get(kind), dict):
            had = mode[kind].get(number)
            mode[kind][number] = wanted
            return (had,)
    return None


def start_redeploy(actor: Any, service: Service, *, pin: bool = True, account: str | int | None = None) -> Job:
    """Starts a job that replaces all its tasks though nothing changed. `pin`: by the image that the registry has now.
    `account` as for a change."""
    demand(actor, Right.SERVICES_MANAGE, service)
    corner = corner_of(service)
    params = {"pin": pin, "account": _choose(actor, service.image, account, corner)}
    return _start(actor, "service.redeploy", corner, service.name, params, {}, service)


def run_redeploy(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    corner = _corner_of(context)
    with _on_manager(context, corner, "service.redeploy", job=context.job.pk) as manager:
        headers: dict[str, str] = {}

        def change(told: dict[str, Any]) -> None:
            headers.clear()
            headers.update(_login(context, _image(told), had=True))
            task = told.setdefault("TaskTemplate", {})
            task["ForceUpdate"] = (task.get("ForceUpdate") or 0) + 1
            if context.params["pin"]:
                _pin(context, manager, told, headers)

        _change(context, manager, corner, change, headers)
    return _converge(context, corner.swarm, manager, context.params["id"])


def start_rollback(actor: Any, service: Service) -> Job:
    """Starts a job that goes back to the specification before the last change. Raises Conflict when there is none."""
    demand(actor, Right.SERVICES_MANAGE, service)
    if not service.data.get("previous"):
        raise Conflict(gettext_noop("%(name)s was never changed: there is nothing to go back to."), _words(service))
    return _start(actor, "service.rollback", corner_of(service), service.name, {}, {}, service)


def run_rollback(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    corner, path = _corner_of(context), f"/services/{quote(context.params['id'], safe='')}"
    with _on_manager(context, corner, "service.rollback", job=context.job.pk) as manager:
        context.progress(0.05, _("Going back"), now=True)
        for left in reversed(range(TRIES)):
            told = manager.ask("GET", path)
            if not isinstance(told.get("PreviousSpec"), dict):
                sentence = gettext_noop("%(name)s was never changed: there is nothing to go back to.")
                raise Conflict(sentence, {"name": context.params["service"]})
            check_service_uses(context.job.by, corner, told["PreviousSpec"], told["Spec"], back=True)
            params = {"version": str(told["Version"]["Index"]), "rollback": "previous"}
            try:
                with _saying_what_may_come(context), _naming_nobody(context, corner):
                    _warn(context, manager.ask("POST", f"{path}/update", params, told["Spec"]) or {})
                break
            except EngineError as error:
                if OUT_OF_SEQUENCE not in error.detail or not left:
                    raise
    return _converge(context, corner.swarm, manager, context.params["id"], rollback=True)


def remove(actor: Any, service: Service) -> None:
    """Removes it with all its tasks, at once."""
    with on_manager(actor, Right.SERVICES_MANAGE, service, "service.remove", service.name) as manager:
        manager.ask("DELETE", f"/services/{quote(service.engine_id, safe='')}", seconds=30)
    swarms.apply_objects(service.swarm, "service", [], only={service.engine_id})


# ---------------------------------------------------------------- parts
KEEP = -1  # instead of an account: the login that the nodes have
ELSEWHERE = gettext_noop(
    "The login that the nodes have is for %(registry)s, and the image is at another registry. Choose an account of that, or none."
)
PORT_OF = "already in use by service"
PORT_TAKEN = gettext_noop("A service of this swarm publishes one of these ports already. Choose another one.")
NOT_SHOWN = gettext_noop(
    "Neither does its registry say to your team what %(image)s is, nor has your team such an image on the swarm's hosts. "
    "Choose an account that may pull it, or pull it for your team first."
)
NEWEST = "1.99"  # what an engine has told us, it takes


def _check(spec: ServiceSpec) -> None:
    check_labels(spec.labels)
    check_labels(spec.container_labels, "container_labels")
    check(spec)


def _start(
    actor: Any,
    kind: str,
    corner: SwarmCorner,
    name: str,
    params: dict[str, Any],
    sealed: dict[str, Any],
    service: Service | None = None,
) -> Job:
    swarm = corner.swarm
    params = {"swarm": swarm.name, "service": name, "id": service.engine_id if service else "", **params}
    return queue.start(
        actor,
        kind,
        team=corner.owner_id,
        target=f"{swarm.name}/{name}",
        params=params,
        sealed=sealed,
        locks=[lock(swarm.engine_id, "service", name)],
    )


def _swarm_of(context: JobContext) -> Swarm:
    swarm = Swarm.objects.filter(name=context.params["swarm"]).first()
    if swarm is None:
        raise Failure("no_swarm", 404, gettext_noop("The swarm %(swarm)s is gone."), {"swarm": context.params["swarm"]})
    return swarm


def _corner_of(context: JobContext) -> SwarmCorner:
    """Where the service belongs now. One that is gone is nobody's, and the engine says so."""
    swarm = _swarm_of(context)
    row = Service.objects.select_related("swarm").filter(swarm=swarm, engine_id=context.params["id"]).first()
    if row is None and is_limited_in(context.job.by, swarm):
        raise Failure("gone", 404, gettext_noop("%(name)s is gone."), {"name": context.params["service"]})
    return corner_of(row) if row else SwarmCorner(swarm, None)


def _on_manager(
    context: JobContext, corner: SwarmCorner, action: str, told: dict[str, Any] | None = None, **detail: Any
) -> Any:
    """`told` is the audit's detail where the act itself adds to it."""
    detail = detail if told is None else told
    context.progress(0, _("Looking for a manager"), now=True)
    target = str(context.params["service"])
    return on_manager(context.job.by, Right.SERVICES_MANAGE, corner, action, target, context=context, detail=detail)


def _change(
    context: JobContext,
    manager: Asking,
    corner: SwarmCorner,
    change: Callable[[dict[str, Any]], None],
    headers: dict[str, str] | None = None,
) -> None:
    def checked(told: dict[str, Any]) -> None:
        had = deepcopy(told)
        change(told)
        check_service_uses(context.job.by, corner, told, had, context.params.get("networks"))

    context.progress(0.05, _("Changing the service"), now=True)
    with _saying_what_may_come(context), _naming_nobody(context, corner):
        _warn(context, managers.update(manager, "service", context.params["id"], checked, headers=headers) or {})


@contextmanager
def _saying_what_may_come(context: JobContext) -> Iterator[None]:
    try:
        yield
    except Cancelled:
        may_go_on(context, context.job.target)
        raise


@contextmanager
def _naming_nobody(context: JobContext, corner: SwarmCorner) -> Iterator[None]:
    """An engine names the service that has a port, whose ever it is."""
    try:
        yield
    except Answered as error:
        if PORT_OF in error.detail and is_limited_in(context.job.by, corner.swarm):
            raise Conflict(PORT_TAKEN) from None
        raise


def _converge(
    context: JobContext, swarm: Swarm, manager: Asking, engine_id: str, *, rollback: bool = False
) -> dict[str, Any]:
    convergence = Convergence(context, swarm, manager, engine_id, rollback=rollback)
    _refresh(manager, swarm, engine_id)
    try:
        convergence.wait()
    finally:
        if not context.cancelled:  # who cancels does not wait for another answer
            _refresh(convergence.manager, swarm, engine_id)
    return {"service": convergence.name, "id": engine_id, "tasks": convergence.count}


def _refresh(manager: Asking, swarm: Swarm, engine_id: str) -> None:
    """What the page shows next is true; where that fails the watcher does it a moment later."""
    try:
        refresh(manager, swarm, "service", engine_id)
    except DermagaError:
        return


def _warn(context: JobContext, answer: Any) -> None:
    for warning in (answer.get("Warnings") or []) if isinstance(answer, dict) else []:
        context.log(str(warning))


def _choose(actor: Any, image: str, account: str | int | None, corner: SwarmCorner) -> int | None:
    return KEEP if account == "keep" else logins.choose(actor, image, account, team=corner.owner_id)


def _login(context: JobContext, image: str, *, had: bool = False) -> dict[str, str]:
    """What the manager is sent, and gives to the nodes that pull the image. `had`: the service may have a login, which it
    keeps when nothing is sent; an empty one takes its place."""
    account = context.params.get("account")
    if account == KEEP or (image.startswith("sha256:") and account != logins.NOBODY):
        return {}
    return logins.open_login(context, image, account, always=had and account == logins.NOBODY).headers


def _name_image(
    context: JobContext, manager: Asking, corner: SwarmCorner, body: dict[str, Any], headers: dict[str, str]
) -> None:
    """Pins the image where that is wanted. For who may change services of their teams alone it always is: a node takes an
    image that is there by its name, whoever pulled it. Raises Failure for one that their team can be shown to have nowhere."""
    if not is_limited_in(context.job.by, corner.swarm):
        if context.params["pin"]:
            _pin(context, manager, body, headers)
        return
    image, container = _image(body), body["TaskTemplate"]["ContainerSpec"]
    if not image.startswith("sha256:") and _pin(context, manager, body, headers, exact="@" in image):
        return
    container["Image"] = image_of(context.job.by, corner, image)
    if not container["Image"]:
        raise Failure("not_yours", 403, NOT_SHOWN, {"image": image})
    context.log(_("The tasks run the image %(id)s, which the team has.") % {"id": container["Image"]})


def _pin(
    context: JobContext, manager: Asking, body: dict[str, Any], headers: dict[str, str], *, exact: bool = False
) -> bool:
    """Names the image by the digest that its registry has now, and says whether; where that cannot be asked, each node
    decides. `exact`: by the digest that it is named by, if the registry has that."""
    image = _image(body) if exact else _image(body).partition("@")[0]
    if not image or image.startswith("sha256:"):
        return False
    context.progress(0.02, _("Asking the registry for the image's digest"), now=True)
    try:
        path = f"/distribution/{quote(image, safe='/:@')}/json"
        told = manager.ask("GET", path, seconds=REGISTRY_SECONDS, headers=headers) or {}
    except EngineError as error:
        sentence = _("The registry was not asked for the digest of %(image)s, so each node takes what it has: %(why)s")
        context.log(sentence % {"image": image, "why": error.detail or error})
        return False
    digest = str((told.get("Descriptor") or {}).get("digest") or "")
    if not digest.startswith("sha256:"):
        return False
    if exact:
        return True
    tagged = image if ":" in image.rpartition("/")[2] else f"{image}:latest"
    body["TaskTemplate"]["ContainerSpec"]["Image"] = f"{tagged}@{digest}"
    return True


def _image(body: dict[str, Any]) -> str:
    return str(((body.get("TaskTemplate") or {}).get("ContainerSpec") or {}).get("Image") or "")


def _with(found: Ids, told: Any) -> Ids:
    """With the ids that a service has already: it keeps them."""
    own = ids_of(told)
    return Ids({**found.secrets, **own.secrets}, {**found.configs, **own.configs})


def _is_same_kind(service: Service, spec: ServiceSpec) -> None:
    if service.mode != spec.mode.kind:
        sentence = gettext_noop("%(name)s is %(mode)s: that cannot be changed. Make another service instead.")
        raise Invalid("mode.kind", sentence, {"name": service.name, "mode": service.mode})


def _words(service: Service) -> dict[str, str]:
    return {"name": service.name}
