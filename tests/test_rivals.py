"""Two teams that do not trust each other: what one of them has shows the other nowhere, and cannot be told from what
does not exist. Every page, every operation of the API, every socket."""

import json
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.test import Client

from accounts.models import Grant, Membership, OwnRole, Team, User
from accounts.rights import Role
from api.examples import examples
from common.events import GROUP
from hosts.log_choice import LogChoice, chosen
from hosts.logins import open_login
from hosts.models import Backup, Host, Policy, Registry
from hosts.sockets import socket_urls as host_sockets
from jobs.models import Job
from jobs.run import JobContext
from jobs.sockets import socket_urls as job_sockets
from tests.hosts.consumers.sockets import open_scope, open_socket
from tests.rivals import NOBODYS, OURS, THEIRS, addresses, call, counts, everything_on, parts_of, said
from tests.rows import a_host, a_swarm, person


@pytest.fixture
def nils(db: None, settings: Any) -> User:
    """Of the team north, to which one host is granted, with all rights on it; the other host is a rival's."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person("ada", "admin")
    ours, theirs = a_host(OURS), a_host(THEIRS)
    for host in (ours, theirs):
        everything_on(host)
    a_swarm(theirs)
    theirs.member.swarm.__class__.objects.update(name="rival-swarm")
    Registry.objects.create(name="rival-registry", address="registry.rival.example")
    user, team = person("nils", "member"), Team.objects.create(name="north")
    Membership.objects.create(team=team, user=user)
    Grant.objects.create(team=team, role=Role.HOST_ADMIN, host=ours)
    Team.objects.create(name="rival-team")
    Policy.objects.create(host=theirs, about="rival", by_name="rival")
    Policy.objects.create(label="rival=yes", by_name="ada")
    return user


@pytest.fixture
def browser(client: Client, nils: User) -> Client:
    """Nils' browser."""
    client.force_login(nils)
    client.raise_request_exception = False
    return client


# ---------------------------------------------------------------- pages
def test_pages_show_nothing_of_the_rival(browser: Client) -> None:
    """Also not in counts, menus of filters, choices of forms, downloads, or what Ctrl K finds."""
    found, seen = [], 0
    queries = (
        "",
        "?search=riva",
        "?q=riva",
        "?q=restart+riva",
        "?format=csv",
        "?format=json",
        "?facet=host&asked=riva",
    )
    for address in addresses(OURS):
        for query in queries if address.count("/") <= 3 else queries[:1]:
            text = said(browser.get(address + query))
            if "rival" in text:
                at = text.index("rival")
                found.append((address + query, text[max(0, at - 120) : at + 60]))
            seen += 1
    assert not found, "\n".join(map(str, found))
    assert seen > 300


def test_lists_of_a_rivals_host_are_as_those_of_one_that_does_not_exist(browser: Client) -> None:
    found = []
    for address in addresses(OURS):
        if address.count("/") > 2:
            continue
        for query in ("host={}", "project={}-shop", "target={0}/{0}-web", "image={}/app:1", "swarm={}-swarm", "to={}"):
            theirs, nobodys = (said(browser.get(f"{address}?{query.format(word)}")) for word in (THEIRS, NOBODYS))
            if theirs.replace(THEIRS, NOBODYS) != nobodys:
                found.append((address, query))
    assert not found, "\n".join(map(str, found))


def test_a_rivals_page_is_as_one_that_does_not_exist(browser: Client) -> None:
    """Whatever is asked of it, and whatever is sent to it."""
    found, seen, before = [], 0, counts()
    theirs, nobodys = list(addresses(THEIRS)), list(addresses(NOBODYS))
    for mine, other in zip(theirs, nobodys, strict=True):
        if mine == other:
            continue
        for send in (browser.get, browser.post):
            answer, unknown = send(mine), send(other)
            seen += 1
            if answer.status_code == 200 or answer.status_code != unknown.status_code:
                found.append((send.__name__, mine, answer.status_code, other, unknown.status_code))
    assert not found, "\n".join(map(str, found))
    assert seen > 250
    assert counts() == before


# ---------------------------------------------------------------- API
def test_the_api_gives_nothing_of_the_rival(browser: Client) -> None:
    found, seen, known = [], 0, parts_of(OURS)
    for operation, example in examples().items():
        if not operation.startswith("GET "):
            continue
        text = said(call(browser, example, known))
        seen += 1
        if "rival" in text:
            found.append((operation, text[max(0, text.index("rival") - 80) :][:160]))
    assert not found, "\n".join(map(str, found))
    assert seen > 60


def test_an_operation_on_a_rivals_object_is_as_on_one_that_does_not_exist(browser: Client) -> None:
    found, seen = [], 0
    real, unreal = parts_of(THEIRS), parts_of(NOBODYS)
    before = counts()
    for operation, example in examples().items():
        if "{" not in operation or "{destination}" in operation:  # a destination is everybody's who makes backups
            continue
        answer, unknown = call(browser, example, real), call(browser, example, unreal)
        seen += 1
        theirs, nobodys = said(answer), said(unknown)
        for noun, name in real.items():
            if not name.isdecimal():
                theirs = theirs.replace(name, unreal[noun])
        if answer.status_code < 400 or answer.status_code != unknown.status_code or theirs != nobodys:
            found.append((operation, answer.status_code, unknown.status_code, said(answer)[:200], nobodys[:200]))
    assert not found, "\n".join(map(str, found))
    assert seen > 120
    assert counts() == before


def test_names_of_a_rivals_objects_in_a_body_lead_nowhere(browser: Client) -> None:
    """Acts on several, copies, restores, joins: what they name is looked for as an address is."""

    def post(path: str, **body: Any) -> Any:
        return browser.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")

    backup = Backup.objects.get(host=OURS).pk
    for path, body in (
        ("containers/bulk", {"verb": "stop", "targets": ["{}/{}-web"]}),
        ("images/quay/quay%2Fapp:1/copy", {"to": "{}"}),
        ("volumes/quay/quay-data/copy", {"to": "{}", "name": "stolen"}),
        (f"backups/{backup}/restore", {"host": "{}", "volume": "stolen"}),
        ("networks/quay/quay-net/connect", {"container": "{}-web"}),
    ):
        theirs, nobodys = (post(path, **json.loads(json.dumps(body).replace("{}", word))) for word in (THEIRS, NOBODYS))
        assert theirs.status_code == nobodys.status_code >= 400, (path, theirs.content)
        assert theirs.content.decode().replace(THEIRS, NOBODYS) == nobodys.content.decode(), path


# ---------------------------------------------------------------- sockets
ASKED = ("target=rival/rival-web", "host=rival", "project=rival-shop", "target=rival/rival-web&q=x&cmd=sh")


@pytest.mark.django_db(transaction=True)
async def test_sockets_tell_a_rivals_container_from_nothing_no_more_than_pages(nils: User) -> None:
    for route in host_sockets:
        path = f"/{route.pattern}"
        if path == "/ws/changes":
            continue
        for query in ASKED:
            ends = []
            for word in (THEIRS, NOBODYS):
                asked = dict(pair.split("=", 1) for pair in query.replace(THEIRS, word).split("&"))
                async with open_socket(nils, path, **asked) as socket:
                    if await socket.speaks():  # why it is closed, or what is watched: nothing
                        await socket.next()
                    ends.append((socket.code, json.dumps(socket.messages).replace(THEIRS, NOBODYS)))
            assert ends[0] == ends[1], (path, query)
    job = await Job.objects.filter(host=THEIRS).afirst()
    assert job is not None
    for number, code in ((job.pk, 4404), (4_711_000, 4404)):
        async with open_scope({"user": nils, "path": f"/ws/jobs/{number}"}, job_sockets) as socket:
            assert await socket.closed() == code


@pytest.mark.django_db(transaction=True)
async def test_changes_of_a_rivals_host_are_told_to_nobody_else(nils: User) -> None:
    layer = get_channel_layer()
    async with open_socket(nils, "/ws/changes") as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        items = [
            {"kind": kind, "host": host, "ids": [f"{host}-1"]}
            for host in (THEIRS, OURS)
            for kind in ("container", "image", "host", "job", "event", "stats", "volume")
        ]
        items += [
            {"kind": "service", "host": "rival-swarm", "ids": ["rival-2"]},
            {"kind": "job", "host": "", "ids": ["7"]},
        ]
        await layer.group_send(GROUP, {"type": "changes", "items": items})
        told = (await socket.until(lambda: socket.of_kind("changes")))[0]["items"]
    assert [item for item in told if item["host"] == OURS] == items[7:14]
    assert [item for item in told if item["host"] != OURS] == [
        {
            "kind": "service",
            "host": "",
            "ids": [],
        },  # that something of a swarm changed: a page asks for what it may see
        {"kind": "job", "host": "", "ids": []},
    ]


# ---------------------------------------------------------------- what is taken away
def test_a_grant_that_is_taken_away_closes_at_once(browser: Client, nils: User) -> None:
    assert browser.get("/containers/quay/quay-web/").status_code == 200
    ada = Client()
    ada.force_login(User.objects.get(username="ada"))
    grant = Grant.objects.get()
    assert ada.post(f"/grants/{grant.pk}/remove/").status_code == 302
    assert browser.get("/containers/quay/quay-web/").status_code in {403, 404}
    assert "quay-web" not in said(browser.get("/api/v1/containers"))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/ws/logs", "/ws/stats"])
async def test_sockets_close_soon_though_the_right_holds_elsewhere(
    nils: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.1)
    await Grant.objects.acreate(user=nils, role=Role.HOST_ADMIN, label="crew=both")
    await Host.objects.filter(name=THEIRS).aupdate(labels={"crew": "both"})
    async with open_socket(await User.objects.aget(pk=nils.pk), path, target="rival/rival-web") as socket:
        await socket.until(lambda: socket.of_kind("targets"))
        await Host.objects.filter(name=THEIRS).aupdate(labels={})
        assert await socket.closed() == 4403


def test_what_is_granted_shows(browser: Client, nils: User) -> None:
    """The other way round: these tests would see it."""
    Grant.objects.create(user=nils, role=Role.VIEWER, label="crew=both")
    assert browser.get("/containers/rival/rival-web/").status_code == 404
    Host.objects.filter(name=THEIRS).update(labels={"crew": "both"})
    assert browser.get("/containers/rival/rival-web/").status_code == 200
    assert "rival-web" in said(browser.get("/api/v1/containers"))
    assert "rival" in said(browser.get("/?q=")) and "rival-web" in said(browser.get("/containers/?search=riva"))
    assert browser.post("/containers/rival/rival-web/stop/").status_code == 403  # a viewer there
    assert "rival-swarm" in said(browser.get("/api/v1/swarms"))


def test_a_right_on_one_host_is_none_on_another_where_one_may_look(browser: Client, nils: User) -> None:
    looker = OwnRole.objects.create(name="looker", rights=["containers.view", "hosts.view", "images.view"])
    Grant.objects.create(user=nils, own_role=looker, host=Host.objects.get(name=THEIRS))
    assert browser.get("/containers/rival/rival-web/").status_code == 200
    for path in (
        "containers/rival/rival-web/logs", "containers/rival/rival-web/files?path=/", "containers/rival/rival-web/top",
        "containers/rival/rival-web/specification", "images/rival/rival%2Fapp:1/save",
    ):  # fmt: skip
        status = browser.get(f"/api/v1/{path}").status_code
        assert status == (502 if path.endswith("top") else 403), path  # looking asks the engine, which is not there
        assert browser.get(f"/api/v1/{path.replace('rival', 'quay')}").status_code == 502, path
    everything = chosen(User.objects.get(pk=nils.pk), LogChoice(targets=("rival/rival-web",), hosts=("quay", "rival")))
    assert [str(log) for log in everything.logs] == ["quay/quay-web"] and everything.unknown == ["rival/rival-web"]
    shown = browser.get("/api/v1/containers?host=rival").json()["items"][0]
    assert shown["name"] == "rival-web" and shown.get("cpu_percent") is None


def test_a_registrys_account_is_used_for_nobody_who_may_use_none(nils: User) -> None:
    account = Registry.objects.get().accounts.create(username="robot", secret="canary", is_default=True)
    job = Job(by=nils, kind="image.pull", host=OURS, params={})
    assert open_login(JobContext(job), "registry.rival.example/app:1", None).user == ""
    job.by = User.objects.get(username="ada")
    assert open_login(JobContext(job), "registry.rival.example/app:1", None).user == account.username
