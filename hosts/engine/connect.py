"""Docker SDK clients for commands, and the question who answers at an endpoint."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypedDict

import docker
import requests
import urllib3
from docker.tls import TLSConfig

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ApiTooNew, ApiTooOld, EngineError, NotAnEngine, translate
from hosts.engine.transport import Deadline, get_json

OLDEST, NEWEST = (1, 40), (1, 55)
CHECK_SECONDS = 8.0


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
    warnings: list[str]
    labels: list[str]
    swarm: str


def check(endpoint: Endpoint, timeout: float = CHECK_SECONDS) -> EngineInfo:
    """Connects, asks, and returns who answers within `timeout` seconds in all. Raises EngineError."""
    deadline = Deadline(timeout)
    api_version, min_version, version = _negotiate(endpoint, deadline)
    info, _ = get_json(endpoint, f"/v{api_version}/info", deadline)
    if not isinstance(info, dict) or "Containers" not in info:
        raise NotAnEngine(endpoint.address, "/info is no engine's")
    components = version.get("Components") or []
    is_podman = any("podman" in str(c.get("Name", "")).lower() for c in components if isinstance(c, dict))
    return {
        "engine": "Podman" if is_podman else "Docker",
        "version": str(version.get("Version") or info.get("ServerVersion") or "")[:100],
        "api_version": api_version,
        "min_api_version": min_version,
        "name": str(info.get("Name") or "")[:255],
        "os": str(info.get("OperatingSystem") or "")[:255],
        "arch": str(info.get("Architecture") or "")[:50],
        "kernel": str(info.get("KernelVersion") or "")[:255],
        "cpus": int(info.get("NCPU") or 0),
        "memory": int(info.get("MemTotal") or 0),
        "storage_driver": str(info.get("Driver") or "")[:100],
        "cgroup_version": str(info.get("CgroupVersion") or "1")[:10],
        "warnings": [str(text)[:500] for text in (info.get("Warnings") or [])[:50]],
        "labels": [str(text)[:500] for text in (info.get("Labels") or [])[:50]],
        "swarm": str((info.get("Swarm") or {}).get("LocalNodeState") or "inactive")[:20],
    }


def _negotiate(endpoint: Endpoint, deadline: Deadline) -> tuple[str, str, dict[str, Any]]:
    version, _ = get_json(endpoint, "/version", deadline)
    if not isinstance(version, dict) or "ApiVersion" not in version:
        raise NotAnEngine(endpoint.address, "/version is no engine's")
    newest, oldest = str(version["ApiVersion"]), str(version.get("MinAPIVersion") or "1.24")
    try:
        most, least = _number(newest), _number(oldest)
    except ValueError as error:
        raise NotAnEngine(endpoint.address, f"API version {newest[:40]}") from error
    if most < OLDEST:
        raise ApiTooOld(endpoint.address, api=newest)
    if least > NEWEST:
        raise ApiTooNew(endpoint.address, api=oldest)
    return ".".join(map(str, min(most, NEWEST))), oldest, version


def _number(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


@contextmanager
def client(endpoint: Endpoint, *, timeout: float = 10, version: str | None = None) -> Iterator[docker.APIClient]:
    """A docker SDK client for one use; everything that fails inside the block leaves it as EngineError.

    The version is asked for first, over a connection with a total deadline: the SDK's own question trusts the
    environment's CA bundle over the given CA, and has none.
    """
    folder = ""
    try:
        api_version = version or _negotiate(endpoint, Deadline(min(timeout, 10)))[0]
        arguments: dict[str, Any] = {"version": api_version, "timeout": timeout}
        if endpoint.kind == "ssh":
            from hosts.engine.tunnel import open_tunnel

            arguments["base_url"] = f"unix://{open_tunnel(endpoint, 10)}"
        else:
            arguments["base_url"] = endpoint.url
        if endpoint.kind == "tls" and endpoint.tls:
            folder = tempfile.mkdtemp(prefix="dermaga-tls-")
            arguments["tls"] = _tls_files(endpoint, folder)
            arguments["base_url"] = endpoint.url.replace("tcp://", "https://", 1)
        api = docker.APIClient(**arguments)
        api.trust_env = False
        try:
            yield api
        finally:
            api.close()
    except (docker.errors.DockerException, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
        raise translate(error, endpoint) from error
    finally:
        if folder:
            shutil.rmtree(folder, ignore_errors=True)


def _tls_files(endpoint: Endpoint, folder: str) -> TLSConfig:
    assert endpoint.tls is not None
    paths: dict[str, str] = {}
    for name in ("ca", "cert", "key"):
        if text := getattr(endpoint.tls, name):
            paths[name] = os.path.join(folder, f"{name}.pem")
            with open(os.open(paths[name], os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
                file.write(text)
    pair = (paths["cert"], paths["key"]) if "cert" in paths and "key" in paths else None
    return TLSConfig(client_cert=pair, ca_cert=paths.get("ca"), verify=True)


__all__ = ["EngineError", "EngineInfo", "check", "client"]
