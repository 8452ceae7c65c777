"""Accounts of registries that a team has: its members log in with them, others neither see nor use them."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Grant, Membership, OwnRole, Team, User
from accounts.rights import Role
from hosts.logins import open_login, open_some
from hosts.models import Host, Registry, RegistryAccount
from jobs.models import Job, Schedule
from jobs.run import JobContext
from tests.rivals import said
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
ADDRESS = "registry.example.com"
IMAGE = f"{ADDRESS}/app:1"


@pytest.fixture
def ada(settings: Any) -> Client:
    """An administrator's browser; at the registry north and south have a default account each, and the installation."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client = Client()
    client.force_login(person("ada", "admin"))
    dock = a_host("dock")
    client.post("/registries/add/", {"name": "harbour", "address": ADDRESS})
    for name in ("north", "south", ""):
        if name:
            team = Team.objects.create(name=name)
            Membership.objects.create(team=team, user=person(f"of-{name}", "member"))
            Grant.objects.create(team=team, role=Role.HOST_ADMIN, host=dock, own=True)
        sent = {"username": f"robot-{name or 'all'}", "secret": "canary", "team": name}
        assert client.post("/registries/harbour/accounts/add/", sent).status_code == 302
    return client


def browser(name: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=name))
    return client


def number(username: str) -> int:
    return int(RegistryAccount.objects.get(username=username).pk)


def login(name: str, team: str = "", account: int | None = None, image: str = IMAGE) -> str:
    """As whom a job of this person logs in."""
    found = Team.objects.get(name=team) if team else None
    job = Job(by=User.objects.get(username=name), kind="image.pull", host="dock", params={}, team=found)
    return open_login(JobContext(job), image, account).user


# ---------------------------------------------------------------- who uses which
def test_the_own_team_s_comes_first_and_another_team_s_is_used_by_nobody_else(ada: Client) -> None:
    assert login("of-north", "north") == "robot-north"
    assert login("of-south", "south") == "robot-south"
    assert login("ada") == "robot-all"
    person("vic", "viewer")
    assert login("vic") == "robot-all"
    Membership.objects.create(team=Team.objects.get(name="south"), user=User.objects.get(username="vic"))
    assert login("vic") == "robot-south"


def test_who_is_in_two_teams_does_not_lend_one_s_to_the_other(ada: Client) -> None:
    Membership.objects.create(team=Team.objects.get(name="south"), user=User.objects.get(username="of-north"))
    assert login("of-north", "north") == "robot-north"
    assert login("of-north", "south") == "robot-south"
    RegistryAccount.objects.get(username="robot-north").delete()
    assert login("of-north", "north") == ""


def test_a_job_that_waited_until_it_is_another_team_s_does_not_log_in_with_it(ada: Client) -> None:
    picked = number("robot-north")
    assert login("of-north", "north", picked) == "robot-north"
    RegistryAccount.objects.filter(pk=picked).update(team=Team.objects.get(name="south"), is_default=False)
    with pytest.raises(Exception, match="is gone"):
        login("of-north", "north", picked)
    assert login("of-north", "north") == ""


def test_it_takes_the_right_and_the_membership(ada: Client) -> None:
    north = Team.objects.get(name="north")
    Grant.objects.filter(team=north).delete()
    assert login("of-north", "north") == ""
    puller = OwnRole.objects.create(name="puller", rights=["hosts.view", "images.view", "images.manage"])
    grant = Grant.objects.create(team=north, own_role=puller, host=Host.objects.get(), own=True)
    assert login("of-north", "north") == ""
    puller.rights = [*puller.rights, "registries.view"]
    puller.save()
    assert login("of-north", "north") == "robot-north"
    Membership.objects.filter(team=north).delete()
    assert login("of-north", "north") == "" and grant.pk


def test_it_is_said_why_one_may(ada: Client) -> None:
    said_why = ada.get("/api/v1/access?right=registries.view&host=dock&user=of-north").json()
    assert said_why["allowed"] and [source["team"] for source in said_why["by"]] == ["north"]
    assert not ada.get("/api/v1/access?right=registries.manage&host=dock&user=of-north").json()["allowed"]


def test_an_account_for_who_manages_registries_is_not_everybody_s(ada: Client) -> None:
    person("vic", "viewer")
    RegistryAccount.objects.filter(team=None).update(only_managers=True)
    assert (login("vic"), login("ada")) == ("", "robot-all")
    assert "robot-all" not in browser("vic").get("/registries/harbour/").content.decode()


def test_a_build_is_sent_only_what_its_own_team_has(ada: Client) -> None:
    context = JobContext(Job(by=User.objects.get(username="of-south"), kind="image.build", host="dock", params={}))
    assert open_some(context, None, [], defaults=True)[1] == {ADDRESS: "robot-south"}
    with pytest.raises(Exception, match="is gone"):
        open_some(context, None, [number("robot-north")], defaults=True)
    person("vic", "viewer")
    context.job.by = User.objects.get(username="vic")
    assert open_some(context, None, [], defaults=True)[1] == {ADDRESS: "robot-all"}


# ---------------------------------------------------------------- asked for
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("images/dock/pull", {"image": IMAGE}),
        ("containers/dock", {"image": IMAGE, "pull": "always"}),
    ],
)
def test_another_team_s_number_is_as_one_that_is_no_account_s(ada: Client, path: str, body: dict[str, Any]) -> None:
    north, ends = browser("of-north"), []
    for account in (number("robot-south"), number("robot-all"), 4_711_000):
        sent = json.dumps({**body, "account": account})
        answer = north.post(f"/api/v1/{path}", sent, content_type="application/json")
        ends.append((answer.status_code, answer.json().get("field"), answer.content))
    assert ends[0] == ends[1] == ends[2] and ends[0][:2] == (422, "account")
    answer = north.post(
        f"/api/v1/{path}", json.dumps({**body, "account": number("robot-north")}), content_type="application/json"
    )
    assert answer.status_code == 202, answer.content
    job = Job.objects.get()
    assert job.params["account"] == number("robot-north") and job.team == Team.objects.get(name="north")


def test_a_schedule_from_before_logs_in_with_what_is_still_the_team_s(ada: Client) -> None:
    north = browser("of-north")
    sent = json.dumps({"image": IMAGE, "account": number("robot-north")})
    number_of_job = north.post("/api/v1/images/dock/pull", sent, content_type="application/json").json()["job"]
    body = {"job": number_of_job, "name": "nightly", "cron": "0 3 * * *", "timezone": "UTC"}
    made = north.post("/api/v1/schedules", json.dumps(body), content_type="application/json")
    assert made.status_code == 201, made.content
    schedule = Schedule.objects.get()
    assert schedule.team is not None
    assert login("of-north", schedule.team.name, schedule.params["account"]) == "robot-north"
    sent = json.dumps({"team": "south", "secret": "another"})
    path = f"/api/v1/registries/harbour/accounts/{number('robot-north')}"
    assert ada.patch(path, sent, content_type="application/json").status_code == 200
    with pytest.raises(Exception, match="is gone"):
        login("of-north", schedule.team.name, schedule.params["account"])


# ---------------------------------------------------------------- seen
def test_a_member_sees_the_registry_with_the_own_account_alone(ada: Client) -> None:
    north = browser("of-north")
    Registry.objects.create(name="elsewhere", address="elsewhere.example")
    for page in (
        "/registries/",
        "/registries/harbour/",
        "/registries/?format=json",
        "/images/pull/",
        "/containers/create/",
    ):
        text = said(north.get(page))
        assert "robot-south" not in text and "robot-all" not in text and "elsewhere" not in text, page
    shown = north.get("/api/v1/registries").json()
    assert [(one["name"], [account["username"] for account in one["accounts"]]) for one in shown["items"]] == [
        ("harbour", ["robot-north"])
    ]
    assert north.get("/api/v1/registries/elsewhere").status_code == 404
    assert "robot-north" in north.get("/registries/harbour/").content.decode()
    assert "canary" not in json.dumps(shown)
    for account in ("robot-south", "robot-all"):
        answer = north.get(f"/api/v1/registries/harbour/repositories?account={number(account)}")
        nobodys = north.get("/api/v1/registries/harbour/repositories?account=4711000")
        assert (answer.status_code, answer.content) == (
            nobodys.status_code,
            nobodys.content,
        ) and answer.status_code == 422
    path = f"/api/v1/registries/harbour/accounts/{number('robot-north')}"
    assert north.patch(path, json.dumps({"secret": "x"}), content_type="application/json").status_code == 403
    assert north.delete(path).status_code == 403


def test_who_sees_all_registries_sees_no_other_team_s_account(ada: Client) -> None:
    person("vic", "viewer")
    vic = browser("vic")
    text = said(vic.get("/registries/harbour/")) + said(vic.get("/registries/?format=json"))
    assert "robot-all" in text and "robot-north" not in text and "robot-south" not in text
    shown = vic.get("/api/v1/registries/harbour").json()["accounts"]
    assert [account["username"] for account in shown] == ["robot-all"]
    page = vic.get("/registries/").content.decode()
    assert 'data-label="Accounts">1<' in page
    assert 'data-label="Accounts">3<' in ada.get("/registries/").content.decode()


def test_who_manages_registries_does_not_look_through_one_as_a_team(ada: Client) -> None:
    assert "robot-north" in said(ada.get("/registries/harbour/"))
    ends = []
    for account in (number("robot-north"), 4_711_000):
        for path in (f"repositories?account={account}", f"tags?repository=app&account={account}"):
            answer = ada.get(f"/api/v1/registries/harbour/{path}")
            ends.append((answer.status_code, answer.content))
    assert set(ends) == {ends[0]} and ends[0][0] == 422
    named = f"repository=app&tag=1&digest=sha256:{'5' * 64}&account={number('robot-north')}"
    refused = ada.delete(f"/api/v1/registries/harbour/tags?{named}")
    assert (refused.status_code, refused.json()["field"]) == (422, "account")


# ---------------------------------------------------------------- given
def test_nobody_takes_it_from_a_team_without_its_password(ada: Client) -> None:
    path = f"/registries/harbour/accounts/{number('robot-north')}/"
    for team in ("south", ""):
        answer = ada.post(path, {"username": "robot-north", "team": team})
        assert answer.status_code == 422 and "enter its password" in answer.content.decode()
    assert ada.post(path, {"username": "robot-north", "team": "nowhere"}).status_code == 422
    assert RegistryAccount.objects.get(username="robot-north").team == Team.objects.get(name="north")
    assert ada.post(path, {"username": "robot-north", "team": "", "secret": "new"}).status_code == 302
    account = RegistryAccount.objects.get(username="robot-north")
    assert account.team is None and not account.is_default  # the installation has one already
    assert AuditEntry.objects.filter(action="registry.account.change").count() == 1


def test_what_was_given_to_a_team_is_in_the_audit_and_goes_with_the_team(ada: Client) -> None:
    path = f"/api/v1/registries/harbour/accounts/{number('robot-all')}"
    answer = ada.patch(path, json.dumps({"team": "south"}), content_type="application/json")
    assert answer.status_code == 200 and answer.json()["team"] == "south"
    assert AuditEntry.objects.filter(action="registry.account.change").get().detail["after"]["team"] == "south"
    assert not RegistryAccount.objects.get(username="robot-all").is_default
    Team.objects.get(name="south").delete()
    assert list(RegistryAccount.objects.values_list("username", flat=True)) == ["robot-north"]
