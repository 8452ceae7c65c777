"""Pulling an image: bytes and state of each layer, and an end to it within a moment."""

import json
from collections.abc import Callable
from typing import Any

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError, EngineFailed, NotFound, from_answer, translate
from hosts.engine.transport import Deadline, abort, connect, request

IDLE_SECONDS = 120  # without a word from the engine a pull is given up
LINE_AT_MOST = 1024 * 1024
STATES = {
    "Pulling fs layer": "waiting",
    "Waiting": "waiting",
    "Downloading": "downloading",
    "Verifying Checksum": "verifying",
    "Download complete": "downloaded",
    "Extracting": "extracting",
    "Pull complete": "done",
    "Already exists": "exists",
}
DOWNLOAD_SHARE = 0.7  # of a layer's progress; the rest is extracting


class Layers:
    """What is known of each layer of a pull."""

    def __init__(self) -> None:
        self._layers: dict[str, dict[str, Any]] = {}

    def take(self, event: dict[str, Any]) -> bool:
        """Takes an event of the engine; True when it was about a layer."""
        state = STATES.get(str(event.get("status")))
        if state is None or not event.get("id"):
            return False
        layer = self._layers.setdefault(
            str(event["id"])[:64], {"id": str(event["id"])[:64], "state": state, "current": 0, "total": 0}
        )
        detail = event.get("progressDetail") or {}
        if state == "downloading" and isinstance(detail.get("total"), int):
            layer["total"] = detail["total"]
        if state in {"downloading", "extracting"} and isinstance(detail.get("current"), int):
            layer["current"] = detail["current"]
        layer["state"] = state
        return True

    def list(self) -> list[dict[str, Any]]:
        """[{"id", "state", "current", "total"}], bytes, in the order of the manifest."""
        return [dict(layer) for layer in self._layers.values()]

    def share(self) -> float:
        """0 to 1: by bytes where sizes are known, a waiting layer counts as an average one."""
        layers = [layer for layer in self._layers.values() if layer["state"] != "exists"]
        if not layers:
            return 1.0 if self._layers else 0.0
        sizes = [layer["total"] for layer in layers if layer["total"]]
        average = sum(sizes) / len(sizes) if sizes else 1
        done = sum((layer["total"] or average) * _part(layer) for layer in layers)
        return float(done / sum(layer["total"] or average for layer in layers))


def _part(layer: dict[str, Any]) -> float:
    part = layer["current"] / layer["total"] if layer["total"] else 0
    match layer["state"]:
        case "done":
            return 1.0
        case "downloading":
            return DOWNLOAD_SHARE * min(1.0, part)
        case "verifying" | "downloaded":
            return DOWNLOAD_SHARE
        case "extracting":
            return DOWNLOAD_SHARE + (1 - DOWNLOAD_SHARE) * min(1.0, part)
    return 0.0


def pull(
    endpoint: Endpoint,
    name: str,
    tag: str,
    *,
    version: str,
    report: Callable[[float, list[dict[str, Any]]], None],
    log: Callable[[str], None],
    on_cancel: Callable[[Callable[[], None]], None],
) -> dict[str, Any]:
    """Pulls NAME:TAG (or NAME@sha256:...) and returns {"digest", "status"}. Raises EngineError.

    Closing the connection is what ends a pull on the engine.
    """
    sock = connect(endpoint, Deadline(10))
    on_cancel(lambda: abort(sock))
    layers, result = Layers(), {"digest": "", "status": ""}
    try:
        params = {"fromImage": name, "tag": tag}
        answer = request(sock, endpoint, "POST", f"/v{version}/images/create", Deadline(120), params=params)
        buffer = answer.rest
        sock.settimeout(IDLE_SECONDS)
        while True:
            *lines, buffer = buffer.split(b"\n")
            for line in lines:
                _take(line, layers, result, log, endpoint)
            if lines:
                report(layers.share(), layers.list())
            block = sock.recv(65536)
            if not block:
                break
            buffer += block
            if len(buffer) > LINE_AT_MOST:
                raise EngineFailed("an answer line of over 1 MiB", where=endpoint.address)
        _take(buffer, layers, result, log, endpoint)
        if not result["status"]:
            raise translate(ConnectionResetError("the pull ended without a result"), endpoint)
        report(1.0, layers.list())
        return result
    except OSError as error:
        raise translate(error, endpoint) from error
    finally:
        abort(sock)


def _take(line: bytes, layers: Layers, result: dict[str, Any], log: Callable[[str], None], endpoint: Endpoint) -> None:
    if not line.strip():
        return
    try:
        event = json.loads(line)
    except ValueError:
        return
    if not isinstance(event, dict):
        return
    if event.get("error"):
        raise _error(str(event["error"]), endpoint)
    if layers.take(event):
        if event["status"] in {"Pull complete", "Already exists"}:
            log(f"{event['id']}: {event['status']}")
        return
    status = str(event.get("status", ""))[:500]
    if status.startswith("Digest: "):
        result["digest"] = status.removeprefix("Digest: ")
    if status.startswith("Status: "):
        result["status"] = status.removeprefix("Status: ")
    if status:
        log(status)


def _error(message: str, endpoint: Endpoint) -> EngineError:
    if "not found" in message or "manifest unknown" in message:
        return NotFound(message, where=endpoint.address)
    return from_answer(500, message, endpoint.address)
