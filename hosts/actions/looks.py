"""Questions to an engine about one container, for a page that is already there: short deadlines, nothing changes."""

from collections.abc import AsyncIterator
from typing import Any

from django.http import StreamingHttpResponse

from accounts.rights import Right
from common.errors import Conflict
from hosts.actions.act import demand, failure
from hosts.engine.connect import client
from hosts.engine.errors import EngineError
from hosts.engine.streams import open_stream
from hosts.models import Container

DEADLINE = 5.0
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


def log_download(actor: Any, container: Container, *, timestamps: bool) -> StreamingHttpResponse:
    """The whole log, streamed: memory holds one block of it."""
    demand(actor, Right.LOGS_VIEW)
    detail = getattr(container, "detail", None)
    tty = bool(((detail.inspect if detail else {}).get("Config") or {}).get("Tty"))
    response = StreamingHttpResponse(_log_blocks(container, tty, timestamps), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{container.name}.log"'
    response["X-Accel-Buffering"] = "no"
    return response


async def _log_blocks(container: Container, tty: bool, timestamps: bool) -> AsyncIterator[bytes]:
    host = container.host
    params = {"stdout": "1", "stderr": "1", "timestamps": "1" if timestamps else "0"}
    stream = await open_stream(
        host.endpoint(), f"/containers/{container.engine_id}/logs", params, api_version=host.api_version or "1.41"
    )
    pending = b""
    try:
        while block := await stream.read():
            if tty:
                yield block
                continue
            pending += block
            out = []
            while len(pending) >= 8 and len(pending) >= (end := 8 + int.from_bytes(pending[4:8], "big")):
                out.append(pending[8:end])
                pending = pending[end:]
            if out:
                yield b"".join(out)
    finally:
        stream.close()
