"""API tokens: for some rights, from some networks, for some time; shown once."""

import re
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts import tokens
from accounts.models import ApiToken, AuditEntry, Grant, Membership, Team, User
from accounts.rights import Right, Standing
from hosts.models import Image
from tests.accounts.test_sockets import a_job, opened
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
OWN = "/account/tokens/"


@pytest.fixture(autouse=True)
def quick(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.05)


def as_header(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def made(client: Client, **values: Any) -> str:
    """Makes one in the page; the token as it is shown."""
    answer = client.post(f"{OWN}add/", {"name": "ci", "days": "30", "networks": ""} | values)
    assert answer.status_code == 200, answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    return re.findall(r'copy-text value="(dmg_[^"]+)"', answer.content.decode())[0]


def code(client: Client, token: str, path: str = "/api/v1/containers") -> tuple[int, str]:
    answer = client.get(path, headers=as_header(token))
    return answer.status_code, "" if answer.status_code == 200 else answer.json()["code"]


# ---------------------------------------------------------------- the page
def test_a_token_is_shown_once_and_works(client: Client) -> None:
    client.force_login(person("otto", "deployer"))
    token = made(client, networks="10.8.0.0/16, 127.0.0.1", scope=["containers.view"])
    assert code(Client(), token) == (200, "")
    page = client.get(OWN).content.decode()
    assert token not in page and "10.8.0.0/16, 127.0.0.1/32" in page and "containers.view" in page
    assert re.search(r"127\.0\.0\.1</td>", page)  # where it was used last
    entry = AuditEntry.objects.get(action="token.create")
    assert entry.detail["after"]["scope"] == ["containers.view"] and token not in str(entry.detail)
    row = ApiToken.objects.get()
    assert row.expires and timedelta(days=29) < row.expires - timezone.now() < timedelta(days=31)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("name", "", "required"),
        ("name", "taken", "has a token called taken already"),
        ("networks", "10.8.0.0/33", "is no network"),
        ("networks", "office", "is no network"),
        ("days", "31", "not one of the available choices"),
        ("scope", ["users.manage"], "not one of the available choices"),
        ("scope", ["everything"], "not one of the available choices"),
    ],
)
def test_a_wrong_value_is_named_at_its_field_and_the_others_are_kept(
    client: Client, field: str, value: Any, words: str
) -> None:
    otto = person("otto", "deployer")
    ApiToken.make(otto, "taken")
    client.force_login(otto)
    values = {"name": "ci", "days": "7", "networks": "10.8.0.0/16"} | {field: value}
    answer = client.post(f"{OWN}add/", values)
    assert answer.status_code == 422
    assert words in str(answer.context["form"].errors[field])
    if field != "name":
        assert 'value="ci"' in answer.content.decode()
    assert ApiToken.objects.count() == 1


def test_one_removes_one_s_own_and_nobody_else_s_and_an_administrator_all(client: Client) -> None:
    vera, otto = person("vera", "viewer"), person("otto", "deployer")
    tokens = {user: ApiToken.make(user, "ci") for user in (vera, otto)}
    rows = {user: ApiToken.objects.get(user=user).pk for user in (vera, otto)}
    client.force_login(vera)
    assert client.post(f"{OWN}{rows[otto]}/remove/").status_code == 404
    assert client.post(f"/users/{otto.pk}/tokens/{rows[otto]}/remove/").status_code == 403
    assert client.get(f"/users/{otto.pk}/tokens/").status_code == 403
    assert client.post(f"{OWN}{rows[vera]}/remove/")["Location"] == OWN
    assert code(Client(), tokens[vera]) == (401, "token_unknown")
    client.force_login(person("ada", "admin"))
    assert "ci" in client.get(f"/users/{otto.pk}/tokens/").content.decode()
    answer = client.post(f"/users/{otto.pk}/tokens/add/", {"name": "made by ada", "days": ""})
    theirs = re.findall(r'copy-text value="(dmg_[^"]+)"', answer.content.decode())[0]
    assert client.get("/api/v1/users", headers=as_header(theirs)).status_code == 403  # it is otto's
    client.post(f"/users/{otto.pk}/tokens/{rows[otto]}/remove/")
    assert code(Client(), tokens[otto]) == (401, "token_unknown")
    told = AuditEntry.objects.filter(action="token.remove").values_list("actor_name", "detail__user")
    assert set(told) == {("vera", "vera"), ("ada", "otto")}


# ---------------------------------------------------------------- what it may
def test_a_right_that_is_not_in_its_scope_is_refused_everywhere(client: Client) -> None:
    containers(a_host(), container_json("web"))
    ada = person("ada", "admin")
    token = as_header(ApiToken.make(ada, "ci", scope=["containers.view", "hosts.view"]))
    assert client.get("/api/v1/containers", headers=token).json()["count"] == 1
    assert client.get("/metrics", headers=token).status_code == 200
    for method, path in (
        ("get", "users"),
        ("get", "images"),
        ("post", "containers/quay/web/stop"),
        ("delete", "hosts/quay"),
        ("get", "users/ada/sessions"),  # what belongs to the person is not for programs with a purpose
        ("post", "users/ada/tokens"),
    ):
        body = {"content_type": "application/json", "data": {"name": "x"}} if method == "post" else {}
        answer = getattr(client, method)(f"/api/v1/{path}", headers=token, **body)
        assert (answer.status_code, answer.json()["code"]) == (403, "denied"), path
    narrow = as_header(ApiToken.make(ada, "narrow", scope=["images.view"]))
    assert client.get("/metrics", headers=narrow).status_code == 403


def test_it_never_may_more_than_its_user(client: Client) -> None:
    otto = person("otto", "deployer")
    token = as_header(ApiToken.make(otto, "ci", scope=["jobs.manage", "networks.view"]))
    assert client.get("/api/v1/networks", headers=token).status_code == 200
    assert client.post("/api/v1/jobs/1/cancel", headers=token).status_code == 404
    User.objects.filter(pk=otto.pk).update(role="viewer")
    refused = client.post("/api/v1/jobs/1/cancel", headers=token)
    assert refused.status_code == 403
    assert client.get("/api/v1/networks", headers=token).status_code == 200


@pytest.mark.parametrize(
    ("change", "code_of_it"),
    [
        ({"expires": timezone.now() - timedelta(seconds=1)}, "token_expired"),
        ({"networks": ["10.8.0.0/16"]}, "token_address"),
        ({"digest": "0" * 64}, "token_unknown"),
    ],
)
def test_one_that_lets_nobody_in_says_why(client: Client, change: dict[str, Any], code_of_it: str) -> None:
    token = ApiToken.make(person("vera", "viewer"), "ci")
    assert code(client, token) == (200, "")
    ApiToken.objects.update(**change)
    for path in ("/api/v1/containers", "/metrics"):
        assert code(client, token, path) == (401, code_of_it)
        assert client.get(path, headers=as_header(token))["WWW-Authenticate"] == "Bearer"
    User.objects.update(is_active=False)
    ApiToken.objects.update(digest=ApiToken.hash(token))
    assert code(client, token) == (401, "account_disabled")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change",
    [
        lambda: ApiToken.objects.all().delete(),
        lambda: ApiToken.objects.update(expires=timezone.now()),
        lambda: ApiToken.objects.update(networks=["203.0.113.0/24"]),
    ],
    ids=["removed", "expired", "from elsewhere"],
)
async def test_its_open_socket_ends_with_it(change: Any) -> None:
    token = await database_sync_to_async(lambda: ApiToken.make(person("otto", "deployer"), "ci"))()
    async with opened("/ws/changes", authorization=f"Bearer {token}") as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await database_sync_to_async(change)()
        assert await socket.closed() == 4401


@pytest.mark.django_db(transaction=True)
async def test_a_socket_closes_when_its_right_is_taken_out_of_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    scope = ["images.manage", "jobs.view"]
    token = await database_sync_to_async(lambda: ApiToken.make(person("otto", "deployer"), "ci", scope=scope))()
    job = await a_job(monkeypatch)
    async with opened(f"/ws/jobs/{job.pk}", authorization=f"Bearer {token}") as socket:
        await socket.until(lambda: socket.of_kind("job"))
        await database_sync_to_async(ApiToken.objects.update)(scope=["images.manage"])
        assert await socket.closed() == 4403


# ---------------------------------------------------------------- REST and the command
def test_tokens_are_made_over_rest(client: Client) -> None:
    otto, ada = person("otto", "deployer"), person("ada", "admin")
    whole, admin = as_header(ApiToken.make(otto, "whole")), as_header(ApiToken.make(ada, "whole"))

    def make(headers: dict[str, str], user: str, **body: Any) -> Any:
        return client.post(f"/api/v1/users/{user}/tokens", body, "application/json", headers=headers)

    answer = make(whole, "otto", name="ci", scope=["containers.view"], expires="2099-01-01T00:00:00Z")
    assert answer.status_code == 201
    body = answer.json()
    assert code(client, body["token"]) == (200, "")
    assert make(as_header(body["token"]), "otto", name="more").status_code == 403
    short = make(whole, "otto", name="short", expires="2099-01-01T00:00:00Z").json()["token"]
    around = make(as_header(short), "otto", name="longer")
    assert (around.status_code, around.json()["title"]) == (
        403,
        "A token with limits makes no other tokens. Log in to make one.",
    )
    assert make(whole, "otto", name="ci").status_code == 409
    for field, value in (
        ("scope", ["users.manage"]),
        ("scope", ["x"]),
        ("networks", ["x"]),
        ("expires", "2020-01-01T00:00:00Z"),
    ):
        wrong = make(whole, "otto", name="wrong", **{field: value})
        assert (wrong.status_code, wrong.json()["field"]) == (422, field)
    assert make(whole, "ada", name="x").status_code == 403
    assert make(admin, "otto", name="by ada").status_code == 201
    names = [one["name"] for one in client.get("/api/v1/users/otto/tokens", headers=whole).json()["items"]]
    assert names == ["by ada", "ci", "short", "whole"]
    assert client.delete(f"/api/v1/users/otto/tokens/{body['id']}", headers=admin).status_code == 204
    assert code(client, body["token"]) == (401, "token_unknown")


def test_the_command_takes_the_same_limits(client: Client, capsys: pytest.CaptureFixture[str]) -> None:
    person("otto", "deployer")
    call_command(
        "token", "create", "otto", "--name", "ci", "--right", "images.view", "--network", "127.0.0.1", "--days", "3"
    )
    token = capsys.readouterr().out.strip()
    assert code(client, token, "/api/v1/images") == (200, "")
    assert code(client, token) == (403, "denied")
    call_command("token", "list")
    assert capsys.readouterr().out.endswith("\timages.view\t127.0.0.1/32\tall hosts\teverybody's\n")
    for wrong, words in (
        (["--right", "users.manage"], "does not have the right users.manage"),
        (["--network", "office"], "office is no network"),
        (["--days", "0"], "--days 0 is not a number from 1"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("token", "create", "otto", "--name", "other", *wrong)


# ---------------------------------------------------------------- hosts and teams
def test_a_token_for_a_host_is_for_no_other_and_for_nothing_beside_hosts(client: Client) -> None:
    for name in ("quay", "pier"):
        containers(a_host(name), container_json(f"on-{name}"))
    client.force_login(person("ada", "admin"))
    token = made(client, hosts=["quay"])
    found = Client().get("/api/v1/containers", headers=as_header(token)).json()["items"]
    assert [row["name"] for row in found] == ["on-quay"]
    assert code(Client(), token, "/api/v1/hosts/pier")[0] == code(Client(), token, "/api/v1/hosts/no-such")[0] == 404
    for path in ("users", "registries", "audit", "diagnostics"):
        assert code(Client(), token, f"/api/v1/{path}")[0] == 403, path
    assert "quay" in client.get(OWN).content.decode()
    assert AuditEntry.objects.get(action="token.create").detail["after"]["hosts"] == ["quay"]


def test_a_token_for_a_team_is_for_what_it_owns(client: Client) -> None:
    quay, ada = a_host("quay"), person("ada", "admin")
    Team.objects.create(name="north")
    labels = [{"dermaga.team": "north"}, {}]
    Image.objects.create(
        host=quay, engine_id="sha256:" + "1" * 64, name="a:1", seen=quay.last_seen
    )  # without the label
    containers(quay, *(container_json(f"web-{n}", Labels=of) for n, of in enumerate(labels)))
    client.force_login(ada)
    token = made(client, teams=["north"])
    found = Client().get("/api/v1/containers", headers=as_header(token)).json()["items"]
    assert [row["name"] for row in found] == ["web-0"]
    assert code(Client(), token, "/api/v1/containers/quay/web-1")[0] == 404
    assert code(Client(), token, "/api/v1/users")[0] == 403
    Team.objects.get().delete()
    assert (
        Client().get("/api/v1/containers", headers=as_header(token)).status_code == 403
    )  # of nobody, not of everybody


def test_a_member_makes_tokens_for_hosts_and_teams_that_they_see(client: Client) -> None:
    a_host("quay")
    otto = person("otto", "member")
    north, _south = Team.objects.create(name="north"), Team.objects.create(name="south")
    Membership.objects.create(team=north, user=otto)
    client.force_login(otto)
    for what, name in (("hosts", "quay"), ("teams", "south"), ("teams", "a\0b")):
        body = {"name": "ci", what: [name]}
        answer = client.post("/api/v1/users/otto/tokens", body, content_type="application/json")
        assert (answer.status_code, answer.json()["field"]) == (422, what), answer.content
    Grant.objects.create(team=north, role="deployer", own=True)
    body = {"name": "ci", "hosts": ["quay"], "teams": ["north"], "scope": ["containers.view"]}
    answer = client.post("/api/v1/users/otto/tokens", body, content_type="application/json")
    assert answer.status_code == 201 and answer.json()["teams"] == ["north"]
    standing = tokens.user_of(answer.json()["token"], "127.0.0.1").narrowed_standing
    assert standing == Standing(own=frozenset({("quay", north.pk, frozenset({Right.CONTAINERS_VIEW}))}))


def test_the_command_makes_one_for_a_host_and_a_team() -> None:
    a_host("quay")
    person("otto", "admin")
    Team.objects.create(name="north")
    call_command("token", "create", "otto", "--name", "ci", "--host", "quay", "--team", "north")
    assert (ApiToken.objects.get().hosts, ApiToken.objects.get().teams) == (["quay"], ["north"])
    with pytest.raises(CommandError, match="There is no host called pier"):
        call_command("token", "create", "otto", "--name", "other", "--host", "pier")
