"""Rules in the reader's language: what each is about, and what a policy forbids in one line."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from hosts.policy.rules import NAMESPACES, Rules

WORDS = {
    "privileged": _("Privileged containers"),
    "capabilities": _("Further capabilities"),
    "devices": _("Devices"),
    "device_rules": _("Device cgroup rules"),
    "gpus": _("GPUs and devices by request"),
    "namespaces": _("Namespaces of the host"),
    "binds": _("Folders of the host"),
    "engine_socket": _("The engine's socket"),
    "volumes_from": _("Volumes of other containers"),
    "volume_drivers": _("Volume drivers"),
    "volume_types": _("Volumes on servers"),
    "security_options": _("Options that loosen security"),
    "sysctls": _("Kernel settings"),
    "ports": _("Published ports"),
    "network_drivers": _("Network drivers"),
    "images": _("Images"),
    "limits": _("Required limits"),
    "log_drivers": _("Log drivers"),
    "runtimes": _("Other runtimes, and annotations"),
    "cgroup_parent": _("A chosen cgroup"),
    "priority": _("Priority when memory or CPU is short"),
    "ulimits": _("Ulimits"),
}
HELP = {
    "capabilities": _("NET_ADMIN; ALL for any. Those that every container has need not be named."),
    "devices": _("Paths like /dev/fuse"),
    "namespaces": _("network, pid, ipc, uts, user, cgroup"),
    "binds": _("Whole paths like /srv/team, or /srv/common:ro to read only. What lies below is not allowed with it."),
    "volume_types": _("nfs, nfs4, cifs"),
    "sysctls": _("Names like net.core.somaxconn, or net.ipv4.*"),
    "ports": _("Ports and ranges: 443, 8000-8999. Free ports that the engine chooses are always allowed."),
    "images": _(
        "None: any. Repositories, with tag or digest if you like: registry.example.com/team/*, nginx:1.*, app@sha256:*"
    ),
    "limits": _("memory, cpus, pids"),
}


def forbidden(several: Iterable[Rules]) -> list[str]:
    """What is wholly forbidden by any of these: the names of rules."""
    named = [
        name
        for name in WORDS
        if name not in {"images", "limits", "ports", "log_drivers", "ulimits", "namespaces"}
        and any(not getattr(rules, name) for rules in several)
    ]
    lacking = any(set(NAMESPACES) - set(rules.namespaces) for rules in several)
    return [*named, *(["namespaces"] if lacking else [])]
