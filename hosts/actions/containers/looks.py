"""Questions to an engine about one container, for a page that is already there: short deadlines, nothing changes."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from threading import BoundedSemaphore
from time import monotonic
from typing import Any

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.rights import Right
from common.errors import Conflict, Failure, Invalid
from hosts import options
from hosts.actions import policing
from hosts.actions.act import demand, demand_each, demand_enabled, failure, file_response, streamed, target_of
from hosts.actions.asking import Asking
from hosts.engine import files, parse
from hosts.engine.calls import Call
from hosts.engine.connect import client
from hosts.engine.errors import EngineError, TimedOut
from hosts.engine.frames import moment_stamp
from hosts.engine.logs import LogQuery, iter_log_download
from hosts.engine.merge import Part, iter_merged_download
from hosts.inventory import apply
from hosts.log_sources import Log
from hosts.models import Container
from hosts.specs.inspected import Defaults, from_inspect
from hosts.specs.spec import ContainerSpec

DEADLINE = 5.0
FRESH_SECONDS = 4
CHANGES_AT_MOST = 5000
KINDS = {0: "changed", 1: "added", 2: "deleted"}
HIDDEN = "(hidden)"
OFF = {"0", "false", "no", ""}
WAITS = {"not-running", "next-exit", "removed"}
WAIT_AT_MOST = 60  # seconds; who wants to wait longer asks again
_waits = BoundedSemaphore(40)  # each holds a thread


def _ask(actor: Any, container: Container, right: Right, question: Any) -> Any:
    demand(actor, right, container)
    demand_enabled(container.host)
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


def folder(actor: Any, container: Container, path: str) -> files.Listing:
    """What is in a folder, also of a container that does not run."""
    demand(actor, Right.CONTAINERS_FILES, container)
    demand_enabled(container.host)
    try:
        policing.allow_inside(actor, container, Asking(container.host))
        return files.list_folder(target_of(container), options.path(path), running=container.state == "running")
    except EngineError as error:
        raise failure(error) from error


def wait(actor: Any, container: Container, condition: str, seconds: int) -> dict[str, Any] | None:
    """{"exit_code", "error"} once the container meets `condition` (WAITS); None when it has not within `seconds`."""
    demand(actor, Right.CONTAINERS_VIEW, container)
    if condition not in WAITS:
        raise Invalid("condition", gettext_noop("The condition is not-running, next-exit or removed."))
    if not 1 <= seconds <= WAIT_AT_MOST:
        raise Invalid("timeout", gettext_noop("The time to wait is 1 to %(most)s seconds."), {"most": WAIT_AT_MOST})
    host = container.host
    demand_enabled(host)
    if not _waits.acquire(blocking=False):
        raise Failure("too_many", 429, gettext_noop("Too many wait for containers already. Try again in a moment."))
    try:
        return _wait(container, condition, seconds)
    except EngineError as error:
        raise failure(error) from error
    finally:
        _waits.release()


def _wait(container: Container, condition: str, seconds: int) -> dict[str, Any] | None:
    end, version = monotonic() + seconds, container.host.spoken_version
    path, params = f"/containers/{container.engine_id}/wait", {"condition": condition}
    with Call(container.host.endpoint()) as call:
        try:
            call.open("POST", path, params, version=version, seconds=seconds)
            answer = call.read_json(max(0.1, end - monotonic())) or {}
        except TimedOut:
            if call.is_connected:
                return None
            raise
    return {
        "exit_code": parse.whole(answer.get("StatusCode")),
        "error": parse.text((answer.get("Error") or {}).get("Message")),
    }


def path_facts(actor: Any, container: Container, path: str) -> files.Stat:
    """What is at a path, at the end of its links; its `stamp` is what a change of the file has to name."""
    demand(actor, Right.CONTAINERS_FILES, container)
    demand_enabled(container.host)
    try:
        policing.allow_inside(actor, container, Asking(container.host))
        return files.follow(target_of(container), options.path(path))
    except EngineError as error:
        raise failure(error) from error


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
    demand(actor, Right.CONTAINERS_REVEAL, container)
    record(actor, "container.reveal", container.name, host=container.host.name)
    detail = getattr(container, "detail", None)
    return detail.inspect if detail else {}


@dataclass(frozen=True)
class LogRange:
    """Which part of a log is downloaded, and as what: text as `docker logs` prints it, or a JSON object a line."""

    query: LogQuery = LogQuery()
    timestamps: bool = False
    ndjson: bool = False

    @classmethod
    def of(cls, params: Mapping[str, str]) -> "LogRange":
        """From `since`, `until`, `tail`, `stdout`, `stderr`, `timestamps` and `format` (text, ndjson). Raises Invalid."""
        times = {name: params.get(name, "").strip() for name in ("since", "until")}
        stamps = {name: moment_stamp(text) if text else "" for name, text in times.items()}
        for name, text in times.items():
            if text and not stamps[name]:
                raise Invalid(name, gettext_noop("Write a time like 2026-11-24T06:38:36Z, or seconds since 1970."))
        tail, shape = params.get("tail", "all"), params.get("format", "text")
        if tail != "all" and not (tail.isascii() and tail.isdecimal() and len(tail) < 10):
            raise Invalid("tail", gettext_noop('The number of lines is a whole number, or "all".'))
        if shape not in {"text", "ndjson"}:
            raise Invalid("format", gettext_noop("The format is text or ndjson."))
        on = {name: params.get(name, "1").lower() not in OFF for name in ("stdout", "stderr")}
        query = LogQuery(tail, stamps["since"], stamps["until"], on["stdout"], on["stderr"])
        return cls(query, params.get("timestamps", "0").lower() not in OFF, shape == "ndjson")

    @property
    def ending(self) -> str:
        """Of the file's name."""
        return "ndjson" if self.ndjson else "log"


def log_download(actor: Any, log: Log, part: LogRange) -> StreamingHttpResponse:
    """A log or a part of it, streamed: memory holds one block. Raises Failure when the engine gives none, and Conflict
    when nobody may be asked for it."""
    demand(actor, Right.LOGS_VIEW, log)
    if not log.is_on:
        raise Conflict(gettext_noop("No manager of this task's swarm is a host that may be asked. Add or enable one."))
    blocks = iter_log_download(log.target, part.query, timestamps=part.timestamps, ndjson=part.ndjson)
    return streamed(blocks, f"{log.name}.{part.ending}")


def logs_download(actor: Any, logs: list[Log], part: LogRange, name: str = "logs") -> StreamingHttpResponse:
    """Several logs or a part of them in one order of time, streamed. A log that cannot be read is a line that says so."""
    demand_each(actor, Right.LOGS_VIEW, logs)
    parts = [Part(log.place, log.name, log.target) for log in logs if log.is_on]
    blocks = iter_merged_download(parts, part.query, timestamps=part.timestamps, ndjson=part.ndjson)
    return file_response(blocks, f"{name}.{part.ending}")


def specification(actor: Any, container: Container) -> ContainerSpec:
    """What the container was made from, without what came from its image. It has the environment's values: who asked is
    in the audit."""
    demand(actor, Right.CONTAINERS_REVEAL, container)
    record(actor, "container.reveal", container.name, host=container.host.name)

    def question(api: Any) -> tuple[Any, Any, Any]:
        answer = api.inspect_container(container.engine_id)
        return answer, api.inspect_image(answer["Image"]), api.info()

    answer, image, info = _ask(actor, container, Right.CONTAINERS_VIEW, question)
    return from_inspect(answer, image, Defaults.of(info))
