"""The checker by itself: no way out is allowed by what is built in, and what harms nobody is."""

from typing import Any

import pytest

from hosts.policy.builds import check_build
from hosts.policy.containers import check_container, check_reach, check_update
from hosts.policy.networks import check_connect, check_network
from hosts.policy.refusals import NothingKnown
from hosts.policy.rules import Rules
from hosts.policy.services import check_service
from hosts.policy.volumes import check_volume
from tests.hosts.policy import escapes

STRICT, NOBODY = Rules(), NothingKnown()


class Known(NothingKnown):
    """A host with a few things on it."""

    def volume(self, name):
        options = {"disguise": {"type": "none", "o": "bind", "device": "/etc"}, "plain": None}
        return {"Driver": "local", "Options": options[name]} if name in options else None

    def network(self, name):
        drivers = {"4f2a": "host", "lan": "macvlan", "ours": "bridge", "none": "null"}
        return {"Driver": drivers[name], "Options": {}} if name in drivers else None

    def container(self, name):
        known = {
            "ours": {"HostConfig": {"NetworkMode": "bridge"}},
            "loose": {"HostConfig": {"NetworkMode": "host"}},
        }
        return known.get(name)

    def image(self, name):
        return {"RepoTags": ["good.example.com/team/app:1"]} if name.startswith("sha256:aaaa") else None


def rules(found):
    return {one.rule for one in found}


def test_there_are_enough_ways_out() -> None:
    kinds: tuple[Any, ...] = (escapes.CONTAINERS, escapes.SERVICES, escapes.VOLUMES, escapes.NETWORKS, escapes.BUILDS)
    assert len(escapes.CONTAINERS) >= 60
    assert sum(len(kind) for kind in kinds) >= 120


@pytest.mark.parametrize(("rule", "body"), escapes.CONTAINERS.values(), ids=escapes.CONTAINERS)
def test_no_container_gets_out(rule, body) -> None:
    assert rules(check_container(body, STRICT, NOBODY)) == {rule}


@pytest.mark.parametrize(("rule", "body"), escapes.SERVICES.values(), ids=escapes.SERVICES)
def test_no_service_gets_out(rule, body) -> None:
    assert rules(check_service(body, STRICT, NOBODY)) == {rule}


@pytest.mark.parametrize(("rule", "body"), escapes.VOLUMES.values(), ids=escapes.VOLUMES)
def test_no_volume_gets_out(rule, body) -> None:
    assert rules(check_volume(body, STRICT)) == {rule}


@pytest.mark.parametrize(("rule", "body"), escapes.NETWORKS.values(), ids=escapes.NETWORKS)
def test_no_network_gets_out(rule, body) -> None:
    assert rules(check_network(body, STRICT, NOBODY)) == {rule}


@pytest.mark.parametrize(("rule", "query"), escapes.BUILDS.values(), ids=escapes.BUILDS)
def test_no_build_gets_out(rule, query) -> None:
    assert rules(check_build(query, STRICT, NOBODY)) == {rule}


HARMLESS = {
    "little": {"Image": "busybox", "Cmd": ["sh"], "Env": ["A=b", "NVIDIA_VISIBLE_DEVICES=void"]},
    "much": {
        "Image": "busybox:1",
        "User": "0",
        "Tty": True,
        "ExposedPorts": {"80/tcp": {}},
        "HostConfig": {
            "Init": True,
            "RestartPolicy": {"Name": "always"},
            "Memory": 1 << 30,
            "CapAdd": ["CAP_CHOWN", "net_bind_service"],
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges"],
            "PortBindings": {"80/tcp": [{"HostPort": "8080"}], "81/tcp": [{"HostPort": ""}], "82/tcp": [{"HostPort": "2000-2002"}]},
            "PublishAllPorts": True,
            "Binds": ["data:/data", "plain:/p:ro", "/anonymous"],
            "Mounts": [
                {"Type": "volume", "Source": "plain", "Target": "/v", "VolumeOptions": {"Subpath": "a"}},
                {"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1, "Options": [["noexec"]]}},
                {"Type": "volume", "Target": "/m", "VolumeOptions": {"DriverConfig": {"Options": {"type": "tmpfs", "device": "tmpfs", "o": "size=8m"}}}},
            ],
            "Tmpfs": {"/run": "size=4m,mode=755"},
            "ExtraHosts": ["a:10.0.0.1"],
            "NetworkMode": "ours",
            "IpcMode": "private",
            "CgroupnsMode": "private",
            "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
            "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1024}],
            "OomScoreAdj": 10,
            "StorageOpt": {"size": "1G"},
        },
        "NetworkingConfig": {"EndpointsConfig": {"ours": {"Aliases": ["a"], "MacAddress": "02:42:ac:11:00:02"}}},
    },
    "with one's own": {"Image": "busybox", "HostConfig": {"NetworkMode": "container:ours", "Links": ["/ours:db"]}},
}  # fmt: skip


@pytest.mark.parametrize("body", HARMLESS.values(), ids=HARMLESS)
def test_what_harms_nobody_is_allowed(body) -> None:
    assert check_container(body, STRICT, Known()) == []


def test_a_service_that_harms_nobody_is_allowed() -> None:
    body = {
        "Name": "web",
        "Mode": {"Replicated": {"Replicas": 2}},
        "TaskTemplate": {
            "ContainerSpec": {"Image": "nginx", "Mounts": [{"Type": "volume", "Source": "data", "Target": "/d"}]},
            "Resources": {"Limits": {"MemoryBytes": 1}, "Reservations": {}},
            "Networks": [{"Target": "ours"}],
            "Placement": {"Constraints": ["node.role==worker"]},
            "RestartPolicy": {"Condition": "any"},
        },
        "EndpointSpec": {"Mode": "vip", "Ports": [{"TargetPort": 80, "PublishedPort": 8080}]},
        "UpdateConfig": {"Parallelism": 1},
    }
    body["TaskTemplate"]["ContainerSpec"]["Privileges"] = {"NoNewPrivileges": True, "Seccomp": {"Mode": "default"}}
    assert check_service(body, STRICT, Known()) == []


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        ({"Binds": ["disguise:/d"]}, "volume_types"),
        ({"Mounts": [{"Type": "volume", "Source": "disguise", "Target": "/d"}]}, "volume_types"),
        ({"NetworkMode": "4f2a"}, "namespaces"),
        ({"NetworkMode": "lan"}, "network_drivers"),
        ({"NetworkMode": "container:loose"}, "containers"),
        ({"PidMode": "container:loose"}, "containers"),
        ({"Links": ["loose:db"]}, "containers"),
    ],
)
def test_what_a_name_leads_to_is_looked_at(host, rule) -> None:
    assert rules(check_container({"Image": "busybox", "HostConfig": host}, STRICT, Known())) == {rule}


def test_what_lies_in_a_configuration_of_a_network_is_looked_at() -> None:
    class Configured(NothingKnown):
        def network(self, name):
            return {"Driver": "null", "Options": {"com.docker.network.bridge.name": "br0"}}

    body = {"Name": "n", "Driver": "bridge", "ConfigFrom": {"Network": "template"}}
    assert rules(check_network(body, STRICT, Configured())) == {"network_drivers"}
    assert rules(check_connect("lan", {}, STRICT, Known())) == {"network_drivers"}
    assert check_connect("ours", {"Container": "x", "EndpointConfig": {"Aliases": ["a"]}}, STRICT, Known()) == []


def test_who_may_not_make_such_a_container_does_not_go_into_one() -> None:
    inspect: dict[str, Any] = {
        "HostConfig": {"Binds": None, "MaskedPaths": None, "NetworkMode": "bridge", "CgroupnsMode": "host"}
    }
    assert check_reach(inspect, STRICT, NOBODY) == []
    inspect["HostConfig"] |= {"PortBindings": {"80/tcp": [{"HostPort": "80"}]}, "OomScoreAdj": -5}
    assert check_reach(inspect, STRICT, NOBODY) == []  # that is no way out for who is in it
    assert rules(check_reach({"HostConfig": {"Privileged": True}}, STRICT, NOBODY)) == {"privileged"}
    assert rules(check_reach({"HostConfig": {"Binds": ["/:/host"]}}, STRICT, NOBODY)) == {"engine_socket"}


def test_limits_that_are_needed_are_not_taken_away() -> None:
    needed = Rules(limits=("memory", "pids"))
    assert rules(check_update({"Memory": 0}, needed)) == {"limits"}
    assert rules(check_update({"PidsLimit": -1}, needed)) == {"limits"}
    assert check_update({"CpuShares": 5}, needed) == []
    assert rules(check_update({"OomKillDisable": True}, STRICT)) == {"priority"}
    found = check_container({"Image": "busybox", "HostConfig": {"Memory": 5}}, needed, NOBODY)
    assert [one.field for one in found] == ["limits.pids"]


# ---------------------------------------------------------------- what is opened
OPENED = {
    "a capability": (Rules(capabilities=("net_admin",)), {"CapAdd": ["CAP_NET_ADMIN"]}, {"CapAdd": ["SYS_ADMIN"]}),
    "all capabilities": (Rules(capabilities=("ALL",)), {"CapAdd": ["SYS_ADMIN"]}, {"Privileged": True}),
    "a device": (Rules(devices=("/dev/fuse",)), {"Devices": [{"PathOnHost": "/dev/fuse"}]}, {"Devices": [{"PathOnHost": "/dev/fuse2"}]}),
    "a folder": (Rules(binds=("/srv/team",)), {"Binds": ["/srv//team/:/d"]}, {"Binds": ["/srv/team/below:/d"]}),
    "a folder to read": (Rules(binds=("/srv/team:ro",)), {"Binds": ["/srv/team:/d:ro,z"]}, {"Binds": ["/srv/team:/d"]}),
    "a folder's neighbour": (Rules(binds=("/srv/team",)), {"Binds": ["/srv/team:/d"]}, {"Binds": ["/srv/team2:/d"]}),
    "a folder that spreads": (Rules(binds=("/srv/team",)), {"Binds": ["/srv/team:/d:rslave"]}, {"Binds": ["/srv/team:/d:shared"]}),
    "the socket": (Rules(engine_socket=True), {"Binds": ["/var/run/docker.sock:/s"]}, {"Binds": ["/var/run:/s"]}),
    "a namespace": (Rules(namespaces=("network",)), {"NetworkMode": "host"}, {"PidMode": "host"}),
    "a server": (
        Rules(volume_types=("nfs",)),
        {"Mounts": [{"Type": "volume", "VolumeOptions": {"DriverConfig": {"Options": {"type": "nfs", "o": "addr=a", "device": ":/x"}}}}]},
        {"Mounts": [{"Type": "volume", "VolumeOptions": {"DriverConfig": {"Options": {"type": "nfs", "o": "bind", "device": ":/x"}}}}]},
    ),
    "settings": (Rules(sysctls=("net.ipv4.*",)), {"Sysctls": {"net.ipv4.ip_forward": "1"}}, {"Sysctls": {"net.ipv4": "1"}}),
    "ports": (Rules(ports=("80", "443", "8000-8001")), {"PortBindings": {"1/tcp": [{"HostPort": "443"}]}}, {"PortBindings": {"1/tcp": [{"HostPort": "8002"}]}}),
    "a driver of logs": (Rules(log_drivers=("syslog",)), {"LogConfig": {"Type": "syslog"}}, {"LogConfig": {"Type": "json-file"}}),
    "others' volumes": (Rules(volumes_from=True), {"VolumesFrom": ["ours:ro"]}, {"VolumesFrom": ["loose"]}),
}  # fmt: skip


@pytest.mark.parametrize(("opened", "allowed", "refused"), OPENED.values(), ids=OPENED)
def test_what_a_policy_opens_is_open_and_no_more(opened, allowed, refused) -> None:
    assert check_container({"Image": "busybox", "HostConfig": allowed}, opened, Known()) == []
    assert check_container({"Image": "busybox", "HostConfig": refused}, opened, Known()) != []


@pytest.mark.parametrize(
    ("pattern", "listed", "others"),
    [
        ("good.example.com/team/*", ["good.example.com/team/app", "good.example.com/team/a/b:1"], ["team/app", "good.example.com/other"]),
        ("nginx", ["nginx", "docker.io/library/nginx:1", "nginx@sha256:" + "a" * 64], ["evil/nginx", "nginx2"]),
        ("nginx:1.*", ["nginx:1.27"], ["nginx", "nginx:2", "nginx:1.27@sha256:" + "a" * 64]),
        ("team/app@sha256:*", ["team/app@sha256:" + "a" * 64], ["team/app:1", "team/app"]),
        ("good.example.com/*", ["sha256:" + "a" * 64], ["sha256:" + "b" * 64, "bbbbbbbbbbbb"]),
        ("docker.io/*", ["busybox"], ["EVIL/app", "abcdef123456"]),
    ],
)  # fmt: skip
def test_images_are_of_the_list(pattern, listed, others) -> None:
    opened = Rules(images=(pattern,))
    for image in listed:
        assert check_container({"Image": image}, opened, Known()) == [], image
    for image in others:
        assert rules(check_container({"Image": image}, opened, Known())) == {"images"}, image
    assert rules(check_build([], opened, NOBODY)) == {"images"}
