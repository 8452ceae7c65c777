"""Containers over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from accounts.rights import Right
from api import stats
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from api.logs import LogPart
from api.specs import Create
from hosts import filters
from hosts.access import get_container, get_history, get_host, may
from hosts.actions.containers import (
    bulk,
    commits,
    container_prune,
    container_updates,
    containers,
    create,
    looks,
    recreate,
)
from hosts.actions.removals import AT_ONCE
from hosts.actions.short import begin, soon
from hosts.leaning import leaning_on
from hosts.log_sources import Log
from hosts.models import Container
from hosts.specs.spec import ContainerSpec, Restart, to_json

router = Router(tags=["containers"])


class Options(Schema):
    """What some acts take: stop and restart `timeout`, kill `signal`, rename `name`, remove `volumes` and `force`."""

    timeout: int | None = None
    signal: str = "KILL"
    name: str = ""
    volumes: bool = False
    force: bool = False


class Commit(Schema):
    """`image` is the new image's name:tag; `changes` are lines of a Dockerfile (ENV, CMD ...)."""

    image: str
    message: str = ""
    author: str = ""
    changes: str = ""
    pause: bool = True


class LimitChanges(Schema):
    """Limits that are to be others; what is left out stays. Memory in bytes; `memory_swap` is memory and swap together;
    `pids` 0 is without limit."""

    model_config = ConfigDict(extra="forbid")
    cpus: float | None = None
    cpu_shares: int | None = None
    cpuset_cpus: str | None = None
    cpuset_mems: str | None = None
    memory: int | None = None
    memory_reservation: int | None = None
    memory_swap: int | None = None
    pids: int | None = None
    blkio_weight: int | None = None


class Update(Schema):
    """What of a container changes in place, in the words of its specification."""

    model_config = ConfigDict(extra="forbid")
    limits: LimitChanges = LimitChanges()
    restart: Restart | None = None

    def changes(self) -> dict[str, Any]:
        """By their dotted names."""
        found = {f"limits.{name}": value for name, value in self.limits.dict(exclude_none=True).items()}
        return found | ({"restart": self.restart} if self.restart else {})


class Recreate(Schema):
    """What the container is made anew from: a `specification`, as the one that creates takes it; without one, what it is,
    from the newest image of its name. `start`: as the old one, if left out. Seconds: `settle` that a new one without a
    health check has to run, `healthy_within` which one with a check has to be healthy."""

    model_config = ConfigDict(extra="forbid")
    specification: ContainerSpec | None = None
    start: bool | None = None
    settle: int = Field(default=recreate.SETTLE_SECONDS, ge=0, le=recreate.SETTLE_AT_MOST)
    healthy_within: int = Field(default=recreate.HEALTHY_WITHIN, ge=0, le=recreate.HEALTHY_AT_MOST)


class Prune(Schema):
    """Which containers that do not run: for `hours` already, with a `label` (name or name=value), and of these only
    `containers` (ids, as a dry run listed them) when they are named."""

    dry_run: bool = False
    hours: int = Field(default=0, ge=0, le=100_000)
    label: str = Field(default="", max_length=300)
    containers: list[str] | None = None


def show(container: Container, user: Any) -> dict[str, Any]:
    """A container as JSON; what it uses now for those who may see stats."""
    now = container.current if may(user, Right.STATS_VIEW, container) else None
    return {
        "host": container.host.name,
        "id": container.engine_id,
        "name": container.name,
        "image": container.image,
        "image_id": container.image_id,
        "state": container.state,
        "health": container.health,
        "project": container.project,
        "service": container.service,
        "labels": container.labels,
        "ports": container.ports,
        "created": container.created,
        "started": container.started,
        "exit_code": container.exit_code,
        "cpu": now.cpu if now else None,
        "memory": now.memory if now else None,
        "host_state": container.host.state,
        "seen": container.seen,
    }


@router.get("", response=Many)
@needs(Right.CONTAINERS_VIEW)
def container_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All containers; the same filters as the page: search, host, state, health, image, project, label, attention."""
    rows = Container.objects.visible_to(request.user).select_related("host", "series")
    rows = filters.with_figures(filters.CONTAINERS.narrow(rows, request.GET), request.user, sort)
    rows, _ = filters.CONTAINERS.ordered(rows, sort)
    return many(rows, limit, offset, lambda container: show(container, request.user))


@router.post("/{host}/prune", response={200: dict, 202: dict})
@needs(Right.CONTAINERS_OPERATE)
def container_prune_run(request: HttpRequest, host: str, body: Prune | None = None) -> Any:
    """Starts a job that removes containers that do not run; with `dry_run` only lists them."""
    body, on = body or Prune(), get_host(request.user, host)
    rows = Container.objects.visible_to(request.user).select_related("host", "series").filter(host=on)
    rows = filters.stopped(rows, hours=body.hours, label=body.label).order_by("name", "pk")
    if body.containers is not None:
        rows = rows.filter(engine_id__in=[filters.storable(ref) for ref in body.containers[: AT_ONCE + 1]])
    found = list(rows[:AT_ONCE])
    if body.dry_run:
        return 200, {"items": [show(container, request.user) for container in found], "count": rows.count()}
    rule = {"hours": body.hours, "label": body.label} if body.containers is None else None
    return 202, {"job": container_prune.start_prune(request.user, on, found, rule=rule).pk}


@router.get("/{host}/prune", response=dict, include_in_schema=False)
@needs(Right.CONTAINERS_VIEW)
def container_called_prune(request: HttpRequest, host: str) -> Any:
    """A container may have that name."""
    return show(get_container(request.user, host, "prune"), request.user)


@router.get("/{host}/{container}", response=dict)
@needs(Right.CONTAINERS_VIEW)
def container_get(request: HttpRequest, host: str, container: str) -> Any:
    """One container, by name, id or unique prefix of its id."""
    return show(get_container(request.user, host, container), request.user)


@router.get("/{host}/{container}/top", response=dict)
@needs(Right.CONTAINERS_VIEW)
def container_top(request: HttpRequest, host: str, container: str) -> Any:
    """What runs in it."""
    return looks.processes(request.user, get_container(request.user, host, container))


@router.get("/{host}/{container}/diff", response=dict)
@needs(Right.CONTAINERS_VIEW)
def container_diff(request: HttpRequest, host: str, container: str) -> Any:
    """Which files differ from its image: `items` of `kind` (added, changed, deleted) and `path`, and their `count`."""
    changes = looks.changes(request.user, get_container(request.user, host, container))
    return {"items": changes["rows"], "count": changes["count"]}


@router.get("/{host}/{container}/affected", response=dict)
@needs(Right.CONTAINERS_VIEW)
def container_affected(request: HttpRequest, host: str, container: str) -> Any:
    """Who leans on it, and is affected when it stops or goes: `items` with the `name` of a container of the same host,
    `how` (namespace, volumes, link, depends) and a `sentence`."""
    found = leaning_on(request.user, [get_container(request.user, host, container)])
    items = [{"name": one.container.name, "how": one.how, "sentence": one.sentence} for one in found]
    return {"items": items, "count": len(items)}


@router.post("/{host}/{container}/wait", response={200: dict, 202: dict})
@needs(Right.CONTAINERS_VIEW)
def container_wait(
    request: HttpRequest, host: str, container: str, condition: str = "not-running", timeout: int = 30
) -> Any:
    """Answers when it meets `condition` (not-running, next-exit, removed): 200 with its `exit_code`; 202 with its
    `state` when it has not within `timeout` seconds (at most 60): ask again."""
    found = get_container(request.user, host, container)
    ending = looks.wait(request.user, found, condition, timeout)
    return (200, ending) if ending is not None else (202, {"state": found.state, "host_state": found.host.state})


@router.post("/{host}/{container}/update", response={200: dict, 202: Started})
@needs(Right.CONTAINERS_OPERATE)
def container_update(request: HttpRequest, host: str, container: str, body: Update) -> Any:
    """Changes limits and when it is restarted, at once and without a restart; `warnings` are the engine's."""
    found = get_container(request.user, host, container, Right.CONTAINERS_OPERATE)
    return {"done": "update", "warnings": soon(container_updates.update, request.user, found, body.changes())}


@router.get("/{host}/{container}/specification", response=dict)
@needs(Right.CONTAINERS_REVEAL)
def container_specification(request: HttpRequest, host: str, container: str) -> Any:
    """What it was made from, without what came from its image; values of its environment are in it."""
    found = get_container(request.user, host, container, Right.CONTAINERS_REVEAL)
    return to_json(looks.specification(request.user, found))


@router.post("/{host}/{container}/recreate", response={202: dict})
@needs(Right.CONTAINERS_CREATE)
def container_recreate(request: HttpRequest, host: str, container: str, body: Recreate | None = None) -> Any:
    """Starts a job that makes it anew; whatever fails, the old one runs again."""
    found, body = get_container(request.user, host, container, Right.CONTAINERS_CREATE), body or Recreate()
    job = recreate.start_recreate(
        request.user,
        found,
        body.specification,
        start=body.start,
        settle=body.settle,
        healthy_within=body.healthy_within,
    )
    return 202, {"job": job.pk}


@router.post("/{host}/{container}/put-back", response={202: dict})
@needs(Right.CONTAINERS_OPERATE)
def container_put_back(request: HttpRequest, host: str, container: str) -> Any:
    """Starts a job that puts back a container that was set aside while it was made anew, and that was cut short."""
    found = get_container(request.user, host, container, Right.CONTAINERS_OPERATE)
    return 202, {"job": recreate.start_put_back(request.user, found).pk}


@router.post("/{host}/{container}/commit", response={202: dict})
@needs(Right.IMAGES_MANAGE)
def container_commit(request: HttpRequest, host: str, container: str, body: Commit) -> Any:
    """Starts a job that makes an image of it."""
    found = get_container(request.user, host, container, Right.CONTAINERS_OPERATE)
    return 202, {"job": commits.start_commit(request.user, found, **body.dict()).pk}


@router.get("/{host}/{container}/export", response={200: None})
@needs(Right.CONTAINERS_FILES)
def container_export(request: HttpRequest, host: str, container: str) -> Any:
    """Its root file system as a tar, streamed."""
    return commits.export(request.user, get_container(request.user, host, container, Right.CONTAINERS_FILES))


@router.get("/{host}/{container}/logs")
@needs(Right.LOGS_VIEW)
def container_logs(request: HttpRequest, host: str, container: str, part: Query[LogPart]) -> Any:
    """The log, or a part of it, as a file: `since` and `until` are RFC 3339 or seconds since 1970, `tail` a number of
    lines, `format` text (as `docker logs` prints it) or ndjson ({"stream", "time", "text"} a line)."""
    found = get_container(request.user, host, container, Right.LOGS_VIEW)
    return looks.log_download(request.user, Log.of(found), part.range)


@router.get("/{host}/{container}/stats", response=dict)
@needs(Right.STATS_VIEW)
def container_stats(request: HttpRequest, host: str, container: str, span: Query[stats.Span]) -> Any:
    """Its history, also of one that was removed, by its name."""
    series, found = get_history(request.user, host, container)
    on: Any = (found or series).host  # type: ignore[union-attr]  # one of them is there
    return {"host": host, "container": container, **stats.show(span, series, on, found)}


@router.post("/{host}", response={202: dict})
@needs(Right.CONTAINERS_CREATE)
def container_create(request: HttpRequest, host: str, body: Create) -> Any:
    """Starts a job that creates a container, and starts it unless `start` is false: from the specification, or from
    {"run": "docker run ..."} or {"compose": "services: ..."}."""
    read = body.read()
    on = get_host(request.user, host)
    job = create.start_create(request.user, on, read.spec, start=read.start, account=body.account)
    return 202, {"job": job.pk, "notes": read.notes}


def _options(verb: str, body: Options | None) -> dict[str, Any]:
    body = body or Options()
    taken = {
        "stop": ["timeout"],
        "restart": ["timeout"],
        "kill": ["signal"],
        "rename": ["name"],
        "remove": ["volumes", "force"],
    }
    return {name: getattr(body, name) for name in taken.get(verb, [])}


def _add(verb: str) -> None:
    """One route an act, so that OpenAPI lists each."""

    @router.post(
        f"/{{host}}/{{container}}/{verb}", response={200: dict, 202: Started}, operation_id=f"container_{verb}"
    )
    @needs(Right.CONTAINERS_OPERATE)
    def act(request: HttpRequest, host: str, container: str, body: Options | None = None) -> Any:
        found = get_container(request.user, host, container, Right.CONTAINERS_OPERATE)
        options = _options(verb, body)
        act_of = containers.rename if verb == "rename" else bulk.ACTS[verb]
        if verb in {"stop", "restart"}:
            return 202, {"job": begin(act_of, request.user, found, **options).pk}
        soon(act_of, request.user, found, **options)
        return 200, {"done": verb}


for _verb in (*bulk.VERBS, "rename"):
    _add(_verb)
