"""Disk use of a host by kind, as its page shows it."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as n_

KINDS = {
    "images": n_("Images"),
    "containers": n_("Containers"),
    "volumes": n_("Volumes"),
    "build_cache": n_("Build cache"),
}


@dataclass(frozen=True)
class DiskUse:
    """Bytes of one kind, their share of all in percent, and how many of them nobody uses (None: not told); `absent` is
    what this kind of engine does not have."""

    label: str
    bytes: int
    share: int
    free: int | None
    absent: bool = False


def disk_use(disk: dict[str, Any] | None, engine: str = "") -> list[DiskUse]:
    """One entry a kind; none when nothing was measured yet."""
    if not disk or "images" not in disk:
        return []
    total, free = sum(disk.get(name) or 0 for name in KINDS), disk.get("free") or {}
    return [
        DiskUse(
            _(label),
            disk.get(name) or 0,
            round(100 * (disk.get(name) or 0) / total) if total else 0,
            free.get(name),
            absent=name == "build_cache" and engine == "Podman",
        )
        for name, label in KINDS.items()
    ]


def sum_of(hosts: list[Any]) -> list[DiskUse]:
    """The same for all of `hosts` together."""
    disks = [host.told_disk for host in hosts if host.told_disk and "images" in host.told_disk]
    if not disks:
        return []
    free: dict[str, int] = {name: sum((disk.get("free") or {}).get(name) or 0 for disk in disks) for name in KINDS}
    return disk_use({**{name: sum(disk.get(name) or 0 for disk in disks) for name in KINDS}, "free": free})
