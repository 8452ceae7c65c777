"""A service's specification: everything that a swarm takes when it makes or changes one.

An empty value (and None where 0 or "no" means something) is "not said": the image's or the engine's own applies. The
words are compose's: `entrypoint` is what the engine calls Command, `command` what it calls Args.
"""

from dataclasses import field
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.dataclasses import dataclass

from hosts.specs.spec import STRICT, Health, Log, Mount, Ulimit

MODES = ("replicated", "global", "replicated-job", "global-job")


@dataclass(config=STRICT)
class Port:
    """A published port. `mode` ingress: on every node; host: on the nodes where a task runs. `published` 0: whichever is
    free."""

    target: int
    published: int = 0
    protocol: str = "tcp"
    mode: str = "ingress"
    name: str = ""


@dataclass(config=STRICT)
class File:
    """A secret or config, by its name, as a file of the container. `target` "": as the engine places it; `mode` is a
    number (0o444)."""

    source: str
    target: str = ""
    uid: str = ""
    gid: str = ""
    mode: int | None = None


@dataclass(config=STRICT)
class Network:
    """A network that its tasks are in, by name."""

    name: str
    aliases: list[str] = field(default_factory=list)
    driver_options: dict[str, str] = field(default_factory=dict)


@dataclass(config=STRICT)
class Mode:
    """How many tasks: `replicas` of replicated; `completions` in all and `concurrent` at once of replicated-job."""

    kind: Literal["replicated", "global", "replicated-job", "global-job"] = "replicated"
    replicas: int | None = None
    concurrent: int | None = None
    completions: int | None = None


@dataclass(config=STRICT)
class Limits:
    """What a task may use at most. Memory in bytes."""

    cpus: float = 0
    memory: int = 0
    pids: int = 0


@dataclass(config=STRICT)
class Reservations:
    """What a node must have free for a task. `generic`: what nodes are said to have, as GPU=2 or GPU=UUID1."""

    cpus: float = 0
    memory: int = 0
    generic: list[str] = field(default_factory=list)


@dataclass(config=STRICT)
class Restart:
    """When a task that ended is replaced: none, on-failure, any. Times in seconds; `attempts` 0 is without end."""

    condition: str = ""
    delay: float | None = None
    attempts: int | None = None
    window: float | None = None


@dataclass(config=STRICT)
class Placement:
    """On which nodes. `constraints` as node.role==manager; `spread` by which labels tasks are spread evenly; `platforms`
    as linux/amd64."""

    constraints: list[str] = field(default_factory=list)
    spread: list[str] = field(default_factory=list)
    max_replicas: int = 0
    platforms: list[str] = field(default_factory=list)


@dataclass(config=STRICT)
class Rollout:
    """How an update (or a rollback) goes on: `parallelism` tasks at once (0: all), `delay` seconds between; `monitor`
    seconds of watching each; `ratio` of failures that are borne; `order` stop-first or start-first."""

    parallelism: int | None = None
    delay: float | None = None
    failure_action: str = ""
    monitor: float | None = None
    ratio: float | None = None
    order: str = ""


@dataclass(config=STRICT)
class SELinux:
    """The labels of its processes."""

    disable: bool = False
    user: str = ""
    role: str = ""
    type: str = ""
    level: str = ""


@dataclass(config=STRICT)
class Privileges:
    """`credential_spec` is config://NAME, file://NAME or registry://NAME (Windows). `seccomp` default, unconfined or a
    profile as JSON; `apparmor` default or disabled."""

    credential_spec: str = ""
    selinux: SELinux = field(default_factory=SELinux)
    seccomp: str = ""
    apparmor: str = ""
    no_new_privileges: bool = False


@dataclass(config=STRICT)
class ServiceSpec:
    """A service to be, or as it is wanted."""

    name: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    mode: Mode = field(default_factory=Mode)
    # what runs
    image: str = ""
    command: list[str] = field(default_factory=list)
    entrypoint: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    container_labels: dict[str, str] = field(default_factory=dict)
    hostname: str = ""
    working_dir: str = ""
    user: str = ""
    group_add: list[str] = field(default_factory=list)
    tty: bool = False
    stdin: bool = False
    read_only: bool = False
    init: bool | None = None
    isolation: str = ""
    stop_signal: str = ""
    stop_grace: float | None = None  # seconds
    health: Health | None = None
    log: Log = field(default_factory=Log)
    # network
    networks: list[Network] = field(default_factory=list)
    endpoint_mode: str = ""  # vip or dnsrr
    ports: list[Port] = field(default_factory=list)
    dns: list[str] = field(default_factory=list)
    dns_search: list[str] = field(default_factory=list)
    dns_options: list[str] = field(default_factory=list)
    extra_hosts: list[str] = field(default_factory=list)  # name:address
    # files
    mounts: list[Mount] = field(default_factory=list)
    secrets: list[File] = field(default_factory=list)
    configs: list[File] = field(default_factory=list)
    # where and how much
    placement: Placement = field(default_factory=Placement)
    limits: Limits = field(default_factory=Limits)
    reservations: Reservations = field(default_factory=Reservations)
    ulimits: list[Ulimit] = field(default_factory=list)
    sysctls: dict[str, str] = field(default_factory=dict)
    oom_score_adj: int = 0
    # rights
    cap_add: list[str] = field(default_factory=list)
    cap_drop: list[str] = field(default_factory=list)
    privileges: Privileges = field(default_factory=Privileges)
    # how it changes
    restart: Restart = field(default_factory=Restart)
    update: Rollout = field(default_factory=Rollout)
    rollback: Rollout = field(default_factory=Rollout)


NOTHING = ServiceSpec()
_adapter = TypeAdapter(ServiceSpec)


def to_json(spec: ServiceSpec) -> dict[str, Any]:
    """What is said in it, as JSON values."""
    found: dict[str, Any] = _adapter.dump_python(spec, mode="json", exclude_defaults=True)
    return found


def from_json(values: Any) -> ServiceSpec:
    """The opposite. Raises pydantic.ValidationError."""
    return _adapter.validate_python(values)
