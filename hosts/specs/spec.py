"""A container's specification: everything that an engine takes when it creates one.

An empty value (and None where 0 or "no" means something) is "not said": the image's or the engine's own applies.
"""

from dataclasses import field
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass

STRICT = ConfigDict(extra="forbid")
PULLS = ("missing", "always", "never")


@dataclass(config=STRICT)
class Port:
    """A published port. `host` is a port, a range from which the engine picks, or "" for whichever is free."""

    container: int
    protocol: str = "tcp"
    host: str = ""
    address: str = ""


@dataclass(config=STRICT)
class Mount:
    """Something mounted at `target`. A volume without `source` is anonymous.

    `create` makes a bind's missing folder on the host (as `-v` does). `recursive`: enabled, disabled, writable,
    readonly. `selinux`: z or Z. `size` is in bytes, `mode` a number (0o1777) and `options` are mount's own, of a tmpfs.
    """

    target: str
    type: Literal["volume", "bind", "tmpfs", "npipe", "cluster", "image"] = "volume"
    source: str = ""
    read_only: bool = False
    create: bool = False
    propagation: str = ""
    recursive: str = ""
    selinux: str = ""
    consistency: str = ""
    no_copy: bool = False
    subpath: str = ""
    driver: str = ""
    driver_options: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    size: int = 0
    mode: int | None = None
    options: list[str] = field(default_factory=list)


@dataclass(config=STRICT)
class Network:
    """A network that it is in, by name, with what it has there."""

    name: str
    aliases: list[str] = field(default_factory=list)
    ipv4: str = ""
    ipv6: str = ""
    link_local: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    mac_address: str = ""
    driver_options: dict[str, str] = field(default_factory=dict)
    gateway_priority: int = 0


@dataclass(config=STRICT)
class Health:
    """Its health check; times in seconds. `test` is ["NONE"], ["CMD", word, ...], ["CMD-SHELL", line], or empty for the
    image's own."""

    test: list[str] = field(default_factory=list)
    interval: float = 0
    timeout: float = 0
    start_period: float = 0
    start_interval: float = 0
    retries: int = 0


@dataclass(config=STRICT)
class Restart:
    """When the engine starts it again: "", no, always, unless-stopped, on-failure (`retries`: how often at most)."""

    policy: str = ""
    retries: int = 0


@dataclass(config=STRICT)
class Ulimit:
    """A limit of its processes; -1 is none."""

    name: str
    soft: int
    hard: int


@dataclass(config=STRICT)
class Device:
    """A device of the host; permissions are of r, w and m. `host` may be a CDI name (vendor/class=name)."""

    host: str
    container: str = ""
    permissions: str = ""


@dataclass(config=STRICT)
class DeviceRequest:
    """Devices that a driver chooses, as GPUs: `count` of them (-1: all), or those of `ids`."""

    driver: str = ""
    count: int = 0
    ids: list[str] = field(default_factory=list)
    capabilities: list[list[str]] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)


@dataclass(config=STRICT)
class Rate:
    """A limit of one block device: a weight, bytes or operations a second."""

    path: str
    rate: int


@dataclass(config=STRICT)
class Log:
    """Where its output goes."""

    driver: str = ""
    options: dict[str, str] = field(default_factory=dict)


@dataclass(config=STRICT)
class Limits:
    """What it may use at most. Memory in bytes; `memory_swap` is memory and swap together, -1 without limit; times of
    the CPU in microseconds."""

    cpus: float = 0
    cpu_shares: int = 0
    cpu_period: int = 0
    cpu_quota: int = 0
    cpu_rt_period: int = 0
    cpu_rt_runtime: int = 0
    cpuset_cpus: str = ""
    cpuset_mems: str = ""
    memory: int = 0
    memory_reservation: int = 0
    memory_swap: int = 0
    memory_swappiness: int | None = None
    kernel_memory: int = 0
    oom_kill_disable: bool = False
    pids: int = 0
    blkio_weight: int = 0
    blkio_weight_device: list[Rate] = field(default_factory=list)
    device_read_bps: list[Rate] = field(default_factory=list)
    device_write_bps: list[Rate] = field(default_factory=list)
    device_read_iops: list[Rate] = field(default_factory=list)
    device_write_iops: list[Rate] = field(default_factory=list)
    cpu_count: int = 0  # these four: Windows only
    cpu_percent: int = 0
    io_maxbandwidth: int = 0
    io_maxiops: int = 0


@dataclass(config=STRICT)
class ContainerSpec:
    """A container to be."""

    image: str = ""
    name: str = ""
    platform: str = ""
    pull: Literal["missing", "always", "never"] = "missing"
    # what runs
    command: list[str] = field(default_factory=list)
    entrypoint: list[str] | None = None  # None is the image's own, [] is none
    working_dir: str = ""
    user: str = ""
    tty: bool = False
    stdin: bool = False
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    init: bool | None = None
    stop_signal: str = ""
    stop_timeout: int | None = None  # seconds
    health: Health | None = None
    restart: Restart = field(default_factory=Restart)
    auto_remove: bool = False
    log: Log = field(default_factory=Log)
    # network
    hostname: str = ""
    domainname: str = ""
    mac_address: str = ""
    network_mode: str = ""  # host, none, container:NAME, ns:PATH; a network is one of `networks`
    networks: list[Network] = field(default_factory=list)
    ports: list[Port] = field(default_factory=list)
    expose: list[str] = field(default_factory=list)  # 80/tcp
    publish_all: bool = False
    dns: list[str] = field(default_factory=list)
    dns_search: list[str] = field(default_factory=list)
    dns_options: list[str] = field(default_factory=list)
    extra_hosts: list[str] = field(default_factory=list)  # name:address
    links: list[str] = field(default_factory=list)
    # files
    mounts: list[Mount] = field(default_factory=list)
    tmpfs: dict[str, str] = field(default_factory=dict)  # path: mount's options
    volumes_from: list[str] = field(default_factory=list)
    volume_driver: str = ""
    storage_opt: dict[str, str] = field(default_factory=dict)
    read_only: bool = False
    # limits
    limits: Limits = field(default_factory=Limits)
    shm_size: int = 0
    ulimits: list[Ulimit] = field(default_factory=list)
    sysctls: dict[str, str] = field(default_factory=dict)
    oom_score_adj: int = 0
    cgroup_parent: str = ""
    # rights
    privileged: bool = False
    cap_add: list[str] = field(default_factory=list)
    cap_drop: list[str] = field(default_factory=list)
    security_opt: list[str] = field(default_factory=list)
    group_add: list[str] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    device_requests: list[DeviceRequest] = field(default_factory=list)
    device_cgroup_rules: list[str] = field(default_factory=list)
    userns_mode: str = ""
    pid_mode: str = ""
    ipc_mode: str = ""
    uts_mode: str = ""
    cgroupns_mode: str = ""
    runtime: str = ""
    isolation: str = ""


_adapter = TypeAdapter(ContainerSpec)


def to_json(spec: ContainerSpec) -> dict[str, Any]:
    """What is said in it, as JSON values."""
    found: dict[str, Any] = _adapter.dump_python(spec, mode="json", exclude_defaults=True)
    return found


def from_json(values: Any) -> ContainerSpec:
    """The opposite. Raises pydantic.ValidationError."""
    return _adapter.validate_python(values)
