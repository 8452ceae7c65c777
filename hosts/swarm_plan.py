"""A swarm that somebody wants to make, join or set otherwise, checked before an engine hears of it."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from common.errors import Invalid

ADDRESS = re.compile(r"[A-Za-z0-9_.:\[\]%-]{1,100}")  # an address or an interface, with or without a port
TOKEN = re.compile(r"SWMTKN-1-[0-9a-z]{20,100}-[0-9a-z]{10,60}")
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
NOT_NAMES = ("init", "join", "leave", "unlock", "hosts")  # they are addresses of pages and routes
AVAILABILITIES = ("active", "pause", "drain")
ROLES = ("worker", "manager")
VERSION = re.compile(r"-v(\d{1,6})$")
NAME_AT_MOST = 64  # of a secret or config
PORTS, DEFAULT_PORT = range(1024, 49152), 4789
POOLS_AT_MOST, LABELS_AT_MOST, REMOTES_AT_MOST = 20, 200, 20
BYTES_AT_MOST = 500 * 1024  # of a secret or config
SECOND, HOUR = 10**9, 3600 * 10**9  # nanoseconds
NOT_AN_ADDRESS = gettext_noop("“%(value)s” is no address. Write one like 10.0.0.5 or 10.0.0.5:2377, or an interface.")


def check_address(name: str, value: str, *, needed: bool = False) -> None:
    """Raises Invalid for what is neither an address (with or without a port) nor an interface's name."""
    if (value or needed) and not ADDRESS.fullmatch(value):
        raise Invalid(name, NOT_AN_ADDRESS, {"value": value[:60]})


@dataclass(frozen=True)
class NodePlan:
    """How a host takes part. "" leaves it to the engine."""

    advertise: str = ""  # where the others reach it
    listen: str = ""
    data_path: str = ""  # for the traffic of containers
    availability: str = "active"

    def check(self) -> None:
        """Raises Invalid for the first value that is wrong."""
        for name in ("advertise", "listen", "data_path"):
            check_address(name, getattr(self, name))
        if self.availability not in AVAILABILITIES:
            raise Invalid("availability", gettext_noop("Choose active, pause or drain."))

    def body(self) -> dict[str, Any]:
        """The part of the Engine API's request that is about the node."""
        return {
            "AdvertiseAddr": self.advertise,
            "ListenAddr": self.listen or "0.0.0.0:2377",
            "DataPathAddr": self.data_path,
            "Availability": self.availability,
        }


@dataclass(frozen=True)
class InitPlan:
    """What POST /swarm/init takes."""

    node: NodePlan = field(default_factory=NodePlan)
    data_path_port: int = 0  # 0: 4789
    pools: tuple[str, ...] = ()  # of which networks get their subnets
    subnet_size: int = 24
    autolock: bool = False
    force_new_cluster: bool = False

    def check(self) -> None:
        """Raises Invalid for the first value that is wrong."""
        self.node.check()
        if self.data_path_port and self.data_path_port not in PORTS:
            raise Invalid("data_path_port", gettext_noop("The port is a number from 1024 to 49151."))
        if len(self.pools) > POOLS_AT_MOST:
            raise Invalid("pools", gettext_noop("At most %(most)s address pools."), {"most": POOLS_AT_MOST})
        for pool in self.pools:
            _check_pool(pool, self.subnet_size)

    def body(self) -> dict[str, Any]:
        """The Engine API's request."""
        pools = {"DefaultAddrPool": list(self.pools), "SubnetSize": self.subnet_size} if self.pools else {}
        port = {"DataPathPort": self.data_path_port} if self.data_path_port else {}
        spec = {"EncryptionConfig": {"AutoLockManagers": self.autolock}}
        return {**self.node.body(), **pools, **port, "ForceNewCluster": self.force_new_cluster, "Spec": spec}


def _check_pool(pool: str, size: int) -> None:
    try:
        network = ipaddress.ip_network(pool)
    except ValueError:
        raise Invalid(
            "pools", gettext_noop("%(value)s is no subnet. Examples: 172.30.0.0/16, fd00:5::/64."), {"value": pool[:60]}
        ) from None
    if not network.prefixlen <= size <= network.max_prefixlen - 2:
        words = {"size": size, "pool": pool}
        raise Invalid("subnet_size", gettext_noop("Subnets of /%(size)s do not fit into the pool %(pool)s."), words)


SETTINGS = {  # our name: part, name and unit in an engine's specification
    "task_history": ("Orchestration", "TaskHistoryRetentionLimit", 1),
    "snapshot_interval": ("Raft", "SnapshotInterval", 1),
    "keep_snapshots": ("Raft", "KeepOldSnapshots", 1),
    "log_entries": ("Raft", "LogEntriesForSlowFollowers", 1),
    "heartbeat_seconds": ("Dispatcher", "HeartbeatPeriod", SECOND),
    "cert_hours": ("CAConfig", "NodeCertExpiry", HOUR),
}


@dataclass(frozen=True)
class SettingsPlan:
    """A swarm's settings. None leaves one as it is."""

    task_history: int | None = None  # ended tasks that are kept of each slot
    snapshot_interval: int | None = None  # log entries between two snapshots
    keep_snapshots: int | None = None
    log_entries: int | None = None  # kept for managers that lag behind
    heartbeat_seconds: float | None = None  # between two words of a node
    cert_hours: float | None = None  # that a node's certificate holds
    autolock: bool | None = None
    labels: Mapping[str, str] | None = None

    def check(self) -> None:
        """Raises Invalid for the first value that is wrong."""
        for name, least, most in (
            ("task_history", 0, 1000),
            ("snapshot_interval", 1, 10_000_000),
            ("keep_snapshots", 0, 1000),
            ("log_entries", 1, 10_000_000),
            ("heartbeat_seconds", 1, 3600),
            ("cert_hours", 1, 24 * 3650),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= most:
                words = {"least": least, "most": most}
                raise Invalid(name, gettext_noop("This is a number from %(least)s to %(most)s."), words)
        check_labels(self.labels)

    def change(self, spec: dict[str, Any]) -> None:
        """Alters an engine's specification of a swarm."""
        for field_name, (part, name, unit) in SETTINGS.items():
            value = getattr(self, field_name)
            if value is not None:
                spec.setdefault(part, {})[name] = int(value * unit)
        if self.autolock is not None:
            spec["EncryptionConfig"] = {"AutoLockManagers": self.autolock}
        if self.labels is not None:
            spec["Labels"] = dict(self.labels)

    def told(self, spec: dict[str, Any]) -> dict[str, Any]:
        """What an engine's specification says of that which is to change, by our names."""
        found: dict[str, Any] = {}
        for name, (part, theirs, unit) in SETTINGS.items():
            value = (spec.get(part) or {}).get(theirs)
            found[name] = None if value is None else value / unit
        found["autolock"] = bool((spec.get("EncryptionConfig") or {}).get("AutoLockManagers"))
        found["labels"] = dict(spec.get("Labels") or {})
        return {name: value for name, value in found.items() if getattr(self, name) is not None}


def check_labels(labels: Mapping[str, str] | None, name: str = "labels") -> None:
    """Raises Invalid for labels that no engine should get."""
    if labels is None:
        return
    if len(labels) > LABELS_AT_MOST:
        raise Invalid(name, gettext_noop("At most %(most)s entries."), {"most": LABELS_AT_MOST})
    for key, value in labels.items():
        if not key.strip() or len(key) > 255 or len(value) > 4096 or "\0" in key + value or not _is_utf8(key + value):
            raise Invalid(name, gettext_noop("“%(line)s” is not name=value."), {"line": key[:60]})


def _is_utf8(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)  # JSON can spell half a pair


def check_value(noun: str, value: bytes) -> None:
    """Raises Invalid for what cannot be the value of a "secret" or a "config"."""
    if not value and noun == "secret":
        raise Invalid("value", gettext_noop("Enter the value, or choose a file."))
    if len(value) > BYTES_AT_MOST:
        raise Invalid("value", gettext_noop("The value is longer than 500 KB, the most that a swarm takes."))


def next_name(name: str, taken: set[str]) -> str:
    """db -> db-v2 -> db-v3, one that is free."""
    found = VERSION.search(name)
    base, number = (name[: found.start()], int(found[1])) if found else (name, 1)
    while True:
        number += 1
        end = f"-v{number}"
        made = f"{base[: NAME_AT_MOST - len(end)]}{end}"
        if made not in taken:
            return made
