"""Mounts of a service in their texts. Unlike a container's, no bind makes a missing folder on the node by itself."""

from hosts.specs import mounts
from hosts.specs.spec import Mount


def read_mount(field: str, text: str) -> Mount:
    """type=...,target=... or the short form. Raises Invalid."""
    if text.startswith("type="):
        return mounts.read_mount(field, text)
    mount = mounts.read_volume(field, text)
    mount.create = False
    return mount


def is_short(mount: Mount) -> bool:
    """Whether source:target:options says all that is in it."""
    return mount.type == "volume" and mounts.is_short(mount)


def show_mount(mount: Mount) -> str:
    """The shorter of its two texts."""
    return mounts.show_volume(mount) if is_short(mount) else mounts.show_mount(mount)
