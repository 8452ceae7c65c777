"""Services of a real swarm, as a program makes, changes, scales, takes back and removes them."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.registry import PASSWORD, Registry
from tests.engines.swarm import RealSwarm
from tests.hosts.logins import stored
from tests.hosts.swarm.services import QUIET, Fleet
from tests.servers.product import Product
from tests.waiting import until

CANARY = "canary-of-a-service-4711"


@pytest.fixture
def fleet(product: Product, swarm: RealSwarm, known: str) -> Iterator[Fleet]:
    found = Fleet(product, swarm, known)
    yield found
    found.clear()


def test_a_service_is_made_as_it_was_written(fleet: Fleet) -> None:
    swarm = fleet.swarm.first
    name = fleet.new_name()
    swarm.docker("secret", "create", f"{name}-key", "-", stdin=b"secret")
    swarm.docker("config", "create", f"{name}-conf", "-", stdin=b"plain")
    swarm.docker("network", "create", "--driver", "overlay", f"{name}-net")
    try:
        for what in (f"networks?search={name}-net", f"secrets?search={name}-key", f"configs?search={name}-conf"):
            until(lambda what=what: fleet.product.api(what)["count"], f"{what} is known")
        spec: dict[str, Any] = QUIET | {
            "name": name,
            "labels": {"tier": "front"},
            "mode": {"replicas": 3},
            "env": {"TOKEN": CANARY},
            "container_labels": {"a": "b"},
            "hostname": "{{.Node.Hostname}}",
            "working_dir": "/tmp",
            "user": "0:0",
            "stop_grace": 2.5,
            "init": True,
            "read_only": True,
            "extra_hosts": ["db:10.1.2.3"],
            "dns": ["10.9.9.9"],
            "cap_add": ["CAP_NET_ADMIN"],
            "ulimits": [{"name": "nofile", "soft": 100, "hard": 200}],
            "sysctls": {"net.core.somaxconn": "500"},
            "mounts": [{"target": "/data", "source": f"{name}-data"}, {"target": "/t", "type": "tmpfs", "size": 65536}],
            "secrets": [{"source": f"{name}-key", "target": "the-key", "uid": "5", "mode": 0o400}],
            "configs": [{"source": f"{name}-conf", "target": "/etc/the.conf"}],
            "networks": [{"name": f"{name}-net", "aliases": ["crew"]}],
            "ports": [{"target": 8080, "published": 18080, "mode": "host"}],
            "limits": {"cpus": 0.5, "memory": 64 << 20, "pids": 50},
            "reservations": {"memory": 8 << 20},
            "restart": {"condition": "on-failure", "delay": 1.0, "attempts": 2, "window": 30.0},
            "placement": {"constraints": ["node.role==manager"], "spread": ["node.labels.zone"], "max_replicas": 1},
            "health": {"test": ["CMD-SHELL", "cat /run/secrets/the-key /etc/the.conf"], "interval": 0.3, "retries": 9},
            "log": {"driver": "json-file", "options": {"max-size": "1m"}},
            "update": {"parallelism": 2, "delay": 0.1, "failure_action": "rollback", "monitor": 0.5, "order": "start-first"},
        }  # fmt: skip
        job = fleet.do(f"services/{fleet.name}", pin=False, **spec)
        assert CANARY not in str(job) + fleet.log(job)

        shown = fleet.runs(name, 3)
        assert {task["node"] for task in shown["tasks"]} == set(fleet.swarm.engines)
        told = shown["spec"]
        for rollout in ("update", "rollback"):  # the engine writes its defaults into these
            spec[rollout] = {key: told[rollout].pop(key, None) for key in spec[rollout]} | told.pop(rollout)
            assert spec[rollout]["parallelism"] == (2 if rollout == "update" else 0)
        assert told == {key: value for key, value in spec.items() if key not in {"update", "rollback"}}
        container = fleet.spec(name)["TaskTemplate"]["ContainerSpec"]
        assert container["Secrets"][0]["File"] == {"Name": "the-key", "UID": "5", "GID": "0", "Mode": 0o400}
        assert container["Hosts"] == ["10.1.2.3 db"]
        inside = swarm.docker("ps", "-q", "--filter", f"label=com.docker.swarm.service.name={name}").strip()
        assert swarm.docker("exec", inside, "cat", "/run/secrets/the-key", "/etc/the.conf") == "secretplain"
        assert swarm.docker("exec", inside, "hostname").strip() == "buoy-a"
    finally:
        fleet.clear()
        swarm.docker("secret", "rm", f"{name}-key")
        swarm.docker("config", "rm", f"{name}-conf")


def test_a_change_keeps_what_is_not_known_here_and_replaces_the_tasks(fleet: Fleet) -> None:
    name = fleet.create(mode={"replicas": 2}, env={"A": "1"})
    fleet.swarm.first.docker("service", "update", "--detach", "--force", name)
    before = fleet.soon(
        name, lambda service: service["update_state"] == "completed", "the command line's update is over"
    )
    path = f"services/{fleet.name}/{name}"
    job = fleet.do(
        path, "PATCH", spec={"env": {"A": "2"}, "labels": {"x": "y"}}, revision=before["revision"], pin=False
    )
    assert job["result"]["tasks"] == 2
    spec = fleet.spec(name)
    assert spec["TaskTemplate"]["ForceUpdate"] == 1
    assert spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=2"] and spec["Labels"] == {"x": "y"}
    # whoever still has the service as it was before is told, and changes nothing
    late = fleet.refused(path, "PATCH", spec={"labels": {}}, revision=before["revision"])
    assert late["status"] == 409 and "changed by somebody else" in late["title"]
    assert fleet.refused(path, "PATCH", spec={"image": 5})["field"] == "spec.image"

    fleet.do(f"{path}/rollback")
    spec = fleet.spec(name)
    assert spec["TaskTemplate"]["ContainerSpec"]["Env"] == ["A=1"] and spec["Labels"] == {}
    fleet.soon(name, lambda service: service["update_state"] == "rollback_completed", "the table knows")


def test_it_is_scaled_tried_again_and_removed(fleet: Fleet) -> None:
    name = fleet.create()
    path = f"services/{fleet.name}/{name}"
    fleet.do(f"{path}/scale", replicas=4)
    fleet.runs(name, 4)
    fleet.do(f"{path}/scale", replicas=1)
    assert fleet.runs(name, 1)["replicas"] == 1
    scaled = fleet.product.api(f"audit?action=service.scale&search={name}")["items"]
    moved = [(entry["detail"]["before"], entry["detail"]["after"]) for entry in scaled]
    assert moved == [({"replicas": 4}, {"replicas": 1}), ({"replicas": 1}, {"replicas": 4})]
    task = next(task["id"] for task in fleet.service(name)["tasks"] if task["current"])
    job = fleet.do(f"{path}/redeploy")
    assert "was not asked for the digest" in fleet.log(job)  # there is no registry here
    fleet.soon(name, lambda service: task not in {t["id"] for t in service["tasks"] if t["current"]}, "a new task")
    assert fleet.product.api(f"{path}/remove", "POST") == {"done": "remove"}
    assert fleet.refused(path, "GET")["status"] == 404
    assert name not in fleet.swarm.first.docker("service", "ls", "--format", "{{.Name}}").split()


def test_a_global_service_and_jobs_run_where_they_should(fleet: Fleet) -> None:
    name = fleet.create(mode={"kind": "global"}, placement={"constraints": ["node.hostname!=buoy-b"]})
    assert {task["node"] for task in fleet.runs(name, 2)["tasks"]} == {"buoy-a", "buoy-c"}
    assert fleet.refused(f"services/{fleet.name}/{name}/scale", replicas=2)["field"] == "replicas"
    job = {"update": {}, "rollback": {}, "command": ["true"], "restart": {"condition": "none"}}
    name = fleet.create(**job, mode={"kind": "replicated-job", "concurrent": 2, "completions": 3})
    assert fleet.soon(name, lambda service: service["completed"] == 3, "all have completed")["desired"] == 3
    fleet.create(**job, mode={"kind": "global-job"})


def test_an_account_logs_in_to_the_registry_for_the_manager_and_the_nodes(
    fleet: Fleet, locked_registry: Registry, registry: Registry
) -> None:
    first, product = fleet.swarm.first, fleet.product
    image = locked_registry.push(first, "busybox", "crew/private")
    with stored(product, locked_registry, "locked") as login:
        wrong: dict[str, Any] = {"image": image, "account": login.wrong, "restart": {"delay": 0.1}}
        name = fleet.new_name()
        job = fleet.end(fleet.start(f"services/{fleet.name}", **QUIET | wrong | {"name": name}))
        assert job["state"] == "failed" and "No such image" in job["error"]
        assert "was not asked for the digest" in fleet.log(job)
        path = f"services/{fleet.name}/{name}"
        job = fleet.do(path, "PATCH", spec={"mode": {"replicas": 3}}, account=login.right)
        digest = locked_registry.digest("crew/private")
        pinned = fleet.do(f"{path}/redeploy")  # with the default account, which is the first one
        assert fleet.spec(name)["TaskTemplate"]["ContainerSpec"]["Image"] == f"{image}:latest@{digest}"
        assert PASSWORD not in str([job, pinned]) + fleet.log(job) + fleet.log(pinned)
        assert {task["node"] for task in fleet.runs(name, 3)["tasks"] if task["current"]} == set(fleet.swarm.engines)
        # nodes without an image pull it with the login that they keep, and cannot once that is taken away
        kept, lone = (locked_registry.push(first, "busybox", f"crew/{name}") for name in ("kept", "lone"))
        fleet.do(path, "PATCH", spec={"image": kept}, account="keep", pin=False)
        bare = fleet.end(fleet.start(path, "PATCH", spec={"image": lone}, account=0, pin=False))
        assert bare["state"] == "failed" and "No such image" in bare["error"]
        edit = product.http.get(f"{product.url}/services/{fleet.name}/{name}/edit/").text
        dialog = product.http.get(f"{product.url}/services/{fleet.name}/{name}/ask/redeploy/").text
        for page in (edit, dialog):
            assert re.findall(r'<option value="(keep|none)"', page) == ["keep", "none"]
        other = fleet.refused(path, "PATCH", spec={"image": f"{registry.address}/a"}, account=login.right)
        assert other["field"] == "account" and "Choose another one" in other["title"]
        # the page offers the account, marks the field, and nobody else's password is in it
        form = product.http.get(f"{product.url}/services/create/?image={image}").text
        assert f'<option value="{login.right}"' in form and PASSWORD not in form
        typed: dict[str, Any] = {
            "view": "form",
            "swarm": fleet.name,
            "name": "x",
            "image": "busybox",
            "mode.kind": "global",
        }
        typed["account"] = str(login.right)
        refused = product.post("/services/create/", **typed)
        assert refused.status_code == 422 and 'id="account-error"' in refused.text
        assert f'<option value="{login.right}" selected' in refused.text


NEVER = (
    ({"placement": {"constraints": ["node.labels.deck==none"]}}, "no suitable node"),
    ({"mode": {"kind": "global"}, "placement": {"constraints": ["node.labels.deck==none"]}}, "No node meets"),
    ({"image": "nobody/has-this:1", "restart": {"delay": 0.1}}, "No such image: nobody/has-this:1"),
    ({"command": ["false"], "restart": {"delay": 0.1}}, "non-zero exit (1)"),
)


def test_what_cannot_run_says_why(fleet: Fleet) -> None:
    path = f"services/{fleet.name}"
    jobs = [fleet.start(path, **QUIET | {"pin": False, "name": fleet.new_name()} | spec) for spec, _ in NEVER]
    for job, (_, words) in zip(map(fleet.end, jobs), NEVER, strict=True):
        assert job["state"] == "failed" and words in job["error"], job
        assert "The swarm goes on by itself" in job["left"][0]


def test_an_update_that_fails_says_why_and_can_be_taken_back(fleet: Fleet) -> None:
    name = fleet.create(restart={"delay": 0.1})
    path = f"services/{fleet.name}/{name}"
    job = fleet.end(fleet.start(path, "PATCH", spec={"command": ["false"]}, pin=False))
    assert job["state"] == "failed" and "paused the update" in job["error"] and "non-zero exit (1)" in job["error"]
    fleet.do(f"{path}/rollback")
    own = {"monitor": 0.5, "failure_action": "rollback"}
    job = fleet.end(fleet.start(path, "PATCH", spec={"command": ["false"], "update": own}, pin=False))
    assert job["state"] == "failed" and "went back to what was before" in job["error"]
    assert fleet.spec(name)["TaskTemplate"]["ContainerSpec"]["Args"] == ["sleep", "1000"]


def test_cancelling_stops_the_waiting_and_says_what_is_left(fleet: Fleet) -> None:
    name = fleet.new_name()
    never = {"test": ["CMD", "false"], "interval": 600.0}
    job = fleet.start(f"services/{fleet.name}", **QUIET | {"name": name, "health": never, "pin": False})

    def waits() -> Any:
        found = fleet.product.api(f"jobs/{job}")
        return found["message"] == "0 of 1 tasks"

    until(waits, "the job waits for the task")
    fleet.product.api(f"jobs/{job}/cancel", "POST")
    ended = fleet.end(job, 3)
    assert ended["state"] == "cancelled" and "0 of 1 tasks. The swarm goes on" in ended["left"][0]


def test_the_same_is_refused_before_a_job_starts(fleet: Fleet) -> None:
    name = fleet.create()
    path = f"services/{fleet.name}"
    for body, field in (
        ({"name": name}, "name"),
        ({"secrets": [{"source": "nobody-made-it"}]}, "secrets.0"),
        ({"oom_score_adj": 5}, "oom_score_adj"),
        ({"mode": {"kind": "many"}}, "mode.kind"),
    ):
        problem = fleet.refused(path, **QUIET | {"name": "other"} | body)
        told = problem.get("errors") or [problem]
        assert problem["status"] == 422 and field in told[0]["field"], problem
    assert fleet.refused(f"{path}/{name}/rollback")["status"] == 409
    assert fleet.refused("services/no-such-swarm", **QUIET)["status"] == 404


STACK = """
services:
  web:
    image: busybox
    command: sleep 1000
    stop_signal: KILL
    networks: [inside]
    deploy: {endpoint_mode: dnsrr, replicas: 2, update_config: {monitor: 1s}}
networks:
  inside: {driver: overlay}
version: "3.8"
"""


def test_a_stack_is_known_by_its_label_and_goes_as_it_was_shown(fleet: Fleet) -> None:
    first, name = fleet.swarm.first, fleet.new_name().replace("crew-", "stack")
    first.docker("stack", "deploy", "--compose-file", "-", name, stdin=STACK.encode())

    def whole() -> Any:
        found = next((s for s in fleet.product.api("stacks")["items"] if s["name"] == name), None)
        return found if found and found["running"] == 2 else None

    assert until(whole, "the stack runs")["services"] == 1
    path = f"stacks/{fleet.name}/{name}"
    until(lambda: fleet.product.api(path)["networks"], "its network is known")
    shown = fleet.product.api(f"{path}/remove", "POST", dry_run=True)
    assert {noun: [row["name"] for row in shown[noun]] for noun in ("services", "networks")} == {
        "services": [f"{name}_web"],
        "networks": [f"{name}_inside"],
    }
    assert fleet.do(f"{path}/remove")["result"]["removed"] == 2
    until(lambda: f"{name}_inside" not in first.docker("network", "ls"), "its network is gone")
    until(lambda: not fleet.is_there(path), "the stack is gone")
