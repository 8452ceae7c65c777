"""What a new container takes over from the one that it replaces, beyond its specification."""

import re
from collections.abc import Mapping
from typing import Any

from hosts.specs.spec import ContainerSpec, Mount

ASIDE = ".dermaga-old-"  # and the job's number: what an old container is called until the new one is proven
COMING = ".dermaga-new-"
STANDS_IN = re.compile(r"(?P<name>.+)\.dermaga-(?P<which>old|new)-(?P<job>[0-9]{1,18})")
DEFAULTS = {"podman", "bridge"}
COMPOSE_IMAGE = "com.docker.compose.image"


def keep_volumes(spec: ContainerSpec, answer: Mapping[str, Any], before: ContainerSpec) -> list[str]:
    """Gives the anonymous mounts of `spec` the volumes that the old container (its inspect `answer` and what it was
    made from) has there; gives their names. What was taken out of `before` on purpose does not come back."""
    wanted = {mount.target: mount for mount in spec.mounts}
    said = {mount.target for mount in before.mounts}
    kept = []
    for mount in answer.get("Mounts") or []:
        target, name = str(mount.get("Destination") or ""), str(mount.get("Name") or "")
        if mount.get("Type") != "volume" or not name or target in spec.tmpfs:
            continue
        there = wanted.get(target)
        if there is None and target not in said:  # declared by the image
            spec.mounts.append(Mount(target, source=name))
        elif there is not None and there.type == "volume" and not there.source:
            there.source = name
        else:
            continue
        kept.append(name)
    return kept


def volumes_of(answer: Mapping[str, Any]) -> set[str]:
    """Names of the volumes that a container has, by its inspect answer; "" for what is mounted and has none."""
    return {str(mount.get("Name") or "") for mount in answer.get("Mounts") or []}


def keep_addresses(spec: ContainerSpec, answer: Mapping[str, Any]) -> None:
    """Podman does not tell which addresses somebody chose: in networks that people made all of them stay."""
    had = (answer.get("NetworkSettings") or {}).get("Networks") or {}
    for network in spec.networks:
        endpoint = had.get(network.name)
        if network.name not in DEFAULTS and isinstance(endpoint, dict) and not (network.ipv4 or network.ipv6):
            network.ipv4 = str(endpoint.get("IPAddress") or "")


def relabel(spec: ContainerSpec, image_id: str) -> None:
    """Compose compares this label with the image that is there, and would make the container anew once more."""
    if COMPOSE_IMAGE in spec.labels:
        spec.labels[COMPOSE_IMAGE] = image_id


def joins(host_config: Mapping[str, Any], names: set[str]) -> bool:
    """Whether a container is in a namespace of one of `names` (ids or names)."""
    modes = (str(host_config.get(mode) or "") for mode in ("NetworkMode", "IpcMode", "PidMode"))
    return any(mode.removeprefix("container:") in names for mode in modes if mode.startswith("container:"))


def join(spec: ContainerSpec, names: set[str], new: str) -> None:
    """Puts `new` in the place of what `spec` joins."""
    for field in ("network_mode", "ipc_mode", "pid_mode"):
        kind, _, ref = getattr(spec, field).partition(":")
        if kind == "container" and ref in names:
            setattr(spec, field, f"container:{new}")
