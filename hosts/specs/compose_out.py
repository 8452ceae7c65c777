"""A specification as a compose service. What compose has no key for goes into x-dermaga, which compose leaves alone."""

from typing import Any

from django.utils.translation import gettext as _

from hosts.specs.devices import show_device
from hosts.specs.fields import FIELDS, HEALTH_TIMES, RATES, bury, get, is_said
from hosts.specs.interpolate import guard
from hosts.specs.kinds import show_bytes, show_span
from hosts.specs.mounts import is_short, show_volume
from hosts.specs.ports import show_ports
from hosts.specs.run_flags import show_restart
from hosts.specs.spec import ContainerSpec, DeviceRequest, Health, Mount, Network
from hosts.specs.yaml_text import write

OWN = "x-dermaga"


def to_compose(spec: ContainerSpec, service: str = "") -> str:
    """A whole compose file with one service."""
    return write(document(spec, service))


def unsaid(spec: ContainerSpec) -> list[str]:
    """Sentences about what compose has no key for."""
    found: set[str] = set()
    _keys_of_own(_service(spec), found)
    if not found:
        return []
    words = _("Compose has no key for this, so it stands in x-dermaga, which docker compose leaves out: %(names)s.")
    return [words % {"names": ", ".join(sorted(found))}]


def _keys_of_own(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        found |= set(value.get(OWN) or {})
    for entry in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _keys_of_own(entry, found)


def document(spec: ContainerSpec, service: str = "") -> dict[str, Any]:
    """The same as values."""
    name = service or spec.name or "app"
    body = _service(spec)
    found: dict[str, Any] = {"services": {name: guard(body)}}
    volumes = {mount.source: _volume(mount) for mount in spec.mounts if mount.type == "volume" and mount.source}
    if volumes:
        found["volumes"] = guard(volumes)
    if networks := [network.name for network in spec.networks if network.name != "bridge"]:
        found["networks"] = {name: {"name": name, "external": True} for name in guard(networks)}
    return found


def _service(spec: ContainerSpec) -> dict[str, Any]:
    body: dict[str, Any] = {}
    own: dict[str, Any] = {}
    for key, value in (
        ("image", spec.image),
        ("container_name", spec.name),
        ("platform", spec.platform),
        ("pull_policy", spec.pull if spec.pull != "missing" else ""),
        ("command", spec.command),
        ("environment", dict(spec.env)),
        ("ports", show_ports(spec.ports)),
        ("expose", [port.removesuffix("/tcp") for port in spec.expose]),
        ("restart", show_restart(spec.restart)),
    ):
        if value:
            body[key] = value
    if spec.entrypoint is not None:
        body["entrypoint"] = list(spec.entrypoint)
    for entry in FIELDS:
        if not is_said(spec, entry.name):
            continue
        value = get(spec, entry.name)
        if entry.name == "tmpfs":
            value = [f"{path}:{options}" if options else path for path, options in value.items()]
        if entry.compose:
            bury(body, entry.compose, entry.kind.compose(value))
        elif entry.name != "stop_timeout":
            own[entry.name] = value
    if spec.stop_timeout is not None:
        body["stop_grace_period"] = show_span(spec.stop_timeout)
    if spec.health:
        body["healthcheck"] = health_body(spec.health)
    _networks(spec, body, own)
    if spec.mounts:
        body["volumes"] = [show_volume(mount) if is_short(mount) else mount_body(mount) for mount in spec.mounts]
    _devices(spec, body)
    return body | ({OWN: own} if own else {})


def health_body(health: Health) -> dict[str, Any]:
    """healthcheck."""
    body: dict[str, Any] = {}
    if health.test == ["NONE"]:
        body["disable"] = True
    elif health.test:
        body["test"] = list(health.test)
    for name, (_key, _flag, key) in HEALTH_TIMES.items():
        if seconds := getattr(health, name):
            body[key] = show_span(seconds)
    return body | ({"retries": health.retries} if health.retries else {})


def _networks(spec: ContainerSpec, body: dict[str, Any], own: dict[str, Any]) -> None:
    if spec.mac_address:
        body["mac_address"] = spec.mac_address
    if spec.network_mode:
        body["network_mode"] = spec.network_mode
    elif spec.networks == [Network("bridge")]:
        body["network_mode"] = "bridge"
    elif spec.networks:
        body["networks"] = {network.name: _network(network) for network in spec.networks}
    # compose connects networks in an order of its own; which one the container is made with is kept
    if links := {network.name: network.links for network in spec.networks if network.links}:
        own["network_links"] = links


def _network(network: Network) -> dict[str, Any] | None:
    body = {
        "aliases": network.aliases,
        "ipv4_address": network.ipv4,
        "ipv6_address": network.ipv6,
        "link_local_ips": network.link_local,
        "mac_address": network.mac_address,
        "driver_opts": network.driver_options,
        "gw_priority": network.gateway_priority,
    }
    return {key: value for key, value in body.items() if value} or None


def mount_body(mount: Mount) -> dict[str, Any]:
    """An entry of volumes in its long form."""
    body: dict[str, Any] = {"type": mount.type, "source": mount.source, "target": mount.target}
    if not mount.source:
        del body["source"]
    body |= {"read_only": True} if mount.read_only else {}
    body |= {"consistency": mount.consistency} if mount.consistency else {}
    bind: dict[str, Any] = {"propagation": mount.propagation} if mount.propagation else {}
    bind |= {"create_host_path": mount.create} if mount.type == "bind" else {}
    bind |= {"recursive": mount.recursive} if mount.recursive else {}
    bind |= {"selinux": mount.selinux} if mount.selinux else {}
    volume: dict[str, Any] = {"nocopy": True} if mount.no_copy else {}
    volume |= {"subpath": mount.subpath} if mount.subpath and mount.type == "volume" else {}
    volume |= {"labels": mount.labels} if mount.labels else {}
    if not mount.source and (mount.driver or mount.driver_options):
        volume[OWN] = _driver(mount)  # a volume without a name cannot be declared
    tmpfs: dict[str, Any] = {"size": mount.size} if mount.size else {}
    tmpfs |= {"mode": mount.mode} if mount.mode is not None else {}
    tmpfs |= {OWN: {"options": mount.options}} if mount.options else {}
    body |= {"bind": bind} if bind else {}
    body |= {"volume": volume} if volume else {}
    body |= {"tmpfs": tmpfs} if tmpfs else {}
    return body | ({"image": {"subpath": mount.subpath}} if mount.subpath and mount.type == "image" else {})


def _driver(mount: Mount) -> dict[str, Any]:
    body: dict[str, Any] = {"driver": mount.driver, "driver_opts": mount.driver_options}
    return {key: value for key, value in body.items() if value}


def _volume(mount: Mount) -> dict[str, Any]:
    return {"name": mount.source} | _driver(mount)


def _devices(spec: ContainerSpec, body: dict[str, Any]) -> None:
    if spec.ulimits:
        body["ulimits"] = {limit.name: {"soft": limit.soft, "hard": limit.hard} for limit in spec.ulimits}
    if spec.devices:
        body["devices"] = [show_device(device) for device in spec.devices]
    if spec.device_requests:
        requests = [_request(request) for request in spec.device_requests]
        bury(body, "deploy.resources.reservations.devices", requests)
    for name, (_key, _rate, _flag, key) in RATES.items():
        if rates := getattr(spec.limits, name):
            weight = name == "blkio_weight_device"
            plain = weight or name.endswith("iops")
            entries = [
                {"path": rate.path, "weight" if weight else "rate": rate.rate if plain else show_bytes(rate.rate)}
                for rate in rates
            ]
            bury(body, f"blkio_config.{key}", entries)


def _request(request: DeviceRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"driver": request.driver, "device_ids": request.ids, "options": request.options}
    body["count"] = "all" if request.count == -1 else request.count
    found = {key: value for key, value in body.items() if value}
    # compose has one list, all of which a device must have
    found["capabilities"] = request.capabilities[0] if request.capabilities else []
    return found | ({OWN: {"capabilities": request.capabilities}} if len(request.capabilities) > 1 else {})
