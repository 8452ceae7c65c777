"""Swarms and nodes on a real swarm of three managers: made, joined, set, locked, left, by page and REST."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines.commands import run_command
from tests.engines.docker_engine import DockerEngine
from tests.engines.swarm import HEARTBEAT, PORT, RealSwarm
from tests.hosts.watched import Watched, send
from tests.servers.product import PASSWORD, Product
from tests.waiting import until


@pytest.fixture(scope="module")
def otto(product: Product) -> Iterator[Any]:
    """An operator's session."""
    product.post("/users/add/", username="otto-swarm", password=PASSWORD, role="deployer", is_active="on")
    yield product.session("otto-swarm")


def node(product: Product, swarm: str, name: str) -> dict[str, Any]:
    return dict(product.api(f"nodes/{swarm}/{name}"))


def done(product: Product, path: str, **fields: Any) -> dict[str, Any]:
    """The end of the job that a page's form has started."""
    with Watched(product, send(product, path, **fields)) as job:
        return job.end(60)


def ended(product: Product, job: int) -> dict[str, Any]:
    with Watched(product, job) as watched:
        return watched.end(60)


def audit(product: Product, action: str) -> str:
    code = "from accounts.models import AuditEntry as A; print([(a.host, a.target, a.outcome, a.detail) for a in "
    return product.manage("shell", "-v", "0", "-c", f"{code}A.objects.filter(action='{action}')])")


def test_a_node_is_paused_drained_and_labelled(product: Product, swarm: RealSwarm, known: str) -> None:
    at = f"/nodes/{known}/{swarm.node_id('buoy-c')}"
    drained = product.post(f"{at}/availability/", availability="drain")
    assert drained.ok and "buoy-c gives its tasks to other nodes." in drained.text
    assert swarm.inspect("node", "buoy-c")["Spec"]["Availability"] == "drain"
    assert node(product, known, "buoy-c")["availability"] == "drain"
    version = node(product, known, "buoy-c")["version"]
    swarm.first.docker("node", "update", "--label-add", "deck=upper", "buoy-c")
    late = product.post(f"{at}/labels/", labels="deck=lower", version=version)
    assert late.status_code == 422 and "was changed by somebody else meanwhile" in late.text
    assert "deck=lower</textarea>" in late.text
    until(lambda: node(product, known, "buoy-c")["version"] != version, "the change shows")
    form = product.http.get(f"{product.url}{at}/labels/").text
    fresh = re.search(r'name="version" value="(\d+)"', form)
    assert fresh and product.post(f"{at}/labels/", labels="deck=lower", version=fresh[1]).ok
    assert swarm.inspect("node", "buoy-c")["Spec"]["Labels"] == {"deck": "lower"}
    changed = product.api(f"nodes/{known}/buoy-c", "PATCH", availability="active", labels={"zone": "a"})
    assert (changed["availability"], changed["labels"]) == ("active", {"zone": "a"})
    product.api(f"nodes/{known}/buoy-c", "PATCH", labels={"a": ""})
    refused = product.answer(f"nodes/{known}/buoy-c", "PATCH", {"labels": {"b": "c"}, "availability": "asleep"})
    assert (refused.status_code, refused.json()["field"]) == (422, "availability")
    assert "buoy-c is a manager. Demote it first." in product.post(f"{at}/remove/").text
    assert swarm.inspect("node", "buoy-c")["Spec"]["Labels"] == {"a": ""}


def test_settings_change_and_somebody_who_was_slower_is_told(product: Product, swarm: RealSwarm, known: str) -> None:
    page = f"{product.url}/swarms/{known}/settings/"
    form = product.http.get(page).text
    typed = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form)) | {"task_history": "3", "cert_hours": "48.5"}
    typed |= {"labels": "team=quay"}
    swarm.first.docker("swarm", "update", "--dispatcher-heartbeat", "6s")
    try:
        late = product.post(f"/swarms/{known}/settings/", **typed)
        assert late.status_code == 422 and "was changed by somebody else meanwhile" in late.text
        assert 'value="48.5"' in late.text
        until(lambda: product.api(f"swarms/{known}")["settings"]["heartbeat_period"] == 6 * 10**9, "it shows")
        now = dict(re.findall(r'name="(\w+)" value="([^"]*)"', product.http.get(page).text))
        assert product.post(f"/swarms/{known}/settings/", **typed | {"version": now["version"]}).ok
        told = product.api(f"swarms/{known}")
        assert (told["settings"]["task_history"], told["labels"]) == (3, {"team": "quay"})
        assert told["settings"]["cert_expiry"] == int(48.5 * 3600 * 10**9)
        wrong = product.post(f"/swarms/{known}/settings/", **typed | {"cert_hours": "0.5"})
        assert wrong.status_code == 422 and "This is a number from 1 to 87600." in wrong.text
        refused = product.answer(f"swarms/{known}", "PATCH", {"name": "No Name", "task_history": 7})
        assert (refused.status_code, refused.json()["field"]) == (422, "name")
        assert (
            swarm.first.docker("info", "-f", "{{.Swarm.Cluster.Spec.Orchestration.TaskHistoryRetentionLimit}}") == "3\n"
        )
        both = product.api(f"swarms/{known}", "PATCH", name="harbour-swarm", task_history=4)
        assert (both["name"], both["settings"]["task_history"]) == ("harbour-swarm", 4)
        assert product.http.get(f"{product.url}/swarms/harbour-swarm/").ok
    finally:
        name = product.api("swarms")["items"][0]["name"]
        product.api(f"swarms/{name}", "PATCH", name=known, task_history=5, cert_hours=2160, labels={})
        product.api(f"swarms/{known}", "PATCH", heartbeat_seconds=HEARTBEAT)


def test_tokens_are_shown_to_administrators_on_demand_and_that_is_recorded(
    product: Product, swarm: RealSwarm, known: str, otto: Any
) -> None:
    worker = swarm.first.docker("swarm", "join-token", "-q", "worker").strip()
    shown = product.post(f"/swarms/{known}/tokens/")
    assert worker in shown.text and "no-store" in shown.headers["Cache-Control"]
    assert product.http.get(f"{product.url}/swarms/{known}/tokens/").status_code == 405
    assert product.api(f"swarms/{known}/tokens", "POST")["worker"] == worker
    assert audit(product, "swarm.tokens").count(f"('{known}', '{known}', 'done'") == 2
    product.api(f"swarms/{known}/rotate", "POST", what="worker")
    assert swarm.first.docker("swarm", "join-token", "-q", "worker").strip() != worker
    for path in (f"{known}/tokens", f"{known}/rotate", f"{known}/settings", f"{known}/unlock-key", "init", "join"):
        assert product.post(f"/swarms/{path}/", otto).status_code == 403, path
    assert product.post(f"/nodes/{known}/buoy-a/demote/", otto).status_code == 403
    assert otto.get(f"{product.url}/nodes/{known}/buoy-a/").ok  # looks, and operates nodes
    seen = product.http.get(f"{product.url}/swarms/{known}/").text + json.dumps(product.api("swarms"))
    assert "SWMTKN" not in seen


@pytest.fixture(scope="module")
def mistaken(product: Product, swarm: RealSwarm, in_the_product: None) -> tuple[str, int]:
    """A wrong token, and the job that joins with it: the engine tries for ten seconds, while other tests run."""
    wrong = swarm.first.docker("swarm", "join-token", "-q", "worker").strip()[:-4] + "0000"
    remotes = [f"{swarm.first.address}:{PORT}"]
    return wrong, int(product.api("swarms/join", "POST", host="local", token=wrong, remotes=remotes)["job"])


@pytest.mark.usefixtures("mistaken")
def test_a_host_leaves_makes_a_swarm_is_locked_and_comes_back(product: Product, swarm: RealSwarm, known: str) -> None:
    """The way of one host through all of it."""
    engine = swarm.engines["buoy-c"]
    leave, old = "/swarms/hosts/buoy-c/leave/", swarm.node_id("buoy-c")
    assert "It is a manager" in product.http.get(f"{product.url}{leave}").text
    assert "buoy-c is a manager. Demote it first" in product.post(leave).text
    assert product.post(f"/nodes/{known}/{old}/demote/").ok
    until(lambda: certificate(engine) == "swarm-worker", "the engine has a worker's certificate")
    until(lambda: member(product, "buoy-c").get("role") == "worker", "it is known as a worker")
    assert done(product, leave)["state"] == "done"
    assert member(product, "buoy-c") == {}

    pasted = swarm.first.docker("swarm", "join-token", "-q", "worker").strip()
    remotes = [f"{swarm.first.address}:{PORT}"]
    joined = ended(product, product.api("swarms/join", "POST", host="buoy-c", token=pasted, remotes=remotes)["job"])
    assert joined["error"] == "" and pasted not in json.dumps(product.api(f"jobs/{joined['id']}"))
    until(lambda: member(product, "buoy-c").get("role") == "worker", "it is known as a worker again")
    assert done(product, leave)["state"] == "done"
    gone = [old, joined_as(swarm, old)]
    for one in gone:
        until(lambda one=one: node(product, known, one)["state"] == "down", "its node is down")
        assert product.post(f"/nodes/{known}/{one}/remove/").ok
    assert product.api(f"nodes?swarm={known}")["count"] == 2

    wrong = product.post("/swarms/init/", host="buoy-c", advertise="no address!", subnet_size="24")
    assert wrong.status_code == 422 and "“no address!” is no address." in wrong.text
    typed = {"advertise": engine.address, "pools": "10.77.0.0/16", "subnet_size": "25", "autolock": "on"}
    made = done(product, "/swarms/init/", host="buoy-c", **typed)
    assert made["error"] == ""
    own = member(product, "buoy-c")["swarm"]
    told = until(lambda: settled(product, own), "the new swarm's settings are known")
    assert (told["autolock"], told["settings"]["pools"]) == (True, ["10.77.0.0/16"])
    assert told["settings"]["subnet_size"] == 25
    again = product.post("/swarms/init/", host="buoy-c")
    assert again.status_code == 422 and "buoy-c is in a swarm already" in again.text
    key = product.api(f"swarms/{own}/unlock-key", "POST")["key"]
    assert key in product.post(f"/swarms/{own}/unlock-key/").text and key.startswith("SWMKEY-1-")
    product.api(f"swarms/{own}/rotate", "POST", what="key")
    rotated = product.api(f"swarms/{own}/unlock-key", "POST")["key"]
    assert rotated != key and rotated == engine.docker("swarm", "unlock-key", "-q").strip()

    engine.restart()
    until(lambda: member(product, "buoy-c").get("state") == "locked", "it is locked", 40)
    assert product.api(f"swarms/{own}")["state"] == "locked"
    assert "want the unlock key" in product.http.get(f"{product.url}/swarms/{own}/").text
    failed = done(product, "/swarms/hosts/buoy-c/unlock/", key=key)  # the one before
    assert failed["state"] == "failed" and key not in json.dumps(failed)
    assert done(product, "/swarms/hosts/buoy-c/unlock/", key=rotated)["error"] == ""
    until(lambda: product.api(f"swarms/{own}")["state"] == "active", "it is unlocked")

    engine.docker("config", "create", "kept", "-", stdin=b"kept")
    product.api(f"swarms/{own}", "PATCH", autolock=False)
    forced = done(product, "/swarms/init/", host="buoy-c", **typed | {"autolock": "", "force_new_cluster": "on"})
    assert forced["error"] == "" and member(product, "buoy-c")["swarm"] == own
    assert engine.docker("config", "ls", "--format", "{{.Name}}").split() == ["kept"]
    last = product.http.get(f"{product.url}{leave}").text
    assert "the swarm ends with it" in last
    assert done(product, leave, force="1")["state"] == "done"
    assert [s["name"] for s in product.api("swarms")["items"]] == [known]

    token = swarm.first.docker("swarm", "join-token", "-q", "worker").strip()
    job = done(product, "/swarms/join/", host="buoy-c", swarm=known, role="worker", advertise=engine.address)
    assert job["error"] == "" and token not in json.dumps(product.api(f"jobs/{job['id']}"))
    assert token not in audit(product, "swarm.join") + audit(product, "job.swarm.join")
    until(lambda: product.api(f"nodes?swarm={known}&search=buoy-c")["count"], "its node is known")
    product.api(f"nodes/{known}/buoy-c/promote", "POST")
    until(lambda: member(product, "buoy-c").get("role") == "manager", "it is a manager again")
    until(lambda: node(product, known, "buoy-c")["reachability"] == "reachable", "the others reach it")


def joined_as(swarm: RealSwarm, old: str) -> str:
    """The other node of that name."""
    ids = swarm.first.docker("node", "ls", "-q", "--filter", "name=buoy-c").split()
    return next(one for one in ids if one != old)


def certificate(engine: DockerEngine) -> str:
    """What the engine's certificate in the swarm says that it is."""
    file = f"{engine.folder}/data/swarm/certificates/swarm-node.crt"
    found = re.search(r"OU ?= ?([\w-]+)", run_command("openssl", "x509", "-noout", "-subject", "-in", file))
    return found[1] if found else ""


def settled(product: Product, swarm: str) -> Any:
    told = product.api(f"swarms/{swarm}")
    return told if told["version"] else None


def member(product: Product, host: str) -> dict[str, Any]:
    """A host's part in a swarm that is known."""
    parts = [m | {"swarm": s["name"]} for s in product.api("swarms")["items"] for m in s["members"]]
    return next((part for part in parts if part["host"] == host), {})


def test_joining_by_a_pasted_token_needs_a_whole_one_and_an_address(
    product: Product, swarm: RealSwarm, known: str, mistaken: tuple[str, int]
) -> None:
    typed: dict[str, Any] = {"host": "local", "swarm": "", "token": "SWMTKN-1-short", "remotes": "10.0.0.1"}
    refused = product.post("/swarms/join/", **typed)
    assert refused.status_code == 422 and "This is no join token." in refused.text
    assert "SWMTKN-1-short" not in refused.text  # a secret is not given back
    token = swarm.first.docker("swarm", "join-token", "-q", "worker").strip()
    refused = product.post("/swarms/join/", **typed | {"token": token, "remotes": ""})
    assert refused.status_code == 422 and "Name a manager of the swarm" in refused.text
    wrong, number = mistaken
    assert ended(product, number)["state"] == "failed" and wrong not in json.dumps(product.api(f"jobs/{number}"))
    assert member(product, "local") == {}
