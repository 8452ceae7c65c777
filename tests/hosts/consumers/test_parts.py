"""Live parts over the socket: made once for all who may see the same, for nobody else, and no more than needed."""

import asyncio
import gzip
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import resolve
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from accounts.models import User
from accounts.rights import Standing
from common.events import publisher
from hosts.consumers.changes import ChangesConsumer
from hosts.consumers.parts import Ask, Parts, PartView, is_live, parts
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Backup, Destination
from jobs.models import Job, Schedule
from tests.hosts.consumers.sockets import Socket, open_scope, open_socket
from tests.hosts.swarm.rows import SERVICE, TASK, some_services
from tests.rows import a_host, a_swarm, container_json, containers, person
from tests.servers.product import PASSWORD, Product
from tests.test_guard import our_routes

pytestmark = [pytest.mark.core, pytest.mark.django_db(transaction=True)]
TOKEN = re.compile(r'(name="csrfmiddlewaretoken" value=")[^"]*')
AGO = re.compile(r"<time.*?</time>", re.S)
LOSSES: dict[str, Callable[[int, str], object]] = {
    "role": lambda pk, _: User.objects.filter(pk=pk).update(role="viewer"),
    "account": lambda pk, _: User.objects.filter(pk=pk).update(is_active=False),
    "password": lambda pk, _: User.objects.filter(pk=pk).update(password=make_password("another-quay-4712")),
    "login": lambda _, key: Session.objects.filter(session_key=key).delete(),
}


@asynccontextmanager
async def page_of(user: User) -> AsyncIterator[Socket]:
    """The socket of a page of `user`, who has logged in."""
    client = Client()
    await database_sync_to_async(client.force_login)(user)
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    await database_sync_to_async(session.load)()
    headers = [(b"host", b"testserver"), (b"cookie", f"{settings.SESSION_COOKIE_NAME}={key}".encode())]
    scope = {"user": user, "path": "/ws/changes", "headers": headers, "session": session}
    async with open_scope(scope) as socket:
        yield socket


async def show(socket: Socket, url: str, target: str = "containers") -> str | int:
    """The part at `url`, or the status that came instead."""
    socket.output = b""
    before = len(socket.of_kind("part"))
    await socket.send({"t": "show", "id": 7, "url": url, "target": target})
    await socket.until(lambda: socket.output or len(socket.of_kind("part")) > before)
    if not socket.output:
        return int(socket.of_kind("part")[-1]["status"])
    assert socket.output[:4] == (7).to_bytes(4)
    return gzip.decompress(socket.output[4:]).decode()


@database_sync_to_async
def a_fleet_of_one() -> None:
    host = a_host("fra-1")
    containers(host, *(container_json(f"web-{n}") for n in range(3)))


people = database_sync_to_async(person)


async def test_a_part_is_what_a_request_gets_without_the_token_of_its_forms() -> None:
    await a_fleet_of_one()
    user = await people("annika", "deployer")
    client = Client()
    await database_sync_to_async(client.force_login)(user)
    asked = {"HX-Request": "true", "HX-Target": "head", "X-Live": "1"}
    async with page_of(user) as page:
        for url, target in (("/containers/?search=web", "containers"), ("/containers/fra-1/web-1/?part=head", "head")):
            answer = await database_sync_to_async(client.get)(url, headers=asked)
            part = await show(page, url, target)
            assert isinstance(part, str)
            assert "web-1" in part
            assert AGO.sub("", part) == AGO.sub("", TOKEN.sub(r"\1", answer.content.decode()))
        assert 'name="csrfmiddlewaretoken" value=""' in str(part)


async def test_many_who_look_at_the_same_get_one_that_was_made_once() -> None:
    await a_fleet_of_one()
    users = [await people(f"person-{n}", "deployer") for n in range(10)]
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page_of(user)) for user in users]
        before = parts().made
        found = await asyncio.gather(*(show(page, "/containers/") for page in pages))
        assert len(set(found)) == 1
        assert parts().made - before <= 2


async def test_who_may_less_sees_less() -> None:
    await a_fleet_of_one()
    admin, viewer = await people("annika", "admin"), await people("vera", "viewer")
    async with page_of(admin) as above, page_of(viewer) as below:
        url = "/containers/fra-1/web-1/?part=head"
        full, small = await asyncio.gather(show(above, url, "head"), show(below, url, "head"))
        assert "/stop/" in str(full)
        assert "web-1" in str(small)
        assert "/stop/" not in str(small)
        assert await show(below, "/diagnostics/?part=product", "diagnostics-product") == 403


@pytest.mark.parametrize("loss", LOSSES)
async def test_who_has_lost_it_gets_no_more_at_once(loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "accounts.sockets.GuardedConsumer.check_every", 86400.0
    )  # before the socket itself is looked at
    await a_fleet_of_one()
    left, stays = await people("annika", "deployer"), await people("bertil", "deployer")
    async with page_of(left) as page, page_of(stays) as other:
        assert isinstance(await show(page, "/containers/"), str)
        key = dict(page.scope["headers"])[b"cookie"].decode().partition("=")[2]
        await database_sync_to_async(LOSSES[loss])(left.pk, key)
        refused, given = await asyncio.gather(show(page, "/containers/"), show(other, "/containers/"))
        assert refused == 403
        assert isinstance(given, str)


@pytest.mark.parametrize(
    "url",
    ["/account/login/", "/api/v1/containers", "/users/", "//elsewhere.example/containers/", "http://x/containers/",
     "/containers/fra-1/web-1/logs/download/", "/no/such/page/", "containers", "", "/containers/%00",
     "/containers/#a?b", "/containers/\n", "\\\\elsewhere.example/", "/containers/fra-1/web-1/health/",
     "/containers/?search=" + "x" * 9000],
)  # fmt: skip
async def test_what_is_no_live_part_is_not_shown(url: str) -> None:
    async with page_of(await people("annika", "admin")) as page:
        assert await show(page, url) == 406


async def test_a_part_that_is_gone_says_so() -> None:
    async with page_of(await people("annika", "admin")) as page:
        assert await show(page, "/containers/fra-1/gone/?part=head", "head") == 404


async def test_a_page_that_asks_for_too_much_at_once_is_told() -> None:
    await a_fleet_of_one()
    async with page_of(await people("annika", "admin")) as page:
        for number in range(30):
            url = f"/containers/?search={number}"
            await page.send({"t": "show", "id": number, "url": url, "target": "containers"})
        await page.until(lambda: page.of_kind("part"))
        assert {answer["status"] for answer in page.of_kind("part")} == {429}


@pytest.mark.parametrize("message", ["[]", "{", '{"t":"show"}', '{"t":"show","id":-1,"url":"/","target":""}', "null"])
def test_a_message_that_is_none_closes_the_socket(product: Product, message: str) -> None:
    with product.websocket("/ws/changes") as socket:
        socket.recv(5)
        socket.send(message)
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                socket.recv(5)
        assert closed.value.rcvd and closed.value.rcvd.code == 4400


def test_a_token_s_socket_gets_no_pages(product: Product) -> None:
    with product.socket("/ws/changes") as socket:
        assert shown(socket, "/containers/") == 403


def test_the_running_product_shows_parts_in_the_reader_s_language(product: Product) -> None:
    english, other = product.session(), product.session("admin", PASSWORD)
    other.cookies["django_language"] = "id"
    with product.websocket("/ws/changes", english) as one, product.websocket("/ws/changes", other) as two:
        assert "Needs attention" in str(shown(one, "/"))
        assert "Needs attention" not in str(shown(two, "/"))


def shown(socket: ClientConnection, url: str) -> str | int:
    """The part at `url` from a running product."""
    socket.send(json.dumps({"t": "show", "id": 1, "url": url, "target": "overview"}))
    while True:
        message = socket.recv(10)
        if isinstance(message, bytes):
            return gzip.decompress(message[4:]).decode()
        if (told := json.loads(message))["t"] == "part":
            return int(told["status"])


async def test_a_storm_of_changes_comes_in_few_messages() -> None:
    publisher.use_loop(asyncio.get_running_loop())
    try:
        async with open_socket(await people("annika", "viewer"), "/ws/changes") as page:
            for number in range(100):
                publisher.add("container", "fra-1", [f"id-{number}"])
                await asyncio.sleep(0.01)

            def told() -> set[str]:
                messages = page.of_kind("changes")
                return {id for message in messages for item in message["items"] for id in item["ids"]}

            await page.until(lambda: len(told()) == 100)
            assert len(page.of_kind("changes")) <= 12
    finally:
        publisher.use_loop(None)


LIVE = [
    "/", "/frame/", "/containers/", "/containers/fra-1/web-1/", "/containers/fra-1/web-1/?part=head",
    "/containers/fra-1/web-1/terminal/?part=terminal", "/hosts/", "/hosts/fra-1/", "/hosts/fra-1/?part=head", "/hosts/fra-1/map/", "/images/",
    "/networks/", "/volumes/", "/events/", "/jobs/", "/jobs/{job}/", "/jobs/schedules/", "/jobs/schedules/{schedule}/",
    "/diagnostics/", "/diagnostics/?part=product", "/images/fra-1/111111111111/", "/images/fra-1/111111111111/?part=head",
    "/plugins/", "/plugins/fra-1/222222222222/", "/networks/fra-1/back/", "/volumes/fra-1/data/", "/disk/",
    "/swarms/", "/swarms/swarm/", "/nodes/", "/nodes/swarm/buoy-a/", "/secrets/", "/secrets/swarm/s1/", "/configs/",
    "/configs/swarm/c1/",
    "/services/", f"/services/swarm/{SERVICE}/", "/tasks/", f"/tasks/swarm/{TASK[:-1]}1/", "/stacks/", "/stacks/swarm/shop/",
    "/backups/", "/backups/{backup}/",
]  # fmt: skip


def test_nothing_in_a_live_part_belongs_to_one_person() -> None:
    host = a_host("fra-1")
    containers(host, container_json("web-1"))
    image = {"Id": "sha256:" + "1" * 64, "RepoTags": ["acme/web:1"], "Created": 1_760_000_000}
    apply.apply_rows(host, "image", [parse.image_row(image)])
    apply.apply_rows(host, "plugin", [parse.plugin_row({"Id": "2" * 64, "Name": "acme/disk:1", "Enabled": True})])
    apply.apply_rows(host, "volume", [parse.volume_row({"Name": "data", "Driver": "local"})])
    apply.apply_rows(host, "network", [parse.network_row({"Id": "3" * 64, "Name": "back", "Driver": "bridge"})])
    a_swarm(host)
    some_services(host)
    admins = [person("annika", "admin"), person("bertil", "admin")]
    job = Job.objects.create(kind="images.prune", by=admins[0], by_name="annika", host="fra-1", target="fra-1")
    schedule = Schedule.objects.create(
        name="nightly", kind="image.prune", cron="0 0 * * *", timezone="UTC", by=admins[0]
    )
    destination = Destination.objects.create(name="nas", kind="folder", folder="/srv/backups")
    backup = Backup.objects.create(
        host="fra-1", volume="data", destination=destination, key="k", state="kept", by_name="annika"
    )
    urls = [url.format(job=job.pk, schedule=schedule.pk, backup=backup.pk) for url in LIVE]
    assert all(is_live(url) for url in urls)
    marked = {entry.name for _, entry in our_routes() if getattr(entry.callback, "live", False)}
    assert {resolve(url.partition("?")[0]).url_name for url in urls} == marked
    for url in urls:
        seen = []
        for admin in admins:
            client = Client()
            client.force_login(admin)
            answer = client.get(url, headers={"HX-Request": "true", "X-Live": "1"})
            assert answer.status_code == 200, url
            seen.append(AGO.sub("", TOKEN.sub(r"\1", answer.content.decode())))
        assert "bertil" not in seen[0] + seen[1], url
        assert seen[0].count("annika") == seen[1].count("annika"), url
        if "diagnostics" not in url:  # says how long things took
            assert seen[0] == seen[1], url


class Stub:
    """A reader of its own person; `got` is what it was given, and what it has not yet taken blocks nobody."""

    def __init__(self, person: int) -> None:
        self.user = User(pk=person)
        self.scope: dict[str, Any] = {}
        self.got: list[tuple[int, bytes | int]] = []

    def take_part(self, number: int, part: bytes | int) -> None:
        self.got.append((number, part))


async def test_one_person_s_many_parts_do_not_keep_another_person_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []

    def make(self: Parts, view: PartView, asks: list[Ask]) -> tuple[bytes, set[Ask], float]:
        made.append(view.url)
        time.sleep(0.02)
        return b"part", set(asks), 0.02

    monkeypatch.setattr(Parts, "_make", make)
    ours, greedy, modest = Parts(), Stub(1), Stub(2)
    for number in range(40):
        ours.ask(a_view(f"/greedy/{number}"), Ask(greedy, number))
    await asyncio.sleep(0.1)
    ours.ask(a_view("/modest/"), Ask(modest, 0))
    async with asyncio.timeout(5):
        while not modest.got or len(greedy.got) < 40:
            await asyncio.sleep(0.01)
    assert made.index("/modest/") < 15


async def test_nothing_is_made_for_a_page_that_was_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    monkeypatch.setattr(Parts, "_make", lambda self, view, asks: made.append(len(asks)) or (b"", set(asks), 0.0))
    ours, closed, stays = Parts(), Stub(1), Stub(2)
    for reader in (closed, stays):
        ours.ask(a_view("/both/"), Ask(reader, 1))
    ours.ask(a_view("/closed/"), Ask(closed, 2))
    ours.forget(closed)
    async with asyncio.timeout(5):
        while not stays.got:
            await asyncio.sleep(0.01)
    assert made == [1]
    assert closed.got == []


def a_view(url: str) -> PartView:
    return PartView(url, "x", Standing(), ("http", b"x"), ("", b""))


async def test_a_page_that_takes_nothing_holds_up_nobody_and_gets_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    await a_fleet_of_one()
    send = ChangesConsumer.send

    async def stuck(self: ChangesConsumer, *args: Any, **kwargs: Any) -> None:
        if self.user.username == "stuck" and "bytes_data" in kwargs:
            await asyncio.Event().wait()
        await send(self, *args, **kwargs)

    monkeypatch.setattr(ChangesConsumer, "send", stuck)
    async with page_of(await people("stuck", "admin")) as still, page_of(await people("annika", "admin")) as other:
        for number in range(20):
            await still.send({"t": "show", "id": number, "url": "/containers/", "target": "containers"})
        for _ in range(3):
            assert isinstance(await asyncio.wait_for(show(other, "/containers/"), 5), str)
        assert await show(still, "/containers/?search=more") == 429
