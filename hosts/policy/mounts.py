"""What a container mounts: folders of its host, volumes, images, memory."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy import images, volumes
from hosts.policy.bodies import is_said, lowered, objects, texts, whole_path
from hosts.policy.namespaces import Reach, check_container
from hosts.policy.refusals import Lookup, Refusal
from hosts.policy.rules import Rules

SOCKETS = {"/run/docker.sock", "/var/run/docker.sock", "/run/podman/podman.sock", "/var/run/podman/podman.sock"}
SOCKET_NAMES = ("docker.sock", "podman.sock", "containerd.sock", "crio.sock", "buildkitd.sock")
RUN = ("/run", "/var/run")  # one leads to the other
PARENTS = {"/", "/var", *RUN, *(f"{run}/{name}" for run in RUN for name in ("podman", "containerd", "docker", "user"))}
PRIVATE = {"", "private", "rprivate", "slave", "rslave"}
PLAIN_WORDS = {"rw", "ro", "z", "nocopy", "copy", "consistent", "cached", "delegated", "noexec", "nosuid", "nodev"}
LOOSE = {"dev", "suid"}
SEPARATORS = {":", ","}
PATH = gettext_noop("The folder %(what)s of the host is not allowed.")
WRITABLE = gettext_noop("The folder %(what)s of the host may only be mounted to be read.")
SOCKET = gettext_noop("%(what)s leads to the engine's socket: who has it is root on the host.")
SPREAD = gettext_noop("%(what)s: what is mounted inside a container must not appear on the host.")
TYPE = gettext_noop("Mounts of the type %(what)s are not allowed.")
TMPFS = gettext_noop("The option %(what)s of a tmpfs is not allowed.")
OTHERS = gettext_noop("Taking all volumes of another container is not allowed.")


def check(host: Mapping[str, Any], rules: Rules, lookup: Lookup, reach: Reach) -> Iterator[Refusal]:
    """Of a HostConfig, `lowered`."""
    driver = str(host.get("volumedriver") or "")
    if driver and driver not in rules.volume_drivers:
        yield Refusal("volume_drivers", "volume_driver", volumes.DRIVER, {"what": driver[:80]})
    for bind in texts(host.get("binds")):
        yield from _bind("mounts", bind, rules, lookup)
    yield from check_mounts(host.get("mounts"), rules, lookup)
    tmpfs = host.get("tmpfs")
    for options in tmpfs.values() if isinstance(tmpfs, Mapping) else ():
        yield from _tmpfs("tmpfs", str(options or "").split(","))
    for other in texts(host.get("volumesfrom")):
        if not rules.volumes_from:
            yield Refusal("volumes_from", "volumes_from", OTHERS)
        else:
            yield from check_container("volumes_from", other.partition(":")[0], rules, lookup, reach)


def check_anonymous(value: Any) -> Iterator[Refusal]:
    """Of Volumes, whose keys are paths in the container: not every engine takes a colon for a part of one."""
    for path in value if isinstance(value, Mapping) else ():
        if SEPARATORS & set(str(path)):
            yield Refusal("binds", "mounts", PATH, {"what": str(path)[:200]})


def _bind(field: str, bind: str, rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    """source:target:options."""
    source, _colon, rest = bind.partition(":")
    words = rest.partition(":")[2].split(",") if rest else []
    if "\\" in bind:
        yield Refusal("binds", field, PATH, {"what": bind[:200]})
        return
    if not rest:
        return  # a target alone: a new volume without a name
    if "/" in source or source.startswith((".", "~")):
        yield from _folder(field, source, "ro" in words, rules)
        for word in filter(None, words):
            if word.lower() not in PLAIN_WORDS | PRIVATE:
                yield Refusal("binds", field, SPREAD, {"what": word[:80]})
    else:
        yield from _named(field, source, rules, lookup)


def check_mounts(value: Any, rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    """Of Mounts, which containers and services have alike. Raises Twice."""
    for mount in objects(value):
        field, source = "mounts", str(mount.get("source") or "")
        kind = str(mount.get("type") or "").strip().lower()
        if "," in source or "," in str(mount.get("target") or ""):  # not every engine reads it as one word
            yield Refusal("binds", field, PATH, {"what": source[:200]})
            continue
        kind = kind or ("bind" if "/" in source else "volume")
        if kind == "bind" or (kind == "volume" and ("/" in source or source.startswith((".", "~")))):
            yield from _folder(field, source, is_said(mount.get("readonly")), rules)
            options = lowered(mount.get("bindoptions"))
            if str(options.get("propagation") or "").lower() not in PRIVATE:
                yield Refusal("binds", field, SPREAD, {"what": str(options["propagation"])[:80]})
        elif kind == "volume":
            yield from _volume(field, source, mount, rules, lookup)
        elif kind == "tmpfs":
            words = lowered(mount.get("tmpfsoptions")).get("options")
            yield from _tmpfs(field, ["=".join(texts(pair)) for pair in words] if isinstance(words, list) else [])
        elif kind == "image":
            yield from images.check(field, source, rules, lookup)
        else:
            yield Refusal("binds" if kind == "npipe" else "volume_drivers", field, TYPE, {"what": kind[:80]})


def _volume(field: str, name: str, mount: Mapping[str, Any], rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    driver = lowered(lowered(mount.get("volumeoptions")).get("driverconfig"))
    yield from volumes.check_options(field, name, driver.get("name"), driver.get("options"), rules)
    if name:
        yield from _named(field, name, rules, lookup)


def _named(field: str, name: str, rules: Rules, lookup: Lookup) -> Iterator[Refusal]:
    """One that is there may have been made with what is not allowed."""
    found = lookup.volume(name)
    if found is not None:
        yield from volumes.check_options(field, name, found.get("Driver"), found.get("Options"), rules)


def _folder(field: str, source: str, read_only: bool, rules: Rules) -> Iterator[Refusal]:
    path = whole_path(source)
    words = {"what": source[:200]}
    if _is_socket(path):
        if not rules.engine_socket or path not in {*SOCKETS, *rules.paths}:
            yield Refusal("engine_socket", field, SOCKET, words)
    elif path not in rules.paths:  # one below an allowed one may be a link by now
        yield Refusal("binds", field, PATH, words)
    elif rules.paths[path] and not read_only:
        yield Refusal("binds", field, WRITABLE, words)


def _is_socket(path: str) -> bool:
    below = any(path.startswith(f"{run}/{name}/") for run in RUN for name in ("podman", "containerd", "docker", "user"))
    return path in PARENTS or path.rpartition("/")[2] in SOCKET_NAMES or below


def _tmpfs(field: str, words: list[str]) -> Iterator[Refusal]:
    for word in words:
        if word.strip().lower() in LOOSE:
            yield Refusal("security_options", field, TMPFS, {"what": word[:80]})
