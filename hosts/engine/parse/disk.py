"""What an engine's /system/df says."""

from typing import Any

from hosts.engine.parse.values import at, dicts_of, whole


def disk_use(raw: Any) -> dict[str, int]:
    """/system/df as bytes by kind: images, containers, volumes, build_cache."""

    def total(key: str, *path: str) -> int:
        return sum(max(0, whole(at(entry, *path))) for entry in dicts_of(at(raw, key)))

    return {
        "images": max(0, whole(at(raw, "LayersSize"))) or total("Images", "Size"),
        "containers": total("Containers", "SizeRw"),
        "volumes": total("Volumes", "UsageData", "Size"),
        "build_cache": total("BuildCache", "Size"),
    }
