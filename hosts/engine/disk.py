"""What an engine's objects take on its disk (/system/df), and how much of it nobody uses."""

from typing import Any, TypedDict

from hosts.engine.errors import EngineError
from hosts.engine.parse.disk import disk_use
from hosts.engine.parse.values import NAME_AT_MOST, text, whole

# Engine 29 says all this in another shape from API 1.52 on, and still the old one to who asks for less.
VERSION_AT_MOST = (1, 51)
SECONDS = 1800.0  # an engine walks through all files of all volumes: that takes minutes on a large host
CACHE_AT_MOST = 2000  # records of the build cache
RUNS = {"running", "paused", "restarting"}


PATH = "/system/df"
ANSWER_AT_MOST = 128 * 1024 * 1024  # bytes


class CacheRecord(TypedDict):
    """One record of the build cache."""

    id: str
    kind: str
    description: str
    size: int
    used: str  # when last, RFC 3339; "" when never
    in_use: bool


class Reading(TypedDict):
    """Bytes by kind (images, containers, volumes, build_cache): `use` in all, `free` what nobody uses; `counts` of
    objects. Sizes of volumes by name and of containers' own files by id, where the engine told them."""

    use: dict[str, int]
    free: dict[str, int]
    counts: dict[str, int]
    volumes: dict[str, int]
    containers: dict[str, int]
    cache: list[CacheRecord]


def is_busy(error: EngineError) -> bool:
    """Whether the engine only says that it is counting already: Docker answers one such question at a time."""
    return "already running" in error.detail


def version_for(version: str) -> str:
    """The API version to ask with on an engine that speaks `version`."""
    try:
        major, minor = (int(part) for part in version.split(".")[:2])
    except ValueError:
        return version
    return version if (major, minor) <= VERSION_AT_MOST else ".".join(map(str, VERSION_AT_MOST))


def reading(raw: Any) -> Reading:
    """The answer of /system/df."""
    images, containers, volumes, cache = (_dicts(raw, key) for key in ("Images", "Containers", "Volumes", "BuildCache"))
    records = [record for record in map(_record, cache) if record["id"]]
    return {
        "use": disk_use(raw),
        "free": {
            # what an unused image shares with others stays with those
            "images": sum(_own(image) for image in images if whole(image.get("Containers")) <= 0),
            "containers": sum(_size(c.get("SizeRw")) for c in containers if text(c.get("State"), 40) not in RUNS),
            "volumes": sum(_volume(v) for v in volumes if whole(_usage(v).get("RefCount")) <= 0),
            "build_cache": sum(record["size"] for record in records if not record["in_use"]),
        },
        "counts": {
            "images": len(images),
            "containers": len(containers),
            "volumes": len(volumes),
            "build_cache": len(records),
        },
        "volumes": {text(v.get("Name"), NAME_AT_MOST): _volume(v) for v in volumes if _is_told(v)},
        "containers": {text(c.get("Id"), 100): _size(c.get("SizeRw")) for c in containers},
        "cache": sorted(records, key=lambda record: -record["size"])[:CACHE_AT_MOST],
    }


def _dicts(raw: Any, key: str) -> list[dict[str, Any]]:
    found = raw.get(key) if isinstance(raw, dict) else None
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def _size(value: Any) -> int:
    return max(0, whole(value))


def _own(image: dict[str, Any]) -> int:
    return max(0, whole(image.get("Size")) - _size(image.get("SharedSize")))


def _usage(volume: dict[str, Any]) -> dict[str, Any]:
    found = volume.get("UsageData")
    return found if isinstance(found, dict) else {}


def _is_told(volume: dict[str, Any]) -> bool:
    """A driver that is no local one, and an engine that could not look, say -1 or nothing."""
    size = _usage(volume).get("Size")
    return isinstance(size, int) and size >= 0


def _volume(volume: dict[str, Any]) -> int:
    return _size(_usage(volume).get("Size"))


def _record(raw: dict[str, Any]) -> CacheRecord:
    return {
        "id": text(raw.get("ID"), 100),
        "kind": text(raw.get("Type"), 40),
        "description": text(raw.get("Description"), 300),
        "size": _size(raw.get("Size")),
        "used": text(raw.get("LastUsedAt") or raw.get("CreatedAt"), 40),
        "in_use": raw.get("InUse") is True,
    }
