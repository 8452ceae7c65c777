"""Services of swarms and their tasks over REST."""

from typing import Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router, Schema
from pydantic import Field, RootModel, ValidationError
from pydantic.dataclasses import dataclass

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from api.logs import LogPart
from common.errors import Conflict, Invalid
from hosts import filters
from hosts.access import get_of_swarm, get_swarm_to_make_in
from hosts.actions.containers import looks
from hosts.actions.short import soon
from hosts.actions.swarm import services
from hosts.log_choice import LogChoice, chosen
from hosts.log_sources import log_of_task
from hosts.models import Service, Task
from hosts.service_specs import HIDDEN, hidden, revision_of, secrets_of, specification
from hosts.specs.services.compose_in import from_compose
from hosts.specs.services.spec import ServiceSpec, from_json, to_json
from hosts.specs.spec import STRICT

router = Router(tags=["services"])
tasks = Router(tags=["services"])


@dataclass(config=STRICT)
class Asked(ServiceSpec):
    """A specification, or `compose` in its place (a file; `service` names one of several). `pin`: the image to the
    digest that its registry has now. `account`: an account's id with which the manager and the nodes log in to the image's
    registry, 0 for no login, its default account unless given."""

    compose: str = ""
    service: str = ""
    pin: bool = True
    account: int | None = None


class Create(RootModel[Asked]):
    """What is created."""

    def read(self) -> ServiceSpec:
        """The specification. Raises Invalid."""
        asked: Any = self.root
        if asked.compose:
            if asked.image:
                raise Invalid("compose", gettext_noop("Give a specification or a compose file: one of the two."))
            return from_compose(asked.compose, asked.service).spec
        return ServiceSpec(**{name: getattr(asked, name) for name in ServiceSpec.__dataclass_fields__})


class Change(Schema):
    """`spec`: the fields that change, each whole; others stay. With `revision` (as the service showed it) it is refused
    when somebody else has changed it since. `account` as for a new one, where 0 takes away the login that the nodes have;
    with "keep", or without a default account, they keep it."""

    spec: dict[str, Any]
    revision: str = Field(default="", max_length=64)
    pin: bool = True
    account: int | Literal["keep"] | None = None


class Scale(Schema):
    """How many tasks."""

    replicas: int


class Redeploy(Schema):
    """`pin`: to the image that the registry has now under its tag. `account` as for a change."""

    pin: bool = True
    account: int | Literal["keep"] | None = None


def show(service: Service) -> dict[str, Any]:
    """A service as JSON."""
    return {
        "swarm": service.swarm.name,
        "id": service.engine_id,
        "name": service.name,
        "stack": service.stack,
        "image": service.image,
        "mode": service.mode,
        "replicas": service.replicas,
        "running": service.running,
        "desired": service.desired,
        "completed": service.completed,
        "ports": service.ports,
        "endpoint_mode": service.endpoint_mode,
        "update_state": service.update_state,
        "update_message": service.update_message,
        "labels": service.labels,
        "created": service.created,
        "updated": service.updated,
        "version": service.version,
        "swarm_state": service.swarm.state,
        "seen": service.seen,
    }


def show_task(task: Task) -> dict[str, Any]:
    """A task as JSON."""
    return {
        "swarm": task.swarm.name,
        "id": task.engine_id,
        "name": task.name,
        "service": task.service_name,
        "service_id": task.service_ref,
        "node": task.node_name,
        "node_id": task.node_ref,
        "slot": task.slot,
        "state": task.state,
        "desired": task.desired,
        "message": task.message,
        "error": task.error,
        "exit_code": task.exit_code,
        "container": task.container_id,
        "image": task.image,
        "current": task.current,
        "since": task.since,
        "created": task.created,
        "seen": task.seen,
    }


@router.get("", response=Many)
@needs(Right.SERVICES_VIEW)
def service_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All services; the same filters as the page: search, swarm, stack, mode, update, label."""
    rows = filters.SERVICES.narrow(Service.objects.visible_to(request.user).current(), request.GET)
    rows, _ = filters.SERVICES.ordered(rows, sort)
    return many(rows, limit, offset, show)


@router.post("/{swarm}", response={202: dict})
@needs(Right.SERVICES_MANAGE)
def service_create(request: HttpRequest, swarm: str, body: Create) -> Any:
    """Starts a job that makes a service and waits until its tasks run."""
    on = get_swarm_to_make_in(request.user, swarm, Right.SERVICES_MANAGE)
    asked: Any = body.root
    job = services.start_create(request.user, on, body.read(), pin=asked.pin, account=asked.account)
    return 202, {"job": job.pk}


@router.get("/{swarm}/{service}", response=dict)
@needs(Right.SERVICES_VIEW)
def service_get(request: HttpRequest, swarm: str, service: str, reveal: bool = False) -> Any:
    """One service, by name, id or unique prefix of its id, with its `spec` (values of the environment are hidden; with
    `reveal` they are shown to who may see them, and that is in the audit), the `revision` of that, and its `tasks`."""
    found = get_of_swarm(request.user, Service, swarm, service)
    spec = services.revealed(request.user, found) if reveal else specification(found)
    if not reveal:
        hidden(spec)
    rows = Task.objects.visible_to(request.user).select_related("swarm")
    rows = rows.filter(swarm=found.swarm, service_ref=found.engine_id)
    return {
        **show(found),
        "spec": to_json(spec),
        "revision": revision_of(found.spec),
        "tasks": [show_task(task) for task in rows.order_by("slot", "node_name", "-created")[:1000]],
    }


@router.get("/{swarm}/{service}/logs")
@needs(Right.LOGS_VIEW)
def service_logs(request: HttpRequest, swarm: str, service: str, part: Query[LogPart]) -> Any:
    """The logs of its tasks, also of those on nodes that are no hosts, in one order of time as a file: as those of a
    container; each line begins with NODE/TASK."""
    found = get_of_swarm(request.user, Service, swarm, service)
    logs = chosen(request.user, LogChoice(services=(f"{found.swarm.name}/{found.name}",))).logs
    return looks.logs_download(request.user, logs, part.range, found.name)


@router.patch("/{swarm}/{service}", response={202: dict})
@needs(Right.SERVICES_MANAGE)
def service_change(request: HttpRequest, swarm: str, service: str, body: Change) -> Any:
    """Starts a job that changes it and waits until its tasks are the new ones; 409 when it was changed meanwhile."""
    found = get_of_swarm(request.user, Service, swarm, service, Right.SERVICES_MANAGE)
    try:
        spec = from_json(to_json(specification(found)) | body.spec)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Invalid(
            f"spec.{place}", gettext_noop("%(field)s: %(why)s"), {"field": place, "why": first["msg"]}
        ) from error
    if HIDDEN in secrets_of(spec):
        sentence = gettext_noop("Values are hidden here. Leave the field out, or read the service with `reveal` first.")
        raise Invalid("spec", sentence)
    job = services.start_edit(request.user, found, spec, revision=body.revision, pin=body.pin, account=body.account)
    return 202, {"job": job.pk}


@router.post("/{swarm}/{service}/scale", response={202: dict})
@needs(Right.SERVICES_MANAGE)
def service_scale(request: HttpRequest, swarm: str, service: str, body: Scale) -> Any:
    """Starts a job that gives it so many tasks."""
    found = get_of_swarm(request.user, Service, swarm, service, Right.SERVICES_MANAGE)
    return 202, {"job": services.start_scale(request.user, found, body.replicas).pk}


@router.post("/{swarm}/{service}/redeploy", response={202: dict})
@needs(Right.SERVICES_MANAGE)
def service_redeploy(request: HttpRequest, swarm: str, service: str, body: Redeploy | None = None) -> Any:
    """Starts a job that replaces all its tasks, though nothing of it changed."""
    found = get_of_swarm(request.user, Service, swarm, service, Right.SERVICES_MANAGE)
    asked = body or Redeploy()
    return 202, {"job": services.start_redeploy(request.user, found, pin=asked.pin, account=asked.account).pk}


@router.post("/{swarm}/{service}/rollback", response={202: dict})
@needs(Right.SERVICES_MANAGE)
def service_rollback(request: HttpRequest, swarm: str, service: str) -> Any:
    """Starts a job that goes back to its specification before the last change."""
    found = get_of_swarm(request.user, Service, swarm, service, Right.SERVICES_MANAGE)
    return 202, {"job": services.start_rollback(request.user, found).pk}


@router.post("/{swarm}/{service}/remove", response={200: dict, 202: Started})
@needs(Right.SERVICES_MANAGE)
def service_remove(request: HttpRequest, swarm: str, service: str) -> Any:
    """Removes it with all its tasks."""
    soon(services.remove, request.user, get_of_swarm(request.user, Service, swarm, service, Right.SERVICES_MANAGE))
    return {"done": "remove"}


@tasks.get("", response=Many)
@needs(Right.SERVICES_VIEW)
def task_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """The newest tasks of each slot; the same filters as the page: search, swarm, service, node, state, desired."""
    rows = Task.objects.visible_to(request.user).select_related("swarm")
    rows, _ = filters.TASKS.ordered(filters.TASKS.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show_task)


@tasks.get("/{swarm}/{task}", response=dict)
@needs(Right.SERVICES_VIEW)
def task_get(request: HttpRequest, swarm: str, task: str) -> Any:
    """One task, by its id or a unique prefix of it."""
    return show_task(get_of_swarm(request.user, Task, swarm, task))


@tasks.get("/{swarm}/{task}/logs")
@needs(Right.LOGS_VIEW)
def task_logs(request: HttpRequest, swarm: str, task: str, part: Query[LogPart]) -> Any:
    """The log of one task as a file, as that of a container; from a node that is no host through a manager."""
    found = log_of_task(request.user, get_of_swarm(request.user, Task, swarm, task))
    if found is None:
        raise Conflict(gettext_noop("This task has no container yet, and no log."))
    return looks.log_download(request.user, found, part.range)
