"""A specification from an engine's inspect answer, without what came from the image or from the engine itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hosts.specs.body import UNCONFINED
from hosts.specs.fields import FIELDS, HEALTH_TIMES, RATES, dig, put
from hosts.specs.kinds import NANO
from hosts.specs.mounts import is_path, mount_of_body, read_volume
from hosts.specs.ports import show_port
from hosts.specs.spec import (
    ContainerSpec,
    Device,
    DeviceRequest,
    Health,
    Mount,
    Network,
    Port,
    Rate,
    Restart,
    Ulimit,
)

SPECIAL = re.compile(r"host|none|(container|ns):.*")
ANONYMOUS = re.compile(r"[0-9a-f]{64}")  # the name that an engine gives to a volume that nobody named


@dataclass(frozen=True)
class Defaults:
    """What this engine gives to a container that does not say otherwise."""

    log_driver: str = "json-file"
    runtime: str = "runc"
    cgroupns: str = "private"
    shm_size: int = 64 * 1024 * 1024

    @classmethod
    def of(cls, info: Mapping[str, Any]) -> "Defaults":
        """From what the engine says of itself (/info)."""
        return cls(
            str(info.get("LoggingDriver") or "json-file"),
            str(info.get("DefaultRuntime") or "runc"),
            "private" if str(info.get("CgroupVersion")) == "2" else "host",
        )


ENGINE = Defaults()


def from_inspect(
    answer: Mapping[str, Any], image: Mapping[str, Any] | None = None, defaults: Defaults = ENGINE
) -> ContainerSpec:
    """`image` is the inspect answer of its image. Nothing in the answers is trusted: what has another shape is left out."""
    told = {"Config": _mapping(answer.get("Config")), "HostConfig": _mapping(answer.get("HostConfig"))}
    config, host = told["Config"], told["HostConfig"]
    base = _mapping((image or {}).get("Config"))
    spec = ContainerSpec(image=str(config.get("Image") or ""), name=str(answer.get("Name") or "").removeprefix("/"))
    for entry in FIELDS:
        value = dig(told, entry.engine)
        if _is_default(entry.name, value, answer, defaults):
            continue
        if entry.engine.startswith("Config.") and value == base.get(entry.engine.removeprefix("Config.")):
            continue
        try:
            put(spec, entry.name, _typed(entry.kind.many, entry.kind.from_engine(value)))
        except (TypeError, ValueError):
            continue
    inherited = _mapping(base.get("Labels"))
    spec.labels = {name: value for name, value in spec.labels.items() if inherited.get(name) != value}
    spec.links = [_link(link) for link in spec.links]
    _process(spec, config, base, host)
    _rights(spec, host)
    _ports(spec, config, base, host)
    spec.mounts = _mounts(config, base, host)
    _networks(spec, answer, config, host)
    for name, (key, rate, _, _) in RATES.items():
        rates = [Rate(str(entry.get("Path")), int(entry.get(rate) or 0)) for entry in _mappings(host.get(key))]
        setattr(spec.limits, name, rates)
    return spec


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _typed(many: str, value: Any) -> Any:
    if many == "list":
        return _texts(value)
    if many == "pairs":
        return {str(name): str(word) for name, word in _mapping(value).items()}
    return value


def _is_default(name: str, value: Any, answer: Mapping[str, Any], defaults: Defaults) -> bool:
    """Whether a value is what the engine puts there by itself."""
    host = _mapping(answer.get("HostConfig"))
    match name:
        case "init" | "limits.memory_swappiness" | "stop_timeout":
            return value is None or value == -1
        case "hostname":
            return not value or str(answer.get("Id", "")).startswith(str(value)) or bool(_shares_network(host))
        case "log.driver":
            return value == defaults.log_driver and not dig(host, "LogConfig.Config")
        case "runtime":
            return not value or value == defaults.runtime
        case "shm_size":
            return not value or value == defaults.shm_size or str(host.get("IpcMode")) == "host"
        case "ipc_mode":
            return value in {"", None, "private"}
        case "cgroupns_mode":
            return not value or value == defaults.cgroupns
        case "isolation":
            return value in {"", None, "default"}
        case "limits.memory_swap":
            return not value or value == 2 * (host.get("Memory") or 0)
        case "limits.pids":
            return not value or value < 0
        case "security_opt":
            return not value or value == ["label=disable"]
        case "oom_score_adj":
            return not value
    return not value


def _shares_network(host: Mapping[str, Any]) -> bool:
    return str(host.get("NetworkMode") or "").startswith(("host", "container:"))


def _link(link: str) -> str:
    """/db:/web/alias as it was given: db:alias."""
    target, _, alias = link.partition(":")
    name, alias = target.removeprefix("/"), alias.rpartition("/")[2]
    return f"{name}:{alias}" if alias and alias != name else name


# ---------------------------------------------------------------- parts
def _process(spec: ContainerSpec, config: dict[str, Any], base: dict[str, Any], host: dict[str, Any]) -> None:
    entrypoint, command = _texts(config.get("Entrypoint")), _texts(config.get("Cmd"))
    image_entrypoint, image_command = _texts(base.get("Entrypoint")), _texts(base.get("Cmd"))
    if entrypoint != image_entrypoint:
        spec.entrypoint = [] if entrypoint == [""] else entrypoint
    if command != image_command or spec.entrypoint is not None:
        spec.command = command
    inherited = set(_texts(base.get("Env")))
    for entry in _texts(config.get("Env")):
        name, _, value = entry.partition("=")
        if entry not in inherited:
            spec.env[name] = value
    health = _mapping(config.get("Healthcheck"))
    if health and health != _mapping(base.get("Healthcheck")):
        spec.health = Health(test=_texts(health.get("Test")), retries=int(health.get("Retries") or 0))
        for name, (key, _, _) in HEALTH_TIMES.items():
            setattr(spec.health, name, (health.get(key) or 0) / NANO)
    policy = _mapping(host.get("RestartPolicy"))
    name = str(policy.get("Name") or "")
    if name and name != "no":
        spec.restart = Restart(name, int(policy.get("MaximumRetryCount") or 0))


def _rights(spec: ContainerSpec, host: dict[str, Any]) -> None:
    if host.get("MaskedPaths") == [] and host.get("ReadonlyPaths") == [] and not spec.privileged:
        spec.security_opt = [*spec.security_opt, UNCONFINED]
    # the engine notes it itself for a privileged container, and for one in the host's processes or memory
    if spec.privileged or "host" in {spec.pid_mode, spec.ipc_mode}:
        spec.security_opt = [word for word in spec.security_opt if word != "label=disable"]
    spec.ulimits = [
        Ulimit(_limit_name(limit.get("Name")), int(limit.get("Soft") or 0), int(limit.get("Hard") or 0))
        for limit in _mappings(host.get("Ulimits"))
    ]
    for device in _mappings(host.get("Devices")):
        outside, inside = str(device.get("PathOnHost") or ""), str(device.get("PathInContainer") or "")
        permissions = str(device.get("CgroupPermissions") or "")
        spec.devices.append(
            Device(outside, "" if inside == outside else inside, "" if permissions == "rwm" else permissions)
        )
    for request in _mappings(host.get("DeviceRequests")):
        if request.get("Driver") == "cdi":
            spec.devices += [Device(name) for name in _texts(request.get("DeviceIDs"))]
            continue
        spec.device_requests.append(
            DeviceRequest(
                str(request.get("Driver") or ""),
                int(request.get("Count") or 0),
                _texts(request.get("DeviceIDs")),
                [_texts(all_of) for all_of in request.get("Capabilities") or []],
                {str(name): str(value) for name, value in _mapping(request.get("Options")).items()},
            )
        )


def _limit_name(name: Any) -> str:
    return str(name).removeprefix("RLIMIT_").lower()  # Podman tells RLIMIT_NOFILE, and takes nofile


def _ports(spec: ContainerSpec, config: dict[str, Any], base: dict[str, Any], host: dict[str, Any]) -> None:
    bindings = _mapping(host.get("PortBindings"))
    for key, entries in bindings.items():
        number, _, protocol = str(key).partition("/")
        if not number.isdecimal():
            continue
        for entry in _mappings(entries):
            address, at = str(entry.get("HostIp") or ""), str(entry.get("HostPort") or "")
            spec.ports.append(Port(int(number), protocol or "tcp", "" if at == "0" else at, address))
    spec.ports.sort(key=lambda port: (port.container, port.protocol, show_port(port)))
    inherited = _mapping(base.get("ExposedPorts"))
    spec.expose = [
        port for port in _mapping(config.get("ExposedPorts")) if port not in bindings and port not in inherited
    ]


def _mounts(config: dict[str, Any], base: dict[str, Any], host: dict[str, Any]) -> list[Mount]:
    mounts = []
    for bind in _texts(host.get("Binds")):
        mount = _bind(bind)
        if mount:
            mounts.append(mount)
    for body in _mappings(host.get("Mounts")):
        try:
            mounts.append(mount_of_body(body))
        except (TypeError, ValueError):
            continue
    said = {mount.target for mount in mounts}
    inherited = _mapping(base.get("Volumes"))
    return mounts + [
        Mount(target) for target in _mapping(config.get("Volumes")) if target not in inherited and target not in said
    ]


def _bind(text: str) -> Mount | None:
    from common.errors import Invalid

    try:
        mount = read_volume("mounts", text)
    except Invalid:
        return None
    mount.create = is_path(mount.source)
    if ANONYMOUS.fullmatch(mount.source):  # a container that was made anew has taken it over by its name
        mount.source = ""
    return mount


def _networks(spec: ContainerSpec, answer: Mapping[str, Any], config: dict[str, Any], host: dict[str, Any]) -> None:
    mode = str(host.get("NetworkMode") or "")
    spec.mac_address = str(config.get("MacAddress") or "")
    if SPECIAL.fullmatch(mode):
        spec.network_mode = mode
        return
    told = _mapping(_mapping(answer.get("NetworkSettings")).get("Networks"))
    made = str(answer.get("Id") or "")[:12]
    for name, endpoint in told.items():
        spec.networks.append(_network(str(name), _mapping(endpoint), made))
    spec.networks.sort(key=lambda network: network.name != mode)  # the first one is the one that it was created with
    if mode in {"", "default"} and spec.networks == [Network("bridge")]:
        spec.networks = []


def _network(name: str, endpoint: dict[str, Any], made: str) -> Network:
    addresses = _mapping(endpoint.get("IPAMConfig"))
    aliases = [alias for alias in dict.fromkeys(_texts(endpoint.get("Aliases"))) if alias != made]
    return Network(
        name,
        aliases,
        str(addresses.get("IPv4Address") or ""),
        str(addresses.get("IPv6Address") or ""),
        _texts(addresses.get("LinkLocalIPs")),
        _texts(endpoint.get("Links")),
        "",
        {str(key): str(value) for key, value in _mapping(endpoint.get("DriverOpts")).items()},
        int(endpoint.get("GwPriority") or 0),
    )
