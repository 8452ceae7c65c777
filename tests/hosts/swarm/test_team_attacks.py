"""What a member of a team tries in a swarm to come out of it: told from the tables, before any engine is asked."""

from contextlib import suppress
from typing import Any

import pytest
from django.test import Client

from accounts.models import Grant, Membership, OwnRole, Team, User
from common.errors import Failure, Invalid
from hosts.actions.act import demand
from hosts.actions.swarm import services as acts
from hosts.actions.swarm import stacks
from hosts.engine import parse
from hosts.inventory import apply
from hosts.inventory.owners import apply_owners
from hosts.models import Adoption, Container, Host, Service, Share, Swarm
from hosts.models.swarms import SwarmCorner
from hosts.swarm_owning import check_service_uses
from jobs.models import Job
from tests.hosts.swarm.team_rows import IMAGE, Nils, a_swarm_of_teams
from tests.rivals import OURS, THEIRS
from tests.rows import person
from tests.shared_swarm import id_of, service, store

pytestmark = [pytest.mark.django_db, pytest.mark.core]
TEAM = {"dermaga.team": "north"}


@pytest.fixture
def fleet(settings: Any) -> Swarm:
    return a_swarm_of_teams(settings)


@pytest.fixture
def nils(client: Client, fleet: Swarm) -> Nils:
    return Nils.of(client)


def corner(fleet: Swarm) -> SwarmCorner:
    return SwarmCorner(fleet, Team.objects.get(name="north").pk)


def body(**container: Any) -> dict[str, Any]:
    networks = container.pop("Networks", [])
    return {"Labels": TEAM, "TaskTemplate": {"ContainerSpec": container, "Networks": networks}}


@pytest.mark.parametrize(
    "source", ['{{"rival-data"}}', "{{.Service.Name}}", '{{index .Service.Labels "v"}}', 'rival{{"-"}}data']
)
def test_a_volume_by_a_template_that_nodes_fill_in(nils: Nils, source: str) -> None:
    spec = {"name": "nobodys-data", "labels": {"v": f"{THEIRS}-data"}}
    refused = nils.makes(**spec, mounts=[{"type": "volume", "source": source, "target": "/x"}])
    assert refused["status"] == 422, refused


def test_a_given_volume_stays_as_it_was_given(nils: Nils, fleet: Swarm) -> None:
    member = User.objects.get(username="nils")
    given = {"Type": "volume", "Source": "nobodys-data", "Target": "/x", "ReadOnly": True}
    had = body(Mounts=[given | {"VolumeOptions": {"Subpath": "north"}}])
    for wanted in ({**given, "ReadOnly": False, "VolumeOptions": {"Subpath": "north"}}, given):
        with pytest.raises(Invalid):
            check_service_uses(member, corner(fleet), body(Mounts=[wanted]), had)


def test_a_network_that_was_taken_away_does_not_come_back_by_an_old_job(nils: Nils, fleet: Swarm) -> None:
    member = User.objects.get(username="nils")
    names = {f"{'nobodys-net':e<25}": "nobodys-net"}  # as the job that is run again keeps them
    with pytest.raises(Invalid):
        check_service_uses(member, corner(fleet), body(Networks=[{"Target": "nobodys-net"}]), body(), names)


def test_what_is_shared_is_used_though_a_service_of_others_mounts_it(nils: Nils, fleet: Swarm) -> None:
    dock, north = Host.objects.get(), Team.objects.get(name="north")
    spec = service("nobodys", "", Version={"Index": 9})
    mounts = [{"Type": "volume", "Source": name, "Target": f"/{name}"} for name in ("nobodys-data", f"{OURS}-data")]
    container = spec["Spec"]["TaskTemplate"]["ContainerSpec"] | {"Mounts": mounts}
    spec["Spec"] = spec["Spec"] | {"TaskTemplate": {"ContainerSpec": container}}
    store(fleet, "service", spec)
    Share.objects.create(host=dock, noun="volume", key="nobodys-data", team=north)
    for name in (f"{OURS}-data", "nobodys-data"):
        made = nils.asks("containers/dock", image=IMAGE, mounts=[{"source": name, "target": "/x"}])
        assert made["status"] == 202, (name, made)


def test_who_may_change_all_services_but_no_secrets_uses_them_as_before(client: Client, fleet: Swarm) -> None:
    role = OwnRole.objects.create(
        name="shipper", rights=["hosts.view", "services.view", "services.manage", "secrets.view", "jobs.view"]
    )
    ship = person("ship", "member")
    Grant.objects.create(user=ship, own_role=role, role="")
    client.force_login(ship)
    made = Nils(client).makes(secrets=[{"source": f"{THEIRS}-secret"}])
    assert made["status"] == 202, made


def test_half_a_letter_is_no_team(client: Client, fleet: Swarm) -> None:
    client.force_login(person("root", "admin"))
    for path, more in (("services/fleet", {"image": IMAGE}), ("secrets/fleet", {"value": "x"})):
        answer = Nils(client).asks(path, name="new", labels={"dermaga.team": "\ud800"}, **more)
        assert answer["status"] == 422, answer


def test_a_job_about_a_secret_is_of_the_team_that_it_is_made_for(nils: Nils) -> None:
    member, west = User.objects.get(username="nils"), Team.objects.create(name="west")
    Membership.objects.create(team=west, user=member)
    Grant.objects.create(team=west, role="host_admin", own=True)
    nils.asks("secrets/fleet", name="new", value="x", labels={"dermaga.team": "west"})
    assert Job.objects.latest("pk").team == west


class Registry:
    """A manager whose registry says that every name is another digest."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ask(self, _method: str, path: str, **_more: Any) -> Any:
        self.asked.append(path)
        return {"Descriptor": {"digest": "sha256:" + ("a" if "%40" in path or "@" in path else "b") * 64}}


class Context:
    def __init__(self, by: Any) -> None:
        self.job, self.params = type("J", (), {"by": by, "team_id": None, "pk": 1}), {"pin": False, "account": None}

    def progress(self, *_a: Any, **_k: Any) -> None: ...
    def log(self, *_a: Any) -> None: ...
    def hide(self, *_a: Any) -> None: ...


def test_the_digest_that_was_asked_for_is_the_one_that_runs(nils: Nils, fleet: Swarm) -> None:
    wanted = f"{IMAGE}:1@sha256:{'a' * 64}"
    spec = body(Image=wanted)
    acts._name_image(Context(User.objects.get(username="nils")), Registry(), corner(fleet), spec, {})  # type: ignore[arg-type]
    assert spec["TaskTemplate"]["ContainerSpec"]["Image"] == wanted


def test_a_name_whose_containers_are_another_team_s_by_somebody_s_word(nils: Nils) -> None:
    """Its tasks would be theirs, with a terminal in each."""
    key, south = "service:new", Team.objects.get(name="south")
    Adoption.objects.create(host=Host.objects.get(), noun="container", key=key, team=south, by_name="root")
    refused = nils.makes()
    assert (refused["status"], refused.get("field")) == (422, "name"), refused


def test_labels_of_an_image_do_not_take_its_tasks_out_of_the_team(nils: Nils) -> None:
    """Whoever builds it says in it what the engine will say of the container."""
    dock, labels = Host.objects.get(), {"com.docker.swarm.service.id": id_of(OURS, "a")}
    row = parse.image_row({"Id": "sha256:" + "1" * 64, "Size": 1, "Labels": labels})
    apply.apply_rows(dock, "image", [row])
    apply_owners([dock], ["container"])
    assert Container.objects.get(name=f"{OURS}-web.1.x").owner == Team.objects.get(name="north")


def test_the_rest_of_a_stack_goes_when_it_is_run_again(nils: Nils, fleet: Swarm) -> None:
    assert nils.asks(f"stacks/fleet/{OURS}-shop/remove")["status"] == 202
    ((noun, key, _name),) = Job.objects.latest("pk").params["targets"]
    Service.objects.filter(name=f"{OURS}-web").delete()  # as after the first run, which a network kept from its end
    with suppress(Failure), pytest.MonkeyPatch.context() as patch:
        patch.setattr(stacks, "on_manager", _allowed)
        stacks._remove(Context(User.objects.get(username="nils")), fleet, noun, key, "")  # type: ignore[arg-type]


def _allowed(actor: Any, right: Any, thing: Any, *_args: Any, **_more: Any) -> Any:
    demand(actor, right, thing)
    raise Failure("no_manager", 503, "")
