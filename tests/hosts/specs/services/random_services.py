"""Specifications of services by chance, from a seed: every field is filled in some of them."""

from random import Random
from typing import Any

from hosts.specs.fields import put
from hosts.specs.services.fields import FIELDS, RATIO, SPAN
from hosts.specs.services.spec import File, Mode, Network, Port, Rollout, ServiceSpec
from hosts.specs.spec import Health, Mount, Ulimit
from tests.hosts.specs.random_specs import HARD, VALUES

MORE: dict[Any, Any] = VALUES | {
    SPAN: lambda rng: rng.choice([0.0, 0.5, 10.0, 90.0]),
    RATIO: lambda rng: rng.choice([0.0, 0.25, 1.0]),
}
OWN: dict[str, Any] = {  # texts that have a form of their own
    "extra_hosts": lambda rng: ["db:10.0.0.1", "six:fd00::1"],
    "placement.spread": lambda rng: ["node.labels.zone", "engine.labels.rack"],
    "placement.platforms": lambda rng: ["linux/amd64", "/arm64"],
    "reservations.generic": lambda rng: ["GPU=2", "FPGA=uuid-1"],
    "privileges.credential_spec": lambda rng: rng.choice(
        ["file://spec.json", "registry://web", "config://credentials"]
    ),
    "privileges.seccomp": lambda rng: rng.choice(["default", "unconfined", '{"defaultAction": "SCMP_ACT_ALLOW"}']),
}
MODES = (
    Mode("replicated", 3),
    Mode("replicated", 0),
    Mode("global"),
    Mode("global-job"),
    Mode("replicated-job", None, 2, 5),
)


def a_service(seed: int) -> ServiceSpec:
    """The specification of a seed."""
    rng = Random(seed)
    spec = ServiceSpec(name="web-1", image="registry.example.com:5000/team/app:1.2")
    some = lambda: rng.random() < 0.35  # noqa: E731
    for entry in FIELDS:
        if some():
            put(spec, entry.name, OWN.get(entry.name, MORE[entry.kind])(rng))
    for rollout in (spec.update, spec.rollback):
        if rollout != Rollout() and rollout.parallelism is None:
            rollout.parallelism = 3  # else it is 1 for an engine
    spec.mode = rng.choice(MODES)
    spec.env = {f"NAME_{n}": rng.choice(HARD) for n in range(rng.randint(0, 4))}
    if some():
        spec.ports = [Port(80, 8080), Port(53, 53, "udp", "host"), Port(443, name="tls")]
    if some():
        spec.networks = [Network("front", ["web", "www"], {"com.example": "1"}), Network("back")]
    if some():
        spec.secrets = [File("key"), File("cert", "/etc/cert.pem", "10", "20", 0o400)]
        spec.configs = [File("site"), File("conf", "/etc/app.conf", "", "5", 0o1644)]
    if some():
        spec.mounts = [
            Mount("/data", "volume", "data", read_only=True),
            Mount("/srv", "bind", "/srv", propagation="rslave"),
            Mount("/nfs", "volume", "nfs", driver="local", driver_options={"type": "nfs"}),
            Mount("/t", "tmpfs", size=8 << 20, mode=0o1770),
            Mount("/anonymous"),
        ]
    if some():
        spec.health = Health(["CMD-SHELL", "curl -f localhost"], 90.0, 5.0, 10.0, 1.0, 3)
    if some():
        spec.ulimits = [Ulimit("nofile", 10, 20), Ulimit("nproc", -1, -1)]
    return spec
