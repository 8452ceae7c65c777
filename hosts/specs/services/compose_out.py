"""A service's specification as a compose service with `deploy`. What compose has no key for goes into x-dermaga."""

from typing import Any

from hosts.specs import compose_out
from hosts.specs.compose_out import OWN
from hosts.specs.fields import bury, get
from hosts.specs.interpolate import guard
from hosts.specs.mounts import show_volume
from hosts.specs.services.fields import FIELDS, is_said
from hosts.specs.services.mounts import is_short
from hosts.specs.services.spec import File, Network, Port, ServiceSpec
from hosts.specs.yaml_text import write


def to_compose(spec: ServiceSpec) -> str:
    """A whole compose file with one service."""
    name = spec.name or "app"
    found: dict[str, Any] = {"services": {name: guard(_service(spec))}}
    volumes = {mount.source: _volume(mount) for mount in spec.mounts if mount.type == "volume" and mount.source}
    if volumes:
        found["volumes"] = guard(volumes)
    names = {
        "networks": [network.name for network in spec.networks],
        "secrets": [entry.source for entry in spec.secrets],
        "configs": [entry.source for entry in spec.configs],
    }
    for noun, used in names.items():
        if used:
            found[noun] = {name: {"name": name, "external": True} for name in guard(list(dict.fromkeys(used)))}
    return write(found)


def _volume(mount: Any) -> dict[str, Any]:
    options = {"driver": mount.driver, "driver_opts": mount.driver_options}
    return {"name": mount.source} | {key: value for key, value in options.items() if value}


def _service(spec: ServiceSpec) -> dict[str, Any]:
    body: dict[str, Any] = {"image": spec.image}
    own: dict[str, Any] = {}
    for entry in FIELDS:
        if is_said(spec, entry.name):
            value = get(spec, entry.name)
            bury(body if entry.compose else own, entry.compose or entry.name, entry.kind.compose(value))
    if spec.env:
        body["environment"] = dict(spec.env)
    if spec.health:
        body["healthcheck"] = compose_out.health_body(spec.health)
    if spec.ports:
        body["ports"] = [_port(port) for port in spec.ports]
    if spec.networks:
        body["networks"] = {network.name: _network(network) for network in spec.networks}
    if spec.mounts:
        body["volumes"] = [
            show_volume(mount) if is_short(mount) else compose_out.mount_body(mount) for mount in spec.mounts
        ]
    for noun, entries in (("secrets", spec.secrets), ("configs", spec.configs)):
        if entries:
            body[noun] = [_file(entry) for entry in entries]
    if spec.ulimits:
        body["ulimits"] = {limit.name: {"soft": limit.soft, "hard": limit.hard} for limit in spec.ulimits}
    _deploy(spec, body, own)
    return body | ({OWN: own} if own else {})


def _deploy(spec: ServiceSpec, body: dict[str, Any], own: dict[str, Any]) -> None:
    mode = spec.mode
    if mode.kind != "replicated":
        bury(body, "deploy.mode", mode.kind)
    # of a job compose's replicas are how many are to complete
    for name, value in (("replicas", mode.replicas), ("replicas", mode.completions)):
        if value is not None:
            bury(body, f"deploy.{name}", value)
    if mode.concurrent is not None:
        own["concurrent"] = mode.concurrent
    if spec.placement.spread:
        bury(body, "deploy.placement.preferences", [{"spread": label} for label in spec.placement.spread])
    for name in ("placement", "reservations"):  # in forms of their own
        own.pop(name, None)
    if spec.placement.platforms:
        own["platforms"] = spec.placement.platforms
    if spec.reservations.generic:
        entries = [_generic(text) for text in spec.reservations.generic]
        bury(body, "deploy.resources.reservations.generic_resources", entries)
    credential = spec.privileges.credential_spec
    if credential:
        kind, _, name = credential.partition("://")
        body["credential_spec"] = {kind: name}
        del own["privileges"]["credential_spec"]
        if not own["privileges"]:
            del own["privileges"]


def _generic(text: str) -> dict[str, Any]:
    kind, _, value = text.partition("=")
    if value.isdecimal():
        return {"discrete_resource_spec": {"kind": kind, "value": int(value)}}
    return {OWN: {"kind": kind, "value": value}}


def _port(port: Port) -> dict[str, Any]:
    body: dict[str, Any] = {"target": port.target}
    body |= {"published": str(port.published)} if port.published else {}
    return body | {"protocol": port.protocol, "mode": port.mode} | ({"name": port.name} if port.name else {})


def _network(network: Network) -> dict[str, Any] | None:
    body = {"aliases": network.aliases, "driver_opts": network.driver_options}
    return {key: value for key, value in body.items() if value} or None


def _file(entry: File) -> str | dict[str, Any]:
    body: dict[str, Any] = {"target": entry.target, "uid": entry.uid, "gid": entry.gid}
    body = {key: value for key, value in body.items() if value}
    body |= {"mode": f"0{entry.mode:o}"} if entry.mode is not None else {}
    return {"source": entry.source} | body if body else entry.source
