"""What has a log: one container on one engine, or a task of a swarm, whose log its managers give. What is said of it now,
and when it starts again."""

import contextlib
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from hosts.engine.answers import NotFound
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError, NodeAway, NotAnEngine, TimedOut
from hosts.engine.streams import fetch, open_stream, ping

LOOK_EVERY = 30.0  # seconds between two looks at a container that does not run
ENDED = frozenset({"complete", "failed", "shutdown", "rejected", "orphaned", "remove"})  # a task never runs again


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

    @property
    def path(self) -> str:
        """Where the engine has it."""
        return f"/containers/{self.container_id}"

    @property
    def key(self) -> tuple[Any, str]:
        """What names this log and no other."""
        return self.endpoint, self.container_id

    @property
    def ways(self) -> "list[Target]":
        """The same through each engine that can be asked: a container is on one alone."""
        return [self]


@dataclass(frozen=True)
class TaskTarget(Target):
    """A task of a swarm by its id, asked for at one of the swarm's managers; `others` are the rest of them."""

    others: tuple[Endpoint, ...] = field(default=(), compare=False)

    @property
    def path(self) -> str:
        """Where a manager has it."""
        return f"/tasks/{self.container_id}"

    @property
    def key(self) -> tuple[Any, str]:
        """Whichever manager is asked."""
        return "task", self.container_id

    @property
    def ways(self) -> list[Target]:
        """The same through each manager, this one first."""
        everyone = [self.endpoint, *self.others]
        turns = [[*everyone[place:], *everyone[:place]] for place in range(1, len(everyone))]
        return [self, *(replace(self, endpoint=first, others=tuple(rest), version="") for first, *rest in turns)]


@dataclass(frozen=True)
class Condition:
    """What the engine says of a container, or a manager of a task, now."""

    running: bool
    started: str
    tty: bool
    exit_code: int
    driver: str
    jumps: bool = False  # Podman: what is written between its look at a log's end and its going on is left out
    late: bool = False  # a task: its node begins to send a while after the log was asked for


async def reach(target: Target) -> tuple[Target, Condition]:
    """The target with an API version that its engine speaks, and what is said of it: a task by the first of its managers
    that can say something. Raises EngineError."""
    problem: EngineError | None = None
    for way in target.ways:
        try:
            way = await way.negotiated()
            return way, await look(way)
        except (NotFound, NodeAway):
            raise
        except EngineError as error:  # a manager that is lost, or has no leader, or is none any more
            problem = problem or error
    assert problem is not None
    raise problem


async def look(target: Target, timeout: float = 10) -> Condition:
    """Asks the engine about the container or task. Raises EngineError; NotFound when it is gone."""
    if isinstance(target, TaskTarget):
        return await _look_at_task(target, timeout)
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


async def _look_at_task(target: TaskTarget, timeout: float) -> Condition:
    """Raises NodeAway when its node is gone: a manager would wait for it without end."""
    task = await _object(target, target.path, timeout)
    status, spec = _dict(task.get("Status")), _dict(_dict(task.get("Spec")).get("ContainerSpec"))
    if node_id := str(task.get("NodeID") or ""):
        node = await _object(target, f"/nodes/{node_id}", timeout)
        if (state := str(_dict(node.get("Status")).get("State") or "")) not in {"ready", "unknown"}:
            name = str(_dict(node.get("Description")).get("Hostname") or node_id)
            raise NodeAway(where=target.endpoint.address, node=name, state=state)
    container = _dict(status.get("ContainerStatus"))
    code = container.get("ExitCode")
    return Condition(
        running=status.get("State") not in ENDED,
        started="",
        tty=bool(spec.get("TTY")),
        exit_code=code if isinstance(code, int) and container.get("ContainerID") else 0,
        driver=str(_dict(_dict(task.get("Spec")).get("LogDriver")).get("Name") or ""),
        late=True,
    )


async def _object(target: Target, path: str, timeout: float) -> dict[str, Any]:
    answer = await fetch(target.endpoint, path, api_version=target.version, timeout=timeout)
    if not isinstance(answer, dict):
        raise NotAnEngine(f"{path} is no object", where=target.endpoint.address)
    return answer


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


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
