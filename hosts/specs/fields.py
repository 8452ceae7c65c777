"""The fields that are alike in every form: where each stands in an engine's body, on a command line and in compose.

What is not in this table (ports, mounts, networks, health, ...) has code of its own in each form.
"""

from dataclasses import dataclass
from typing import Any

from hosts.specs.kinds import BYTES, CPUS, HOSTS, NUMBER, PAIRS, SWITCH, TEXT, TEXTS, TMPFS, Kind
from hosts.specs.spec import ContainerSpec


@dataclass(frozen=True)
class Field:
    """`name` is dotted below the specification, `engine` below Config or HostConfig, `compose` below the service ("":
    compose has no such key). `flags`: the one that is written first. `since`: the API version that it needs."""

    name: str
    kind: Kind
    engine: str
    flags: tuple[str, ...]
    compose: str = ""
    since: str = ""


FIELDS = (
    Field("hostname", TEXT, "Config.Hostname", ("--hostname", "-h"), "hostname"),
    Field("domainname", TEXT, "Config.Domainname", ("--domainname",), "domainname"),
    Field("user", TEXT, "Config.User", ("--user", "-u"), "user"),
    Field("working_dir", TEXT, "Config.WorkingDir", ("--workdir", "-w"), "working_dir"),
    Field("tty", SWITCH, "Config.Tty", ("--tty", "-t"), "tty"),
    Field("stdin", SWITCH, "Config.OpenStdin", ("--interactive", "-i"), "stdin_open"),
    Field("labels", PAIRS, "Config.Labels", ("--label", "-l"), "labels"),
    Field("annotations", PAIRS, "HostConfig.Annotations", ("--annotation",), "annotations", "1.43"),
    Field("init", SWITCH, "HostConfig.Init", ("--init",), "init"),
    Field("stop_signal", TEXT, "Config.StopSignal", ("--stop-signal",), "stop_signal"),
    Field("stop_timeout", NUMBER, "Config.StopTimeout", ("--stop-timeout",)),
    Field("auto_remove", SWITCH, "HostConfig.AutoRemove", ("--rm",)),
    Field("log.driver", TEXT, "HostConfig.LogConfig.Type", ("--log-driver",), "logging.driver"),
    Field("log.options", PAIRS, "HostConfig.LogConfig.Config", ("--log-opt",), "logging.options"),
    Field("publish_all", SWITCH, "HostConfig.PublishAllPorts", ("--publish-all", "-P")),
    Field("dns", TEXTS, "HostConfig.Dns", ("--dns",), "dns"),
    Field("dns_search", TEXTS, "HostConfig.DnsSearch", ("--dns-search",), "dns_search"),
    Field("dns_options", TEXTS, "HostConfig.DnsOptions", ("--dns-option", "--dns-opt"), "dns_opt"),
    Field("extra_hosts", HOSTS, "HostConfig.ExtraHosts", ("--add-host",), "extra_hosts"),
    Field("links", TEXTS, "HostConfig.Links", ("--link",), "external_links"),
    Field("tmpfs", TMPFS, "HostConfig.Tmpfs", ("--tmpfs",), "tmpfs"),
    Field("volumes_from", TEXTS, "HostConfig.VolumesFrom", ("--volumes-from",), "volumes_from"),
    Field("volume_driver", TEXT, "HostConfig.VolumeDriver", ("--volume-driver",)),
    Field("storage_opt", PAIRS, "HostConfig.StorageOpt", ("--storage-opt",), "storage_opt"),
    Field("read_only", SWITCH, "HostConfig.ReadonlyRootfs", ("--read-only",), "read_only"),
    Field("limits.cpus", CPUS, "HostConfig.NanoCpus", ("--cpus",), "cpus"),
    Field("limits.cpu_shares", NUMBER, "HostConfig.CpuShares", ("--cpu-shares", "-c"), "cpu_shares"),
    Field("limits.cpu_period", NUMBER, "HostConfig.CpuPeriod", ("--cpu-period",), "cpu_period"),
    Field("limits.cpu_quota", NUMBER, "HostConfig.CpuQuota", ("--cpu-quota",), "cpu_quota"),
    Field("limits.cpu_rt_period", NUMBER, "HostConfig.CpuRealtimePeriod", ("--cpu-rt-period",), "cpu_rt_period"),
    Field("limits.cpu_rt_runtime", NUMBER, "HostConfig.CpuRealtimeRuntime", ("--cpu-rt-runtime",), "cpu_rt_runtime"),
    Field("limits.cpuset_cpus", TEXT, "HostConfig.CpusetCpus", ("--cpuset-cpus",), "cpuset"),
    Field("limits.cpuset_mems", TEXT, "HostConfig.CpusetMems", ("--cpuset-mems",)),
    Field("limits.memory", BYTES, "HostConfig.Memory", ("--memory", "-m"), "mem_limit"),
    Field(
        "limits.memory_reservation",
        BYTES,
        "HostConfig.MemoryReservation",
        ("--memory-reservation",),
        "mem_reservation",
    ),
    Field("limits.memory_swap", BYTES, "HostConfig.MemorySwap", ("--memory-swap",), "memswap_limit"),
    Field(
        "limits.memory_swappiness", NUMBER, "HostConfig.MemorySwappiness", ("--memory-swappiness",), "mem_swappiness"
    ),
    Field("limits.kernel_memory", BYTES, "HostConfig.KernelMemory", ("--kernel-memory",)),
    Field("limits.oom_kill_disable", SWITCH, "HostConfig.OomKillDisable", ("--oom-kill-disable",), "oom_kill_disable"),
    Field("limits.pids", NUMBER, "HostConfig.PidsLimit", ("--pids-limit",), "pids_limit"),
    Field("limits.blkio_weight", NUMBER, "HostConfig.BlkioWeight", ("--blkio-weight",), "blkio_config.weight"),
    Field("limits.cpu_count", NUMBER, "HostConfig.CpuCount", ("--cpu-count",), "cpu_count"),
    Field("limits.cpu_percent", NUMBER, "HostConfig.CpuPercent", ("--cpu-percent",), "cpu_percent"),
    Field("limits.io_maxbandwidth", BYTES, "HostConfig.IOMaximumBandwidth", ("--io-maxbandwidth",)),
    Field("limits.io_maxiops", NUMBER, "HostConfig.IOMaximumIOps", ("--io-maxiops",)),
    Field("shm_size", BYTES, "HostConfig.ShmSize", ("--shm-size",), "shm_size"),
    Field("sysctls", PAIRS, "HostConfig.Sysctls", ("--sysctl",), "sysctls"),
    Field("oom_score_adj", NUMBER, "HostConfig.OomScoreAdj", ("--oom-score-adj",), "oom_score_adj"),
    Field("cgroup_parent", TEXT, "HostConfig.CgroupParent", ("--cgroup-parent",), "cgroup_parent"),
    Field("privileged", SWITCH, "HostConfig.Privileged", ("--privileged",), "privileged"),
    Field("cap_add", TEXTS, "HostConfig.CapAdd", ("--cap-add",), "cap_add"),
    Field("cap_drop", TEXTS, "HostConfig.CapDrop", ("--cap-drop",), "cap_drop"),
    Field("security_opt", TEXTS, "HostConfig.SecurityOpt", ("--security-opt",), "security_opt"),
    Field("group_add", TEXTS, "HostConfig.GroupAdd", ("--group-add",), "group_add"),
    Field(
        "device_cgroup_rules", TEXTS, "HostConfig.DeviceCgroupRules", ("--device-cgroup-rule",), "device_cgroup_rules"
    ),
    Field("userns_mode", TEXT, "HostConfig.UsernsMode", ("--userns",), "userns_mode"),
    Field("pid_mode", TEXT, "HostConfig.PidMode", ("--pid",), "pid"),
    Field("ipc_mode", TEXT, "HostConfig.IpcMode", ("--ipc",), "ipc"),
    Field("uts_mode", TEXT, "HostConfig.UTSMode", ("--uts",), "uts"),
    Field("cgroupns_mode", TEXT, "HostConfig.CgroupnsMode", ("--cgroupns",), "cgroup", "1.41"),
    Field("runtime", TEXT, "HostConfig.Runtime", ("--runtime",), "runtime"),
    Field("isolation", TEXT, "HostConfig.Isolation", ("--isolation",), "isolation"),
)
RATES = {  # lists of block devices: name -> (in HostConfig, the rate's key there, flag, below blkio_config)
    "blkio_weight_device": ("BlkioWeightDevice", "Weight", "--blkio-weight-device", "weight_device"),
    "device_read_bps": ("BlkioDeviceReadBps", "Rate", "--device-read-bps", "device_read_bps"),
    "device_write_bps": ("BlkioDeviceWriteBps", "Rate", "--device-write-bps", "device_write_bps"),
    "device_read_iops": ("BlkioDeviceReadIOps", "Rate", "--device-read-iops", "device_read_iops"),
    "device_write_iops": ("BlkioDeviceWriteIOps", "Rate", "--device-write-iops", "device_write_iops"),
}
HEALTH_TIMES = {  # name -> (in Healthcheck, flag, below compose's healthcheck)
    "interval": ("Interval", "--health-interval", "interval"),
    "timeout": ("Timeout", "--health-timeout", "timeout"),
    "start_period": ("StartPeriod", "--health-start-period", "start_period"),
    "start_interval": ("StartInterval", "--health-start-interval", "start_interval"),
}
NOTHING = ContainerSpec()


def get(spec: Any, name: str) -> Any:
    """The value at a dotted name."""
    for part in name.split("."):
        spec = getattr(spec, part)
    return spec


def put(spec: Any, name: str, value: Any) -> None:
    """Sets the value at a dotted name."""
    *path, last = name.split(".")
    setattr(get(spec, ".".join(path)) if path else spec, last, value)


def is_said(spec: ContainerSpec, name: str) -> bool:
    """Whether it differs from a specification that says nothing."""
    return bool(get(spec, name) != get(NOTHING, name))


def dig(values: Any, path: str) -> Any:
    """The value at a dotted path of nested mappings; None where there is none."""
    for part in path.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def bury(values: dict[str, Any], path: str, value: Any) -> None:
    """Sets the value at a dotted path, making the mappings on the way."""
    *parents, last = path.split(".")
    for part in parents:
        values = values.setdefault(part, {})
    values[last] = value
