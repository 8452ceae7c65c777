"""Pushing an image: bytes and state of each layer, the digest that the registry gave it, and an end to it at any time."""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from hosts.engine.answers import Answered, EngineFailed
from hosts.engine.calls import Call
from hosts.engine.errors import ConnectionLost, clean
from hosts.engine.pulls import IDLE_SECONDS
from hosts.engine.refusals import refusal

STATES = {
    "Preparing": "waiting",
    "Waiting": "waiting",
    "Pushing": "uploading",
    "Pushed": "done",
    "Upload complete": "done",  # a plugin's
    "Layer already exists": "exists",
}
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
DONE = re.compile(r"(?P<tag>[\w.-]{1,128}): digest: (?P<digest>sha256:[0-9a-f]{64})(?: size: \d+)?")
UNKNOWN_SIZE = 4 * 1024 * 1024  # bytes that a layer counts until its size is told
LAYERS_AT_MOST = 500


class Layers:
    """What is known of each layer of a push."""

    def __init__(self) -> None:
        self._layers: dict[str, dict[str, Any]] = {}

    def take(self, event: dict[str, Any]) -> bool:
        """Takes an event of the engine; True when it was about a layer."""
        status, name = str(event.get("status")), str(event.get("id") or "")[:64]
        state = "exists" if status.startswith("Mounted from ") else STATES.get(status)
        if status.startswith("Retrying in "):
            state = "retrying"
        if state is None or not name or (name not in self._layers and len(self._layers) >= LAYERS_AT_MOST):
            return False
        layer = self._layers.setdefault(name, {"id": name, "state": state, "current": 0, "total": 0})
        detail = event.get("progressDetail") or {}
        if state == "uploading" and isinstance(detail.get("current"), int):
            total = detail.get("total")
            # an engine counts the packed bytes that it sends, and compares them with the size unpacked
            layer["total"] = max(total if isinstance(total, int) else 0, detail["current"])
            layer["current"] = detail["current"]
        if state == "done" and layer["total"]:
            layer["current"] = layer["total"]
        layer["state"] = state
        return True

    def list(self) -> list[dict[str, Any]]:
        """[{"id", "state", "current", "total"}], bytes."""
        return [dict(layer) for layer in self._layers.values()]

    def share(self) -> float:
        """0 to 1, by bytes; of what the registry has already nothing counts."""
        layers = [layer for layer in self._layers.values() if layer["state"] != "exists"]
        sizes = [layer["total"] or UNKNOWN_SIZE for layer in layers]
        done = [
            size if layer["state"] == "done" else layer["current"] for size, layer in zip(sizes, layers, strict=True)
        ]
        return sum(done) / sum(sizes) if sizes else 0.0


def push(
    call: Call,
    name: str,
    tag: str,
    *,
    version: str,
    headers: Mapping[str, str],
    report: Callable[[float, list[dict[str, Any]]], None],
    log: Callable[[str], None],
    registry: str = "",
    user: str = "",
    what: str = "images",
) -> str:
    """Pushes NAME:TAG, of `what` images or plugins; the digest that it has in the registry. Raises EngineError.

    `headers` must have X-Registry-Auth, be it empty. Closing the connection, which `call.end` does, ends it.
    """
    endpoint, layers, digest = call.endpoint, Layers(), ""
    try:
        path, query = f"/images/{quote(name, safe='/:')}/push", {"tag": tag}
        if what == "plugins":
            path, query = f"/plugins/{quote(f'{name}:{tag}', safe='/:')}/push", {}
        call.open("POST", path, query, version=version, headers=headers, seconds=IDLE_SECONDS)
        for event in call.read_events(IDLE_SECONDS):
            if event.get("error"):
                raise EngineFailed(str(event["error"]), where=endpoint.address)
            aux = event.get("aux")
            if isinstance(aux, dict) and DIGEST.fullmatch(str(aux.get("Digest"))):
                digest = str(aux["Digest"])
            if layers.take(event):
                if event["status"] not in STATES or STATES[event["status"]] in {"done", "exists"}:
                    log(clean(f"{event['id']}: {event['status']}"))
            elif status := clean(event.get("status") or ""):
                log(status)
                if found := DONE.fullmatch(status):
                    digest = found["digest"]
            report(min(0.99, layers.share()), layers.list())
    except Answered as error:
        raise refusal(error, f"{name}:{tag}", endpoint.address, registry=registry, user=user, push=True) from error
    if not digest:
        raise ConnectionLost("the push ended without a result", where=endpoint.address)
    return digest
