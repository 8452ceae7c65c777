"""Two teams in one swarm, as rows: of north, whose member is nils, of south, and of nobody."""

from typing import Any

from accounts.models import Grant, Membership, Team
from accounts.rights import Role
from hosts.engine import parse
from hosts.engine.parse import services as parse_services
from hosts.inventory import apply, swarms
from hosts.inventory.swarm_reader import ROWS
from hosts.models import Swarm
from tests.hosts.swarm.rows import service_json, task_json
from tests.rivals import OURS, THEIRS
from tests.rows import a_host, a_swarm, container_json, person


def id_of(word: str, letter: str) -> str:
    """Of a team's service, task, secret or config."""
    return f"{letter}{word}".ljust(25, letter)


def service(word: str, team: str, **more: Any) -> dict[str, Any]:
    entry = service_json(f"{word}-web", ID=id_of(word, "a"), **more)
    labels = {"com.docker.stack.namespace": f"{word}-shop"} | ({"dermaga.team": team} if team else {})
    entry["Spec"] = entry["Spec"] | {"Labels": labels}
    return entry


def store(swarm: Swarm, noun: str, raw: dict[str, Any]) -> None:
    row = ROWS[noun](raw)
    swarms.apply_objects(swarm, noun, [row], only={row["engine_id"]})


def everything_in(swarm: Swarm, word: str, team: str) -> None:
    """A service of the team with a task on a node that is no host, and one whose container is on the host; a secret and
    a config."""
    store(swarm, "service", service(word, team))
    tasks = [task_json(n, ID=id_of(f"{word}{n}", "b"), ServiceID=id_of(word, "a")) for n in (1, 2)]
    tasks[0]["Status"] = tasks[0]["Status"] | {"ContainerStatus": {"ContainerID": f"{word:d<64}"}}
    found = [row for task in tasks if (row := parse_services.task_row(task))]
    told = parse_services.told(found, {id_of(word, "a"): f"{word}-web"}, {"n" * 25: "buoy-z"})
    swarms.apply_objects(swarm, "task", told, only={row["engine_id"] for row in told})
    labels = {"dermaga.team": team} if team else {}
    about = {"Version": {"Index": 3}, "CreatedAt": "2026-11-21T10:00:00Z", "UpdatedAt": "2026-11-21T10:00:00Z"}
    for noun in ("secret", "config"):
        spec = {"Name": f"{word}-{noun}", "Labels": labels, "Data": ""}
        store(swarm, noun, {"ID": id_of(word, noun[0]), "Spec": spec, **about})
    of_task = {
        "com.docker.swarm.service.name": f"{word}-web",
        "com.docker.swarm.service.id": id_of(word, "a"),
        "com.docker.swarm.task.id": id_of(f"{word}1", "b"),
    }
    entry = container_json(f"{word}-web.1.x", Id=f"{word:d<64}", Labels=of_task)
    apply.apply_rows(swarm.members.get().host, "image", [parse.image_row({"Id": "sha256:" + "1" * 64, "Size": 1})])
    apply.apply_rows(swarm.members.get().host, "container", [parse.container_row(entry)], only={f"{word:d<64}"})


def a_fleet() -> Swarm:
    """Nils is of the team north, which may do everything with its own things on the only host of the swarm."""
    dock, nils = a_host("dock"), person("nils", "member")
    north = Team.objects.create(name="north")
    Team.objects.create(name="south")
    Membership.objects.create(team=north, user=nils)
    Grant.objects.create(team=north, role=Role.HOST_ADMIN, host=dock, own=True)
    swarm = a_swarm(dock)
    Swarm.objects.update(name="fleet")
    swarm.refresh_from_db()
    everything_in(swarm, OURS, "north")
    everything_in(swarm, THEIRS, "south")
    return swarm
