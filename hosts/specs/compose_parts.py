"""The values of compose's keys, in their short and their long forms."""

from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid
from hosts.specs.compose_out import OWN
from hosts.specs.devices import read_device
from hosts.specs.fields import HEALTH_TIMES, RATES
from hosts.specs.kinds import (
    Kind,
    plain_number,
    read_bytes,
    read_decimal,
    read_env,
    read_span,
    read_whole,
    shown,
)
from hosts.specs.mounts import is_path, read_mode, read_volume
from hosts.specs.ports import PROTOCOLS, read_expose, read_ports, span
from hosts.specs.spec import (
    ContainerSpec,
    Device,
    DeviceRequest,
    Health,
    Limits,
    Mount,
    Network,
    Port,
    Rate,
    Ulimit,
)


# ---------------------------------------------------------------- shapes
def word(key: str, value: Any) -> str:
    """A scalar as text. Raises Invalid."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str | int | float):
        return str(plain_number(value) if isinstance(value, float) else value)
    raise Invalid("compose", gettext_noop("%(key)s: here a text or a number is wanted."), {"key": shown(key)})


def words(key: str, value: Any) -> list[str]:
    """A list of texts; one text alone is a list too."""
    if isinstance(value, list):
        return [word(key, entry) for entry in value]
    return [word(key, value)]


def entries(key: str, value: Any) -> list[Any]:
    """A list. Raises Invalid."""
    if not isinstance(value, list):
        raise Invalid("compose", gettext_noop("%(key)s: here a list is wanted."), {"key": shown(key)})
    return value


def mapping(key: str, value: Any, known: set[str] | None = None) -> dict[str, Any]:
    """A mapping with `known` keys, and x- ones. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid("compose", gettext_noop("%(key)s: here a mapping is wanted."), {"key": shown(key)})
    for name in value:
        if known is not None and name not in known and not str(name).startswith("x-"):
            raise Invalid(
                "compose", gettext_noop("%(key)s has no key %(name)s."), {"key": shown(key), "name": shown(name)}
            )
    return {str(name): entry for name, entry in value.items()}


def plain(key: str, value: Any, kind: Kind) -> Any:
    """What a Kind reads."""
    if kind.many == "list":
        if isinstance(value, dict):  # extra_hosts as a mapping
            return [kind.read(key, f"{name}={one}") for name, many in value.items() for one in words(key, many)]
        return [kind.read(key, entry) for entry in words(key, value)]
    if kind.many == "pairs":
        if isinstance(value, dict):
            return {str(name): "" if entry is None else word(key, entry) for name, entry in value.items()}
        return dict(kind.read(key, entry) for entry in words(key, value))
    return kind.read(key, word(key, value))


# ---------------------------------------------------------------- keys
def environment(value: Any) -> dict[str, str]:
    """A list of NAME=value or a mapping; a name without a value has none here."""
    if not isinstance(value, dict):
        return dict(read_env("environment", entry) for entry in words("environment", value))
    pairs = {}
    for name, entry in value.items():
        pairs[str(name)] = read_env("environment", str(name))[1] if entry is None else word("environment", entry)
    return pairs


def ports(value: Any) -> list[Port]:
    """Short (8080:80/udp) and long (target, published, host_ip, protocol)."""
    found: list[Port] = []
    for entry in entries("ports", value):
        if not isinstance(entry, dict):
            found += read_ports("ports", word("ports", entry))
            continue
        told = mapping("ports", entry, {"target", "published", "host_ip", "protocol", "mode", "name", "app_protocol"})
        protocol = word("ports", told.get("protocol", "tcp"))
        published = word("ports", told.get("published") or "")
        if protocol not in PROTOCOLS or "target" not in told:
            raise Invalid(
                "compose", gettext_noop("ports: a long form has a target, and a protocol of tcp, udp or sctp.")
            )
        if published:
            span("ports", published)
        inside = span("ports", word("ports", told["target"]))
        address = word("ports", told.get("host_ip") or "")
        found += [Port(port, protocol, published, address) for port in inside]
    return found


def expose(value: Any) -> list[str]:
    """80, "80/udp", "3000-3005"."""
    return [port for entry in words("expose", value) for port in read_expose("expose", entry)]


def health(value: Any) -> Health:
    """healthcheck."""
    told = mapping("healthcheck", value, {"test", "disable", "retries", *(key for _, _, key in HEALTH_TIMES.values())})
    found = Health()
    if "test" in told:
        test = told["test"]
        found.test = words("test", test) if isinstance(test, list) else ["CMD-SHELL", word("test", test)]
    if told.get("disable") is True:
        found.test = ["NONE"]
    for name, (_key, _flag, key) in HEALTH_TIMES.items():
        if told.get(key) is not None:
            setattr(found, name, read_span(key, word(key, told[key])))
    if told.get("retries") is not None:
        found.retries = read_whole("retries", word("retries", told["retries"]))
    return found


def networks(value: Any, outside: dict[str, Any]) -> list[Network]:
    """A list of names, or a mapping with what it has in each."""
    told = value if isinstance(value, dict) else dict.fromkeys(words("networks", value))
    known = {
        "aliases", "ipv4_address", "ipv6_address", "link_local_ips", "mac_address", "driver_opts", "gw_priority",
        "priority", "interface_name",
    }  # fmt: skip
    found = []
    for name, body in told.items():
        body = mapping(f"networks.{name}", body or {}, known)
        texts = {key: word(key, body.get(key) or "") for key in ("ipv4_address", "ipv6_address", "mac_address")}
        network = Network(_named("networks", str(name), outside))
        network.aliases = words("aliases", body.get("aliases") or [])
        network.ipv4, network.ipv6, network.mac_address = texts.values()
        network.link_local = words("link_local_ips", body.get("link_local_ips") or [])
        options = mapping("driver_opts", body.get("driver_opts") or {})
        network.driver_options = {key: word(key, entry) for key, entry in options.items()}
        network.gateway_priority = read_whole("gw_priority", word("gw_priority", body.get("gw_priority") or 0))
        found.append((-read_whole("priority", word("priority", body.get("priority") or 0)), network))
    return [network for _, network in sorted(found, key=lambda pair: pair[0])]


def _named(noun: str, name: str, outside: dict[str, Any]) -> str:
    """What a network or volume is really called."""
    declared = (outside.get(noun) or {}).get(name) if isinstance(outside.get(noun) or {}, dict) else None
    return word(noun, declared["name"]) if isinstance(declared, dict) and declared.get("name") else name


MOUNT_KEYS = {"type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs", "image"}


def mounts(value: Any, outside: dict[str, Any]) -> list[Mount]:
    """volumes: short (data:/data:ro) and long."""
    found = []
    for entry in entries("volumes", value):
        mount = _long_mount(entry) if isinstance(entry, dict) else read_volume("volumes", word("volumes", entry))
        if mount.type == "volume" and mount.source:
            declared = (
                (outside.get("volumes") or {}).get(mount.source) if isinstance(outside.get("volumes"), dict) else None
            )
            mount.source = _named("volumes", mount.source, outside)
            _declared(mount, declared)
        if mount.type == "bind" and is_path(mount.source) and mount.source.startswith((".", "~")):
            raise Invalid(
                "compose",
                gettext_noop(
                    "volumes: %(source)s is relative to a folder that is not known. Write the whole path on the host."
                ),
                {"source": shown(mount.source)},
            )
        found.append(mount)
    return found


def _declared(mount: Mount, declared: Any) -> None:
    if not isinstance(declared, dict):
        return
    mount.driver = word("driver", declared.get("driver") or "")
    options = mapping("driver_opts", declared.get("driver_opts") or {})
    mount.driver_options = {key: word(key, entry) for key, entry in options.items()}


def _long_mount(entry: dict[Any, Any]) -> Mount:
    told = mapping("volumes", entry, MOUNT_KEYS)
    kind = word("type", told.get("type", "volume"))
    if kind not in {"volume", "bind", "tmpfs", "npipe", "cluster", "image"} or "target" not in told:
        raise Invalid(
            "compose", gettext_noop("volumes: a long form has a target, and a type like volume, bind or tmpfs.")
        )
    mount = Mount(word("target", told["target"]), kind, word("source", told.get("source") or ""))  # type: ignore[arg-type]
    mount.read_only = told.get("read_only") is True
    mount.consistency = word("consistency", told.get("consistency") or "")
    bind = mapping("bind", told.get("bind") or {}, {"propagation", "create_host_path", "selinux", "recursive"})
    mount.create = kind == "bind" and bind.get("create_host_path", True) is not False
    mount.propagation = word("propagation", bind.get("propagation") or "")
    mount.selinux = word("selinux", bind.get("selinux") or "")
    mount.recursive = word("recursive", bind.get("recursive") or "")
    volume = mapping("volume", told.get("volume") or {}, {"nocopy", "subpath", "labels"})
    mount.no_copy = volume.get("nocopy") is True
    image = mapping("image", told.get("image") or {}, {"subpath"})
    mount.subpath = word("subpath", volume.get("subpath") or image.get("subpath") or "")
    labels = volume.get("labels") or {}
    mount.labels = {key: word(key, value) for key, value in mapping("labels", labels).items()}
    _declared(mount, volume.get(OWN))
    tmpfs = mapping("tmpfs", told.get("tmpfs") or {}, {"size", "mode"})
    mount.size = read_bytes("size", word("size", tmpfs.get("size") or 0))
    if tmpfs.get("mode") is not None:
        mode = tmpfs["mode"]
        mount.mode = mode if isinstance(mode, int) else read_mode("mode", word("mode", mode))
    mount.options = words("options", mapping(OWN, tmpfs.get(OWN) or {}).get("options") or [])
    return mount


def ulimits(value: Any) -> list[Ulimit]:
    """A number for both, or soft and hard."""
    found = []
    for name, entry in mapping("ulimits", value).items():
        told = mapping(name, entry, {"soft", "hard"}) if isinstance(entry, dict) else {"soft": entry, "hard": entry}
        if len(told) < 2:
            raise Invalid(
                "compose", gettext_noop("ulimits: %(name)s has a soft and a hard limit."), {"name": shown(name)}
            )
        soft, hard = (read_whole(name, word(name, told[key])) for key in ("soft", "hard"))
        found.append(Ulimit(name, soft, hard))
    return found


def devices(value: Any) -> list[Device]:
    """Short, and long (source, target, permissions)."""
    found = []
    for entry in entries("devices", value):
        if isinstance(entry, dict):
            told = mapping("devices", entry, {"source", "target", "permissions"})
            entry = ":".join(
                word(key, told[key]) for key in ("source", "target", "permissions") if told.get(key) is not None
            )
        found.append(read_device("devices", word("devices", entry)))
    return found


def gpus(value: Any) -> list[DeviceRequest]:
    """all, or a list of requests."""
    if value == "all":
        return [DeviceRequest(count=-1, capabilities=[["gpu"]])]
    return [_request(entry, ["gpu"]) for entry in entries("gpus", value)]


def _request(entry: Any, at_least: list[str]) -> DeviceRequest:
    told = mapping("devices", entry, {"driver", "count", "device_ids", "capabilities", "options"})
    count = told.get("count", 0)
    request = DeviceRequest(
        word("driver", told.get("driver") or ""),
        -1 if count == "all" else read_whole("count", word("count", count)),
        words("device_ids", told.get("device_ids") or []),
    )
    capabilities = words("capabilities", told.get("capabilities") or at_least)
    request.capabilities = [capabilities] if capabilities else []
    if several := mapping(OWN, told.get(OWN) or {}).get("capabilities"):
        request.capabilities = [words("capabilities", one) for one in entries("capabilities", several)]
    options = mapping("options", told.get("options") or {})
    request.options = {key: word(key, value) for key, value in options.items()}
    return request


def blkio(value: Any, limits: Limits) -> None:
    """blkio_config."""
    keys = {key: name for name, (_, _, _, key) in RATES.items()}
    told = mapping("blkio_config", value, {"weight", *keys})
    limits.blkio_weight = read_whole("weight", word("weight", told.get("weight") or 0))
    for key, name in keys.items():
        for entry in entries(key, told.get(key) or []):
            body = mapping(key, entry, {"path", "rate", "weight"})
            rate = word(key, body.get("weight", body.get("rate", 0)))
            size = read_whole(key, rate) if key.endswith(("iops", "weight_device")) else read_bytes(key, rate)
            getattr(limits, name).append(Rate(word("path", body.get("path") or ""), size))


def deploy(value: Any, spec: ContainerSpec) -> set[str]:
    """Limits and reservations of deploy.resources; gives the other keys, which are Swarm's."""
    told = mapping("deploy", value)
    resources = mapping("resources", told.pop("resources", None) or {}, {"limits", "reservations"})
    known = {"cpus", "memory", "pids", "devices", "generic_resources"}
    limits = mapping("limits", resources.get("limits") or {}, known)
    reserved = mapping("reservations", resources.get("reservations") or {}, known)
    if "cpus" in limits:
        spec.limits.cpus = read_decimal("cpus", word("cpus", limits["cpus"]))
    if "memory" in limits:
        spec.limits.memory = read_bytes("memory", word("memory", limits["memory"]))
    if "pids" in limits:
        spec.limits.pids = read_whole("pids", word("pids", limits["pids"]))
    if "memory" in reserved:
        spec.limits.memory_reservation = read_bytes("memory", word("memory", reserved["memory"]))
    spec.device_requests += [_request(entry, []) for entry in entries("devices", reserved.get("devices") or [])]
    left = set(told) | ({"reservations.cpus"} if "cpus" in reserved else set())
    return left - {"mode"} if told.get("mode") == "replicated" else left
