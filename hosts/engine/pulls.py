"""Pulling an image: bytes and state of each layer, and an end to it within a moment."""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from hosts.engine.answers import Answered, EngineFailed
from hosts.engine.calls import Call
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import ConnectionLost, clean
from hosts.engine.refusals import NoPlatform, refusal

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
    registry: str = "",
    user: str = "",
    headers: Mapping[str, str] | None = None,
    tags: int | None = None,
) -> dict[str, Any]:
    """Pulls NAME:TAG (or NAME@sha256:...) and returns {"digest", "status"}. Raises EngineError.

    With `tag` "" all tags of a repository, `tags` of them as far as is known: it returns {"tags", "status"} then.
    `headers` carry the login of `user` at `registry`. Closing the connection, which `call.end` does, is what ends a
    pull on the engine.
    """
    endpoint, layers = call.endpoint, Layers()
    reference = f"{name}@{tag}" if tag.startswith("sha256:") else f"{name}:{tag}" if tag else name
    result = {"digest": "", "status": ""}
    begun: list[str] = []
    try:
        params = {"fromImage": name} | ({"tag": tag} if tag else {}) | ({"platform": platform} if platform else {})
        call.open("POST", "/images/create", params, version=version, headers=headers, seconds=IDLE_SECONDS)
        for events in _events(call):
            for event in events:
                if str(event.get("status", "")).startswith("Pulling from ") and event.get("id"):
                    begun.append(str(event["id"]))
                _take(event, layers, result, log, endpoint)
            report(layers.share() if tag else _share_of_tags(len(begun), tags), layers.list())
    except Answered as error:
        raise refusal(error, reference, endpoint.address, registry=registry, user=user) from error
    if not result["status"]:
        if not call.headers.get("server", "").startswith("Libpod"):
            raise ConnectionLost("the pull ended without a result", where=endpoint.address)
        result = _ask_result(endpoint, reference, version)  # Podman ends without a word when all went well
    if platform and tag:
        _demand_platform(endpoint, reference, version, platform)
    layers.finish()
    report(1.0, layers.list())
    return result if tag else {"tags": len(begun), "status": result["status"]}


def _share_of_tags(begun: int, tags: int | None) -> float:
    """0 while nobody knows how many tags there are: a share that is made up is none."""
    return min(0.99, (begun - 1) / tags) if tags and begun else 0.0


ARCHITECTURES = {"x86_64": "amd64", "x86-64": "amd64", "aarch64": "arm64", "armhf": "arm", "i386": "386"}


def _demand_platform(endpoint: Endpoint, reference: str, version: str, wanted: str) -> None:
    """Docker before 23 and Podman take an image of another platform, the former with a warning. Raises NoPlatform."""
    found = platform_of(endpoint, reference, version)
    if not is_platform(found, wanted):
        error = NoPlatform(f"wanted {wanted}, found {found or '?'}", where=endpoint.address, image=reference)
        error.pulled = found or "?"
        raise error


def platform_of(endpoint: Endpoint, reference: str, version: str) -> str:
    """Of an image that the engine has: linux/arm/v7. Raises EngineError."""
    image = _inspect(endpoint, reference, version)
    return "/".join(str(image[key]) for key in ("Os", "Architecture", "Variant") if image.get(key))


def is_platform(found: str, wanted: str) -> bool:
    """Whether an image for `found` (linux/arm/v7) is one for `wanted`; a variant counts where both name one."""

    def parts(text: str) -> tuple[str, str, str]:
        words = text.lower().split("/")
        words = ["linux", *words] if len(words) == 1 else words
        return words[0], ARCHITECTURES.get(words[1], words[1]), words[2] if len(words) > 2 else ""

    one, other = parts(found), parts(wanted)
    return one[:2] == other[:2] and ("" in (one[2], other[2]) or one[2] == other[2])


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
    status = clean(event.get("status", ""))
    if status.startswith("Digest: "):
        result["digest"] = status.removeprefix("Digest: ")
    if status.startswith("Status: "):
        result["status"] = status.removeprefix("Status: ")
    if status:
        log(status)


def _ask_result(endpoint: Endpoint, reference: str, version: str) -> dict[str, Any]:
    digests = [str(digest) for digest in _inspect(endpoint, reference, version).get("RepoDigests") or []]
    return {"digest": digests[0].rpartition("@")[2] if digests else "", "status": f"Pulled {reference}"}


def _inspect(endpoint: Endpoint, reference: str, version: str) -> dict[str, Any]:
    with Call(endpoint) as call:
        call.open("GET", f"/images/{quote(reference, safe='/:@')}/json", version=version, seconds=10)
        image = call.read_json(10)
    return image if isinstance(image, dict) else {}
