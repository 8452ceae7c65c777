"""A specification from the Spec that an engine tells of a service. What has another shape than it should is left out."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from hosts.specs.fields import HEALTH_TIMES, dig, put
from hosts.specs.kinds import NANO
from hosts.specs.mounts import mount_of_body
from hosts.specs.services.body import Ids
from hosts.specs.services.fields import CONTAINER, FIELDS, TASK
from hosts.specs.services.spec import File, Mode, Network, Port, ServiceSpec
from hosts.specs.spec import Health, Mount, Ulimit


def from_inspect(told: Any, networks: Mapping[str, str] | None = None) -> ServiceSpec:
    """`told` is the Spec (or PreviousSpec) of an inspected service; `networks` has names by id."""
    told = _mapping(told)
    container = _mapping(dig(told, CONTAINER))
    spec = ServiceSpec(name=_text(told.get("Name")), image=_text(container.get("Image")))
    for entry in FIELDS:
        value = dig(told, entry.engine) if entry.engine else None
        if value is None or value in ("", [], {}) or (entry.name == "isolation" and value == "default"):
            continue
        try:
            put(spec, entry.name, _typed(entry.kind.many, entry.kind.from_engine(value)))
        except (TypeError, ValueError):
            continue
    _process(spec, container)
    _files(spec, container)
    _privileges(spec, container)
    _placing(spec, told)
    spec.mode = mode_of(told)
    spec.networks = _networks(told, networks or {})
    spec.ports = [port for port in map(_port, _mappings(dig(told, "EndpointSpec.Ports"))) if port]
    return spec


def ids_of(told: Any) -> Ids:
    """The ids of the secrets and configs that an inspected service refers to."""
    container = _mapping(dig(_mapping(told), CONTAINER))
    return Ids(
        {_text(one.get("SecretName")): _text(one.get("SecretID")) for one in _mappings(container.get("Secrets"))},
        {_text(one.get("ConfigName")): _text(one.get("ConfigID")) for one in _mappings(container.get("Configs"))},
    )


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _mappings(value: Any) -> list[dict[str, Any]]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _texts(value: Any) -> list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _typed(many: str, value: Any) -> Any:
    if many == "list":
        return _texts(value)
    if many == "pairs":
        return {str(name): str(word) for name, word in _mapping(value).items()}
    if not isinstance(value, str | int | float):
        raise TypeError
    return value


def _process(spec: ServiceSpec, container: dict[str, Any]) -> None:
    for entry in _texts(container.get("Env")):
        name, _, value = entry.partition("=")
        spec.env[name] = value
    for line in _texts(container.get("Hosts")):
        address, *names = line.split()[:20] or [""]
        spec.extra_hosts += [f"{name}:{address}" for name in names]
    health = _mapping(container.get("Healthcheck"))
    if health:
        spec.health = Health(test=_texts(health.get("Test")), retries=_whole(health.get("Retries")))
        for name, (key, _, _) in HEALTH_TIMES.items():
            setattr(spec.health, name, _whole(health.get(key)) / NANO)
    spec.ulimits = [
        Ulimit(_text(limit.get("Name")), _whole(limit.get("Soft")), _whole(limit.get("Hard")))
        for limit in _mappings(container.get("Ulimits"))
    ]


def _files(spec: ServiceSpec, container: dict[str, Any]) -> None:
    spec.mounts = [mount for mount in map(_mount, _mappings(container.get("Mounts"))) if mount]
    spec.secrets = [_file(one.get("SecretName"), one.get("File"), "{}") for one in _mappings(container.get("Secrets"))]
    configs = [one for one in _mappings(container.get("Configs")) if one.get("File")]
    spec.configs = [_file(one.get("ConfigName"), one.get("File"), "/{}") for one in configs]


def _mount(body: dict[str, Any]) -> Mount | None:
    try:
        return mount_of_body(body)
    except (TypeError, ValueError, AttributeError):
        return None


def _file(source: Any, told: Any, place: str) -> File:
    told, source = _mapping(told), _text(source)
    target, mode = _text(told.get("Name")), told.get("Mode")
    uid, gid = _text(told.get("UID")), _text(told.get("GID"))
    return File(
        source,
        "" if target == place.format(source) else target,
        "" if uid == "0" else uid,
        "" if gid == "0" else gid,
        mode if isinstance(mode, int) and mode != 0o444 else None,
    )


def _privileges(spec: ServiceSpec, container: dict[str, Any]) -> None:
    told = _mapping(container.get("Privileges"))
    credential = _mapping(told.get("CredentialSpec"))
    if found := _text(credential.get("Config")):
        names = {one.get("ConfigID"): _text(one.get("ConfigName")) for one in _mappings(container.get("Configs"))}
        spec.privileges.credential_spec = f"config://{names.get(found) or found}"
    for key in ("File", "Registry"):
        if found := _text(credential.get(key)):
            spec.privileges.credential_spec = f"{key.lower()}://{found}"
    seccomp = _mapping(told.get("Seccomp"))
    spec.privileges.seccomp = _text(seccomp.get("Mode"))
    if spec.privileges.seccomp == "custom":
        try:
            spec.privileges.seccomp = base64.b64decode(_text(seccomp.get("Profile"))).decode()
        except (binascii.Error, UnicodeDecodeError):
            spec.privileges.seccomp = ""


def _placing(spec: ServiceSpec, told: dict[str, Any]) -> None:
    place = _mapping(dig(told, f"{TASK}.Placement"))
    spreads = [_mapping(one.get("Spread")).get("SpreadDescriptor") for one in _mappings(place.get("Preferences"))]
    spec.placement.spread = [text for text in map(_text, spreads) if text]
    spec.placement.platforms = [
        f"{_text(one.get('OS'))}/{_text(one.get('Architecture'))}" for one in _mappings(place.get("Platforms"))
    ]
    for one in _mappings(dig(told, f"{TASK}.Resources.Reservations.GenericResources")):
        found = _mapping(one.get("DiscreteResourceSpec") or one.get("NamedResourceSpec"))
        spec.reservations.generic.append(f"{found.get('Kind')}={found.get('Value')}")


def mode_of(told: Any) -> Mode:
    """How many tasks a Spec wants."""
    told = _mapping(_mapping(told).get("Mode"))
    if "Global" in told and told["Global"] is not None:
        return Mode("global")
    if told.get("GlobalJob") is not None:
        return Mode("global-job")
    if isinstance(job := told.get("ReplicatedJob"), dict):
        return Mode("replicated-job", None, _whole(job.get("MaxConcurrent")), _whole(job.get("TotalCompletions")))
    return Mode("replicated", _whole(_mapping(told.get("Replicated")).get("Replicas")))


def _networks(told: dict[str, Any], names: Mapping[str, str]) -> list[Network]:
    found = _mappings(dig(told, f"{TASK}.Networks")) or _mappings(told.get("Networks"))  # older clients say it here
    networks = []
    for one in found:
        target = _text(one.get("Target"))
        options = {str(name): str(value) for name, value in _mapping(one.get("DriverOpts")).items()}
        networks.append(Network(names.get(target, target), _texts(one.get("Aliases")), options))
    return networks


def _port(told: dict[str, Any]) -> Port | None:
    target = _whole(told.get("TargetPort"))
    if not target:
        return None
    return Port(
        target,
        _whole(told.get("PublishedPort")),
        _text(told.get("Protocol")) or "tcp",
        _text(told.get("PublishMode")) or "ingress",
        _text(told.get("Name")),
    )
