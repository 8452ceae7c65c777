"""What a container may use at most, read as an engine reads it."""

from typing import Any

import pytest

from accounts.models import Team
from common.errors import Failure, Invalid
from hosts.models.owners import Adoption
from hosts.owning import Corner, check_labels_of
from hosts.policy.allotted import Allotted, allotted, of_inspect, updated
from hosts.specs.check import check
from hosts.specs.spec import ContainerSpec, Limits
from tests.rows import a_host

CPU = 1_000_000_000


@pytest.mark.parametrize(
    ("config", "cpus"),
    [
        ({"NanoCpus": 500_000_000}, CPU // 2),
        ({"nanocpus": 500_000_000}, CPU // 2),  # an engine takes the names of its fields in any case
        ({"CpuQuota": 50_000}, CPU // 2),
        ({"CpuQuota": 50_000, "CpuPeriod": 200_000}, CPU // 4),
        ({"CpusetCpus": "0-2,5"}, 4 * CPU),
        ({"CpusetCpus": "0-2,5", "NanoCpus": CPU}, CPU),
        ({"NanoCpus": 9_999}, 0),  # an engine rounds it to no limit
        ({"NanoCpus": 0}, 0),
        ({"NanoCpus": -1}, 0),
        ({"NanoCpus": True}, 0),
        ({"NanoCpus": "4"}, 0),
        ({"CpuQuota": -1}, 0),
        ({"CpusetCpus": "all"}, 0),
        ({"CpuQuota": 10**18}, 10**6 * CPU),  # and has room in a column
        ({"CpusetCpus": "0-999999999"}, 10**6 * CPU),
        (None, 0),
        ([], 0),
    ],
)
def test_cpus(config: Any, cpus: int) -> None:
    assert allotted(config).nano_cpus == cpus


def test_ports_are_those_that_it_names_and_with_all_of_them_those_of_its_image() -> None:
    config = {"PortBindings": {"80/tcp": [{"HostPort": "80"}, {"HostPort": "8080"}], "443/tcp": None}}
    assert allotted(config) == Allotted(ports=2)
    inspect = {"HostConfig": config | {"PublishAllPorts": True}, "Config": {"ExposedPorts": {"1/tcp": {}, "2/tcp": {}}}}
    assert of_inspect(inspect).ports == 4
    assert of_inspect(None) == of_inspect({"HostConfig": 3}) == Allotted()


def test_an_update_leaves_what_is_0_but_for_processes() -> None:
    before = {"NanoCpus": CPU, "Memory": 5, "PidsLimit": 7}
    assert allotted(updated(before, {"NanoCpus": 0, "Memory": 0})) == Allotted(CPU, 5, 7)
    for none in (0, -1):
        assert allotted(updated(before, {"PidsLimit": none})).pids == 0
    assert allotted(updated(before, {"PidsLimit": None})).pids == 7


def test_a_limit_that_an_engine_takes_for_none_is_refused() -> None:
    with pytest.raises(Invalid) as refused:
        check(ContainerSpec(image="busybox", limits=Limits(cpus=0.000001)))
    assert refused.value.field == "limits.cpus"
    check(ContainerSpec(image="busybox", limits=Limits(cpus=0.01)))


@pytest.mark.django_db
def test_labels_of_an_image_lead_a_container_to_no_other_team() -> None:
    """Whose it is goes by its own labels alone, and so does what is checked before."""
    dock, north = a_host("dock"), Team.objects.create(name="north")
    Adoption.objects.create(host=dock, noun="container", key="web", team=Team.objects.create(name="rival"))
    compose = {"com.docker.compose.project": "p", "com.docker.compose.service": "s"}
    spec = ContainerSpec(image="a", name="web", labels={"dermaga.team": "north"} | compose)
    corner = Corner(dock, north.pk)
    check_labels_of(corner, {"Config": {"Labels": {}}}, spec)
    with pytest.raises(Invalid):
        check_labels_of(corner, {"Config": {"Labels": compose}}, spec)
    with pytest.raises(Failure):
        check_labels_of(corner, {"Config": {"Labels": {"dermaga.team": "north"}}}, spec)
