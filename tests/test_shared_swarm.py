"""Two teams in one swarm: each sees its own services, secrets and configs, their tasks, logs and containers, and nothing of
the other's, which cannot be told from what does not exist. What they do to them is in tests/hosts/swarm/test_teams.py."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import Grant, OwnRole, Team, User
from accounts.rights import Right, Role
from common.errors import NotFound
from hosts.engine import parse
from hosts.inventory import apply
from hosts.log_choice import LogChoice, chosen
from hosts.log_sources import get_log
from hosts.models import Config, Container, Host, Secret, Service, Swarm, Task
from tests.rivals import OURS, THEIRS, said
from tests.rows import a_host, container_json
from tests.shared_swarm import a_fleet, id_of, service, store

NOBODYS = "naval"  # as long as the other's, since ids are cut to a length
pytestmark = [pytest.mark.django_db, pytest.mark.core]


@pytest.fixture
def fleet(settings: Any) -> Swarm:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    return a_fleet()


@pytest.fixture
def browser(client: Client, fleet: Swarm) -> Client:
    client.force_login(User.objects.get(username="nils"))
    client.raise_request_exception = False
    return client


def parts(word: str) -> list[str]:
    """Addresses of what is called by the word."""
    return [
        f"services/fleet/{word}-web",
        f"services/fleet/{id_of(word, 'a')}",
        f"services/fleet/{id_of(word, 'a')[:8]}",
        f"tasks/fleet/{id_of(f'{word}1', 'b')}",
        f"secrets/fleet/{word}-secret",
        f"configs/fleet/{word}-config",
        f"stacks/fleet/{word}-shop",
        f"containers/dock/{word}-web.1.x",
    ]


def test_a_team_sees_its_own(browser: Client) -> None:
    for path in parts(OURS):
        assert browser.get(f"/{path}/").status_code == 200, path
        assert browser.get(f"/api/v1/{path}").status_code == 200, path
    for noun in ("services", "tasks", "secrets", "configs", "stacks"):
        found = browser.get(f"/api/v1/{noun}").json()
        assert found["count"] == (2 if noun == "tasks" else 1) and "quay" in json.dumps(found), noun
        assert "quay" in said(browser.get(f"/{noun}/")), noun
    assert "Services" in said(browser.get("/"))
    assert {group for group in ("Services", "Secrets", "Stacks") if group in said(browser.get("/find/?q=quay"))}


def test_it_sees_nothing_of_another_team_s_or_of_nobody_s(browser: Client) -> None:
    pages = [f"/{noun}/{query}" for noun in ("services", "tasks", "secrets", "configs", "stacks", "containers", "events")
             for query in ("", "?search=riva", "?format=json", "?format=csv", "?facet=swarm&asked=f", "?facet=stack&asked=r")]  # fmt: skip
    pages += ["/", "/find/?q=riva", "/find/?q=web", "/hosts/dock/", *(f"/{path}/" for path in parts(OURS))]
    pages += [f"/api/v1/{path}" for path in parts(OURS)]
    pages += [f"/api/v1/{noun}" for noun in ("services", "tasks", "secrets", "configs", "stacks", "swarms", "nodes")]
    for page in pages:
        text = said(browser.get(page))
        assert "rival" not in text and "buoy-c" not in text, page
    for noun, name in (("services", "web"), ("secrets", "s1"), ("configs", "c1")):  # nobody's
        assert browser.get(f"/{noun}/fleet/{name}/").status_code == 404


def test_another_team_s_is_as_what_is_not_there(browser: Client) -> None:
    for theirs, nobodys in zip(parts(THEIRS), parts(NOBODYS), strict=True):
        for act in (
            "",
            "/remove",
            "/edit",
            "/scale",
            "/rollback",
            "/redeploy",
            "/labels",
            "/replace",
            "/content",
            "/logs",
        ):
            for send in (browser.get, browser.post, browser.delete, browser.patch):
                for at in (f"/{{}}{act}/", f"/api/v1/{{}}{act}"):
                    one, other = send(at.format(theirs)), send(at.format(nobodys))
                    assert one.status_code == other.status_code, (send, at, theirs)
                    assert said(one).replace(THEIRS, NOBODYS) == said(other), (at, theirs)


def test_logs_of_its_own_tasks_alone(fleet: Swarm) -> None:
    nils = User.objects.get(username="nils")
    wanted = LogChoice(services=("fleet/quay-web", "fleet/rival-web", "fleet/web"))
    assert {str(log).split("/")[1].split("-")[0] for log in chosen(nils, wanted).logs} == {"quay"}
    task = f"buoy-z/{id_of('rival1', 'b')}"
    assert chosen(nils, LogChoice(targets=(task, "buoy-z/nothing"))).unknown == [task, "buoy-z/nothing"]
    with pytest.raises(NotFound):
        get_log(nils, task, Right.LOGS_VIEW)


def test_a_secret_does_not_tell_which_services_of_others_use_it(browser: Client, fleet: Swarm) -> None:
    for name in (f"{OURS}-web", f"{THEIRS}-web"):
        row = Service.objects.get(name=name)
        row.data = row.data | {"secrets": [id_of(OURS, "s")]}
        row.save()
    assert browser.get(f"/api/v1/secrets/fleet/{OURS}-secret").json()["services"] == [f"{OURS}-web"]
    assert "rival" not in said(browser.get(f"/secrets/fleet/{OURS}-secret/"))
    assert "rival" not in said(browser.get("/secrets/"))


def test_its_tasks_and_containers_go_with_the_service(browser: Client, fleet: Swarm) -> None:
    store(fleet, "service", service(THEIRS, "north", Version={"Index": 8}))
    for path in (
        f"services/fleet/{THEIRS}-web",
        f"tasks/fleet/{id_of('rival1', 'b')}",
        "containers/dock/rival-web.1.x",
    ):
        assert browser.get(f"/{path}/").status_code == 200, path
    store(fleet, "service", service(OURS, "", Version={"Index": 8}))
    for path in parts(OURS):
        if "secret" not in path and "config" not in path:
            assert browser.get(f"/{path}/").status_code == 404, path


def test_teams_that_come_and_go_and_are_called_otherwise(
    browser: Client, fleet: Swarm, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        north = Team.objects.get(name="north")
        north.name = "else"
        north.save()
    for model in (Service, Secret, Config, Task, Container):
        assert not model.objects.filter(owner=north).exists(), model
    with django_capture_on_commit_callbacks(execute=True):
        Team.objects.get(name="south").delete()
        north.name = "south"
        north.save()
    assert browser.get(f"/services/fleet/{THEIRS}-web/").status_code == 200
    assert browser.get(f"/services/fleet/{OURS}-web/").status_code == 404


def test_a_swarm_of_which_only_some_hosts_are_granted_shows_nothing(browser: Client, fleet: Swarm) -> None:
    other = a_host("pier")
    fleet.members.create(host=other, node_id="z" * 25, state="active")
    for path in parts(OURS)[:-1]:
        assert browser.get(f"/{path}/").status_code == 404, path
    Grant.objects.create(team=Team.objects.get(name="north"), role=Role.VIEWER, host=other)
    assert browser.get(f"/services/fleet/{OURS}-web/").status_code == 200
    assert browser.get(f"/services/fleet/{THEIRS}-web/").status_code == 404


def test_a_label_on_a_container_does_not_make_a_service_s_owner_see_it_elsewhere(fleet: Swarm) -> None:
    """Ids of services are of the host's own swarm."""
    other = a_host("pier")
    entry = container_json("fake", Labels={"com.docker.swarm.service.id": id_of(OURS, "a")})
    apply.apply_rows(other, "image", [parse.image_row({"Id": "sha256:" + "1" * 64, "Size": 1})])
    apply.apply_rows(other, "container", [parse.container_row(entry)])
    assert Container.objects.get(name="fake").owner is None


def test_the_right_is_one_of_its_own(browser: Client) -> None:
    role = OwnRole.objects.create(name="looker", rights=["hosts.view", "services.view"])
    Grant.objects.update(role="", own_role=role)
    assert browser.get(f"/services/fleet/{OURS}-web/").status_code == 200
    assert browser.get(f"/secrets/fleet/{OURS}-secret/").status_code == 403
    assert Host.objects.count() == 1
