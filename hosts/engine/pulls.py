"""Pulling an image: bytes and state of each layer, and an end to it within a moment."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import (
    Answered,
    ConnectionLost,
    EngineError,
    EngineFailed,
    ImageUnknown,
    RegistryRefused,
    RegistryUnreachable,
)

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
UNKNOWN_SIZE = 4 * 1024 * 1024  # bytes that a layer counts at least until its size is told


class Layers:
    """What is known of each layer of a pull."""

    def __init__(self) -> None:
        self._layers: dict[str, dict[str, Any]] = {}

    def take(self, event: dict[str, Any]) -> bool:
        """Takes an event of the engine; True when it was about a layer."""
        status = str(event.get("status"))
        state = "retrying" if status.startswith("Retrying in ") else STATES.get(status)
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

    def finish(self) -> None:
        """All went well: not every engine says so of each layer."""
        for layer in self._layers.values():
            if layer["state"] != "exists":
                layer["state"] = "done"

    def list(self) -> list[dict[str, Any]]:
        """[{"id", "state", "current", "total"}], bytes, in the order of the manifest."""
        return [dict(layer) for layer in self._layers.values()]

    def share(self) -> float:
        """0 to 1, by bytes. A layer of unknown size counts as the largest of the known ones, so that a big one that
        comes last does not find everything nearly done."""
        layers = [layer for layer in self._layers.values() if layer["state"] != "exists"]
        unknown = max([UNKNOWN_SIZE, *(layer["total"] for layer in layers)])
        done = sum((layer["total"] or unknown) * _part(layer) for layer in layers)
        # while all that is known exists already, the engine has not named the others yet
        return float(done / sum(layer["total"] or unknown for layer in layers)) if layers else 0.0


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
    call: Call,
    name: str,
    tag: str,
    *,
    version: str,
    report: Callable[[float, list[dict[str, Any]]], None],
    log: Callable[[str], None],
    platform: str = "",
) -> dict[str, Any]:
    """Pulls NAME:TAG (or NAME@sha256:...) and returns {"digest", "status"}. Raises EngineError.

    Closing the connection, which `call.end` does, is what ends a pull on the engine.
    """
    endpoint, layers = call.endpoint, Layers()
    reference = f"{name}@{tag}" if tag.startswith("sha256:") else f"{name}:{tag}"
    result = {"digest": "", "status": ""}
    try:
        params = {"fromImage": name, "tag": tag} | ({"platform": platform} if platform else {})
        call.open("POST", "/images/create", params, version=version, seconds=IDLE_SECONDS)
        for events in _events(call):
            for event in events:
                _take(event, layers, result, log, endpoint)
            report(layers.share(), layers.list())
    except Answered as error:
        raise _refusal(error, reference, endpoint) from error
    if not result["status"]:
        if not call.headers.get("server", "").startswith("Libpod"):
            raise ConnectionLost("the pull ended without a result", where=endpoint.address)
        result = _ask_result(endpoint, reference, version)  # Podman ends without a word when all went well
    layers.finish()
    report(1.0, layers.list())
    return result


def _events(call: Call) -> Iterator[list[dict[str, Any]]]:
    """What the engine tells, as many events at a time as came together. Raises EngineError."""
    buffer = b""
    while block := call.read(IDLE_SECONDS):
        *lines, buffer = (buffer + block).split(b"\n")
        if len(buffer) > LINE_AT_MOST:
            raise EngineFailed("an answer line of over 1 MiB", where=call.endpoint.address)
        yield [event for line in lines if (event := _event(line))]
    yield [event for line in [buffer] if (event := _event(line))]


def _event(line: bytes) -> dict[str, Any] | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _take(
    event: dict[str, Any], layers: Layers, result: dict[str, Any], log: Callable[[str], None], endpoint: Endpoint
) -> None:
    if event.get("error"):
        raise EngineFailed(str(event["error"]), where=endpoint.address)
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


def _ask_result(endpoint: Endpoint, reference: str, version: str) -> dict[str, Any]:
    with Call(endpoint) as call:
        call.open("GET", f"/images/{quote(reference, safe='/:@')}/json", version=version, seconds=10)
        image = call.read_json(10)
    digests = [str(digest) for digest in (image or {}).get("RepoDigests") or []]
    return {"digest": digests[0].rpartition("@")[2] if digests else "", "status": f"Pulled {reference}"}


# the words of Docker and Podman by which they tell what their registry said; the first that fits counts, since a
# refusal may say "not found" as well
REFUSALS: list[tuple[type[Answered], tuple[str, ...]]] = [
    (RegistryRefused, ("access denied", "denied:", "unauthorized", "authentication required", "basic auth")),
    (
        RegistryUnreachable,
        ("dial tcp", "no such host", "i/o timeout", "connection re", "tls:", "x509:", "http: server gave", "EOF"),
    ),
    (ImageUnknown, ("manifest unknown", "not found", "name unknown", "no matching manifest")),
]


def _refusal(error: Answered, reference: str, endpoint: Endpoint) -> EngineError:
    for kind, words in REFUSALS:
        if any(word in error.detail for word in words):
            return kind(error.detail, where=endpoint.address, image=reference)
    return error
