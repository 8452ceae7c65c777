"""What a swarm's manager answers as row values: recorded from Docker 20.10, and broken on purpose."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hosts.engine.parse import services as parse_services
from hosts.engine.parse import swarms as parse_swarm
from hosts.engine.parse import values

RECORDED = json.loads((Path(__file__).parent / "recorded/docker_20_10_swarm.json").read_text())
ODD: list[Any] = [{}, [], None, "x", 7, {"ID": 1, "Spec": []}, {"ID": "a", "Spec": {"Mode": 3, "TaskTemplate": "x"}}]


def test_a_manager_and_a_worker_say_what_they_are() -> None:
    manager, worker = parse_swarm.member_of(RECORDED["info"]), parse_swarm.member_of(RECORDED["worker"])
    assert (manager["state"], manager["control"], manager["swarm_id"]) == ("active", True, RECORDED["swarm"]["ID"])
    assert (worker["state"], worker["control"], worker["swarm_id"]) == ("active", False, "")
    assert [one["address"] for one in worker["managers"]] == ["10.214.3.11:2377", "10.214.3.12:2377"]
    assert parse_swarm.member_of(None)["state"] == "inactive"  # Podman


def test_a_swarm_has_its_settings_and_not_its_tokens() -> None:
    row = parse_swarm.swarm_row(RECORDED["swarm"])
    assert row and row["version"] == 10 and row["autolock"] is False
    assert row["data"]["task_history"] == 5 and row["data"]["cert_expiry"] == 7_776_000 * 10**9
    assert row["data"]["heartbeat_period"] == 5 * 10**9 and row["data"]["data_path_port"] == 4789
    assert "canary" not in json.dumps(row, default=str)


def test_a_node_a_service_a_secret_and_a_config() -> None:
    node = parse_swarm.node_row(RECORDED["nodes"][0])
    assert node and (node["name"], node["role"], node["state"], node["leader"]) == ("buoy-a", "manager", "ready", True)
    assert (node["cpus"], node["data"]["manager_address"]) == (2.0, "10.214.3.11:2377")
    service = parse_services.service_row(RECORDED["services"][0])
    secret, config = parse_swarm.secret_row(RECORDED["secrets"][0]), parse_swarm.config_row(RECORDED["configs"][0])
    assert service and secret and config
    assert (service["mode"], service["replicas"], service["stack"]) == ("replicated", 2, "st")
    assert service["endpoint_mode"] == "dnsrr" and service["spec"]["TaskTemplate"]["ContainerSpec"]["Init"] is False
    assert service["data"]["secrets"] == [secret["engine_id"]] and service["data"]["configs"] == [config["engine_id"]]
    assert (secret["name"], config["name"], config["size"]) == ("s1", "c1", 4)
    assert "b3Blbg" not in json.dumps(config, default=str)


def task(slot: int, age: int, state: str, desired: str, **more: Any) -> Any:
    moment = datetime(2026, 11, 26, tzinfo=UTC) - timedelta(minutes=age)
    raw = {"ID": f"t{slot}-{age}", "Slot": slot, "ServiceID": "web-id", "NodeID": "a-id", "DesiredState": desired}
    raw |= {"CreatedAt": moment.isoformat(), "Status": {"State": state}, "Version": {"Index": 1}}
    return parse_services.task_row(raw | more)


def test_of_each_slot_the_newest_tasks_are_kept_and_the_one_that_counts_is_known() -> None:
    tasks = [task(1, age, "failed", "shutdown") for age in range(1, 9)]
    tasks += [task(1, 20, "running", "running"), task(2, 5, "running", "running"), task(2, 9, "shutdown", "shutdown")]
    kept = parse_services.told(tasks, {"web-id": "web"}, {"a-id": "buoy-a"})
    assert {row["engine_id"] for row in kept if row["current"]} == {"t1-20", "t2-5"}
    assert sum(row["slot"] == 1 for row in kept) == parse_services.KEPT_TASKS
    assert {(row["name"], row["service_name"], row["node_name"]) for row in kept if row["slot"] == 2} == {
        ("web.2", "web", "buoy-a")
    }
    service = parse_services.service_row(RECORDED["services"][0])
    assert service and parse_services.counted(service, kept) == {"running": 2, "desired": 2, "completed": 0}


@pytest.mark.parametrize("raw", ODD)
def test_nothing_in_an_answer_is_trusted(raw: Any) -> None:
    for row_of in (
        *(parse_swarm.swarm_row, parse_swarm.node_row, parse_services.service_row, parse_services.task_row),
        *(parse_swarm.secret_row, parse_swarm.config_row),
    ):
        row = row_of(raw)
        assert row is None or (row["engine_id"] and isinstance(row["labels"], dict))
    assert parse_swarm.member_of(raw)["managers"] == []


def test_a_specification_that_is_too_long_or_too_deep_is_not_kept() -> None:
    deep: dict[str, Any] = {}
    for _ in range(100):
        deep = {"a": deep}
    assert values.bounded(deep) == {} and values.bounded({"a": "x" * 500_000}) == {}
    assert values.bounded({"a\0": ["b\0\ud800", 2**99, float("inf"), None]}) == {"a": ["b?", 2**62, None, None]}
    service = parse_services.service_row({"ID": "a", "Spec": {"Name": "web", "Labels": {"a": "x" * 500_000}}})
    assert service and service["spec"] == {} and service["data"]["spec_cut"]
