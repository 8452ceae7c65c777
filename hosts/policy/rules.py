"""The rules of a policy, and how several hold together. All that is not said is refused."""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid

ENTRIES_AT_MOST, ENTRY_AT_MOST = 200, 500
RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
MOST_PORT = 65535
LIMITS = ("memory", "cpus", "pids")
NAMESPACES = ("network", "pid", "ipc", "uts", "user", "cgroup")
CHOICES: dict[str, tuple[str, ...]] = {
    "namespaces": NAMESPACES,
    "limits": LIMITS,
    "volume_types": ("nfs", "nfs4", "cifs"),
}


@dataclass(frozen=True)
class Rules:
    """What may be asked of an engine. Lists are of what is allowed; but `images` allows any while it is empty, and
    `limits` are those that each container must have."""

    privileged: bool = False
    capabilities: tuple[str, ...] = ()  # beyond the engine's own: NET_ADMIN; ALL
    devices: tuple[str, ...] = ()  # /dev/fuse
    device_rules: bool = False  # device cgroup rules, which reach any device
    gpus: bool = False  # and all else that is asked for as a device request
    namespaces: tuple[str, ...] = ()  # of the host
    binds: tuple[str, ...] = ()  # /srv/team, /srv/common:ro
    engine_socket: bool = False
    volumes_from: bool = False
    volume_drivers: tuple[str, ...] = ("local",)
    volume_types: tuple[str, ...] = ()  # of the local driver, beside plain folders and tmpfs
    security_options: bool = False  # those that take a protection away
    sysctls: tuple[str, ...] = ()  # net.core.somaxconn, net.ipv4.*
    ports: tuple[str, ...] = ("1024-65535",)
    network_drivers: tuple[str, ...] = ("bridge", "overlay")
    images: tuple[str, ...] = ()  # registry.example.com/team/*
    limits: tuple[str, ...] = ()
    log_drivers: tuple[str, ...] = ("json-file", "local", "none", "journald")
    runtimes: tuple[str, ...] = ()  # beside the engine's default one
    cgroup_parent: bool = False
    priority: bool = False  # before others when memory or CPU is short: OOM score, realtime
    ulimits: tuple[str, ...] = ("core", "nofile", "nproc", "stack", "fsize", "cpu", "data", "as", "rss")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Rules":
        """From JSON: what is left out is strict. What this version does not know, or is of another kind, counts for
        nothing."""
        known = {entry.name: entry.default for entry in fields(cls)}
        return cls(**{name: _as(default, values.get(name, default)) for name, default in known.items()})

    def as_json(self) -> dict[str, Any]:
        """The same for `of`."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def check(self) -> None:
        """Raises Invalid for the first entry that no rule can have."""
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, tuple):
                for text in value:
                    _check_entry(entry.name, text)
                if len(value) > ENTRIES_AT_MOST:
                    raise Invalid(entry.name, gettext_noop("At most %(most)s entries."), {"most": ENTRIES_AT_MOST})
        _check_nesting(self.binds)

    @property
    def paths(self) -> dict[str, bool]:
        """The folders of the host that may be mounted, and whether only to be read."""
        return {text.removesuffix(":ro"): text.endswith(":ro") for text in self.binds}

    def allows_port(self, port: int) -> bool:
        """Whether it may be published."""
        return any(first <= port <= last for first, last in map(_span, self.ports))


def _as(default: Any, value: Any) -> Any:
    if isinstance(default, bool):
        return value is True
    entries = value if isinstance(value, list | tuple) else ()
    return tuple(entry for entry in entries if isinstance(entry, str))


def _span(text: str) -> tuple[int, int]:
    found = RANGE.fullmatch(text)
    return (int(found[1]), int(found[2] or found[1])) if found else (1, 0)


# ---------------------------------------------------------------- what may be written
def _check_entry(name: str, text: str) -> None:
    if not text.strip() or not text.isprintable() or len(text) > ENTRY_AT_MOST or text != text.strip():
        raise Invalid(name, gettext_noop("Write one entry a line, without blanks around it."))
    if name in CHOICES and text not in CHOICES[name]:
        sentence = gettext_noop("“%(value)s” is none of %(known)s.")
        raise Invalid(name, sentence, {"value": text[:80], "known": ", ".join(CHOICES[name])})
    if name == "ports":
        first, last = _span(text)
        if not 1 <= first <= last <= MOST_PORT:
            raise Invalid(name, gettext_noop("“%(value)s” is no port or range like 8000-8999."), {"value": text[:80]})
    if name in {"binds", "devices"}:
        path = text.removesuffix(":ro") if name == "binds" else text
        if not path.startswith("/") or path == "/" or posixpath.normpath(path) != path or path.startswith("//"):
            sentence = gettext_noop("“%(value)s” is no whole path like /srv/team, without dots and a slash at the end.")
            raise Invalid(name, sentence, {"value": text[:80]})


def _check_nesting(binds: Iterable[str]) -> None:
    """Who writes into a folder can put a link where a folder below it was, and mount what the link leads to."""
    folders = {text.removesuffix(":ro"): text.endswith(":ro") for text in binds}
    for outer, read_only in folders.items():
        inner = next((path for path in folders if path.startswith(f"{outer}/")), None)
        if inner and not read_only:
            sentence = gettext_noop(
                "%(inner)s lies in %(outer)s, where containers write: a link put in its place would be mounted instead. "
                "Allow one of the two, or the outer one with :ro."
            )
            raise Invalid("binds", sentence, {"inner": inner, "outer": outer})
