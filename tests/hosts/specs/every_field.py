"""Every field of a container's form with a value that an engine takes: one table for its three views."""

from typing import Any

MIB = 1 << 20
NETWORK = {"name": "front", "aliases": ["a", "b"], "ipv4": "10.98.7.9", "driver_options": {"com.example.x": "1"}}
# field -> value; those of ELSEWHERE cannot be with the others, or want what few machines have
EVERY: dict[str, Any] = {
    "command": ["sh", "-c", "echo 'a b' \"$HOME\"; sleep 1", ""],
    "entrypoint": ["/bin/busybox"],
    "working_dir": "/tmp",
    "user": "65534:65534",
    "tty": True,
    "stdin": True,
    "env": {
        "A": "b=c",
        "EMPTY": "",
        "QUOTES": 'it\'s "so"',
        "LINES": "one\n two",
        "DOLLAR": "$HOME ${X}",
        "TOKEN": "x",
    },
    "labels": {"com.example.team": "web", "plain": "", "route": "Host(`a`) && $x # y"},
    "ports": [
        {"container": 80, "host": "8080", "address": "127.0.0.1"},
        *({"container": port, "host": str(port)} for port in range(8000, 8005)),
        {"container": 53, "protocol": "udp", "host": "53"},
        {"container": 90, "host": "9000-9010"},
        {"container": 100, "protocol": "sctp"},
    ],
    "expose": ["70/tcp", "71/udp"],
    "publish_all": True,
    "mounts": [
        {"target": "/named", "source": "every-data", "read_only": True, "no_copy": True},
        {"target": "/anonymous"},
        {"target": "/bind", "type": "bind", "source": "/tmp", "create": True, "propagation": "rslave"},
        {"target": "/strict", "type": "bind", "source": "/etc", "read_only": True, "recursive": "disabled"},
        {
            "target": "/driver",
            "source": "every-driver",
            "driver": "local",
            "driver_options": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=5"},
            "labels": {"a": "b"},
        },
        {"target": "/scratch", "type": "tmpfs", "size": 8 * MIB, "mode": 0o1770},
    ],
    "tmpfs": {"/run": "size=4m,mode=755", "/run2": ""},
    "networks": [NETWORK, {"name": "bridge"}],
    "dns": ["10.0.0.1"],
    "dns_search": ["example.com"],
    "dns_options": ["ndots:2"],
    "extra_hosts": ["db:10.0.0.3", "six:fd00::5"],
    "hostname": "deck",
    "domainname": "example.com",
    "mac_address": "02:42:ac:11:00:99",
    "restart": {"policy": "on-failure", "retries": 3},
    "health": {
        "test": ["CMD-SHELL", "test -f /x || exit 1"],
        "interval": 90,
        "timeout": 5,
        "start_period": 10,
        "retries": 4,
    },
    "limits": {
        "cpus": 0.5,
        "cpu_shares": 512,
        "cpuset_cpus": "0",
        "cpuset_mems": "0",
        "memory": 64 * MIB,
        "memory_reservation": 32 * MIB,
        "memory_swap": 96 * MIB,
        "memory_swappiness": 10,
        "pids": 50,
        "blkio_weight": 300,
        "device_read_bps": [{"path": "/dev/null", "rate": MIB}],
        "device_write_bps": [{"path": "/dev/null", "rate": 2 * MIB}],
        "device_read_iops": [{"path": "/dev/null", "rate": 100}],
        "device_write_iops": [{"path": "/dev/null", "rate": 200}],
        "oom_kill_disable": True,
    },
    "shm_size": 16 * MIB,
    "ulimits": [{"name": "nofile", "soft": 512, "hard": 1024}, {"name": "core", "soft": 0, "hard": 0}],
    "sysctls": {"net.ipv4.ip_forward": "1"},
    "devices": [{"host": "/dev/null", "container": "/dev/nothing", "permissions": "r"}, {"host": "/dev/zero"}],
    "device_requests": [{"count": 2, "capabilities": [["gpu"]]}],
    "device_cgroup_rules": ["c 1:3 rwm"],
    "cap_add": ["NET_ADMIN"],
    "cap_drop": ["MKNOD"],
    "privileged": True,
    "pid_mode": "host",
    "ipc_mode": "shareable",
    "uts_mode": "host",
    "userns_mode": "host",
    "cgroupns_mode": "private",
    "read_only": True,
    "security_opt": ["no-new-privileges"],
    "group_add": ["10"],
    "init": True,
    "stop_signal": "SIGUSR1",
    "stop_timeout": 7,
    "log": {"driver": "local", "options": {"max-size": "1m"}},
    "oom_score_adj": 10,
    "cgroup_parent": "every",
}
ELSEWHERE: dict[str, Any] = {
    "name": "web-1",
    "platform": "linux/arm64/v8",
    "pull": "always",
    "auto_remove": True,
    "network_mode": "container:db",
    "annotations": {"a": "b"},
    "links": ["db:database"],
    "volumes_from": ["db:ro"],
    "volume_driver": "local",
    "storage_opt": {"size": "10G"},
    "runtime": "runc",
    "isolation": "default",
}
LIMITS_ELSEWHERE: dict[str, Any] = {
    "cpu_period": 50_000,
    "cpu_quota": 25_000,
    "cpu_rt_period": 1000,
    "cpu_rt_runtime": 500,
    "kernel_memory": 32 * MIB,
    "blkio_weight_device": [{"path": "/dev/null", "rate": 200}],
    "cpu_count": 2,
    "cpu_percent": 50,
    "io_maxbandwidth": MIB,
    "io_maxiops": 100,
}

# what goes not with all the others: one host name with the host's, ...; and limits that not every kernel has
NOT_TOGETHER = {"uts_mode", "privileged", "mac_address", "cgroup_parent"}
NOT_EVERYWHERE = {"memory_swap", "oom_kill_disable", "blkio_weight"}


def single() -> dict[str, dict[str, Any]]:
    """Each field alone, dotted: its specification without the image."""
    found = {name: {name: value} for name, value in (EVERY | ELSEWHERE).items() if name != "limits"}
    limits = EVERY["limits"] | LIMITS_ELSEWHERE
    return found | {f"limits.{name}": {"limits": {name: value}} for name, value in limits.items()}
