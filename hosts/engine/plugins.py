"""Pulling and upgrading a managed plugin: bytes of each layer, and an end to it within a moment."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from hosts.engine.answers import EngineFailed
from hosts.engine.calls import Call
from hosts.engine.errors import clean
from hosts.engine.pulls import IDLE_SECONDS, LINE_AT_MOST, Layers


def fetch(
    call: Call,
    path: str,
    params: dict[str, str],
    privileges: list[dict[str, Any]],
    *,
    version: str,
    headers: Mapping[str, str] | None = None,
    report: Callable[[float, list[dict[str, Any]]], None],
    log: Callable[[str], None],
) -> None:
    """POST /plugins/pull or /plugins/{name}/upgrade with what is granted; `headers` have the login. Raises EngineError.

    Closing the connection, which `call.end` does, is what ends it on the engine.
    """
    layers = Layers()
    granted = [{"Name": p["name"], "Description": p["description"], "Value": p["value"]} for p in privileges]
    call.open("POST", path, params, version=version, body=granted, headers=headers, seconds=IDLE_SECONDS)
    for event in _events(call):
        if event.get("error"):
            raise EngineFailed(str(event["error"]), where=call.endpoint.address)
        if not layers.take(event) and (status := clean(event.get("status", ""))):
            log(status)
        report(min(0.99, layers.share()), layers.list())
    layers.finish()
    report(0.99, layers.list())


def _events(call: Call) -> Iterator[dict[str, Any]]:
    buffer = b""
    while block := call.read(IDLE_SECONDS):
        *lines, buffer = (buffer + block).split(b"\n")
        if len(buffer) > LINE_AT_MOST:
            raise EngineFailed("an answer line of over 1 MiB", where=call.endpoint.address)
        yield from _decoded(lines)
    yield from _decoded([buffer])


def _decoded(lines: list[bytes]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if isinstance(event, dict):
            yield event
