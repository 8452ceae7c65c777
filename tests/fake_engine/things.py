"""What a fake engine has: containers, images, networks and volumes, in an engine's own JSON."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

JSON = dict[str, Any]
CREATED = 1_700_000_000  # seconds: 14 November 2023


def identity(*parts: object) -> str:
    """64 hexadecimal digits that are the same for the same parts."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def moment(seconds: float) -> str:
    """RFC 3339 with nine decimals, as Docker writes times; the year 1 for 0."""
    if not seconds:
        return "0001-01-01T00:00:00Z"
    whole = datetime.fromtimestamp(int(seconds), UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{round((seconds % 1) * 1e9):09d}Z"


@dataclass
class FakeContainer:
    """`lines` are its log: (stream 1 or 2, seconds, text with its line end)."""

    name: str
    image: str = "dermaga/web:latest"
    state: str = "running"
    health: str = ""
    exit_code: int = 0
    labels: dict[str, str] = field(default_factory=dict)
    command: str = "httpd -f"
    tty: bool = False
    created: float = CREATED
    started: float = CREATED + 1
    finished: float = 0
    lines: list[tuple[int, float, bytes]] = field(default_factory=list)
    id: str = ""
    made: JSON = field(default_factory=dict)  # the body that it was created with
    networks: dict[str, JSON] = field(default_factory=dict)  # by name, that it was connected to
    dies: bool = False  # as soon as it is started, with exit code 3

    def __post_init__(self) -> None:
        self.id = self.id or identity("container", self.name, self.created)

    @property
    def image_id(self) -> str:
        return f"sha256:{identity('image', self.image)}"

    @property
    def status(self) -> str:
        """The sentence in `docker ps`."""
        if self.state in {"running", "paused"}:
            extra = f" ({self.health})" if self.health else " (Paused)" if self.state == "paused" else ""
            return f"Up 2 hours{extra}"
        return "Created" if self.state == "created" else f"Exited ({self.exit_code}) 3 minutes ago"

    @property
    def ports(self) -> list[JSON]:
        running = self.state in {"running", "paused"}
        return [{"IP": "0.0.0.0", "PrivatePort": 80, "PublicPort": 8080, "Type": "tcp"}] if running else []

    def row(self) -> JSON:
        """As in the list of containers."""
        return {
            "Id": self.id,
            "Names": [f"/{self.name}"],
            "Image": self.image,
            "ImageID": self.image_id,
            "Command": self.command,
            "Created": int(self.created),
            "Ports": self.ports,
            "Labels": self.labels,
            "State": self.state,
            "Status": self.status,
            "HostConfig": {"NetworkMode": "bridge"},
            "NetworkSettings": {"Networks": {"bridge": self.network()}},
            "Mounts": [],
        }

    def network(self) -> JSON:
        return {
            "NetworkID": identity("network", "bridge"),
            "IPAddress": "172.17.0.2" if self.state == "running" else "",
            "Gateway": "172.17.0.1",
            "MacAddress": "02:42:ac:11:00:02",
            "Aliases": None,
        }

    def inspect(self) -> JSON:
        """As inspecting it answers."""
        found = self._inspect()
        config = {name: value for name, value in self.made.items() if name not in {"HostConfig", "NetworkingConfig"}}
        found["Config"] |= {"Env": [*found["Config"]["Env"], *config.pop("Env", [])]} | config
        found["HostConfig"] |= self.made.get("HostConfig", {})
        if self.networks:
            found["NetworkSettings"]["Networks"] = self.networks
        return found

    def _inspect(self) -> JSON:
        return {
            "Id": self.id,
            "Created": moment(self.created),
            "Path": self.command.split()[0],
            "Args": self.command.split()[1:],
            "State": self.inspect_state(),
            "Image": self.image_id,
            "Name": f"/{self.name}",
            "RestartCount": 0,
            "Driver": "overlay2",
            "Platform": "linux",
            "Mounts": [],
            "HostConfig": {
                "NetworkMode": "bridge",
                "LogConfig": {"Type": "json-file", "Config": {}},
                "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
                "Memory": 0,
                "NanoCpus": 0,
            },
            "Config": {
                "Hostname": self.id[:12],
                "Image": self.image,
                "Cmd": self.command.split(),
                "Env": ["PATH=/bin"],
                "Labels": self.labels,
                "Tty": self.tty,
                "User": "",
                "ExposedPorts": {"80/tcp": {}},
            },
            "NetworkSettings": {
                "Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]} if self.ports else {},
                "Networks": {"bridge": self.network()},
            },
        }

    def inspect_state(self) -> JSON:
        state: JSON = {
            "Status": self.state,
            "Running": self.state in {"running", "paused"},
            "Paused": self.state == "paused",
            "Restarting": False,
            "OOMKilled": False,
            "Dead": False,
            "Pid": 4711 if self.state in {"running", "paused"} else 0,
            "ExitCode": self.exit_code,
            "Error": "",
            "StartedAt": moment(self.started if self.state != "created" else 0),
            "FinishedAt": moment(self.finished),
        }
        if self.health:
            state["Health"] = {"Status": self.health, "FailingStreak": 0, "Log": []}
        return state


def image(name: str, size: int = 2_130_000) -> JSON:
    """A row of the list of images."""
    repository = name.rpartition(":")[0]
    return {
        "Id": f"sha256:{identity('image', name)}",
        "ParentId": "",
        "RepoTags": [name],
        "RepoDigests": [f"{repository}@sha256:{identity('digest', name)}"],
        "Created": CREATED,
        "Size": size,
        "VirtualSize": size,
        "SharedSize": -1,
        "Labels": {},
        "Containers": -1,
    }


def network(name: str, driver: str = "bridge") -> JSON:
    """A row of the list of networks."""
    return {
        "Name": name,
        "Id": identity("network", name),
        "Created": moment(CREATED),
        "Scope": "local",
        "Driver": driver,
        "EnableIPv6": False,
        "IPAM": {
            "Driver": "default",
            "Options": None,
            "Config": [{"Subnet": "172.17.0.0/16", "Gateway": "172.17.0.1"}],
        },
        "Internal": False,
        "Attachable": False,
        "Ingress": False,
        "Containers": {},
        "Options": {},
        "Labels": {},
    }


def volume(name: str) -> JSON:
    """A row of the list of volumes."""
    return {
        "CreatedAt": moment(CREATED).split(".")[0] + "Z",
        "Driver": "local",
        "Labels": None,
        "Mountpoint": f"/var/lib/docker/volumes/{name}/_data",
        "Name": name,
        "Options": None,
        "Scope": "local",
    }


def stats(container: FakeContainer, tick: int) -> JSON:
    """The `tick`th sample of cgroup v2: 25 % of one of two CPUs, 40 MB with 8 MB of cache."""
    if container.state != "running":
        return {"read": moment(0), "preread": moment(0), "pids_stats": {}, "cpu_stats": {}, "precpu_stats": {}}

    def cpu(at: int) -> JSON:
        return {
            "cpu_usage": {"total_usage": at * 250_000_000, "usage_in_kernelmode": 0, "usage_in_usermode": 0},
            "system_cpu_usage": at * 2_000_000_000,
            "online_cpus": 2,
            "throttling_data": {"periods": 0, "throttled_periods": 0, "throttled_time": 0},
        }

    read = CREATED + 10 + tick
    return {
        "read": moment(read),
        "preread": moment(read - 1) if tick else moment(0),
        "id": container.id,
        "name": f"/{container.name}",
        "num_procs": 0,
        "pids_stats": {"current": 3, "limit": 19000},
        "cpu_stats": cpu(tick + 1),
        "precpu_stats": cpu(tick) if tick else {"cpu_usage": {"total_usage": 0}},
        "memory_stats": {"usage": 48_000_000, "limit": 8_000_000_000, "stats": {"inactive_file": 8_000_000}},
        "blkio_stats": {"io_service_bytes_recursive": [{"major": 8, "minor": 0, "op": "read", "value": 4096 * tick}]},
        "networks": {"eth0": {"rx_bytes": 1000 * tick, "tx_bytes": 500 * tick, "rx_packets": tick, "tx_packets": tick}},
    }
