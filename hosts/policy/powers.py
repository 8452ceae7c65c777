"""What a container may do that others may not: privileges, capabilities, devices, what protects its host from it."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.translation import gettext_noop

from hosts.policy.bodies import is_said, lowered, objects, texts, whole_path
from hosts.policy.refusals import Refusal
from hosts.policy.rules import Rules

OF_ENGINES = {  # that every container has, unless it drops them
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
RESTRICTING = {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true", "apparmor=docker-default"}
MASKED = {
    *("/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug"),
    *("/proc/scsi", "/sys/firmware"),
}
READ_ONLY = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
RATES = {
    "blkioweightdevice": "limits.blkio_weight_device",
    "blkiodevicereadbps": "limits.device_read_bps",
    "blkiodevicewritebps": "limits.device_write_bps",
    "blkiodevicereadiops": "limits.device_read_iops",
    "blkiodevicewriteiops": "limits.device_write_iops",
}
NO_GPU = {"", "void", "none"}
PRIVILEGED = gettext_noop("A privileged container is root on its host.")
CAPABILITY = gettext_noop("The capability %(what)s is not allowed.")
DEVICE = gettext_noop("The device %(what)s is not allowed.")
DEVICE_RULE = gettext_noop("Device cgroup rules are not allowed.")
REQUEST = gettext_noop("GPUs and other devices by request are not allowed.")
SECURITY = gettext_noop("%(what)s may take a protection away.")
UNMASKED = gettext_noop("Paths that are hidden or read-only for other containers stay so.")
SYSCTL = gettext_noop("The kernel setting %(what)s is not allowed.")
RUNTIME = gettext_noop("The runtime %(what)s is not allowed.")
ANNOTATION = gettext_noop("The annotation %(what)s may change what the runtime does.")


def check(host: Mapping[str, Any], rules: Rules) -> Iterator[Refusal]:
    """Of a HostConfig, `lowered`."""
    if is_said(host.get("privileged")) and not rules.privileged:
        yield Refusal("privileged", "privileged", PRIVILEGED)
    yield from check_capabilities(host.get("capadd"), rules)
    yield from _devices(host, rules)
    if not rules.security_options:
        yield from _security(host)
    yield from check_sysctls(host.get("sysctls"), rules)
    runtime = str(host.get("runtime") or "")
    if runtime and runtime not in {"runc", "crun", *rules.runtimes}:
        yield Refusal("runtimes", "runtime", RUNTIME, {"what": runtime[:80]})
    if str(host.get("isolation") or "default").lower() != "default":
        yield Refusal("runtimes", "isolation", RUNTIME, {"what": str(host["isolation"])[:80]})
    annotations = host.get("annotations")
    for name in annotations if isinstance(annotations, Mapping) and not rules.runtimes else ():
        yield Refusal("runtimes", "annotations", ANNOTATION, {"what": str(name)[:80]})


def check_capabilities(value: Any, rules: Rules, field: str = "cap_add") -> Iterator[Refusal]:
    """Of CapAdd."""
    allowed = {_bare(name) for name in rules.capabilities}
    for name in texts(value):
        if _bare(name) not in OF_ENGINES | allowed and "ALL" not in allowed:
            yield Refusal("capabilities", field, CAPABILITY, {"what": name[:80]})


def _bare(name: str) -> str:
    return name.strip().upper().removeprefix("CAP_")


def check_sysctls(value: Any, rules: Rules) -> Iterator[Refusal]:
    """Of Sysctls. The kernel takes a slash for a dot."""
    for name in value if isinstance(value, Mapping) else ():
        plain = str(name).replace("/", ".")
        if not any(_matches(plain, pattern) for pattern in rules.sysctls):
            yield Refusal("sysctls", "sysctls", SYSCTL, {"what": str(name)[:80]})


def _matches(name: str, pattern: str) -> bool:
    return name == pattern or (pattern.endswith(".*") and name.startswith(pattern[:-1]))


def check_environment(value: Any, rules: Rules) -> Iterator[Refusal]:
    """Where NVIDIA's runtime is the engine's default one, this variable asks it for GPUs."""
    for entry in texts(value):
        name, _equals, wanted = entry.partition("=")
        if name in {"NVIDIA_VISIBLE_DEVICES", "NVIDIA_IMEX_CHANNELS"} and wanted not in NO_GPU and not rules.gpus:
            yield Refusal("gpus", "env", REQUEST)


def _devices(host: Mapping[str, Any], rules: Rules) -> Iterator[Refusal]:
    allowed = set(rules.devices)
    entries = host.get("devices")
    for entry in entries if isinstance(entries, list | tuple) else texts(entries):
        path = str(lowered(entry).get("pathonhost") or "") if isinstance(entry, Mapping) else str(entry).split(":")[0]
        if whole_path(path) not in allowed:
            yield Refusal("devices", "devices", DEVICE, {"what": path[:80]})
    if is_said(host.get("devicecgrouprules")) and not rules.device_rules:
        yield Refusal("device_rules", "device_cgroup_rules", DEVICE_RULE)
    if is_said(host.get("devicerequests")) and not rules.gpus:
        yield Refusal("gpus", "device_requests", REQUEST)
    yield from check_rates(host, rules)


def check_rates(host: Mapping[str, Any], rules: Rules) -> Iterator[Refusal]:
    """Limits of block devices name devices of the host."""
    for name, field in RATES.items():
        for entry in objects(host.get(name)):
            if whole_path(str(entry.get("path") or "")) not in rules.devices:
                yield Refusal("devices", field, DEVICE, {"what": str(entry.get("path"))[:80]})


def _security(host: Mapping[str, Any]) -> Iterator[Refusal]:
    for option in texts(host.get("securityopt")):
        if option.strip().lower() not in RESTRICTING:
            yield Refusal("security_options", "security_opt", SECURITY, {"what": option[:80]})
    for name, least in (("maskedpaths", MASKED), ("readonlypaths", READ_ONLY)):
        paths = host.get(name)
        if paths is not None and not least <= set(texts(paths)):
            yield Refusal("security_options", "security_opt", UNMASKED)
