"""Volumes: their drivers, and options that make a folder or disk of the host of one."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy.bodies import Twice, is_said, lowered
from hosts.policy.refusals import Refusal
from hosts.policy.rules import Rules

OF_TMPFS = {
    *(
        "size",
        "mode",
        "uid",
        "gid",
        "nr_inodes",
        "nr_blocks",
        "noexec",
        "nosuid",
        "nodev",
        "ro",
        "rw",
        "noatime",
        "huge",
    ),
}
IN_DISGUISE = {"bind", "rbind", "move", "remount", "loop"}
KNOWN = {"name", "driver", "driveropts", "labels", "clustervolumespec"}
DRIVER = gettext_noop("The volume driver %(what)s is not allowed.")
OPTIONS = gettext_noop("The options of the volume %(what)s lead to a folder, disk or server that is not allowed.")
CLUSTER = gettext_noop("Cluster volumes are not allowed.")
UNKNOWN = gettext_noop("%(what)s is not known to be harmless.")
TWICE = gettext_noop("%(what)s is written in two ways: only one can be meant.")


def check_volume(body: Mapping[str, Any], rules: Rules) -> list[Refusal]:
    """All that the body of POST /volumes/create asks for and `rules` do not allow."""
    try:
        whole = lowered(body)
        found = [
            Refusal("unknown", name, UNKNOWN, {"what": name[:80]})
            for name, value in whole.items()
            if name not in KNOWN and is_said(value)
        ]
        if is_said(whole.get("clustervolumespec")):
            found.append(Refusal("volume_drivers", "driver", CLUSTER))
        name = str(whole.get("name") or "")
        return [*found, *check_options("options", name, whole.get("driver"), whole.get("driveropts"), rules)]
    except Twice as twice:
        return [Refusal("unknown", "options", TWICE, {"what": str(twice)[:80]})]


def check_options(field: str, name: str, driver: Any, options: Any, rules: Rules) -> Iterator[Refusal]:
    """Of one that is to be made, or is there. Raises Twice."""
    kind = str(driver or "local")
    if kind not in rules.volume_drivers:
        yield Refusal("volume_drivers", "driver" if field == "options" else field, DRIVER, {"what": kind[:80]})
    elif kind == "local" and is_said(options) and not _is_harmless(lowered(options), rules):
        yield Refusal("volume_types", field, OPTIONS, {"what": name[:80]})


def _is_harmless(options: Mapping[str, Any], rules: Rules) -> bool:
    if not set(options) <= {"type", "device", "o", "size"}:
        return False
    kind, device = str(options.get("type") or "").lower(), str(options.get("device") or "")
    words = [word.strip().lower() for word in str(options.get("o") or "").split(",") if word.strip()]
    names = {word.partition("=")[0] for word in words}
    if kind == "tmpfs":
        return device in {"", "tmpfs"} and names <= OF_TMPFS
    if not kind and not device:
        return names <= {"size", "uid", "gid", "noquota"}
    if kind not in rules.volume_types or names & IN_DISGUISE or "credentials" in names or "cred" in names:
        return False
    return device.startswith("//" if kind == "cifs" else ":")
