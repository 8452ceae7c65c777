"""Containers over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Schema

from accounts.rights import Right, allows
from api import stats
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_container, get_history
from hosts.actions import bulk, containers, looks
from hosts.models import Container

router = Router(tags=["containers"])


class Options(Schema):
    """What some acts take: stop and restart `timeout`, kill `signal`, rename `name`, remove `volumes` and `force`."""

    timeout: int | None = None
    signal: str = "KILL"
    name: str = ""
    volumes: bool = False
    force: bool = False


def show(container: Container, user: Any) -> dict[str, Any]:
    """A container as JSON; what it uses now for those who may see stats."""
    now = container.current if allows(user, Right.STATS_VIEW) else None
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


@router.get("/{host}/{container}/logs")
@needs(Right.LOGS_VIEW)
def container_logs(
    request: HttpRequest,
    host: str,
    container: str,
    since: str = "",
    until: str = "",
    tail: str = "all",
    stdout: str = "1",
    stderr: str = "1",
    timestamps: str = "0",
    format: str = "text",
) -> Any:
    """The log, or a part of it, as a file: `since` and `until` are RFC 3339 or seconds since 1970, `tail` a number of
    lines, `format` text (as `docker logs` prints it) or ndjson ({"stream", "time", "text"} a line)."""
    found = get_container(request.user, host, container, Right.LOGS_VIEW)
    return looks.log_download(request.user, found, looks.LogRange.of(request.GET.dict()))


@router.get("/{host}/{container}/stats", response=dict)
@needs(Right.STATS_VIEW)
def container_stats(request: HttpRequest, host: str, container: str, span: Query[stats.Span]) -> Any:
    """Its history, also of one that was removed, by its name."""
    series, found = get_history(request.user, host, container)
    on: Any = (found or series).host  # type: ignore[union-attr]  # one of them is there
    return {"host": host, "container": container, **stats.show(span, series, on, found)}


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

    @router.post(f"/{{host}}/{{container}}/{verb}", response={200: dict, 202: dict}, operation_id=f"container_{verb}")
    @needs(Right.CONTAINERS_OPERATE)
    def act(request: HttpRequest, host: str, container: str, body: Options | None = None) -> Any:
        found = get_container(request.user, host, container, Right.CONTAINERS_OPERATE)
        options = _options(verb, body)
        if verb in {"stop", "restart"}:
            return 202, {"job": bulk.start_bulk(request.user, verb, [found], options).pk}
        (containers.rename if verb == "rename" else bulk.ACTS[verb])(request.user, found, **options)
        return 200, {"done": verb}


for _verb in (*bulk.VERBS, "rename"):
    _add(_verb)
