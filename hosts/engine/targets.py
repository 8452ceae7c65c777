"""One container on one engine: what the engine says of it now, and when it starts again."""

import contextlib
from dataclasses import dataclass, field, replace

import orjson

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import NotAnEngine, TimedOut
from hosts.engine.streams import fetch, open_stream, ping

LOOK_EVERY = 30.0  # seconds between two looks at a container that does not run


@dataclass(frozen=True)
class Target:
    """One container on one engine. `version` "" means: ask the engine. `host` is what people call the engine."""

    endpoint: Endpoint
    container_id: str
    version: str = ""
    host: str = field(default="", compare=False)

    async def negotiated(self, *, again: bool = False) -> "Target":
        """The same with an API version that the engine speaks. Raises EngineError."""
        if self.version and not again:
            return self
        return replace(self, version=await ping(self.endpoint))


@dataclass(frozen=True)
class Condition:
    """What the engine says of a container now."""

    running: bool
    started: str
    tty: bool
    exit_code: int
    driver: str
    jumps: bool = False  # Podman: what is written between its look at a log's end and its going on is left out


async def look(target: Target, timeout: float = 10) -> Condition:
    """Asks the engine about the container. Raises EngineError; NotFound when it is gone."""
    headers: dict[str, str] = {}
    answer = await fetch(
        target.endpoint,
        f"/containers/{target.container_id}/json",
        api_version=target.version,
        timeout=timeout,
        headers=headers,
    )
    if not isinstance(answer, dict):
        raise NotAnEngine("a container that is no object", where=target.endpoint.address)
    state, config = answer.get("State") or {}, answer.get("Config") or {}
    return Condition(
        running=bool(state.get("Running")),
        started=str(state.get("StartedAt") or ""),
        tty=bool(config.get("Tty")),
        exit_code=int(state.get("ExitCode") or 0),
        driver=str(((answer.get("HostConfig") or {}).get("LogConfig") or {}).get("Type") or ""),
        jumps=headers.get("server", "").startswith("Libpod"),
    )


async def started_again(target: Target, started: str) -> None:
    """Waits for the next start (or removal) of a container that does not run and had `started` then, by the engine's
    events. Ends also when the events end: look again. Raises EngineError."""
    filters = {"type": ["container"], "container": [target.container_id], "event": ["start", "destroy", "remove"]}
    params = {"filters": orjson.dumps(filters).decode()}
    events = await open_stream(target.endpoint, "/events", params, api_version=target.version)
    try:
        while True:
            now = await look(target)
            if now.running or now.started != started:  # perhaps before the events were asked for
                return
            with contextlib.suppress(TimedOut):  # a connection that stalls says nothing: look now and then
                await events.read(timeout=LOOK_EVERY)
                return
    finally:
        events.close()
