"""Specifications by chance, from a seed: every field is filled in some of them, with texts that are hard to quote."""

from random import Random
from typing import Any

from hosts.specs.fields import FIELDS, HEALTH_TIMES, RATES, put
from hosts.specs.kinds import BYTES, CPUS, HOSTS, NUMBER, PAIRS, SWITCH, TEXT, TEXTS, TMPFS
from hosts.specs.spec import (
    ContainerSpec,
    Device,
    DeviceRequest,
    Health,
    Mount,
    Network,
    Port,
    Rate,
    Restart,
    Ulimit,
)

HARD = (
    "plain", "two words", "it's", 'say "hi"', "a=b=c", "$HOME ${X} $(id)", "`id`", "-x", "--name", "back\\slash", "#no",
    "tab\there", "line\nbreak", " begins", "ends ", "yes", "on", "null", "~", "0777", "1e3", "22:22", "1.0", "0x1f",
    "ünïcode 🐳", "a,b", "a;b|c&d>e", "{}", "[]", "- item", "key: value", "!tag", "%n", "@at", "*star", "&anchor",
    "", "it''s \\' \\\" end",
)  # fmt: skip
VALUES: dict[Any, Any] = {
    TEXT: lambda rng: rng.choice([word for word in HARD if word]),
    NUMBER: lambda rng: rng.choice([1, 7, 100, 99999]),
    SWITCH: lambda rng: True,
    CPUS: lambda rng: rng.choice([0.5, 1, 1.25, 16]),
    BYTES: lambda rng: rng.choice([1, 1024, 4097, 64 << 20, 3 << 30]),
    TEXTS: lambda rng: [rng.choice([word for word in HARD if word]) for _ in range(rng.randint(1, 3))],
    HOSTS: lambda rng: [f"db{n}:{rng.choice(['10.0.0.1', '::1', 'host-gateway'])}" for n in range(rng.randint(1, 3))],
    PAIRS: lambda rng: {f"n.a-m_e{n}": rng.choice(HARD) for n in range(rng.randint(1, 3))},
    TMPFS: lambda rng: {f"/run{n}": rng.choice(["", "size=64m,mode=1777", "rw,noexec"]) for n in range(2)},
}


def a_spec(seed: int, *, for_line: bool) -> ContainerSpec:
    """The specification of a seed; `for_line`: only what a `docker run` line can say exactly."""
    rng = Random(seed)
    spec = ContainerSpec(image="registry.example.com:5000/team/app:1.2")
    some = lambda: rng.random() < 0.35  # noqa: E731
    for entry in FIELDS:
        if some():
            put(spec, entry.name, VALUES[entry.kind](rng))
    spec.name = "web-1" if some() else ""
    spec.platform = "linux/arm64/v8" if some() else ""
    spec.pull = rng.choice(["missing", "always", "never"])
    spec.command = [rng.choice(HARD) for _ in range(rng.randint(0, 4))]
    if some():
        spec.entrypoint = rng.choice([[], ["/bin/sh"], ["tini"]] if for_line else [[], ["sh", "-c", rng.choice(HARD)]])
    spec.env = {f"NAME_{n}": rng.choice(HARD) for n in range(rng.randint(0, 4))}
    spec.restart = rng.choice([Restart(), Restart("no"), Restart("always"), Restart("on-failure", 3)])
    spec.mac_address = "02:42:ac:11:00:02" if some() else ""
    spec.expose = ["70/tcp", "71/udp"] if some() else []
    if some():
        spec.ports = [
            Port(80, "tcp", "8080"),
            Port(53, "udp", "53", "10.0.0.1"),
            Port(443),
            Port(90, "sctp", "9000-9010", "::1"),
        ]
    if some():
        spec.health = a_health(rng, for_line)
    if some():
        spec.network_mode = rng.choice(["host", "none", "container:db"])
    elif some():
        spec.networks = a_few_networks(rng)
    spec.mounts = [mount for mount in some_mounts(rng, for_line) if some()]
    spec.ulimits = [Ulimit("nofile", 1024, 2048), Ulimit("core", -1, -1), Ulimit("nproc", 64, 64)] if some() else []
    spec.devices = (
        [Device("/dev/null"), Device("/dev/sda", "/dev/xvda", "r"), Device("vendor.com/class=1")] if some() else []
    )
    spec.device_requests = [
        request
        for request in (
            DeviceRequest(count=-1, capabilities=[["gpu"]]),
            DeviceRequest("nvidia", 0, ["0", "GPU-2"], [["compute", "utility", "gpu"]]),
            DeviceRequest("nvidia", 2, [], [["gpu"]], {"a": "b"}),
        )
        if some()
    ]
    if not for_line and some():
        spec.device_requests.append(DeviceRequest("x", 0, ["1"], [["tpu", "a"], ["other"]]))
    for name in RATES:
        if some():
            setattr(spec.limits, name, [Rate("/dev/sda", 4096), Rate("/dev/sdb", 500)])
    return spec


def a_health(rng: Random, for_line: bool) -> Health:
    """A health check."""
    tests = [["NONE"], ["CMD-SHELL", rng.choice([word for word in HARD if word])], []]
    health = Health(rng.choice(tests if for_line else [*tests, ["CMD", "a b", "$c"]]), retries=rng.choice([0, 3]))
    for name in HEALTH_TIMES:
        setattr(health, name, rng.choice([0, 5, 90, 0.25, 3661.5]))
    return health if health != Health() else Health(["NONE"])


def a_few_networks(rng: Random) -> list[Network]:
    """One or two networks."""
    first = Network("front", ["a", "b"], "10.1.0.5", "fd00::5", ["169.254.1.1"])
    second = Network("back", ["c"], mac_address="02:42:ac:11:00:09", driver_options={"com.x": "1"}, gateway_priority=5)
    return rng.choice([[first], [second], [first, second], [Network("plain")], [Network("plain"), first]])


def some_mounts(rng: Random, for_line: bool) -> list[Mount]:
    """Each kind of mount."""
    mounts = [
        Mount("/anonymous"),
        Mount("/named", source="data"),
        Mount("/named-ro", source="data2", read_only=True, no_copy=True),
        Mount("/bind", "bind", "/srv/with space", create=True),
        Mount("/bind-ro", "bind", "/srv/x", read_only=True, create=True, propagation="rslave", selinux="Z"),
        Mount("/bind-strict", "bind", "/srv/y", propagation="rshared", recursive="disabled"),
        Mount("/nfs", source="nfs", driver="local", driver_options={"type": "nfs", "o": "addr=10.0.0.1,rw", "device": ":/x"}),
        Mount("/labelled", source="data3", labels={"a": "b"}, subpath="sub"),
        Mount("/tmp1", "tmpfs", size=64 << 20, mode=0o1770),
        Mount("/image", "image", "busybox", subpath="bin"),
        Mount("/secret-volume", driver="local", driver_options={"o": "password=x"}),
    ]  # fmt: skip
    if not for_line:
        mounts.append(Mount("/tmp2", "tmpfs", options=["noexec", "uid=5"]))
    return mounts
