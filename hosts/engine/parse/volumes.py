"""Volumes."""

import re
from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import NAME_AT_MOST, labels_of, text, time_of

SECRET = re.compile(r"pass|secret|token|cred|key", re.IGNORECASE)
HIDDEN = "•••"


class VolumeRow(TypedDict):
    """The values of hosts.models.Volume. Of its options, which may hold a share's password, secrets are left out."""

    name: str
    driver: str
    mountpoint: str
    scope: str
    created: datetime | None
    labels: dict[str, str]
    data: dict[str, Any]  # {"options": {name: value}}


def volume_row(raw: Any) -> VolumeRow | None:
    """An entry of /volumes; None when it has no name."""
    if not isinstance(raw, dict) or not text(raw.get("Name")):
        return None
    return {
        "name": text(raw["Name"], NAME_AT_MOST),
        "driver": text(raw.get("Driver"), 100),
        "mountpoint": text(raw.get("Mountpoint"), 1000),
        "scope": text(raw.get("Scope"), 20),
        "created": time_of(raw.get("CreatedAt")),
        "labels": labels_of(raw.get("Labels")),
        "data": {"options": options_of(raw.get("Options"))},
    }


def options_of(value: Any) -> dict[str, str]:
    """Options of a volume's driver, secrets hidden: values whose name says that they are one, in mount options too."""
    return {name: HIDDEN if SECRET.search(name) else _mount_options(told) for name, told in labels_of(value).items()}


def _mount_options(told: str) -> str:
    pairs = (part.partition("=") for part in told.split(","))
    return ",".join(
        f"{name}={HIDDEN}" if sign and SECRET.search(name) else name + sign + rest for name, sign, rest in pairs
    )
