"""Docker SDK clients for commands, and the question who answers at an endpoint."""

import http.client
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import docker
import requests
import urllib3

from common.connections import Deadline
from hosts.engine.adapters import adapter_for
from hosts.engine.answers import BadRequest, NotFound
from hosts.engine.diagnose import look_closer
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import APITooNew, APITooOld, EngineError, NotAnEngine, TimedOut, translate
from hosts.engine.parse.swarms import MemberInfo, member_of
from hosts.engine.parse.values import text, time_of, whole
from hosts.engine.transport import get_json

__all__ = ["EngineError", "EngineInfo", "check", "client"]

OLDEST, NEWEST = (1, 40), (1, 55)
CHECK_SECONDS = 8.0
LIBRARY_ERRORS = (
    docker.errors.DockerException,
    requests.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
)


class EngineInfo(TypedDict):
    """What an engine says of itself. `memory` is in bytes; `api_version` is the one to use with it."""

    engine: str  # "Docker" or "Podman"
    version: str
    api_version: str
    min_api_version: str
    name: str
    os: str
    arch: str
    kernel: str
    cpus: int
    memory: int
    storage_driver: str
    cgroup_version: str
    clock_ahead: float | None  # seconds by which its clock is ahead of ours, for certain; None: it does not tell
    warnings: list[str]
    labels: list[str]
    swarm: str
    member: MemberInfo


def check(endpoint: Endpoint, timeout: float = CHECK_SECONDS) -> EngineInfo:
    """Connects, asks, and returns who answers, within `timeout` seconds in all. Raises EngineError."""
    deadline = Deadline(timeout)
    try:
        api_version, min_version, version = _negotiate(endpoint, deadline)
        asked = time.time()
        info, _ = get_json(endpoint, f"/v{api_version}/info", deadline)
        answered = time.time()
    except TimeoutError as error:
        raise TimedOut(error, where=endpoint.address, seconds=timeout) from error
    if not isinstance(info, dict) or "Containers" not in info:
        raise NotAnEngine("/info is no engine's", where=endpoint.address)
    ahead = _clock_ahead(info, asked, answered)
    return {**_info(version, info, api_version, min_version), "clock_ahead": ahead}


def _clock_ahead(info: dict[str, Any], asked: float, answered: float) -> float | None:
    """It told its time at some moment between question and answer: what that cannot explain is the clock's error."""
    told = time_of(info.get("SystemTime"))
    if told is None:
        return None
    return round(max(0.0, told.timestamp() - answered) or min(0.0, told.timestamp() - asked), 3)


def _info(version: dict[str, Any], info: dict[str, Any], api_version: str, min_version: str) -> EngineInfo:
    components = version.get("Components")
    names = [text(c.get("Name")) for c in components if isinstance(c, dict)] if isinstance(components, list) else []
    member = member_of(info.get("Swarm"))
    return {
        "engine": "Podman" if any("podman" in name.lower() for name in names) else "Docker",
        "version": text(version.get("Version") or info.get("ServerVersion"), 100),
        "api_version": api_version,
        "min_api_version": min_version,
        "name": text(info.get("Name"), 255),
        "os": text(info.get("OperatingSystem"), 255),
        "arch": text(info.get("Architecture"), 50),
        "kernel": text(info.get("KernelVersion"), 255),
        "cpus": max(0, min(whole(info.get("NCPU")), 2**31 - 1)),
        "memory": max(0, whole(info.get("MemTotal"))),
        "storage_driver": text(info.get("Driver"), 100),
        "cgroup_version": text(info.get("CgroupVersion"), 10) or "1",
        "clock_ahead": None,
        "warnings": _texts(info.get("Warnings")),
        "labels": _texts(info.get("Labels")),
        "swarm": member["state"],
        "member": member,
    }


def _texts(value: Any) -> list[str]:
    """At most 50 texts; some engines say "" or null for none."""
    return [text(entry, 500) for entry in value[:50]] if isinstance(value, list) else []


def _negotiate(endpoint: Endpoint, deadline: Deadline) -> tuple[str, str, dict[str, Any]]:
    """(the API version to use, the engine's oldest, its /version answer). Raises EngineError."""
    version = _ask_version(endpoint, deadline)
    if not isinstance(version, dict) or "ApiVersion" not in version:
        raise NotAnEngine("/version is no engine's", where=endpoint.address)
    newest, oldest = text(version["ApiVersion"], 20), text(version.get("MinAPIVersion"), 20) or "1.24"
    try:
        most, least = _number(newest), _number(oldest)
    except ValueError as error:
        raise NotAnEngine(f"API version {newest}", where=endpoint.address) from error
    if most < OLDEST:
        raise APITooOld(where=endpoint.address, api=newest)
    if least > NEWEST:
        raise APITooNew(where=endpoint.address, api=oldest)
    return ".".join(map(str, min(most, NEWEST))), oldest, version


def _ask_version(endpoint: Endpoint, deadline: Deadline) -> Any:
    try:
        return get_json(endpoint, "/version", deadline)[0]
    except (NotFound, BadRequest) as error:
        # every engine answers /version; who does not know it, or wants a login first, is something else
        raise NotAnEngine(error.detail, where=endpoint.address) from error
    except EngineError as error:
        closer = look_closer(endpoint, error, deadline)
        raise closer from error


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


@contextmanager
def client(
    endpoint: Endpoint,
    *,
    timeout: float = 10,
    version: str | None = None,
    on_cancel: Callable[[Callable[[], None]], None] | None = None,
) -> Iterator[docker.APIClient]:
    """A docker SDK client for one use; what fails inside the block on the way to the engine leaves as EngineError.

    `timeout` (seconds) is a total one for each request, its answer included. Without `version` the engine is asked for
    it first: the SDK's own question has no deadline and trusts the environment's CA bundle over the given CA.
    `on_cancel` is told what, called from any thread, ends its requests.
    """
    try:
        api_version = version or _negotiate(endpoint, Deadline(min(timeout, 10)))[0]
        adapter, base_url = adapter_for(endpoint, timeout)
        # a URL that needs no TLS files; where requests really go is the adapter's business
        api = docker.APIClient(base_url="http://engine:1", version=api_version, timeout=timeout)
        api.trust_env = False  # REQUESTS_CA_BUNDLE and proxies of the environment are not for engines
        api.base_url = base_url
        api._custom_adapter = adapter
        for prefix in ("http://", "https://", "http+docker://"):
            api.mount(prefix, adapter)
        if on_cancel:
            on_cancel(adapter.end)
        try:
            yield api
        finally:
            api.close()
    except LIBRARY_ERRORS as error:
        raise translate(error, endpoint, seconds=timeout) from error
