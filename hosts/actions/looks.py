"""Questions to an engine about one container, for a page that is already there: short deadlines, nothing changes."""

from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any

from asgiref.sync import async_to_sync
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header

from accounts.audit import record
from accounts.rights import Right
from common.errors import Conflict, Failure
from hosts.actions.act import demand, failure
from hosts.engine.connect import client
from hosts.engine.errors import EngineError
from hosts.engine.logs import iter_log_download
from hosts.inventory import apply
from hosts.models import Container

DEADLINE = 5.0
FRESH_SECONDS = 4
CHANGES_AT_MOST = 5000
KINDS = {0: "changed", 1: "added", 2: "deleted"}
HIDDEN = "(hidden)"


def _ask(actor: Any, container: Container, right: Right, question: Any) -> Any:
    demand(actor, right)
    if not container.host.enabled:
        raise Conflict("The host %(host)s is disabled. Enable it first.", {"host": container.host.name})
    try:
        with client(container.host.endpoint(), timeout=DEADLINE, version=container.host.api_version or None) as api:
            return question(api)
    except EngineError as error:
        raise failure(error) from error


def processes(actor: Any, container: Container) -> dict[str, list[Any]]:
    """{"titles": [...], "rows": [[...], ...]} as `docker top` shows them."""
    answer = _ask(actor, container, Right.CONTAINERS_VIEW, lambda api: api.top(container.engine_id))
    return {"titles": answer.get("Titles") or [], "rows": (answer.get("Processes") or [])[:1000]}


def changes(actor: Any, container: Container) -> dict[str, Any]:
    """{"rows": [{"kind", "path"}], "count"}: files that differ from the image."""
    answer = _ask(actor, container, Right.CONTAINERS_VIEW, lambda api: api.diff(container.engine_id)) or []
    rows = [{"kind": KINDS.get(entry.get("Kind"), "changed"), "path": str(entry.get("Path"))} for entry in answer]
    return {"rows": rows[:CHANGES_AT_MOST], "count": len(rows)}


def inspect(actor: Any, container: Container) -> Any:
    """The engine's inspect answer with every environment value hidden: they are revealed on their own, audited."""
    answer = _ask(actor, container, Right.CONTAINERS_VIEW, lambda api: api.inspect_container(container.engine_id))
    config = answer.get("Config") or {}
    config["Env"] = [f"{str(entry).partition('=')[0]}={HIDDEN}" for entry in config.get("Env") or []]
    return answer


def refresh(actor: Any, container: Container) -> None:
    """Stores a fresh inspect answer when the last one is older than FRESH_SECONDS: what a health check printed comes
    with no event that a watcher could hear. Many who look ask the engine once; its silence changes nothing."""
    detail = getattr(container, "detail", None)
    asked = timezone.now()
    if detail is None or not container.host.is_live or asked - detail.seen < timedelta(seconds=FRESH_SECONDS):
        return
    with suppress(Failure):
        answer = _ask(actor, container, Right.CONTAINERS_VIEW, lambda api: api.inspect_container(container.engine_id))
        apply.apply_look(container, answer, asked)


def environment(actor: Any, container: Container) -> dict[str, Any]:
    """The inspect answer last heard, environment values and all; who looked is in the audit."""
    demand(actor, Right.CONTAINERS_REVEAL)
    record(actor, "container.reveal", container.name, host=container.host.name)
    detail = getattr(container, "detail", None)
    return detail.inspect if detail else {}


def log_download(actor: Any, container: Container, *, timestamps: bool) -> StreamingHttpResponse:
    """The whole log, streamed: memory holds one block of it. Raises Failure when the engine gives none."""
    demand(actor, Right.LOGS_VIEW)
    host = container.host
    blocks = iter_log_download(host.endpoint(), container.engine_id, version=host.api_version, timestamps=timestamps)
    try:
        first = async_to_sync(_first)(blocks)  # before the headers go out: then an error is still an answer
    except EngineError as error:
        raise failure(error) from error
    response = StreamingHttpResponse(_join(first, blocks), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, f"{container.name}.log")
    response["X-Accel-Buffering"] = "no"
    return response


async def _first(blocks: AsyncGenerator[bytes]) -> bytes:
    return await anext(blocks, b"")


async def _join(first: bytes, blocks: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(blocks):
        yield first
        async for block in blocks:
            yield block
