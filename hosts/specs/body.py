"""A specification as an engine's create takes it."""

from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.fields import FIELDS, HEALTH_TIMES, RATES, bury, get, is_said
from hosts.specs.kinds import NANO
from hosts.specs.mounts import is_short, mount_body, show_volume
from hosts.specs.spec import ContainerSpec, Device, DeviceRequest, Health, Mount, Network

OLDEST = "1.40"
UNCONFINED = "systempaths=unconfined"  # a word of the command line, which sends empty lists of masked paths for it


@dataclass
class Create:
    """What creates it: the query of /containers/create, its body, and (network, endpoint) to connect it to afterwards."""

    query: dict[str, str]
    body: dict[str, Any]
    connect: list[tuple[str, dict[str, Any]]] = field(default_factory=list)


def number_of(version: str) -> tuple[int, ...]:
    """An API version to compare by."""
    return tuple(int(part) for part in version.split(".") if part.isdecimal()) or (1, 40)


def demand_version(name: str, needed: str, version: str) -> None:
    """Raises Invalid where the engine's API is older than a field needs."""
    if number_of(version) < number_of(needed):
        raise Invalid(
            name,
            gettext_noop("%(field)s needs the engine's API %(needed)s or newer; this engine speaks %(version)s."),
            {"field": name, "needed": needed, "version": version},
        )


def to_engine(spec: ContainerSpec, version: str = OLDEST) -> Create:
    """The request for an engine that speaks this API version. Raises Invalid for what it does not know."""
    body: dict[str, Any] = {"Image": spec.image, "HostConfig": {}}
    for entry in FIELDS:
        if is_said(spec, entry.name):
            if entry.since:
                demand_version(entry.name, entry.since, version)
            # what inspect calls Config is the body itself
            bury(body, entry.engine.removeprefix("Config."), entry.kind.engine(get(spec, entry.name)))
    host = body["HostConfig"]
    _process(spec, body)
    _rights(spec, host)
    _ports(spec, body)
    _mounts(spec, body, version)
    connect = _networks(spec, body, version)
    if spec.health:
        body["Healthcheck"] = _health(spec.health, version)
    for name, (key, rate, _, _) in RATES.items():
        if entries := getattr(spec.limits, name):
            host[key] = [{"Path": entry.path, rate: entry.rate} for entry in entries]
    query = {name: value for name, value in (("name", spec.name), ("platform", spec.platform)) if value}
    if spec.platform:
        demand_version("platform", "1.41", version)
    return Create(query, body, connect)


def _process(spec: ContainerSpec, body: dict[str, Any]) -> None:
    if spec.command:
        body["Cmd"] = spec.command
    if spec.entrypoint is not None:
        body["Entrypoint"] = spec.entrypoint or [""]  # one empty word clears the image's
    if spec.env:
        body["Env"] = [f"{name}={value}" for name, value in spec.env.items()]
    if spec.stdin:
        body["StdinOnce"] = False
    body["HostConfig"]["RestartPolicy"] = {
        "Name": spec.restart.policy or "no",
        "MaximumRetryCount": spec.restart.retries,
    }
    if spec.log.driver and not spec.log.options:
        body["HostConfig"]["LogConfig"]["Config"] = {}


def _rights(spec: ContainerSpec, host: dict[str, Any]) -> None:
    if UNCONFINED in spec.security_opt:
        host["SecurityOpt"] = [word for word in spec.security_opt if word != UNCONFINED]
        host["MaskedPaths"] = host["ReadonlyPaths"] = []
    if spec.ulimits:
        host["Ulimits"] = [{"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard} for limit in spec.ulimits]
    if devices := [device for device in spec.devices if not is_cdi(device)]:
        host["Devices"] = [
            {
                "PathOnHost": device.host,
                "PathInContainer": device.container or device.host,
                "CgroupPermissions": device.permissions or "rwm",
            }
            for device in devices
        ]
    requests = list(spec.device_requests)
    if named := [device.host for device in spec.devices if is_cdi(device)]:
        requests.append(DeviceRequest("cdi", 0, named))
    if requests:
        host["DeviceRequests"] = [
            {
                "Driver": request.driver,
                "Count": request.count,
                "DeviceIDs": request.ids or None,
                "Capabilities": request.capabilities or None,
                "Options": request.options,
            }
            for request in requests
        ]


def is_cdi(device: Device) -> bool:
    """Whether it is a name of the container device interface: vendor.example/class=name."""
    return "=" in device.host and not device.host.startswith("/")


def _ports(spec: ContainerSpec, body: dict[str, Any]) -> None:
    bindings: dict[str, list[dict[str, str]]] = {}
    for port in spec.ports:
        entry = {"HostIp": port.address, "HostPort": port.host}
        bindings.setdefault(f"{port.container}/{port.protocol}", []).append(entry)
    if bindings:
        body["HostConfig"]["PortBindings"] = bindings
    if exposed := [*bindings, *spec.expose]:
        body["ExposedPorts"] = {port: {} for port in exposed}


def _mounts(spec: ContainerSpec, body: dict[str, Any], version: str) -> None:
    short = [mount for mount in spec.mounts if is_short(mount)]
    if anonymous := [mount.target for mount in short if not mount.source]:
        body["Volumes"] = {target: {} for target in anonymous}
    if binds := [show_volume(mount) for mount in short if mount.source]:
        body["HostConfig"]["Binds"] = binds
    if long := [mount for mount in spec.mounts if not is_short(mount)]:
        for mount in long:
            _demand_of(f"mounts.{spec.mounts.index(mount)}", mount, version)
        body["HostConfig"]["Mounts"] = [mount_body(mount) for mount in long]


def _demand_of(name: str, mount: Mount, version: str) -> None:
    if mount.create:
        demand_version(f"{name}.create", "1.42", version)
    if mount.type == "cluster":
        demand_version(f"{name}.type", "1.42", version)
    if mount.recursive in {"writable", "readonly"}:
        demand_version(f"{name}.recursive", "1.44", version)
    if mount.subpath:
        demand_version(f"{name}.subpath", "1.45", version)
    if mount.options:
        demand_version(f"{name}.options", "1.46", version)
    if mount.type == "image":
        demand_version(f"{name}.type", "1.47", version)


def _networks(spec: ContainerSpec, body: dict[str, Any], version: str) -> list[tuple[str, dict[str, Any]]]:
    """The first network goes into the body; the others are connected afterwards, which every engine can do. Where one of
    those has a MAC address all go into the body: engines forget it when they connect (moby/moby#48192)."""
    old = number_of(version) < (1, 44)
    if spec.network_mode:
        body["HostConfig"]["NetworkMode"] = spec.network_mode
    elif spec.networks:
        body["HostConfig"]["NetworkMode"] = spec.networks[0].name
    first = spec.networks[0] if spec.networks else None
    mac = spec.mac_address or (first.mac_address if first else "")
    if old and mac:
        body["MacAddress"] = mac
    if old and any(network.mac_address for network in spec.networks[1:]):
        demand_version("networks.mac_address", "1.44", version)
    if not old and mac and not first:
        if spec.network_mode:
            raise Invalid(
                "mac_address",
                gettext_noop("mac_address: with the network %(mode)s there is none to give."),
                {"mode": spec.network_mode},
            )
        first = Network("bridge")
        body["HostConfig"]["NetworkMode"] = "bridge"
    endpoint: dict[str, Any] = {}
    if first:
        endpoint = endpoint_body(first, version, "" if old else mac)
        if endpoint:
            body["NetworkingConfig"] = {"EndpointsConfig": {first.name: endpoint}}
    others = [(network.name, endpoint_body(network, version, network.mac_address)) for network in spec.networks[1:]]
    if first and any(network.mac_address for network in spec.networks[1:]):
        bury(body, "NetworkingConfig.EndpointsConfig", {first.name: endpoint, **dict(others)})
        return []
    return others


def endpoint_body(network: Network, version: str, mac: str) -> dict[str, Any]:
    """What it has in one network. Raises Invalid for what this API version does not know."""
    body: dict[str, Any] = {}
    addresses = {"IPv4Address": network.ipv4, "IPv6Address": network.ipv6, "LinkLocalIPs": network.link_local}
    if any(addresses.values()):
        body["IPAMConfig"] = {name: value for name, value in addresses.items() if value}
    body |= {"Aliases": network.aliases} if network.aliases else {}
    body |= {"Links": network.links} if network.links else {}
    body |= {"DriverOpts": network.driver_options} if network.driver_options else {}
    body |= {"MacAddress": mac} if mac else {}
    if network.gateway_priority:
        demand_version("networks.gateway_priority", "1.48", version)
        body["GwPriority"] = network.gateway_priority
    return body


def _health(health: Health, version: str) -> dict[str, Any]:
    body: dict[str, Any] = {"Test": health.test} if health.test else {}
    for name, (key, _, _) in HEALTH_TIMES.items():
        if seconds := getattr(health, name):
            if name == "start_interval":
                demand_version("health.start_interval", "1.44", version)
            body[key] = round(seconds * NANO)
    return body | ({"Retries": health.retries} if health.retries else {})
