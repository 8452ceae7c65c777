"""A service's specification from a compose service with `deploy`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs import compose_parts as parts
from hosts.specs import interpolate, yaml_text
from hosts.specs.compose_in import command_words, service_of
from hosts.specs.compose_out import OWN
from hosts.specs.fields import dig, put
from hosts.specs.kinds import read_whole, shown
from hosts.specs.mounts import read_mode
from hosts.specs.services.fields import BY_NAME, FIELDS, Field
from hosts.specs.services.spec import MODES, File, Mode, Network, Port, ServiceSpec

# of compose, and without a meaning for a service of a swarm
SAID = {
    "depends_on", "profiles", "develop", "scale", "attach", "build", "provider", "post_start", "pre_stop", "pull_policy",
    "container_name", "restart", "links", "external_links", "expose", "platform", "cgroup_parent", "devices", "tmpfs",
    "network_mode", "security_opt", "userns_mode", "shm_size", "privileged", "ipc", "pid", "mac_address", "domainname",
    "label_file", "models", "use_api_socket", "annotations", "gpus", "runtime", "storage_opt", "volumes_from",
    "mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit", "cpus", "cpu_count", "cpu_percent", "cpu_shares",
    "cpu_period", "cpu_quota", "cpu_rt_period", "cpu_rt_runtime", "cpuset", "pids_limit", "oom_kill_disable", "uts",
    "blkio_config", "cgroup", "device_cgroup_rules",
}  # fmt: skip
REFUSED = {
    "env_file": gettext_noop("env_file: such a file is not here. Paste its lines into environment."),
    "extends": gettext_noop("extends: the other service is not here. Paste what it says."),
}
DEPLOY = {
    "mode", "replicas", "labels", "endpoint_mode", "placement", "resources", "restart_policy", "update_config",
    "rollback_config",
}  # fmt: skip
KNOWN = {  # the keys of deploy's parts
    "placement": {"constraints", "preferences", "max_replicas_per_node"},
    "restart_policy": {"condition", "delay", "max_attempts", "window"},
    "update_config": {"parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"},
    "limits": {"cpus", "memory", "pids"},
    "reservations": {"cpus", "memory", "generic_resources", "devices"},
}
KNOWN["rollback_config"] = KNOWN["update_config"]


@dataclass
class Read:
    """What a file says, and what of it means nothing for a service."""

    spec: ServiceSpec
    notes: list[str] = field(default_factory=list)


def from_compose(text: str, service: str = "") -> Read:
    """A whole file (`service` names one of several), or a service's body alone. Raises Invalid that names the key."""
    name, body, outside = service_of(yaml_text.read(text), service)
    body, outside = interpolate.put_in(body), interpolate.put_in(outside)
    reader = _Reader(outside)
    reader.spec.name = name if "services" in outside else ""
    for key, value in body.items():
        reader.take(str(key), value)
    if not reader.spec.image:
        raise Invalid(
            "image", gettext_noop("The service %(name)s has no image; here nothing is built."), {"name": name}
        )
    return Read(reader.spec, reader.notes)


class _Reader:
    """Takes one key of the service after the other."""

    def __init__(self, outside: dict[str, Any]) -> None:
        self.spec = ServiceSpec()
        self.notes: list[str] = []
        self.outside = outside
        self._own: dict[str, Callable[[Any], None]] = {
            "image": lambda value: setattr(self.spec, "image", parts.word("image", value)),
            "command": lambda value: setattr(self.spec, "command", command_words("command", value)),
            "entrypoint": lambda value: setattr(self.spec, "entrypoint", command_words("entrypoint", value)),
            "environment": lambda value: setattr(self.spec, "env", parts.environment(value)),
            "ports": lambda value: setattr(self.spec, "ports", _ports(value)),
            "healthcheck": lambda value: setattr(self.spec, "health", parts.health(value)),
            "networks": self._networks,
            "volumes": self._volumes,
            "secrets": lambda value: setattr(self.spec, "secrets", _files("secrets", value, self.outside)),
            "configs": lambda value: setattr(self.spec, "configs", _files("configs", value, self.outside)),
            "ulimits": lambda value: setattr(self.spec, "ulimits", parts.ulimits(value)),
            "credential_spec": self._credential,
            "logging": self._logging,
            "deploy": self._deploy,
            OWN: self._ours,
        }
        self._plain = {entry.compose: entry for entry in FIELDS if entry.compose and "." not in entry.compose}

    def take(self, key: str, value: Any) -> None:
        """One key. Raises Invalid."""
        if key in REFUSED:
            raise Invalid("compose", REFUSED[key])
        if key in SAID:
            self.notes.append(_("%(key)s means nothing for a service of a swarm: it is left out.") % {"key": key})
        elif value is None and (key in self._own or key in self._plain):
            return
        elif key in self._own:
            self._own[key](value)
        elif key in self._plain:
            self._put(self._plain[key], key, value)
        elif not key.startswith("x-"):
            raise Invalid("compose", gettext_noop("A service of compose has no key %(key)s."), {"key": shown(key)})

    def _put(self, entry: Field, key: str, value: Any) -> None:
        put(self.spec, entry.name, parts.plain(key, value, entry.kind))

    def _below(self, place: str, told: dict[str, Any]) -> None:
        """The table's fields that stand below `place`."""
        for entry in FIELDS:
            if entry.compose.startswith(f"{place}."):
                value = dig(told, entry.compose.removeprefix(f"{place}."))
                if value is not None:
                    self._put(entry, entry.compose, value)

    def _networks(self, value: Any) -> None:
        found = parts.networks(value, self.outside)
        if any(network.ipv4 or network.ipv6 or network.mac_address for network in found):
            self.notes.append(_("Fixed addresses mean nothing for a service of a swarm: they are left out."))
        self.spec.networks = [Network(one.name, one.aliases, one.driver_options) for one in found]

    def _volumes(self, value: Any) -> None:
        self.spec.mounts = parts.mounts(value, self.outside)
        for mount in self.spec.mounts:
            mount.create = False  # no node makes a missing folder

    def _credential(self, value: Any) -> None:
        told = parts.mapping("credential_spec", value, {"config", "file", "registry"})
        for kind, name in told.items():
            self.spec.privileges.credential_spec = f"{kind}://{parts.word(kind, name)}"

    def _logging(self, value: Any) -> None:
        self._below("logging", parts.mapping("logging", value, {"driver", "options"}))

    def _deploy(self, value: Any) -> None:
        told = parts.mapping("deploy", value, DEPLOY)
        resources = parts.mapping("resources", told.get("resources") or {}, {"limits", "reservations"})
        for name, known in KNOWN.items():
            parts.mapping(name, told.get(name) or resources.get(name) or {}, known)
        self._below("deploy", told)
        self._mode(told)
        placement = told.get("placement") or {}
        for entry in parts.entries("preferences", placement.get("preferences") or []):
            found = parts.mapping("preferences", entry, {"spread"})
            self.spec.placement.spread.append(parts.word("spread", found.get("spread") or ""))
        reserved = resources.get("reservations") or {}
        for entry in parts.entries("generic_resources", reserved.get("generic_resources") or []):
            self.spec.reservations.generic.append(_generic(entry))
        if reserved.get("devices"):
            self.notes.append(_("%(key)s means nothing for a service of a swarm: it is left out.") % {"key": "devices"})

    def _mode(self, told: dict[str, Any]) -> None:
        kind = parts.word("mode", told.get("mode") or "replicated")
        if kind not in MODES:
            raise Invalid(
                "compose",
                gettext_noop("mode: “%(value)s” is none of %(words)s."),
                {"value": shown(kind), "words": ", ".join(MODES)},
            )
        mode = self.spec.mode = Mode(kind, concurrent=self.spec.mode.concurrent)  # type: ignore[arg-type]
        if told.get("replicas") is not None and not kind.startswith("global"):
            count = read_whole("replicas", parts.word("replicas", told["replicas"]))
            setattr(mode, "replicas" if kind == "replicated" else "completions", count)

    def _ours(self, value: Any) -> None:
        told = parts.mapping(OWN, value, {"concurrent", "platforms", "privileges"})
        if told.get("concurrent") is not None:
            self.spec.mode.concurrent = read_whole("concurrent", parts.word("concurrent", told["concurrent"]))
        self.spec.placement.platforms = parts.words("platforms", told.get("platforms") or [])
        for name, entry in _flat("privileges", told.get("privileges") or {}):
            if name not in BY_NAME:
                raise Invalid("compose", gettext_noop("x-dermaga has no key %(key)s."), {"key": shown(name)})
            self._put(BY_NAME[name], name, entry)


def _flat(place: str, value: Any) -> list[tuple[str, Any]]:
    if not isinstance(value, dict):
        return [(place, value)]
    return [pair for key, entry in value.items() for pair in _flat(f"{place}.{key}", entry)]


def _ports(value: Any) -> list[Port]:
    """Short (8080:80/udp, in the mode ingress) and long (target, published, protocol, mode)."""
    found: list[Port] = []
    for entry in parts.entries("ports", value):
        told = entry if isinstance(entry, dict) else {}
        for port in parts.ports([entry]):
            if port.host and not port.host.isdecimal():
                raise Invalid(
                    "compose",
                    gettext_noop("ports: a service publishes one port, not one of %(value)s."),
                    {"value": shown(port.host)},
                )
            mode = parts.word("mode", told.get("mode") or "ingress")
            found.append(
                Port(port.container, int(port.host or 0), port.protocol, mode, parts.word("name", told.get("name", "")))
            )
    return found


def _files(noun: str, value: Any, outside: dict[str, Any]) -> list[File]:
    """Short (a name) and long (source, target, uid, gid, mode). What is called differently outside has that name."""
    found = []
    for entry in parts.entries(noun, value):
        if not isinstance(entry, dict):
            found.append(File(_named(noun, parts.word(noun, entry), outside)))
            continue
        told = parts.mapping(noun, entry, {"source", "target", "uid", "gid", "mode"})
        texts: dict[str, Any] = {key: parts.word(key, told.get(key) or "") for key in ("target", "uid", "gid")}
        file = File(_named(noun, parts.word("source", told.get("source") or ""), outside), **texts)
        if told.get("mode") is not None:
            mode = told["mode"]
            file.mode = mode if isinstance(mode, int) else read_mode("mode", parts.word("mode", mode))
        found.append(file)
    return found


def _named(noun: str, name: str, outside: dict[str, Any]) -> str:
    declared = outside.get(noun)
    found = declared.get(name) if isinstance(declared, dict) else None
    return parts.word(noun, found["name"]) if isinstance(found, dict) and found.get("name") else name


def _generic(entry: Any) -> str:
    told = parts.mapping("generic_resources", entry, {"discrete_resource_spec", OWN})
    found = parts.mapping("generic_resources", told.get("discrete_resource_spec") or told.get(OWN) or {})
    return "=".join(parts.word(key, found.get(key, "")) for key in ("kind", "value"))
