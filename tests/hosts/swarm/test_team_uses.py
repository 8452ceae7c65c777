"""What a service of a team may use, and what of a swarm its members may make: told from the tables, before any engine is
asked. Nils is of the team north, which may do everything with its own things; rival things are of south, and `c1` and
`s1` of nobody."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import OwnRole, Team, User
from common.errors import DermagaError
from hosts.models import Host, Node, Secret, Service, Swarm
from hosts.models.swarms import SwarmCorner
from hosts.swarm_owning import check_service_uses
from jobs.models import Job
from tests.hosts.swarm.team_rows import IMAGE, Nils, a_swarm_of_teams
from tests.rivals import OURS, THEIRS
from tests.rows import a_host, person
from tests.shared_swarm import id_of, service, store

pytestmark = [pytest.mark.django_db, pytest.mark.core]


@pytest.fixture
def fleet(settings: Any) -> Swarm:
    return a_swarm_of_teams(settings)


@pytest.fixture
def nils(client: Client, fleet: Swarm) -> Nils:
    return Nils.of(client)


def sealed() -> Any:
    return Job.objects.latest("pk").sealed["spec"]


def test_what_it_makes_is_its_team_s(nils: Nils) -> None:
    made = nils.makes(mounts=[{"type": "volume", "source": f"{OURS}-data", "target": "/data"}])
    assert made["status"] == 202, made
    assert sealed()["labels"] == {"dermaga.team": "north"}
    assert sealed()["mounts"][0]["labels"] == {"dermaga.team": "north"}
    assert Job.objects.latest("pk").team == Team.objects.get(name="north")


@pytest.mark.parametrize(
    ("field", "spec"),
    [
        ("labels", {"labels": {"dermaga.team": "south"}}),
        ("labels", {"labels": {"dermaga.team": "nothing"}}),
        ("labels", {"labels": {"org.dermaga.volume": "x"}}),
        ("container_labels", {"container_labels": {"dermaga.team": "south"}}),
        ("container_labels", {"container_labels": {"org.dermaga.volume": "x"}}),
        ("mounts.0.type", {"mounts": [{"type": "cluster", "source": "x", "target": "/x"}]}),
    ],
)
def test_what_no_team_may_say(nils: Nils, field: str, spec: Any) -> None:
    Host.objects.update(api_version="1.47")
    refused = nils.makes(**spec)
    assert refused["status"] == 422 and refused["field"] == field, refused
    assert not Job.objects.exists()


USES: dict[str, Any] = {
    "secrets.0": lambda name: {"secrets": [{"source": f"{name}-secret"}]},
    "configs.0": lambda name: {"configs": [{"source": f"{name}-config"}]},
    "privileges.credential_spec": lambda name: {"privileges": {"credential_spec": f"config://{name}-config"}},
    "networks.0.name": lambda name: {"networks": [{"name": f"{name}-net"}]},
    "mounts.0.source": lambda name: {"mounts": [{"source": f"{name}-data", "target": "/x"}]},
}


@pytest.mark.parametrize("field", USES)
def test_it_uses_its_own_and_nothing_else(nils: Nils, field: str) -> None:
    used = nils.makes(**USES[field](OURS))
    # by default a policy forbids these, whoever owns them
    assert (used["status"] == 202) or (used["code"] == "policy_refused" and "credential" in field), used
    for name in (THEIRS, "nobodys"):
        refused = nils.makes(**USES[field](name))
        assert (refused["status"], refused["field"]) == (422, field), refused
    if field.startswith(("secrets", "configs")):  # no word tells another's from what is not there
        theirs, missing = (nils.makes(**USES[field](name)) for name in (THEIRS, "naval"))
        assert json.dumps(theirs).replace(THEIRS, "naval") == json.dumps(missing)


def test_a_volume_that_a_task_of_others_would_find_is_taken(nils: Nils, fleet: Swarm) -> None:
    """A task comes to another host some day, and mounts what has the name there."""
    spec = service(THEIRS, "south", Version={"Index": 9})
    mounts = [{"Type": "volume", "Source": "later", "Target": "/x"}]
    container = spec["Spec"]["TaskTemplate"]["ContainerSpec"] | {"Mounts": mounts}
    spec["Spec"] = spec["Spec"] | {"TaskTemplate": {"ContainerSpec": container}}
    store(fleet, "service", spec)
    for path, body in (
        ("volumes/dock", {"name": "later"}),
        ("services/fleet", {"name": "new", "image": IMAGE, "mounts": [{"source": "later", "target": "/x"}]}),
        ("containers/dock", {"image": IMAGE, "mounts": [{"source": "later", "target": "/x"}]}),
    ):
        refused = nils.asks(path, **body)
        assert refused["status"] == 422 and "not your team's" in refused["title"], (path, refused)
    spec["Spec"] = spec["Spec"] | {"Labels": {"dermaga.team": "north"}, "Name": f"{THEIRS}-web"}
    store(fleet, "service", spec | {"Version": {"Index": 10}})
    mounted = nils.makes(mounts=[{"source": "later", "target": "/x"}])
    assert mounted["status"] == 202, mounted


def test_it_changes_its_own_and_keeps_what_others_gave_it(nils: Nils, fleet: Swarm) -> None:
    path = f"services/fleet/{OURS}-web"
    spec = service(OURS, "north", Version={"Index": 9})
    secrets = [{"SecretID": id_of(THEIRS, "s"), "SecretName": f"{THEIRS}-secret", "File": {"Name": "key"}}]
    container = spec["Spec"]["TaskTemplate"]["ContainerSpec"] | {"Secrets": secrets}
    networks = [{"Target": f"{'nobodys-net':e<25}"}]
    spec["Spec"] = spec["Spec"] | {"TaskTemplate": {"ContainerSpec": container, "Networks": networks}}
    store(fleet, "service", spec)
    kept = nils.asks(path, "patch", spec={"env": {"A": "1"}})
    assert kept["status"] == 202, kept
    Job.objects.all().delete()
    for labels in ({}, {"dermaga.team": "south"}):
        refused = nils.asks(path, "patch", spec={"labels": labels})
        assert (refused["status"], refused["field"]) == (422, "labels"), refused
        assert "stays with its team" in refused["title"]
    refused = nils.asks(path, "patch", spec={"configs": [{"source": f"{THEIRS}-config"}]})
    assert (refused["status"], refused["field"]) == (422, "configs.0"), refused
    assert nils.asks(f"{path}/scale", replicas=1)["status"] == 202


def test_one_that_was_given_away_a_moment_ago_is_not_taken_back(nils: Nils, fleet: Swarm) -> None:
    """A worker asks the engine what the service is now, and the tables may not have heard yet."""
    member, corner = User.objects.get(username="nils"), SwarmCorner(fleet, Team.objects.get(name="north").pk)
    ours, theirs = ({"Labels": {"dermaga.team": team}, "TaskTemplate": {}} for team in ("north", "south"))
    check_service_uses(member, corner, ours, ours)
    for body, had in ((ours, theirs), (theirs, ours), (ours, {})):
        with pytest.raises(DermagaError, match="team"):
            check_service_uses(member, corner, body, had)


def test_a_swarm_with_nodes_that_are_no_hosts_is_not_for_teams(nils: Nils, fleet: Swarm) -> None:
    """Nobody here knows what volumes and images are on them."""
    path = f"services/fleet/{OURS}-web"
    seen = {"name": "buoy-z", "version": 1, "seen": fleet.seen}
    Node.objects.create(swarm=fleet, engine_id="z" * 25, role="worker", **seen)
    refused = nils.makes()
    assert refused["status"] == 409 and "no hosts here" in refused["title"] and "buoy-z" not in str(refused)
    assert nils.asks(path, "patch", spec={"env": {}})["status"] == 409
    Node.objects.filter(name="buoy-z").delete()
    assert nils.makes()["status"] == 202


def test_it_makes_secrets_and_configs_of_its_team(nils: Nils) -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("labels", {"labels": {"dermaga.team": "south"}}),
        ("name", {"name": "no name"}),
        ("driver", {"driver": "vault", "value": ""}),
    ]
    for noun in ("secret", "config"):
        for field, body in wrong[: 3 if noun == "secret" else 2]:
            refused = nils.asks(f"{noun}s/fleet", **{"name": "new", "value": "x"} | body)
            assert (refused["status"], refused["field"]) == (422, field), refused
        own = f"{noun}s/fleet/{OURS}-{noun}"
        refused = nils.asks(own, "patch", labels={"dermaga.team": "south"})
        assert (refused["status"], refused["field"]) == (422, "labels"), refused
        assert nils.asks(f"{own}/replace", value="y")["status"] == 202
        assert Job.objects.latest("pk").team == Team.objects.get(name="north")


def test_of_a_stack_its_own_part_goes(nils: Nils, fleet: Swarm) -> None:
    """Somebody else's things may say the same stack, and a network in it may be shared with the team."""
    spec = service(THEIRS, "south", Version={"Index": 9})
    spec["Spec"]["Labels"] = {"com.docker.stack.namespace": f"{OURS}-shop", "dermaga.team": "south"}
    store(fleet, "service", spec)
    listed = nils.asks(f"stacks/fleet/{OURS}-shop/remove", dry_run=True)
    assert [one["name"] for one in listed["services"]] == [f"{OURS}-web"], listed
    assert nils.asks(f"stacks/fleet/{OURS}-shop/remove")["status"] == 202
    (target,) = Job.objects.latest("pk").params["targets"]
    assert target[2] == f"{OURS}-web"


def test_who_may_only_look_changes_nothing(nils: Nils, fleet: Swarm) -> None:
    looker = OwnRole.objects.create(name="looker", rights=["hosts.view", "services.view", "secrets.view"])
    Team.objects.get(name="north").grants.update(role="", own_role=looker)
    assert nils.makes()["status"] == 403
    assert nils.asks(f"services/fleet/{OURS}-web/scale", replicas=3)["status"] == 403
    assert nils.asks(f"secrets/fleet/{OURS}-secret/replace", value="x")["status"] == 403


def test_who_may_change_all_gives_a_service_to_a_team_by_its_label(client: Client, fleet: Swarm) -> None:
    client.force_login(person("root", "deployer"))
    other = Nils(client).asks("services/fleet", name="new", image=IMAGE, labels={"dermaga.team": "south"})
    assert other["status"] == 202, other
    assert Job.objects.latest("pk").team == Team.objects.get(name="south")


def test_more_hosts_than_are_granted_are_none(nils: Nils, fleet: Swarm) -> None:
    fleet.members.create(host=a_host("pier"), node_id="p" * 25, state="active")
    assert nils.makes()["status"] == 404
    assert nils.asks("secrets/fleet", name="new", value="x")["status"] == 404
    assert Service.objects.count() and Secret.objects.count()
