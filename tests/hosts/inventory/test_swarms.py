"""Who is in which swarm, through whom it is read, and what of it is news: at the tables, without an engine."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from hosts.actions.system import hosts as host_acts
from hosts.engine.parse import services as parse_services
from hosts.engine.parse import swarms as parse_swarm
from hosts.inventory import swarms
from hosts.models import Node, Service, Swarm, SwarmMember
from tests.hosts.engine.test_parse_swarms import RECORDED
from tests.rows import a_host, person

pytestmark = pytest.mark.django_db


def member(swarm_id: str = "one", **more: Any) -> Any:
    info = {"LocalNodeState": "active", "NodeID": "n1", "ControlAvailable": bool(swarm_id), "Cluster": {"ID": swarm_id}}
    return parse_swarm.member_of(info | more)


def a_swarm(*hosts: Any) -> Swarm:
    for host in hosts:
        swarms.apply_member(host.pk, member(NodeID=host.name))
    return Swarm.objects.get(engine_id="one")


def test_one_manager_reads_and_another_takes_over_when_it_is_silent_or_gives_up() -> None:
    first, second = a_host("first"), a_host("second")
    swarm = a_swarm(first, second)
    assert [swarms.take(host.pk) for host in (first, second, first)] == [True, False, True]
    swarms.give_up(first.pk)
    assert [swarms.take(host.pk) for host in (second, first)] == [True, False]
    Swarm.objects.filter(pk=swarm.pk).update(reader_until=timezone.now() - timedelta(seconds=1))
    assert [swarms.take(host.pk) for host in (first, second)] == [True, False]
    type(first).objects.filter(pk=first.pk).update(state="unreachable")
    assert swarms.take(second.pk)
    assert not swarms.apply_read(first.pk, "node", [])  # what it read meanwhile is not written


def test_a_swarm_is_named_once_and_forgotten_with_its_last_host() -> None:
    first, second = a_host("first"), a_host("second")
    a_swarm(first)
    swarms.apply_member(second.pk, member("two"))
    assert set(Swarm.objects.values_list("engine_id", "name")) == {("one", "swarm"), ("two", "swarm-2")}
    swarms.apply_member(first.pk, member("", LocalNodeState="inactive"))
    assert list(Swarm.objects.values_list("engine_id", flat=True)) == ["two"]
    host_acts.remove(person("ada", "admin"), second)
    assert not Swarm.objects.exists()


def test_a_worker_is_known_by_its_node() -> None:
    manager, worker = a_host("first"), a_host("second")
    swarm = a_swarm(manager)
    swarms.apply_member(worker.pk, member("", NodeID=RECORDED["nodes"][0]["ID"]))
    assert SwarmMember.objects.get(host=worker).swarm is None
    assert swarms.take(manager.pk)
    assert swarms.apply_read(manager.pk, "node", [parse_swarm.node_row(raw) for raw in RECORDED["nodes"]])
    assert SwarmMember.objects.get(host=worker).swarm == swarm
    swarms.apply_member(worker.pk, member("", NodeID="", LocalNodeState="locked"))
    assert SwarmMember.objects.get(host=worker).swarm == swarm  # a locked one does not know who it is


def test_the_state_says_what_its_managers_are() -> None:
    host = a_host()
    swarm = a_swarm(host)

    def state() -> str:
        return str(Swarm.objects.prefetch_related("members__host").get(pk=swarm.pk).state)

    assert state() == "active" and swarms.take(host.pk)
    swarms.give_up(host.pk, "The swarm does not have a leader.", leaderless=True)
    assert state() == "no_leader" and swarms.take(host.pk)
    assert swarms.apply_swarm(host.pk, parse_swarm.swarm_row(RECORDED["swarm"] | {"ID": "one"}))
    assert state() == "active"
    swarms.apply_member(host.pk, member("", NodeID="", LocalNodeState="locked"))
    assert state() == "locked"
    type(host).objects.filter(pk=host.pk).update(state="unreachable")
    assert state() == "unreachable"


def test_an_answer_that_is_older_than_what_is_known_changes_nothing() -> None:
    swarm = a_swarm(a_host())
    new, old = (
        parse_swarm.node_row(RECORDED["nodes"][0] | {"Version": {"Index": n}, "Spec": {"Availability": said}})
        for n, said in ((20, "drain"), (19, "active"))
    )
    swarms.apply_objects(swarm, "node", [new])
    swarms.apply_objects(swarm, "node", [old])
    assert Node.objects.get().availability == "drain"
    swarms.apply_objects(swarm, "node", [], only={"another"})
    assert Node.objects.exists()
    swarms.apply_objects(swarm, "node", [])
    assert not Node.objects.exists()


def test_counts_of_a_service_move_without_a_new_version() -> None:
    swarm = a_swarm(a_host())
    row = parse_services.service_row(RECORDED["services"][0])
    assert row
    swarms.apply_objects(swarm, "service", [{**row, "running": 0, "desired": 2, "completed": 0}])
    swarms.apply_objects(swarm, "service", [{**row, "running": 2, "desired": 2, "completed": 0}])
    swarms.apply_objects(swarm, "service", [row], only={row["engine_id"]})  # an act's own look does not count tasks
    assert Service.objects.get().running == 2
