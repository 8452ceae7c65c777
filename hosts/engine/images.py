"""What an engine knows of one image, read from its answers: configuration and layers. Nothing in them is trusted."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import labels_of, text, time_of, whole

HIDDEN = "(hidden)"
LAYERS_AT_MOST = 500
ENTRIES_AT_MOST = 200
INSTRUCTION_AT_MOST = 4000
NOP = re.compile(r"/bin/sh -c #\(nop\)\s+(?P<rest>.*)", re.S)
RUN = re.compile(r"(?:RUN )?(?P<arguments>\|\d+ .*)?/bin/sh -c (?P<command>.*)", re.S)


class Layer(TypedDict):
    """One step of an image's history; `size` in bytes, `id` "" for a step made elsewhere."""

    id: str
    created: datetime | None
    instruction: str
    size: int
    tags: list[str]
    comment: str


class Configuration(TypedDict):
    """How containers of an image are made unless they say otherwise. Of the environment the names alone."""

    platform: str  # linux/amd64, linux/arm64/v8
    entrypoint: list[str]
    command: list[str]
    environment: list[str]
    ports: list[str]
    volumes: list[str]
    labels: dict[str, str]
    user: str
    working_dir: str
    stop_signal: str
    health: str
    author: str
    comment: str


def configuration_of(inspect: Any) -> Configuration:
    """From the answer of /images/{name}/json."""
    raw = _object(inspect)
    config = _object(raw.get("Config"))
    platform = [text(raw.get(name), 50) for name in ("Os", "Architecture", "Variant")]
    return {
        "platform": "/".join(part for part in platform if part),
        "entrypoint": _texts(config.get("Entrypoint")),
        "command": _texts(config.get("Cmd")),
        "environment": [entry.partition("=")[0] for entry in _texts(config.get("Env"))],
        "ports": sorted(_texts(config.get("ExposedPorts"))),
        "volumes": sorted(_texts(config.get("Volumes"))),
        "labels": labels_of(config.get("Labels")),
        "user": text(config.get("User"), 255),
        "working_dir": text(config.get("WorkingDir"), 1000),
        "stop_signal": text(config.get("StopSignal"), 50),
        "health": " ".join(_texts(_object(config.get("Healthcheck")).get("Test"))),
        "author": text(raw.get("Author"), 500),
        "comment": text(raw.get("Comment"), 500),
    }


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> list[str]:
    """Of a list its entries, of an object its names, of a text itself."""
    if isinstance(value, str):
        return [text(value, 1000)] if value else []
    return [text(entry, 1000) for entry in list(value)[:ENTRIES_AT_MOST]] if isinstance(value, list | dict) else []


def layers_of(history: Any, environment: Iterable[str]) -> list[Layer]:
    """From the answer of /images/{name}/history, newest first. Values of variables and build arguments are hidden."""
    known = set(environment)
    entries = [entry for entry in history if isinstance(entry, dict)] if isinstance(history, list) else []
    return [
        {
            "id": "" if entry.get("Id") == "<missing>" else text(entry.get("Id"), 100),
            "created": time_of(entry.get("Created")),
            "instruction": instruction_of(text(entry.get("CreatedBy"), INSTRUCTION_AT_MOST), known),
            "size": max(0, whole(entry.get("Size"))),
            "tags": _texts(entry.get("Tags")),
            "comment": text(entry.get("Comment"), 500),
        }
        for entry in entries[:LAYERS_AT_MOST]
    ]


def instruction_of(created_by: str, known: set[str]) -> str:
    """The Dockerfile's line that made a layer, without values of variables (`known` names) and build arguments: those
    may be secrets, and whoever may list images may read this."""
    words = created_by.strip().removesuffix("# buildkit").rstrip()
    if found := NOP.fullmatch(words):
        words = found["rest"].strip()
    elif found := RUN.fullmatch(words):
        words = f"RUN {found['command']}"
    elif words.startswith(("|", "RUN |")):  # arguments before a shell that is not known: where they end is not either
        words = f"RUN {HIDDEN}"
    verb, _space, rest = words.partition(" ")
    if verb.upper() == "ARG":
        return f"ARG {rest.partition('=')[0]}"
    if verb.upper() == "ENV":
        names = [name for name in re.findall(r"([^\s=]+)=", rest) if name in known]
        return f"ENV {' '.join(f'{name}={HIDDEN}' for name in names) or HIDDEN}"
    return words
