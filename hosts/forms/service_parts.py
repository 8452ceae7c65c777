"""The fields of the form of a service: how each part of a specification is shown as text, and read."""

import shlex
from typing import Any

from django.utils.translation import gettext_lazy as _

from hosts.forms.create_parts import (
    HEALTH_HELP,
    Part,
    env_part,
    health_number,
    listed,
    plain,
    show_health_test,
    take_health_test,
    text_part,
    words,
)
from hosts.forms.tables import SERVICE_NETWORKS, SERVICE_PORTS, mounts
from hosts.specs.devices import read_ulimit, show_ulimit
from hosts.specs.fields import get, put
from hosts.specs.kinds import read_whole
from hosts.specs.services.fields import BY_NAME
from hosts.specs.services.mounts import read_mount, show_mount
from hosts.specs.services.spec import MODES, NOTHING, ServiceSpec
from hosts.specs.services.words import (
    read_file,
    read_network,
    read_ports,
    show_file,
    show_network,
    show_port,
)

SECTIONS = {
    "main": _("Image, command and number of tasks"),
    "environment": _("Environment and labels"),
    "network": _("Ports and networks"),
    "files": _("Files, secrets and configs"),
    "where": _("Where its tasks run"),
    "limits": _("Limits"),
    "life": _("Restart, health and log"),
    "update": _("Updates"),
    "rollback": _("Rollbacks"),
    "security": _("Security"),
    "seldom": _("Seldom needed"),
}
ACTIONS, ORDERS = ("", "pause", "continue", "rollback"), ("", "stop-first", "start-first")
# of the table's fields: section, label, example
LABELS: dict[str, tuple[str, Any, str]] = {
    "labels": ("environment", _("Labels of the service"), "com.example.team=web"),
    "container_labels": ("environment", _("Labels of its containers"), ""),
    "hostname": ("network", _("Host name"), "{{.Node.Hostname}}"),
    "dns": ("network", _("DNS servers"), "10.0.0.2"),
    "dns_search": ("seldom", "dns search", "example.com"),
    "dns_options": ("seldom", "dns option", "ndots:1"),
    "extra_hosts": ("network", _("Further hosts"), "db:10.0.0.3"),
    "working_dir": ("main", _("Working folder"), "/app"),
    "user": ("main", _("User"), "1000:1000"),
    "group_add": ("security", _("Further groups"), "audio"),
    "tty": ("seldom", _("A terminal (TTY)"), ""),
    "stdin": ("seldom", _("Keep standard input open"), ""),
    "read_only": ("files", _("Read-only root file system"), ""),
    "init": ("life", _("An init process reaps its children"), ""),
    "stop_signal": ("life", _("Stop signal"), "SIGTERM"),
    "stop_grace": ("life", _("Time until it is killed"), "10s"),
    "log.driver": ("life", _("Log driver"), "json-file"),
    "log.options": ("life", _("Options of the log driver"), "max-size=10m"),
    "placement.constraints": ("where", _("Constraints"), "node.role==worker"),
    "placement.spread": ("where", _("Spread evenly over the values of"), "node.labels.zone"),
    "placement.max_replicas": ("where", _("Tasks on one node at most"), "2"),
    "placement.platforms": ("where", _("Platforms"), "linux/amd64"),
    "reservations.cpus": ("where", _("Reserved CPUs"), "0.5"),
    "reservations.memory": ("where", _("Reserved memory"), "256m"),
    "reservations.generic": ("where", _("Reserved resources"), "GPU=1"),
    "limits.cpus": ("limits", _("CPUs"), "1.5"),
    "limits.memory": ("limits", _("Memory"), "512m"),
    "limits.pids": ("limits", _("Processes"), "200"),
    "sysctls": ("security", "sysctl", "net.core.somaxconn=1024"),
    "oom_score_adj": ("seldom", "oom score adj", "100"),
    "cap_add": ("security", _("Added capabilities"), "CAP_NET_ADMIN"),
    "cap_drop": ("security", _("Dropped capabilities"), "ALL"),
    "privileges.credential_spec": ("seldom", _("Credential spec (Windows)"), "config://NAME"),
    "privileges.selinux.disable": ("seldom", _("SELinux: no labels"), ""),
    "privileges.selinux.user": ("seldom", _("SELinux user"), ""),
    "privileges.selinux.role": ("seldom", _("SELinux role"), ""),
    "privileges.selinux.type": ("seldom", _("SELinux type"), ""),
    "privileges.selinux.level": ("seldom", _("SELinux level"), ""),
    "privileges.seccomp": ("security", _("seccomp: default, unconfined, or a profile as JSON"), "default"),
    "privileges.no_new_privileges": ("security", _("No new privileges"), ""),
    "restart.delay": ("life", _("Time before a restart"), "5s"),
    "restart.attempts": ("life", _("Restarts at most"), "3"),
    "restart.window": ("life", _("Time after which a restart counts as good"), "2m"),
}
ROLLOUTS: dict[str, tuple[Any, str]] = {
    "parallelism": (_("Tasks at once (0: all)"), "1"),
    "delay": (_("Time between them"), "10s"),
    "monitor": (_("Time that each is watched"), "5s"),
    "ratio": (_("Share of failures that is borne"), "0.1"),
}
CHOICES: dict[str, tuple[str, Any, tuple[str, ...]]] = {
    "endpoint_mode": ("network", _("How clients find the tasks"), ("", "vip", "dnsrr")),
    "restart.condition": ("life", _("Replace a task that ended"), ("", "any", "on-failure", "none")),
    "update.failure_action": ("update", _("When a task fails"), ACTIONS),
    "update.order": ("update", _("Order"), ORDERS),
    "rollback.failure_action": ("rollback", _("When a task fails"), ACTIONS[:3]),
    "rollback.order": ("rollback", _("Order"), ORDERS),
    "isolation": ("seldom", _("Isolation (Windows)"), ("", "default", "process", "hyperv")),
    "privileges.apparmor": ("security", "AppArmor", ("", "default", "disabled")),
}


def _number(name: str, label: Any, hint: str) -> Part:
    """A number that may be missing."""

    def take(spec: ServiceSpec, text: str) -> None:
        put(spec, name, read_whole(name, text) if text.strip() else None)

    def show(spec: ServiceSpec) -> str:
        value = get(spec, name)
        return "" if value is None else str(value)

    return Part(name, label, "main", show, take, "text", hint)


def _command(name: str, label: Any, hint: str) -> Part:
    def take(spec: ServiceSpec, text: str) -> None:
        put(spec, name, words(name, text))

    return Part(name, label, "main", lambda spec: shlex.join(get(spec, name)), take, "text", hint)


def _rollout(name: str) -> list[Part]:
    return [plain(BY_NAME[f"{name}.{key}"], label, name, hint, NOTHING) for key, (label, hint) in ROLLOUTS.items()]


PARTS: list[Part] = [
    text_part("name", _("Name"), "main", "web"),
    text_part("image", _("Image"), "main", "nginx:1.27"),
    text_part("mode.kind", _("Mode"), "main", choices=MODES),
    _number("mode.replicas", _("Tasks (replicated)"), "1"),
    _number("mode.completions", _("Tasks to complete (replicated-job)"), ""),
    _number("mode.concurrent", _("Tasks at once (replicated-job)"), ""),
    _command("command", _("Command"), "nginx -g 'daemon off;'"),
    _command("entrypoint", _("Entrypoint"), ""),
    env_part(),
    listed(
        "ports",
        _("Ports"),
        "network",
        show_port,
        read_ports,
        "8080:80\nmode=host,published=53,target=53",
        several=True,
        table=SERVICE_PORTS,
    ),
    listed(
        "networks",
        _("Networks"),
        "network",
        show_network,
        read_network,
        "front\nname=back,alias=db",
        table=SERVICE_NETWORKS,
    ),
    listed(
        "mounts",
        _("Mounts"),
        "files",
        show_mount,
        read_mount,
        "data:/data:ro\ntype=bind,source=/srv,target=/srv",
        table=mounts(create=False),
    ),
    listed("secrets", _("Secrets"), "files", show_file, read_file, "key\nsource=cert,target=/etc/cert.pem,mode=0400"),
    listed("configs", _("Configs"), "files", show_file, read_file, "site\nsource=conf,target=/etc/app.conf"),
    listed("ulimits", "ulimit", "limits", show_ulimit, read_ulimit, "nofile=1024:2048"),
    Part(
        "health.test",
        _("Health check"),
        "life",
        show_health_test,
        take_health_test,
        "text",
        "curl -f http://localhost/ || exit 1",
        help=HEALTH_HELP,
    ),
    health_number("interval", _("Time between checks"), "30s"),
    health_number("timeout", _("Time for a check"), "5s"),
    health_number("retries", _("Failures until it is unhealthy"), "3"),
    health_number("start_period", _("Time to start"), "10s"),
    health_number("start_interval", _("Time between checks at the start"), "1s"),
    *(text_part(name, label, section, choices=choices) for name, (section, label, choices) in CHOICES.items()),
    *(plain(BY_NAME[name], label, section, hint, NOTHING) for name, (section, label, hint) in LABELS.items()),
    *_rollout("update"),
    *_rollout("rollback"),
]
NAMES = {part.name for part in PARTS}


def part_of(field: str) -> str:
    """The part in which a field of a specification stands; "" for none."""
    if field in NAMES:
        return field
    above = field.rpartition(".")[0]
    return {"mode": "mode.kind"}.get(field, part_of(above) if above else "")
