"""The normal answers of a fake engine: one function for each thing a client asks for."""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from tests.fake_engine.things import CREATED, FakeContainer, identity, moment, stats
from tests.fake_engine.wire import Connection, Request

if TYPE_CHECKING:
    from tests.fake_engine.engine import FakeEngine

Handler = Callable[..., Awaitable[None]]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []
MULTIPLEXED, RAW = "application/vnd.docker.multiplexed-stream", "application/vnd.docker.raw-stream"


class Refused(Exception):
    """An answer that is an error: a status and the engine's sentence."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


def route(methods: str, pattern: str) -> Callable[[Handler], Handler]:
    """The handler answers these paths; what the pattern catches are its further arguments."""

    def keep(handler: Handler) -> Handler:
        ROUTES.extend((method, re.compile(pattern), handler) for method in methods.split())
        return handler

    return keep


async def answer(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    """The normal answer to any request."""
    try:
        check_version(engine, request)
        for method, pattern, handler in ROUTES:
            if method == request.method and (match := pattern.fullmatch(request.path)):
                await handler(engine, request, connection, *match.groups())
                return
        raise Refused(404, "page not found")
    except Refused as refused:
        await connection.answer(refused.status, {"message": str(refused)})


def check_version(engine: "FakeEngine", request: Request) -> None:
    if not request.version:
        return
    asked, newest, oldest = (number(v) for v in (request.version, engine.api_version, engine.min_api_version))
    if asked > newest:
        limit = f"Maximum supported API version is {engine.api_version}"
        raise Refused(400, f"client version {request.version} is too new. {limit}")
    if asked < oldest:
        limit = f"Minimum supported API version is {engine.min_api_version}, please upgrade your client"
        raise Refused(400, f"client version {request.version} is too old. {limit}")


def number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


# ---------------------------------------------------------------- the engine
@route("GET HEAD", r"/_ping")
async def ping(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    headers = {"Api-Version": engine.api_version, "Ostype": "linux", "Docker-Experimental": "false"}
    if request.method == "HEAD":
        await connection.answer(200, None, headers | {"Content-Length": "2"})
    else:
        await connection.answer(200, b"OK", headers)


@route("GET", r"/version")
async def version(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    component = {"Name": "Engine", "Version": engine.version, "Details": {"ApiVersion": engine.api_version}}
    body = {
        "Platform": {"Name": "Docker Engine - Community"},
        "Components": [component],
        "Version": engine.version,
        "ApiVersion": engine.api_version,
        "MinAPIVersion": engine.min_api_version,
        "GitCommit": "659604f",
        "GoVersion": "go1.22.10",
        "Os": "linux",
        "Arch": "amd64",
        "KernelVersion": "6.1.0-28-amd64",
        "BuildTime": "2024-12-01T00:00:00.000000000+00:00",
    }
    await connection.answer(200, body)


@route("GET", r"/info")
async def info(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    states = [container.state for container in engine.containers]
    body = {
        "ID": identity("engine", engine.name),
        "Name": engine.name,
        "Containers": len(states),
        "ContainersRunning": states.count("running"),
        "ContainersPaused": states.count("paused"),
        "ContainersStopped": len(states) - states.count("running") - states.count("paused"),
        "Images": len(engine.images),
        "Driver": "overlay2",
        "OperatingSystem": "Debian GNU/Linux 12 (bookworm)",
        "OSType": "linux",
        "Architecture": "x86_64",
        "KernelVersion": "6.1.0-28-amd64",
        "NCPU": 2,
        "MemTotal": 8_000_000_000,
        "DockerRootDir": "/var/lib/docker",
        "ServerVersion": engine.version,
        "CgroupDriver": "systemd",
        "CgroupVersion": "2",
        "LoggingDriver": "json-file",
        "Labels": [],
        "Swarm": {"LocalNodeState": "inactive"},
        "Warnings": None,
    }
    await connection.answer(200, body)


@route("GET", r"/system/df")
async def disk(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    rows = [container.row() | {"SizeRootFs": 2_130_000} for container in engine.containers]
    volumes = [volume | {"UsageData": {"Size": 1024, "RefCount": 0}} for volume in engine.volumes]
    size = sum(image["Size"] for image in engine.images)
    body = {"LayersSize": size, "Images": engine.images, "Containers": rows, "Volumes": volumes, "BuildCache": []}
    await connection.answer(200, body)


@route("GET", r"/events")
async def events(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    filters = request.filters()
    wanted = [("Type", filters.get("type", [])), ("Action", filters.get("event", []))]

    def passes(event: dict[str, Any]) -> bool:
        return all(not values or any(event[key].startswith(value) for value in values) for key, values in wanted)

    await connection.stream("application/json")
    with engine.listening(float(request.query.get("since") or 0)) as queue:
        left = asyncio.create_task(connection.closed_by_client())
        while True:
            event = asyncio.create_task(queue.get())
            await asyncio.wait({event, left}, return_when=asyncio.FIRST_COMPLETED)
            if left.done():
                event.cancel()
                return
            if passes(event.result()):
                await connection.send(json.dumps(event.result()).encode() + b"\n")


# ---------------------------------------------------------------- containers
@route("GET", r"/containers/json")
async def containers(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    filters = request.filters()
    rows = [
        container.row()
        for container in engine.containers
        if (request.flag("all") or container.state in {"running", "paused", "restarting"} or "status" in filters)
        and matches(container, filters)
    ]
    await connection.answer(200, rows)


def matches(container: FakeContainer, filters: dict[str, list[str]]) -> bool:
    if "network" in filters:
        joined = {identity("network", name) for name in container.networks or {"bridge": {}}}
        if not joined & set(filters["network"]):
            return False
    have = {"id": container.id, "name": container.name, "status": container.state}
    for key, values in filters.items():
        if key in have and not any(have[key].startswith(value.lstrip("/")) for value in values):
            return False
    return True


@route("GET", r"/containers/([^/]+)/json")
async def inspect(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    await connection.answer(200, engine.container(ref).inspect())


@route("GET", r"/containers/([^/]+)/logs")
async def logs(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    container = engine.container(ref)
    modern = number(engine.api_version) >= (1, 42)
    kind = (RAW if container.tty else MULTIPLEXED) if modern else "application/octet-stream"
    await connection.stream(kind)
    since = float(request.query.get("since") or 0)
    lines = [line for line in container.lines if line[1] >= since]
    tail = request.query.get("tail", "all")
    sent = len(container.lines)
    for line in lines[-int(tail) :] if tail.isdigit() and int(tail) else [] if tail == "0" else lines:
        await connection.send(frame(container, line, request))
    while request.flag("follow") and container.state in {"running", "paused"} and not connection.reader.at_eof():
        await asyncio.sleep(0.02)
        for line in container.lines[sent:]:
            await connection.send(frame(container, line, request))
            sent += 1
    await connection.end()


def frame(container: FakeContainer, line: tuple[int, float, bytes], request: Request) -> bytes:
    """A line as the log stream carries it; b"" when its stream was not asked for."""
    stream, seconds, text = line
    if not request.flag({1: "stdout", 2: "stderr"}[stream]):
        return b""
    if request.flag("timestamps"):
        text = moment(seconds).encode() + b" " + text
    return text if container.tty else bytes([stream, 0, 0, 0]) + len(text).to_bytes(4, "big") + text


@route("GET", r"/containers/([^/]+)/stats")
async def container_stats(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    container = engine.container(ref)
    if not request.flag("stream", default=True):
        engine.ticks += 1
        sample = stats(container, engine.ticks)
        no_earlier = {"precpu_stats": {"cpu_usage": {"total_usage": 0}}, "preread": moment(0)}
        await connection.answer(200, sample | no_earlier if request.flag("one-shot") else sample)
        return
    await connection.stream("application/json")
    for tick in itertools.count():
        await connection.send(json.dumps(stats(container, tick)).encode() + b"\n")
        await asyncio.sleep(engine.stats_every)
        if connection.reader.at_eof():
            return


@route("GET", r"/containers/([^/]+)/top")
async def top(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    container = running(engine.container(ref))
    titles = ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    row = ["root", "4711", "4690", "0", "10:00", "?", "00:00:00", container.command]
    await connection.answer(200, {"Titles": titles, "Processes": [row]})


@route("GET", r"/containers/([^/]+)/changes")
async def changes(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    engine.container(ref)
    await connection.answer(200, [{"Path": "/www", "Kind": 1}, {"Path": "/www/index.html", "Kind": 1}])


def running(container: FakeContainer) -> FakeContainer:
    if container.state not in {"running", "paused"}:
        raise Refused(409, f"Container {container.id} is not running")
    return container


@route("POST", r"/containers/([^/]+)/(start|stop|restart|kill|pause|unpause)")
async def act(engine: "FakeEngine", request: Request, connection: Connection, ref: str, verb: str) -> None:
    container = engine.container(ref)
    if verb in {"start", "stop"} and (container.state == "running") == (verb == "start"):
        await connection.answer(304)
        return
    if verb in {"kill", "pause", "unpause"}:
        running(container)
    if verb in {"stop", "kill", "restart"}:
        container.state, container.exit_code, container.finished = "exited", 137 if verb == "kill" else 0, time.time()
        for action in ("kill", "die", *(["stop"] if verb != "kill" else [])):
            engine.emit("container", action, container.id, name=container.name, exitCode=str(container.exit_code))
    if verb in {"start", "restart"}:
        container.state, container.started, container.finished = "running", time.time(), 0
        engine.emit("container", "start", container.id, name=container.name)
        if container.dies:
            container.state, container.exit_code, container.finished = "exited", 3, time.time()
            engine.emit("container", "die", container.id, name=container.name, exitCode="3")
    if verb in {"pause", "unpause"}:
        container.state = "paused" if verb == "pause" else "running"
    if verb in {"pause", "unpause", "restart"}:
        engine.emit("container", verb, container.id, name=container.name)
    await connection.answer(204)


@route("POST", r"/containers/create")
async def create(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    """A container of whatever it is told; what it does is in `engine.next_one`."""
    body, name = json.loads(request.body), request.query.get("name", "")
    if any(other.name == name for other in engine.containers):
        raise Refused(409, f'Conflict. The container name "/{name}" is already in use.')
    container = FakeContainer(name, str(body.get("Image")), "created", created=time.time(), made=body)
    container.labels = body.get("Labels") or {}
    endpoints = (body.get("NetworkingConfig") or {}).get("EndpointsConfig") or {}
    mode = body["HostConfig"].get("NetworkMode") or "bridge"
    container.networks = {mode: {}} | endpoints
    for name, value in engine.next_one.items():
        setattr(container, name, value)
    engine.add(container)
    await connection.answer(201, {"Id": container.id, "Warnings": []})


@route("POST", r"/networks/([^/]+)/connect")
async def connect(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    body = json.loads(request.body)
    engine.container(body["Container"]).networks[ref] = body.get("EndpointConfig") or {}
    await connection.answer(200)


@route("POST", r"/containers/([^/]+)/rename")
async def rename(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    container = engine.container(ref)
    new = request.query.get("name", "")
    if any(other.name == new for other in engine.containers):
        raise Refused(409, f'Conflict. The container name "/{new}" is already in use.')
    old, container.name = container.name, new
    engine.emit("container", "rename", container.id, name=new, oldName=f"/{old}")
    await connection.answer(204)


@route("DELETE", r"/containers/([^/]+)")
async def remove(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    container = engine.container(ref)
    if container.state in {"running", "paused"} and not request.flag("force"):
        raise Refused(409, f"You cannot remove a running container {container.id}. Stop the container first.")
    engine.remove(container)
    await connection.answer(204)


# ---------------------------------------------------------------- images, networks, volumes
@route("GET", r"/images/json")
async def images(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    await connection.answer(200, engine.images)


@route("GET", r"/images/(.+)/json")
async def image(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    for row in engine.images:
        if ref in {row["Id"], *row["RepoTags"]} or f"{ref}:latest" in row["RepoTags"]:
            found = {key: row[key] for key in ("Id", "RepoTags", "RepoDigests", "Size")}
            await connection.answer(200, found | {"Created": moment(CREATED), "Os": "linux", "Architecture": "amd64"})
            return
    raise Refused(404, f"No such image: {ref}")


@route("POST", r"/images/create")
async def pull(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    """A pull of two layers of 4 MB, in steps of `engine.pull_every` seconds."""
    name = f"{request.query.get('fromImage', '')}:{request.query.get('tag') or 'latest'}"
    await connection.stream("application/json")
    for message in pull_messages(name):
        await connection.send(json.dumps(message).encode() + b"\r\n")
        await asyncio.sleep(engine.pull_every)
    engine.add_image(name)
    await connection.end()


def pull_messages(name: str) -> list[dict[str, Any]]:
    layers, size = ["a1b2c3d4e5f6", "0f1e2d3c4b5a"], 4_000_000
    messages: list[dict[str, Any]] = [{"status": f"Pulling from {name}", "id": name.rpartition(":")[2]}]
    messages += [{"status": "Pulling fs layer", "progressDetail": {}, "id": layer} for layer in layers]
    for step in range(1, 5):
        detail = {"current": size * step // 4, "total": size}
        messages += [{"status": "Downloading", "progressDetail": detail, "id": layer} for layer in layers]
    messages += [{"status": "Pull complete", "progressDetail": {}, "id": layer} for layer in layers]
    return [*messages, {"status": f"Status: Downloaded newer image for {name}"}]


@route("GET", r"/networks")
async def networks(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    await connection.answer(200, engine.networks)


@route("GET", r"/networks/([^/]+)")
async def network(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    for row in engine.networks:
        if row["Name"] == ref or row["Id"].startswith(ref):
            await connection.answer(200, row)
            return
    raise Refused(404, f"network {ref} not found")


@route("GET", r"/volumes")
async def volumes(engine: "FakeEngine", request: Request, connection: Connection) -> None:
    await connection.answer(200, {"Volumes": engine.volumes, "Warnings": None})


@route("GET", r"/volumes/([^/]+)")
async def volume(engine: "FakeEngine", request: Request, connection: Connection, ref: str) -> None:
    for row in engine.volumes:
        if row["Name"] == ref:
            await connection.answer(200, row)
            return
    raise Refused(404, f"get {ref}: no such volume")
