"""Two teams on one host, each with a grant for its own objects: neither finds anything of the other, in pages, API or
sockets, and what one of them has cannot be told from what does not exist."""

import json
import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from channels.layers import get_channel_layer
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from accounts.models import Grant, Membership, OwnRole, Team, User
from accounts.rights import Role
from api.examples import examples
from common.events import GROUP
from hosts.models import Backup, Container, Destination, Host, Image, Network, Registry, Volume
from hosts.models.owners import Adoption, Share
from hosts.sockets import socket_urls as host_sockets
from jobs import queue
from jobs.models import Job
from jobs.sockets import socket_urls as job_sockets
from tests.hosts.consumers.sockets import open_scope, open_socket
from tests.rivals import NOBODYS, OURS, THEIRS, addresses, call, counts, everything_on, parts_of, said
from tests.rows import a_host, a_swarm, person

pytestmark = pytest.mark.core
DOCK = "dock"  # the host that both share
SWARM = "fleet"  # and the swarm that it is in, whose name a team knows for it may make something there
MAKING = {f"POST {noun}/{{swarm}}" for noun in ("services", "secrets", "configs")}


@pytest.fixture
def nils(db: None, settings: Any) -> User:
    """Of the team north, who may do everything with its own objects on the host."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    person("ada", "admin")
    dock, user, team = a_host(DOCK), person("nils", "member"), Team.objects.create(name="north")
    everything_on(dock, OURS, team)
    everything_on(dock, THEIRS, Team.objects.create(name="rival-team"), within=OURS)  # an administrator joined them
    a_swarm(dock)
    dock.member.swarm.__class__.objects.update(name=SWARM)
    registry = Registry.objects.create(name="rival-registry", address="registry.rival.example")
    rivals = Team.objects.get(name="rival-team")
    registry.accounts.create(username="rival-robot", secret="canary", is_default=True, team=rivals)
    Membership.objects.create(team=team, user=user)
    Grant.objects.create(team=team, role=Role.HOST_ADMIN, host=dock, own=True)
    return user


@pytest.fixture
def browser(client: Client, nils: User) -> Client:
    """Nils' browser."""
    client.force_login(nils)
    client.raise_request_exception = False
    return client


# ---------------------------------------------------------------- pages
def test_ones_own_objects_are_there(browser: Client) -> None:
    """What the other tests look for could be seen."""
    for page in ("containers/dock/quay-web/", "networks/dock/quay-net/", "volumes/dock/quay-data/", "hosts/dock/"):
        assert browser.get(f"/{page}").status_code == 200, page
    assert browser.get("/images/dock/71756179/").status_code == 200
    for noun in ("containers", "images", "networks", "volumes", "jobs", "events", "schedules", "backups"):
        found = browser.get(f"/api/v1/{noun}").json()
        assert found.get("count", len(found["items"])) == 1 and "quay" in json.dumps(found), noun
    assert browser.get("/api/v1/plugins").status_code == 403  # no team owns any


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
    for address in addresses(OURS, DOCK):
        for query in queries if address.count("/") <= 3 else queries[:1]:
            text = said(browser.get(address + query))
            if "rival" in text:
                at = text.index("rival")
                found.append((address + query, text[max(0, at - 120) : at + 60]))
            seen += 1
    assert not found, "\n".join(map(str, found))
    assert seen > 300


def test_a_rivals_page_is_as_one_that_does_not_exist(browser: Client) -> None:
    """Whatever is asked of it, and whatever is sent to it."""
    found, seen, before = [], 0, counts()
    theirs = parts_of(THEIRS, DOCK) | {"swarm": SWARM}
    for mine, other in zip(addresses(THEIRS, DOCK, theirs), addresses(NOBODYS, DOCK), strict=True):
        if mine == other:
            continue
        for send in (browser.get, browser.post):
            answer, unknown = send(mine), send(other)
            seen += 1
            if answer.status_code == 200 or answer.status_code != unknown.status_code:
                found.append((send.__name__, mine, answer.status_code, other, unknown.status_code))
    assert not found, "\n".join(map(str, found))
    assert seen > 200
    assert counts() == before


# ---------------------------------------------------------------- API
def test_the_api_gives_nothing_of_the_rival(browser: Client) -> None:
    found, seen, known = [], 0, parts_of(OURS, DOCK)
    for operation, example in examples().items():
        if operation.startswith("GET "):
            text, seen = said(call(browser, example, known)), seen + 1
            if "rival" in text:
                found.append((operation, text[max(0, text.index("rival") - 80) :][:160]))
    assert not found, "\n".join(map(str, found))
    assert seen > 60


def test_an_operation_on_a_rivals_object_is_as_on_one_that_does_not_exist(browser: Client) -> None:
    found, seen = [], 0
    real, unreal = parts_of(THEIRS, DOCK) | {"swarm": SWARM}, parts_of(NOBODYS, DOCK)
    before = counts()
    for operation, example in examples().items():
        if not set(re.findall(r"\{(\w+)\}", operation)) - {"host", "name", "destination", "verb"}:
            continue  # about the host, which both share
        if operation in MAKING:
            continue
        answer, unknown = call(browser, example, real), call(browser, example, unreal)
        seen += 1
        theirs, nobodys = said(answer), said(unknown)
        for noun, name in real.items():
            if not name.isdecimal() and name != DOCK:
                theirs = theirs.replace(name, unreal[noun])
        if answer.status_code != unknown.status_code or theirs != nobodys:
            found.append((operation, answer.status_code, unknown.status_code, said(answer)[:200], nobodys[:200]))
    assert not found, "\n".join(map(str, found))
    assert seen > 120
    assert counts() == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("containers/bulk", {"verb": "stop", "targets": ["dock/{}-web"]}),
        ("networks/dock/quay-net/connect", {"container": "{}-web"}),
        ("networks/dock/{}-net/connect", {"container": "quay-web"}),
        ("containers/dock", {"image": "quay/app:1", "network_mode": "container:{}-web"}),
        ("containers/dock", {"image": "quay/app:1", "pid_mode": "container:{}-web"}),
        ("containers/dock", {"image": "quay/app:1", "ipc_mode": "container:{}-web"}),
        ("containers/dock", {"image": "quay/app:1", "volumes_from": ["{}-web:ro"]}),
        ("containers/dock", {"image": "quay/app:1", "links": ["{}-web:db"]}),
        ("containers/dock", {"image": "quay/app:1", "networks": [{"name": "{}-net"}]}),
        ("containers/dock", {"image": "quay/app:1", "networks": [{"name": "quay-net", "links": ["{}-web"]}]}),
        ("containers/dock", {"image": "quay/app:1", "labels": {"dermaga.team": "{}-team"}}),
        ("containers/dock", {"image": "quay/app:1", "network_mode": "{}-net"}),
    ],
)
def test_what_a_body_names_of_a_rival_is_refused_as_what_is_not_there(
    browser: Client, path: str, body: dict[str, Any]
) -> None:
    before = counts()
    ends = []
    for word in (THEIRS, NOBODYS):
        sent = json.dumps(body).replace("{}", word)
        answer = browser.post(f"/api/v1/{path.replace('{}', word)}", sent, content_type="application/json")
        ends.append((answer.status_code, said(answer).replace(word, "WORD")))
    assert 400 <= ends[0][0] < 500
    assert ends[0][0] == ends[1][0]
    assert counts() == before


def test_a_rivals_volume_is_mounted_by_nobody_else(browser: Client) -> None:
    """Its name is taken: that much an engine tells everybody who makes one of the same name."""
    mount = {"type": "volume", "source": "rival-data", "target": "/x"}
    sent = json.dumps({"image": "quay/app:1", "mounts": [mount]})
    answer = browser.post("/api/v1/containers/dock", sent, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["field"] == "mounts.0.source"
    assert not Job.objects.filter(kind="container.create").exists()


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("mounts.0.source", {"mounts": [{"type": "volume", "source": "rival-data", "target": "/x"}]}),
        ("networks.0.name", {"networks": [{"name": "rival-net"}]}),
        ("network_mode", {"network_mode": "rival-net"}),
    ],
)
def test_who_may_look_at_all_of_the_host_uses_no_more_of_it(
    browser: Client, nils: User, field: str, body: dict[str, Any]
) -> None:
    Grant.objects.create(user=nils, role=Role.VIEWER)
    assert browser.get("/volumes/dock/rival-data/").status_code == 200
    sent = json.dumps({"image": "quay/app:1", **body})
    answer = browser.post("/api/v1/containers/dock", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    joined = browser.post(
        "/api/v1/networks/dock/rival-net/connect",
        json.dumps({"container": "quay-web"}),
        content_type="application/json",
    )
    assert joined.status_code == 403


def test_what_one_team_may_see_another_team_of_the_same_person_does_not_use(browser: Client, nils: User) -> None:
    rivals = Team.objects.get(name="rival-team")
    Membership.objects.create(team=rivals, user=nils)
    Grant.objects.create(team=rivals, role=Role.DEPLOYER, host=Host.objects.get(), own=True)
    mount = {"type": "volume", "source": "rival-data", "target": "/x"}
    sent = {"image": "quay/app:1", "mounts": [mount], "labels": {"dermaga.team": "north"}}
    answer = browser.post("/api/v1/containers/dock", json.dumps(sent), content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, "mounts.0.source")


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("labels", {"labels": {"org.dermaga.volume": "rival-data"}}),
        ("name", {"name": "dermaga-files-1"}),
        ("name", {"name": "adopted"}),
        ("name", {"labels": {"io.podman.compose.project": "shop", "io.podman.compose.service": "front"}}),
        ("mounts.0.source", {"mounts": [{"type": "volume", "source": "adopted", "target": "/x"}]}),
        ("platform", {"platform": "linux/s390x", "pull": "always"}),
    ],
)
def test_names_that_are_somebody_elses_are_given_to_nothing(browser: Client, field: str, body: dict[str, Any]) -> None:
    rivals, dock = Team.objects.get(name="rival-team"), Host.objects.get()
    for noun, key in (("container", "adopted"), ("container", "shop/front"), ("volume", "adopted")):
        Adoption.objects.create(host=dock, noun=noun, key=key, team=rivals, by_name="ada")
    sent = json.dumps({"image": "quay/app:1", **body})
    answer = browser.post("/api/v1/containers/dock", sent, content_type="application/json")
    assert (answer.status_code, answer.json()["field"]) == (422, field), answer.content


# ---------------------------------------------------------------- backups
def test_of_a_destination_a_team_learns_its_name_and_what_it_has_there_itself(browser: Client) -> None:
    Destination.objects.update(folder="/srv/secret-place", access_key="secret-key")
    page = browser.get("/backups/destinations/").content.decode()
    assert "shelf" in page and '?destination=shelf">1</a>' in page and "secret" not in page
    assert '?destination=shelf">2</a>' in ada().get("/backups/destinations/").content.decode()
    for address in ("destinations", "destinations/shelf", "destinations?search=secret", "destinations?format=csv"):
        assert "secret" not in said(browser.get(f"/api/v1/{address}")), address
    assert browser.get("/api/v1/destinations?search=secret").json()["count"] == 0
    for kind in ("csv", "json", "ndjson"):
        assert "secret" not in said(browser.get(f"/backups/destinations/?format={kind}&search=shelf"))
    assert "secret" not in said(browser.get(f"/backups/{Backup.objects.get(volume='quay-data').pk}/"))
    assert "/srv/secret-place" in said(ada().get("/backups/destinations/"))


def test_a_backup_follows_its_volume_and_not_another_one_of_that_name(browser: Client) -> None:
    from hosts.engine import parse
    from hosts.inventory import apply

    dock, north = Host.objects.get(), Team.objects.get(name="north")

    def listed() -> set[str]:
        return {row["volume"] for row in browser.get("/api/v1/backups").json()["items"]}

    def comes(name: str, **labels: str) -> None:
        row = parse.volume_row({"Name": name, "Driver": "local", "Labels": labels})
        apply.apply_rows(dock, "volume", [row] if labels else [], only={name})

    assert listed() == {"quay-data"}
    put(ada(), noun="volume", host="dock", ref="rival-data", team="north")
    assert listed() == {"quay-data", "rival-data"}
    put(ada(), noun="volume", host="dock", ref="rival-data", team="rival-team")
    assert listed() == {"quay-data"}
    # while nobody looked, ours went and another team's came
    comes("quay-data", **{"dermaga.team": "rival-team"})
    assert Volume.objects.get(name="quay-data").owner != north
    assert listed() == {"quay-data"} and Backup.objects.get(volume="quay-data").of_volume is None
    put(ada(), noun="volume", host="dock", ref="quay-data", team="")
    assert listed() == {"quay-data"}
    # theirs went, and ours comes under its name
    comes("rival-data")
    comes("rival-data", **{"dermaga.team": "north"})
    put(ada(), noun="volume", host="dock", ref="rival-data", team="north")
    assert browser.get("/volumes/dock/rival-data/").status_code == 200
    assert listed() == {"quay-data"}
    north.delete()
    assert Backup.objects.get(volume="quay-data").owner is None


def test_a_backup_from_before_an_upgrade_is_the_teams_if_its_volume_was_there_then(browser: Client) -> None:
    follow = import_module("hosts.migrations.0030_backups_of_volumes").follow
    put(ada(), noun="volume", host="dock", ref="rival-data", team="north")
    Backup.objects.update(owner=None, of_volume=None)
    assert browser.get("/api/v1/backups").json()["count"] == 0
    now = timezone.now()
    Volume.objects.filter(name="quay-data").update(created=now - timedelta(days=1))
    Volume.objects.filter(name="rival-data").update(created=now + timedelta(days=1))
    follow(apps, None)
    assert [row["volume"] for row in browser.get("/api/v1/backups").json()["items"]] == ["quay-data"]


def test_who_is_in_two_teams_moves_nothing_from_one_to_the_other(browser: Client, nils: User) -> None:
    both = Team.objects.create(name="both")
    Membership.objects.create(team=both, user=nils)
    Grant.objects.create(team=both, role=Role.HOST_ADMIN, host=Host.objects.get(), own=True)
    put(ada(), noun="volume", host="dock", ref="rival-data", team="both")
    own, other = (Backup.objects.get(volume=f"{word}-data") for word in (OURS, THEIRS))
    asked: dict[str, Any] = {"content_type": "application/json"}

    def restore(backup: Backup, volume: str) -> Any:
        sent = json.dumps({"volume": volume, "replace": True})
        return browser.post(f"/api/v1/backups/{backup.pk}/restore", sent, **asked)

    refused = restore(own, "rival-data")
    assert (refused.status_code, refused.json()["field"]) == (422, "volume")
    assert restore(own, "quay-data").status_code == restore(other, "rival-data").status_code == 202
    assert set(Job.objects.filter(kind="volume.restore").values_list("team__name", flat=True)) == {"north", "both"}
    # of a file that is sent nobody knows for which of them
    sent = {"volume": "new-one", "file": SimpleUploadedFile("a.tar", b"x")}
    unclear = browser.post("/api/v1/volumes/dock/restore", sent)
    assert (unclear.status_code, unclear.json()["field"]) == (422, "volume") and "several teams" in said(unclear)
    # several of both are removed by a job that only its maker sees
    assert (
        browser.post("/api/v1/backups/remove", json.dumps({"backups": [own.pk, other.pk]}), **asked).status_code == 202
    )
    assert Job.objects.get(kind="backup.remove").team is None


def test_a_job_from_host_to_host_is_seen_by_the_team_that_reaches_both(browser: Client, nils: User) -> None:
    pier, north = a_host("pier"), Team.objects.get(name="north")
    queue.start(User.objects.get(username="ada"), "volume.copy", host=DOCK, to="pier", team=north.pk, params={})
    job = Job.objects.get(kind="volume.copy")
    assert browser.get(f"/jobs/{job.pk}/").status_code == 404
    Grant.objects.create(team=north, role=Role.HOST_ADMIN, host=pier, own=True)
    assert browser.get(f"/jobs/{job.pk}/").status_code == 200
    Job.objects.update(team=Team.objects.get(name="rival-team"))
    assert browser.get(f"/jobs/{job.pk}/").status_code == 404


# ---------------------------------------------------------------- sockets
ASKED = ("target=dock/rival-web", "host=dock", "project=rival-shop", "target=dock/rival-web&q=x&cmd=sh")


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
                    if await socket.speaks():  # why it is closed, or what is watched: nothing of theirs
                        await socket.next()
                    ends.append((socket.code, json.dumps(socket.messages).replace(THEIRS, NOBODYS)))
                    assert "rival-web" not in json.dumps(socket.of_kind("targets"))
            assert ends[0] == ends[1], (path, query)
    job = await Job.objects.filter(target="rival/app:1").afirst()
    assert job is not None
    for number, code in ((job.pk, 4404), (4_711_000, 4404)):
        async with open_scope({"user": nils, "path": f"/ws/jobs/{number}"}, job_sockets) as socket:
            assert await socket.closed() == code


@pytest.mark.django_db(transaction=True)
async def test_of_a_shared_host_it_is_told_that_something_changed_and_not_what(nils: User) -> None:
    layer = get_channel_layer()
    async with open_socket(nils, "/ws/changes") as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        kinds = ("container", "volume", "backup", "plugin")
        items = [{"kind": kind, "host": DOCK, "ids": ["rival-1"]} for kind in kinds]
        await layer.group_send(GROUP, {"type": "changes", "items": items})
        told = (await socket.until(lambda: socket.of_kind("changes")))[0]["items"]
    assert told == [{"kind": kind, "host": DOCK, "ids": []} for kind in ("container", "volume", "backup")]


@pytest.mark.django_db(transaction=True)
async def test_a_socket_closes_when_the_grant_for_own_objects_goes(nils: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.1)
    await OwnRole.objects.acreate(name="looker", rights=["hosts.view"])
    async with open_socket(nils, "/ws/logs", target="dock/quay-web") as socket:
        await socket.until(lambda: socket.of_kind("targets"))
        await Grant.objects.all().adelete()
        assert await socket.closed() == 4403


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/ws/logs", "/ws/stats"])
async def test_a_socket_closes_when_the_container_becomes_another_teams(
    nils: User, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.1)
    async with open_socket(nils, path, target="dock/quay-web") as socket:
        await socket.until(lambda: socket.of_kind("targets"))
        await Container.objects.filter(name="quay-web").aupdate(owner=await Team.objects.aget(name="rival-team"))
        assert await socket.closed() == 4403


# ---------------------------------------------------------------- whose it is
def ada() -> Client:
    client = Client()
    client.force_login(User.objects.get(username="ada"))
    return client


def put(client: Client, **body: Any) -> Any:
    return client.put("/api/v1/owners", json.dumps(body), content_type="application/json")


def test_what_an_administrator_gives_to_the_team_shows_at_once(browser: Client) -> None:
    assert browser.get("/containers/dock/rival-web/").status_code == 404
    page = ada().get("/owners/container/dock/rival-web/").content.decode()
    assert "Whose is" in page and "rival-team" in page
    assert ada().post("/owners/container/dock/rival-web/", {"team": "north"}).status_code == 302
    assert browser.get("/containers/dock/rival-web/").status_code == 200
    assert put(ada(), noun="container", host="dock", ref="rival-web", team="").json()["team"] == ""
    assert browser.get("/containers/dock/rival-web/").status_code == 404
    assert put(ada(), noun="volume", host="dock", ref="rival-data", team="none-such").status_code == 422
    assert put(browser, noun="volume", host="dock", ref="quay-data", team="").status_code == 403


@pytest.mark.parametrize(
    ("noun", "ref", "page"),
    [
        ("network", "rival-net", "networks/dock/rival-net/"),
        ("volume", "rival-data", "volumes/dock/rival-data/"),
        ("image", "rival/app:1", "images/dock/7269766/"),
    ],
)
def test_what_is_shared_is_seen_and_left_alone(browser: Client, noun: str, ref: str, page: str) -> None:
    assert browser.get(f"/{page}").status_code == 404
    assert put(ada(), noun=noun, host="dock", ref=ref, shared=["north"]).json()["shared"] == ["north"]
    assert browser.get(f"/{page}").status_code == 200
    assert browser.get(f"/api/v1/{noun}s").json()["count"] == 2
    assert browser.post(f"/api/v1/{page}remove", "{}", content_type="application/json").status_code == 403
    if noun == "volume":
        assert browser.get("/api/v1/backups").json()["count"] == 1
        for part in ("backup/", "download/", "copy/"):
            assert browser.get(f"/{page}{part}").status_code == 403, part
    assert put(browser, noun=noun, host="dock", ref=ref, shared=[]).status_code == 403
    assert put(ada(), noun=noun, host="dock", ref=ref, shared=[]).json()["shared"] == []
    assert browser.get(f"/{page}").status_code == 404


def test_a_share_ends_with_what_was_shared(browser: Client) -> None:
    from hosts.inventory import apply

    put(ada(), noun="volume", host="dock", ref="rival-data", shared=["north"])
    assert Share.objects.count() == 1
    apply.apply_rows(Host.objects.get(), "volume", [], only={"rival-data"})
    assert not Share.objects.exists()


def test_a_container_is_shared_with_nobody(browser: Client) -> None:
    answer = put(ada(), noun="container", host="dock", ref="rival-web", shared=["north"])
    assert answer.status_code == 422 and answer.json()["field"] == "shared"


def test_an_owner_shares_its_own_with_teams_that_one_is_in_and_learns_of_no_other(browser: Client, nils: User) -> None:
    refused = [
        put(browser, noun="volume", host="dock", ref="quay-data", shared=[name]) for name in ("rival-team", "no")
    ]
    assert [(one.status_code, one.json()["field"]) for one in refused] == [(422, "shared")] * 2
    assert said(refused[0]).replace("rival-team", "no") == said(refused[1])
    assert "rival" not in said(browser.get("/owners/volume/dock/quay-data/"))
    Membership.objects.create(team=Team.objects.create(name="both"), user=nils)
    assert put(browser, noun="volume", host="dock", ref="quay-data", shared=["both"]).status_code == 200
    assert browser.post("/owners/volume/dock/quay-data/", {"shared": []}).status_code == 302
    assert not Share.objects.exists()


def test_a_label_of_the_image_makes_nobody_an_owner(nils: User) -> None:
    """Who builds an image would own what others run from it."""
    from hosts.engine import parse
    from hosts.inventory import apply
    from tests.rivals import shape
    from tests.rows import container_json

    dock, labels = Host.objects.get(), {"dermaga.team": "north"}
    Image.objects.filter(engine_id=shape(THEIRS)).update(labels=labels)
    for image, owner in ((shape(THEIRS), None), (shape(OURS), "north"), ("sha256:unknown", None)):
        row = parse.container_row(container_json("new", ImageID=image, Labels=labels))
        assert row is not None
        apply.apply_rows(dock, "container", [row], only={row["engine_id"]})
        found = Container.objects.get(name="new")
        assert (found.owner.name if found.owner else None) == owner, image


def test_objects_with_the_label_of_a_team_that_comes_later_are_its(nils: User) -> None:
    Network.objects.filter(name="rival-net").update(owner=None, labels={"dermaga.team": "late"})
    Volume.objects.filter(name="rival-data").update(labels={"dermaga.team": "late"})
    from hosts.inventory.owners import apply_owners

    late = Team.objects.create(name="late")
    apply_owners(Host.objects.all())
    assert Network.objects.get(name="rival-net").owner == Volume.objects.get(name="rival-data").owner == late
    late.name = "later"
    late.save()
    apply_owners(Host.objects.all())
    assert Network.objects.get(name="rival-net").owner is None


def test_labels_of_an_image_do_not_say_which_container_it_is(nils: User) -> None:
    """Whoever made the image would own it, where the word about a service of that name is for them."""
    from hosts.engine import parse
    from hosts.inventory import apply
    from tests.rivals import shape
    from tests.rows import container_json

    dock, labels = Host.objects.get(), {"com.docker.compose.project": "p", "com.docker.compose.service": "s"}
    Adoption.objects.create(host=dock, noun="container", key="p/s", team=Team.objects.get(name="north"), by_name="ada")
    Image.objects.filter(engine_id=shape(THEIRS)).update(labels=labels)
    for image, owner in ((shape(THEIRS), None), (shape(OURS), "north")):
        row = parse.container_row(container_json("new", ImageID=image, Labels=labels))
        assert row is not None
        apply.apply_rows(dock, "container", [row], only={row["engine_id"]})
        found = Container.objects.get(name="new")
        assert (found.owner.name if found.owner else None) == owner, image


def test_a_container_stays_its_owners_while_it_is_made_anew_and_under_another_name(nils: User) -> None:
    from hosts.inventory.owners import move_word
    from hosts.models.owners import key_of

    assert key_of("container", "web.dermaga-old-7", {}) == key_of("container", "web.dermaga-new-7", {}) == "web"
    dock, north = Host.objects.get(), Team.objects.get(name="north")
    Adoption.objects.create(host=dock, noun="container", key="web", team=north, by_name="ada")
    move_word(dock, "web", "front")
    assert Adoption.objects.get(key="front").team == north
    move_word(dock, "nobodys", "other")
    assert not Adoption.objects.filter(key="other").exists()


def test_figures_of_one_team_do_not_go_on_with_those_of_another(nils: User) -> None:
    ours, theirs = Container.objects.get(name="quay-web"), Container.objects.get(name="rival-web")
    theirs.name, theirs.labels = ours.name, ours.labels
    assert ours.history_key != theirs.history_key
