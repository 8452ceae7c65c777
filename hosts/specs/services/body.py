"""A service's specification as an engine takes it, and put over one that it has."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.body import OLDEST, demand_version
from hosts.specs.fields import HEALTH_TIMES, bury, get
from hosts.specs.kinds import NANO
from hosts.specs.mounts import mount_body
from hosts.specs.services.fields import CONTAINER, FIELDS, TASK, is_said
from hosts.specs.services.spec import File, Mode, ServiceSpec
from hosts.specs.spec import Health

NO_SUCH = gettext_noop("The swarm has no “%(value)s” of this kind.")
SAME = ("Target", "TargetPort", "Name", "SecretName", "ConfigName")  # what tells an entry of a list from the others


@dataclass(frozen=True)
class Ids:
    """The ids that a swarm knows secrets and configs by; a specification has their names."""

    secrets: Mapping[str, str] = field(default_factory=dict)
    configs: Mapping[str, str] = field(default_factory=dict)


def to_engine(spec: ServiceSpec, version: str = OLDEST, ids: Ids | None = None) -> dict[str, Any]:
    """The ServiceSpec for an engine that speaks this API version. Raises Invalid for what it does not know, and for a
    secret or config without an id."""
    ids = ids or Ids()
    body: dict[str, Any] = {"Name": spec.name, "TaskTemplate": {"ContainerSpec": {"Image": spec.image}}}
    for entry in FIELDS:
        if is_said(spec, entry.name):
            if entry.since:
                demand_version(entry.name, entry.since, version)
            if entry.engine:
                bury(body, entry.engine, entry.kind.engine(get(spec, entry.name)))
    for name, key in (("update", "UpdateConfig"), ("rollback", "RollbackConfig")):
        if key in body and getattr(spec, name).parallelism is None:
            body[key]["Parallelism"] = 1  # an engine would take all at once, which nobody has said
    container = body["TaskTemplate"]["ContainerSpec"]
    _process(spec, container, version)
    _files(spec, container, version, ids)
    _privileges(spec, body, version, ids)
    _placing(spec, body)
    body["Mode"] = mode_body(spec.mode)
    if spec.networks:
        body["TaskTemplate"]["Networks"] = [
            {"Target": network.name}
            | ({"Aliases": network.aliases} if network.aliases else {})
            | ({"DriverOpts": network.driver_options} if network.driver_options else {})
            for network in spec.networks
        ]
    if spec.ports:
        bury(body, "EndpointSpec.Ports", [_port(port) for port in spec.ports])
    if spec.mode.kind.endswith("-job"):
        demand_version("mode", "1.41", version)
    return body


def _process(spec: ServiceSpec, container: dict[str, Any], version: str) -> None:
    if spec.env:
        container["Env"] = [f"{name}={value}" for name, value in spec.env.items()]
    if spec.extra_hosts:  # here as a line of /etc/hosts
        pairs = [entry.partition(":") for entry in spec.extra_hosts]
        container["Hosts"] = [f"{address} {name}" for name, _, address in pairs]
    if spec.health:
        container["Healthcheck"] = _health(spec.health, version)
    if spec.ulimits:
        demand_version("ulimits", "1.41", version)
        container["Ulimits"] = [{"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard} for limit in spec.ulimits]


def _health(health: Health, version: str) -> dict[str, Any]:
    body: dict[str, Any] = {"Test": health.test} if health.test else {}
    for name, (key, _, _) in HEALTH_TIMES.items():
        if seconds := getattr(health, name):
            if name == "start_interval":
                demand_version("health.start_interval", "1.44", version)
            body[key] = round(seconds * NANO)
    return body | ({"Retries": health.retries} if health.retries else {})


def _files(spec: ServiceSpec, container: dict[str, Any], version: str, ids: Ids) -> None:
    for at, mount in enumerate(spec.mounts):
        for wanted, needed in ((mount.create, "1.42"), (mount.type == "cluster", "1.42"), (mount.subpath, "1.45")):
            if wanted:
                demand_version(f"mounts.{at}", needed, version)
    if spec.mounts:
        container["Mounts"] = [mount_body(mount) for mount in spec.mounts]
    if spec.secrets:
        container["Secrets"] = [
            {
                "SecretID": _id_of(f"secrets.{at}", entry.source, ids.secrets),
                "SecretName": entry.source,
                "File": _file(entry, entry.source),
            }
            for at, entry in enumerate(spec.secrets)
        ]
    if spec.configs:
        container["Configs"] = [
            {
                "ConfigID": _id_of(f"configs.{at}", entry.source, ids.configs),
                "ConfigName": entry.source,
                "File": _file(entry, f"/{entry.source}"),
            }
            for at, entry in enumerate(spec.configs)
        ]


def _file(entry: File, place: str) -> dict[str, Any]:
    return {
        "Name": entry.target or place,
        "UID": entry.uid or "0",
        "GID": entry.gid or "0",
        "Mode": 0o444 if entry.mode is None else entry.mode,
    }


def _id_of(name: str, wanted: str, known: Mapping[str, str]) -> str:
    if wanted not in known:
        raise Invalid(name, NO_SUCH, {"value": wanted[:80]})
    return known[wanted]


def _privileges(spec: ServiceSpec, body: dict[str, Any], version: str, ids: Ids) -> None:
    place, wanted = f"{CONTAINER}.Privileges", spec.privileges
    if wanted.credential_spec:
        kind, _, name = wanted.credential_spec.partition("://")
        if kind == "config":
            found = _id_of("privileges.credential_spec", name, ids.configs)
            bury(body, f"{place}.CredentialSpec.Config", found)
            entry = {"ConfigID": found, "ConfigName": name, "Runtime": {}}
            body["TaskTemplate"]["ContainerSpec"].setdefault("Configs", []).append(entry)
        else:
            bury(body, f"{place}.CredentialSpec.{'File' if kind == 'file' else 'Registry'}", name)
    if wanted.seccomp in {"default", "unconfined"}:
        bury(body, f"{place}.Seccomp.Mode", wanted.seccomp)
    elif wanted.seccomp:
        profile = base64.b64encode(wanted.seccomp.encode()).decode()
        bury(body, f"{place}.Seccomp", {"Mode": "custom", "Profile": profile})


def _placing(spec: ServiceSpec, body: dict[str, Any]) -> None:
    if spec.placement.spread:
        preferences = [{"Spread": {"SpreadDescriptor": label}} for label in spec.placement.spread]
        bury(body, f"{TASK}.Placement.Preferences", preferences)
    if spec.placement.platforms:
        pairs = [text.partition("/") for text in spec.placement.platforms]
        bury(body, f"{TASK}.Placement.Platforms", [{"OS": os, "Architecture": arch} for os, _, arch in pairs])
    if spec.reservations.generic:
        entries = [_generic(text) for text in spec.reservations.generic]
        bury(body, f"{TASK}.Resources.Reservations.GenericResources", entries)


def _generic(text: str) -> dict[str, Any]:
    kind, _, value = text.partition("=")
    if value.isdecimal():
        return {"DiscreteResourceSpec": {"Kind": kind, "Value": int(value)}}
    return {"NamedResourceSpec": {"Kind": kind, "Value": value}}


def mode_body(mode: Mode) -> dict[str, Any]:
    """How an engine writes a mode."""
    match mode.kind:
        case "global":
            return {"Global": {}}
        case "global-job":
            return {"GlobalJob": {}}
        case "replicated-job":
            concurrent = 1 if mode.concurrent is None else mode.concurrent
            total = concurrent if mode.completions is None else mode.completions
            return {"ReplicatedJob": {"MaxConcurrent": concurrent, "TotalCompletions": total}}
    return {"Replicated": {"Replicas": 1 if mode.replicas is None else mode.replicas}}


def _port(port: Any) -> dict[str, Any]:
    body: dict[str, Any] = {"Protocol": port.protocol, "TargetPort": port.target, "PublishMode": port.mode}
    body |= {"PublishedPort": port.published} if port.published else {}
    return body | ({"Name": port.name} if port.name else {})


# ---------------------------------------------------------------- over one that is there
def put_over(kept: Any, before: Any, after: Any) -> Any:
    """`kept`, of which we understand `before`, changed to `after`: what did not change stays as it is, with all that
    we do not know of."""
    if before == after:
        return kept
    if isinstance(kept, dict) and isinstance(after, dict):
        before = before if isinstance(before, dict) else {}
        found = {key: value for key, value in kept.items() if key in after or key not in before}
        return found | {key: put_over(kept.get(key), before.get(key), value) for key, value in after.items()}
    if isinstance(kept, list) and isinstance(before, list) and isinstance(after, list) and len(kept) == len(before):
        return [_entry(kept, before, entry) for entry in after]
    return after


def _entry(kept: list[Any], before: list[Any], entry: Any) -> Any:
    """One of a list: as it was, or the one of the same name changed, or new."""
    if entry in before:
        return kept[before.index(entry)]
    for at, one in enumerate(before):
        if isinstance(one, dict) and isinstance(entry, dict) and _same(one, entry):
            return put_over(kept[at], one, entry)
    return entry


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(key in one and one[key] == other.get(key) for key in SAME)
