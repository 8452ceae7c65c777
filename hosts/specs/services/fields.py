"""The fields of a service that are alike in every form: where each stands in the engine's ServiceSpec and in compose.

What is not in this table (mode, ports, mounts, networks, secrets, privileges, ...) has code of its own in each form.
"""

from dataclasses import dataclass

from hosts.specs.fields import get
from hosts.specs.kinds import (
    BYTES,
    CPUS,
    HOSTS,
    NANO,
    NUMBER,
    PAIRS,
    SWITCH,
    TEXT,
    TEXTS,
    Kind,
    plain_number,
    read_decimal,
    read_span,
    show_span,
)
from hosts.specs.services.spec import NOTHING, ServiceSpec

SPAN = Kind(
    read_span,
    show_span,
    engine=lambda seconds: round(seconds * NANO),
    from_engine=lambda nanos: nanos / NANO,
    compose=show_span,
)
RATIO = Kind(read_decimal, lambda value: str(plain_number(value)), compose=plain_number)


@dataclass(frozen=True)
class Field:
    """`name` is dotted below the specification, `engine` below ServiceSpec, `compose` below the service ("": compose has
    no such key, and x-dermaga holds it). `since`: the API version that it needs."""

    name: str
    kind: Kind
    engine: str
    compose: str = ""
    since: str = ""


CONTAINER, TASK = "TaskTemplate.ContainerSpec", "TaskTemplate"


def _rollout(name: str, key: str, compose: str) -> tuple[Field, ...]:
    return (
        Field(f"{name}.parallelism", NUMBER, f"{key}.Parallelism", f"deploy.{compose}.parallelism"),
        Field(f"{name}.delay", SPAN, f"{key}.Delay", f"deploy.{compose}.delay"),
        Field(f"{name}.failure_action", TEXT, f"{key}.FailureAction", f"deploy.{compose}.failure_action"),
        Field(f"{name}.monitor", SPAN, f"{key}.Monitor", f"deploy.{compose}.monitor"),
        Field(f"{name}.ratio", RATIO, f"{key}.MaxFailureRatio", f"deploy.{compose}.max_failure_ratio"),
        Field(f"{name}.order", TEXT, f"{key}.Order", f"deploy.{compose}.order"),
    )


FIELDS = (
    Field("labels", PAIRS, "Labels", "deploy.labels"),
    Field("command", TEXTS, f"{CONTAINER}.Args", "command"),
    Field("entrypoint", TEXTS, f"{CONTAINER}.Command", "entrypoint"),
    Field("container_labels", PAIRS, f"{CONTAINER}.Labels", "labels"),
    Field("hostname", TEXT, f"{CONTAINER}.Hostname", "hostname"),
    Field("working_dir", TEXT, f"{CONTAINER}.Dir", "working_dir"),
    Field("user", TEXT, f"{CONTAINER}.User", "user"),
    Field("group_add", TEXTS, f"{CONTAINER}.Groups", "group_add"),
    Field("tty", SWITCH, f"{CONTAINER}.TTY", "tty"),
    Field("stdin", SWITCH, f"{CONTAINER}.OpenStdin", "stdin_open"),
    Field("read_only", SWITCH, f"{CONTAINER}.ReadOnly", "read_only"),
    Field("init", SWITCH, f"{CONTAINER}.Init", "init"),
    Field("isolation", TEXT, f"{CONTAINER}.Isolation", "isolation"),
    Field("stop_signal", TEXT, f"{CONTAINER}.StopSignal", "stop_signal"),
    Field("stop_grace", SPAN, f"{CONTAINER}.StopGracePeriod", "stop_grace_period"),
    Field("log.driver", TEXT, f"{TASK}.LogDriver.Name", "logging.driver"),
    Field("log.options", PAIRS, f"{TASK}.LogDriver.Options", "logging.options"),
    Field("endpoint_mode", TEXT, "EndpointSpec.Mode", "deploy.endpoint_mode"),
    Field("dns", TEXTS, f"{CONTAINER}.DNSConfig.Nameservers", "dns"),
    Field("dns_search", TEXTS, f"{CONTAINER}.DNSConfig.Search", "dns_search"),
    Field("dns_options", TEXTS, f"{CONTAINER}.DNSConfig.Options", "dns_opt"),
    Field("extra_hosts", HOSTS, "", "extra_hosts"),
    Field("placement.constraints", TEXTS, f"{TASK}.Placement.Constraints", "deploy.placement.constraints"),
    Field("placement.spread", TEXTS, "", ""),
    Field("placement.max_replicas", NUMBER, f"{TASK}.Placement.MaxReplicas", "deploy.placement.max_replicas_per_node"),
    Field("placement.platforms", TEXTS, "", ""),
    Field("limits.cpus", CPUS, f"{TASK}.Resources.Limits.NanoCPUs", "deploy.resources.limits.cpus"),
    Field("limits.memory", BYTES, f"{TASK}.Resources.Limits.MemoryBytes", "deploy.resources.limits.memory"),
    Field("limits.pids", NUMBER, f"{TASK}.Resources.Limits.Pids", "deploy.resources.limits.pids", "1.41"),
    Field("reservations.cpus", CPUS, f"{TASK}.Resources.Reservations.NanoCPUs", "deploy.resources.reservations.cpus"),
    Field(
        "reservations.memory",
        BYTES,
        f"{TASK}.Resources.Reservations.MemoryBytes",
        "deploy.resources.reservations.memory",
    ),
    Field("reservations.generic", TEXTS, "", ""),
    Field("sysctls", PAIRS, f"{CONTAINER}.Sysctls", "sysctls"),
    Field("oom_score_adj", NUMBER, f"{CONTAINER}.OomScoreAdj", "oom_score_adj", "1.46"),
    Field("cap_add", TEXTS, f"{CONTAINER}.CapabilityAdd", "cap_add", "1.41"),
    Field("cap_drop", TEXTS, f"{CONTAINER}.CapabilityDrop", "cap_drop", "1.41"),
    Field("privileges.credential_spec", TEXT, "", ""),
    Field("privileges.selinux.disable", SWITCH, f"{CONTAINER}.Privileges.SELinuxContext.Disable"),
    Field("privileges.selinux.user", TEXT, f"{CONTAINER}.Privileges.SELinuxContext.User"),
    Field("privileges.selinux.role", TEXT, f"{CONTAINER}.Privileges.SELinuxContext.Role"),
    Field("privileges.selinux.type", TEXT, f"{CONTAINER}.Privileges.SELinuxContext.Type"),
    Field("privileges.selinux.level", TEXT, f"{CONTAINER}.Privileges.SELinuxContext.Level"),
    Field("privileges.seccomp", TEXT, "", "", "1.44"),
    Field("privileges.apparmor", TEXT, f"{CONTAINER}.Privileges.AppArmor.Mode", "", "1.44"),
    Field("privileges.no_new_privileges", SWITCH, f"{CONTAINER}.Privileges.NoNewPrivileges", "", "1.44"),
    Field("restart.condition", TEXT, f"{TASK}.RestartPolicy.Condition", "deploy.restart_policy.condition"),
    Field("restart.delay", SPAN, f"{TASK}.RestartPolicy.Delay", "deploy.restart_policy.delay"),
    Field("restart.attempts", NUMBER, f"{TASK}.RestartPolicy.MaxAttempts", "deploy.restart_policy.max_attempts"),
    Field("restart.window", SPAN, f"{TASK}.RestartPolicy.Window", "deploy.restart_policy.window"),
    *_rollout("update", "UpdateConfig", "update_config"),
    *_rollout("rollback", "RollbackConfig", "rollback_config"),
)
BY_NAME = {entry.name: entry for entry in FIELDS}


def is_said(spec: ServiceSpec, name: str) -> bool:
    """Whether it differs from a specification that says nothing."""
    return bool(get(spec, name) != get(NOTHING, name))
