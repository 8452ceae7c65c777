"""Images."""

from datetime import datetime
from typing import Any, TypedDict

from hosts.engine.parse.values import labels_of, list_of, text, time_of, whole

NAMES_AT_MOST = 5000  # of one image: a machine that builds for others gives one image hundreds


class ImageRow(TypedDict):
    """The values of hosts.models.Image."""

    engine_id: str
    name: str
    tags: list[str]
    digests: list[str]
    size: int  # bytes
    created: datetime | None
    dangling: bool
    labels: dict[str, str]


def image_row(raw: Any) -> ImageRow | None:
    """An entry of /images/json; None when it has no id."""
    if not isinstance(raw, dict) or not text(raw.get("Id")):
        return None
    tags, digests = _names(raw.get("RepoTags")), _names(raw.get("RepoDigests"))
    return {
        "engine_id": text(raw["Id"], 100),
        "name": tags[0] if tags else "",
        "tags": tags,
        "digests": digests,
        "size": max(0, whole(raw.get("Size"))),
        "created": time_of(raw.get("Created")),
        "dangling": not tags,
        "labels": labels_of(raw.get("Labels")),
    }


def _names(value: Any) -> list[str]:
    found = {text(name, 500) for name in list_of(value)}
    return sorted(name for name in found if name and "<none>" not in name)[:NAMES_AT_MOST]
