"""Two teams in one real swarm, as programs with tokens of their own: each makes, changes and removes what is its own, and
comes to nothing of the other's."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import pytest

from tests.engines.registry import Registry
from tests.engines.swarm import RealSwarm
from tests.hosts.logins import stored
from tests.hosts.swarm.services import QUIET, Fleet
from tests.servers.member import Member
from tests.servers.product import Product
from tests.waiting import until


@pytest.fixture
def fleet(product: Product, swarm: RealSwarm, known: str) -> Iterator[Fleet]:
    found = Fleet(product, swarm, known)
    yield found
    found.clear()


@pytest.fixture
def teams(fleet: Fleet) -> Iterator[tuple[Member, Member]]:
    word = uuid4().hex[:6]
    made = [Member(fleet.product, f"{colour}-{word}", fleet.swarm.engines) for colour in ("blue", "red")]
    yield made[0], made[1]
    fleet.clear()
    for member in made:
        for kind in ("secret", "config", "network"):
            ours = ("--filter", f"label=dermaga.team={member.team}")
            found = fleet.swarm.first.docker(kind, "ls", "-q", *ours).split()
            if found:
                until(lambda kind=kind, found=found: _gone(fleet, kind, found), f"each {kind} is gone")  # type: ignore[misc]
        fleet.product.api(f"teams/{member.team}", "DELETE")


def _gone(fleet: Fleet, kind: str, ids: list[str]) -> bool:
    """A network stays for as long as a task that ends is in it."""
    try:
        fleet.swarm.first.docker(kind, "rm", *ids)
    except Exception as error:
        return "not found" in str(error).lower() or "no such" in str(error).lower()
    return True


def knows(member: Member, noun: str, name: str) -> None:
    until(lambda: name in member.names(noun), f"{member.team} sees {name}")


def test_a_team_s_service_from_the_first_task_to_the_last(
    fleet: Fleet, teams: tuple[Member, Member], registry: Registry
) -> None:
    blue, red = teams
    name, swarm = fleet.new_name(), fleet.swarm
    image = registry.push(swarm.first, "busybox", f"{blue.team}/app")
    assert blue.does(f"secrets/{fleet.name}", name=f"{name}-key", value="sesame")["id"]
    assert blue.does(f"configs/{fleet.name}", name=f"{name}-conf", value="plain")["id"]
    made = blue.does("networks/buoy-a", name=f"{name}-net", driver="overlay")
    assert made.get("state", "done") == "done", made
    for noun, thing in (("secrets", "key"), ("configs", "conf"), ("networks", "net")):
        knows(blue, noun, f"{name}-{thing}")
        assert f"{name}-{thing}" not in red.names(noun)
    spec: dict[str, Any] = QUIET | {
        "name": name,
        "image": image,
        "mode": {"replicas": 2},
        "secrets": [{"source": f"{name}-key"}],
        "configs": [{"source": f"{name}-conf"}],
        "networks": [{"name": f"{name}-net"}],
        "mounts": [{"source": f"{name}-data", "target": "/data"}],
    }
    job = blue.does(f"services/{fleet.name}", pin=False, **spec)
    assert job["state"] == "done", job
    told = fleet.spec(name)
    assert told["Labels"]["dermaga.team"] == blue.team
    # pinned though that was not asked for: by a name alone a node takes whatever it has
    digest = registry.digest(f"{blue.team}/app")
    assert told["TaskTemplate"]["ContainerSpec"]["Image"] == f"{image}:latest@{digest}"
    fleet.runs(name, 2)
    node = next(task["node"] for task in fleet.service(name)["tasks"] if task["current"])
    volume = json.loads(swarm.engines[node].docker("volume", "inspect", f"{name}-data"))[0]
    assert volume["Labels"]["dermaga.team"] == blue.team
    for noun, word in (("services", name), ("tasks", name), ("containers", name), ("volumes", f"{name}-data")):
        until(lambda noun=noun, word=word: word in str(blue.names(noun)), f"blue sees its {noun}")  # type: ignore[misc]
        assert word not in str(red.names(noun)), noun

    path = f"services/{fleet.name}/{name}"
    for act, body in (
        ("", {"spec": {"env": {"A": "1"}}}),
        ("/scale", {"replicas": 3}),
        ("/rollback", {}),
        ("/redeploy", {}),
    ):
        ended = blue.does(f"{path}{act}", "POST" if act else "PATCH", **body)
        assert ended["state"] == "done", (act, ended)
        assert red.ask(f"{path}{act}", "POST" if act else "PATCH", **body).status_code == 404
    replaced = blue.does(f"secrets/{fleet.name}/{name}-key/replace", value="open")
    assert replaced["state"] == "done" and replaced["result"]["services"] == [name], replaced
    for used in ({"secrets": [{"source": f"{name}-key"}]}, {"networks": [{"name": f"{name}-net"}]}):
        refused = red.ask(f"services/{fleet.name}", "POST", name=f"{name}-x", image=image, **used)
        assert refused.status_code == 422, refused.text
    assert red.ask(f"{path}/remove", "POST").status_code == 404
    assert blue.does(f"{path}/remove") == {"done": "remove"}
    assert name not in swarm.first.docker("service", "ls", "--format", "{{.Name}}").split()
    until(lambda: blue.ask(f"secrets/{fleet.name}/{name}-key/remove", "POST").ok, "its secret is removed")
    who = {entry["actor"] for entry in fleet.product.api(f"audit?action=service.scale&search={name}")["items"]}
    assert who == {blue.name}


def test_a_service_does_not_run_what_only_others_have(fleet: Fleet, teams: tuple[Member, Member]) -> None:
    """No registry says what the image is: then it is the one that the team has, by an id, or none."""
    blue, red = teams
    first, name = fleet.swarm.first, fleet.new_name()
    tag = f"nowhere/{blue.team}:1"
    first.docker("build", "-t", tag, "-", stdin=f"FROM busybox\nLABEL of={blue.team}\n".encode())
    try:
        until(lambda: tag in str(fleet.product.api("images?limit=500")["items"]), "the image shows")
        fleet.product.api("owners", "PUT", noun="image", host="buoy-a", ref=tag, shared=[blue.team])
        spec = QUIET | {"name": name, "image": tag, "placement": {"constraints": ["node.hostname==buoy-a"]}}
        for image in (tag, first.docker("images", "-q", "--no-trunc", tag).strip(), "nowhere/nothing:1"):
            job = red.does(f"services/{fleet.name}", **spec | {"image": image})
            assert job["state"] == "failed" and "has your team such an image" in job["error"], job
        job = blue.does(f"services/{fleet.name}", **spec)
        assert job["state"] == "done", job
        told = fleet.spec(name)["TaskTemplate"]["ContainerSpec"]["Image"]
        assert told == first.docker("images", "-q", "--no-trunc", tag).strip()
    finally:
        fleet.clear()
        until(lambda: not first.docker("ps", "-aq", "--filter", f"ancestor={tag}").strip(), "its tasks are gone", 40)
        first.docker("rmi", "-f", tag)


def test_going_back_gives_nothing_back_that_was_taken_away(
    fleet: Fleet, teams: tuple[Member, Member], registry: Registry
) -> None:
    blue, _red = teams
    first, name = fleet.swarm.first, fleet.new_name()
    image = registry.push(first, "busybox", f"{blue.team}/app")
    first.docker("secret", "create", f"{name}-key", "-", stdin=b"secret")
    try:
        until(lambda: fleet.product.api(f"secrets?search={name}-key")["count"], "the secret is known")
        labels = {"dermaga.team": blue.team}
        secrets = [{"source": f"{name}-key"}]
        spec = QUIET | {"name": name, "image": image, "labels": labels, "secrets": secrets}
        fleet.do(f"services/{fleet.name}", **spec)
        knows(blue, "services", name)
        path = f"services/{fleet.name}/{name}"
        assert blue.does(f"{path}/scale", replicas=2)["state"] == "done"  # what it was given stays
        fleet.do(path, "PATCH", spec={"secrets": []})
        back = blue.does(f"{path}/rollback")
        assert back["state"] == "failed" and "of this kind" in back["error"], back
        assert not fleet.spec(name)["TaskTemplate"]["ContainerSpec"].get("Secrets")
        fleet.do(f"{path}/rollback")  # who manages the swarm may
    finally:
        fleet.clear()
        first.docker("secret", "rm", f"{name}-key")


def test_a_template_leads_to_no_volume_of_another_team(
    fleet: Fleet, teams: tuple[Member, Member], registry: Registry
) -> None:
    """Nodes fill templates in, and by then nobody asks whose it is."""
    blue, red = teams
    name = fleet.new_name()
    image = registry.push(fleet.swarm.first, "busybox", f"{blue.team}/app")
    red.does("volumes/buoy-a", name=f"{name}-hers")
    try:
        knows(red, "volumes", f"{name}-hers")
        for source in (f"{name}-hers", f'{{{{"{name}-hers"}}}}', "{{.Service.Name}}-hers"):
            spec = QUIET | {"name": name, "image": image, "mounts": [{"source": source, "target": "/x"}]}
            refused = blue.ask(f"services/{fleet.name}", "POST", **spec)
            assert refused.status_code == 422, refused.text
    finally:
        assert red.ask(f"volumes/buoy-a/{name}-hers/remove", "POST").ok


@pytest.fixture
def nosy(registry: Registry) -> Iterator[tuple[str, list[str]]]:
    """The address of a registry that asks everybody for a login, and what it was told."""
    told: list[str] = []

    class Asks(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.headers.get("Authorization") or "")
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="nosy"')
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, *_args: Any) -> None:
            """Says nothing."""

    host = registry.address.rpartition(":")[0]
    server = ThreadingHTTPServer((host, 0), Asks)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"{host}:{server.server_port}", told
    server.shutdown()
    server.server_close()


def test_who_has_a_port_is_not_told(fleet: Fleet, teams: tuple[Member, Member], registry: Registry) -> None:
    blue, red = teams
    one, other = fleet.new_name(), fleet.new_name()
    image = registry.push(fleet.swarm.first, "busybox", f"{blue.team}/app")
    ports = ("--publish", "published=18123,target=80", "--endpoint-mode", "vip", "--label", f"dermaga.team={red.team}")
    fleet.swarm.first.docker("service", "create", "--detach", "--name", one, *ports, "--replicas", "0", image)
    spec = QUIET | {"name": other, "image": image, "endpoint_mode": "", "ports": [{"target": 80, "published": 18123}]}
    taken = blue.does(f"services/{fleet.name}", **spec)
    assert taken["state"] == "failed" and "publishes one of these ports" in taken["error"], taken
    assert one not in str(taken)


def test_a_login_that_nodes_keep_goes_to_no_other_registry(
    fleet: Fleet, teams: tuple[Member, Member], locked_registry: Registry, nosy: tuple[str, list[str]]
) -> None:
    blue, _red = teams
    (address, told), product, name = nosy, fleet.product, fleet.new_name()
    image = locked_registry.push(fleet.swarm.first, "busybox", "crew/private")
    with stored(product, locked_registry, "locked") as login:
        spec: dict[str, Any] = QUIET | {"name": name, "image": image, "labels": {"dermaga.team": blue.team}}
        fleet.do(f"services/{fleet.name}", **spec, account=login.right)
        knows(blue, "services", name)
        path, elsewhere = f"services/{fleet.name}/{name}", {"image": f"{address}/crew/app:1", "restart": {"delay": 0.1}}
        kept = blue.ask(path, "PATCH", spec=elsewhere, account="keep")
        assert kept.status_code == 422 and kept.json()["field"] == "account", kept.text
        assert blue.does(path, "PATCH", spec=elsewhere)["state"] == "failed"  # its registry does not say what it is
        moved = fleet.end(fleet.start(path, "PATCH", spec=elsewhere, pin=False))
        assert moved["state"] == "failed" and "No such image" in moved["error"], moved
        assert told and not any(told)
