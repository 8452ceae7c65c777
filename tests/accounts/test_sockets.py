"""Who may open a socket, and for how long: the product's own routes and middleware, without an engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from channels.db import database_sync_to_async
from django.test import Client
from pytest_django.fixtures import Settings

from accounts.models import ApiToken, User
from accounts.rights import Right
from accounts.sockets import is_ours
from dashboard.asgi import application
from jobs import kinds, queue
from jobs.models import Job, JobLine
from tests.hosts.consumers.sockets import Socket
from tests.rows import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
OURS = {"host": "localhost:8000", "origin": "http://localhost:8000"}


@asynccontextmanager
async def opened(path: str, *, client: str = "", **headers: str) -> AsyncIterator[Socket]:
    """A socket as the server would open it; a refused handshake is closed with 1000."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "websocket", "path": path, "query_string": b"", "headers": raw, "subprotocols": []}
    scope |= {"client": (client, 40000)} if client else {}
    communicator = ApplicationCommunicator(application, scope)
    await communicator.send_input({"type": "websocket.connect"})
    socket = Socket(communicator)
    first = await communicator.receive_output(timeout=10)
    if first["type"] == "websocket.close":
        socket.code = first.get("code", 1000)
    try:
        yield socket
    finally:
        await communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        await communicator.wait(timeout=10)


@database_sync_to_async
def logged_in(name: str = "otto", role: str = "deployer") -> str:
    """The Cookie header of an account that has just logged in."""
    client = Client()
    client.force_login(User.objects.filter(username=name).first() or person(name, role))
    return f"sessionid={client.cookies['sessionid'].value}"


@database_sync_to_async
def now(change: Any, *args: Any, **kwargs: Any) -> Any:
    return change(*args, **kwargs)


@pytest.fixture(autouse=True)
def look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.05)


# ---------------------------------------------------------------- who
async def test_our_own_page_is_let_in() -> None:
    async with opened("/ws/changes", **OURS, cookie=await logged_in()) as socket:
        await socket.until(lambda: socket.of_kind("ready"))


async def test_a_stranger_is_told_to_log_in() -> None:
    async with opened("/ws/changes", **OURS) as socket:
        assert await socket.closed() == 4401


@pytest.mark.parametrize(
    "origin",
    ["", "null", "http://evil.example", "http://localhost:9000", "http://localhost", "ftp://localhost:8000", "http://localhost:8000.evil.example"],
)  # fmt: skip
async def test_a_page_of_another_site_is_refused_with_the_user_s_cookie(origin: str) -> None:
    headers = {"host": "localhost:8000"} | ({"origin": origin} if origin else {})
    async with opened("/ws/changes", **headers, cookie=await logged_in()) as socket:
        assert socket.code == 1000


async def test_a_name_that_is_not_ours_is_refused() -> None:
    headers = {"host": "rebound.example:8000", "origin": "http://rebound.example:8000"}
    async with opened("/ws/changes", **headers, cookie=await logged_in()) as socket:
        assert socket.code == 1000


def test_an_origin_behind_a_proxy_is_named_in_the_settings(settings: Settings) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://dermaga.example.com"]
    assert is_ours("https://dermaga.example.com", "127.0.0.1:8000")
    assert not is_ours("https://dermaga.example.com.evil.example", "127.0.0.1:8000")
    settings.SESSION_COOKIE_SECURE = True
    assert is_ours("https://localhost", "localhost")
    assert not is_ours("http://localhost", "localhost")


async def test_a_token_is_let_in_from_anywhere_and_a_false_one_nowhere() -> None:
    token = await now(lambda: ApiToken.make(person("vera", "viewer"), "ci"))
    async with opened("/ws/changes", host="x", origin="http://y", authorization=f"Bearer {token}") as socket:
        await socket.until(lambda: socket.of_kind("ready"))
    async with opened("/ws/changes", **OURS, authorization="Bearer nonsense", cookie=await logged_in()) as socket:
        assert await socket.closed() == 4401


# ---------------------------------------------------------------- for how long
@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda user: User.objects.filter(pk=user.pk).update(is_active=False), 4401),
        (lambda user: user.delete(), 4401),
        (lambda user: (user.set_password("another-quay-4712"), user.save()), 4401),
    ],
    ids=["closed account", "deleted account", "new password"],
)
async def test_an_open_socket_ends_with_the_login(change: Any, code: int) -> None:
    cookie = await logged_in()
    user = await now(User.objects.get, username="otto")
    async with opened("/ws/changes", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await now(change, user)
        assert await socket.closed() == code


async def test_an_open_socket_ends_with_the_logout() -> None:
    cookie = await logged_in()

    def log_out() -> None:
        client = Client()
        client.cookies.load(cookie)
        assert client.post("/account/logout/").status_code == 302

    async with opened("/ws/changes", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await now(log_out)
        assert await socket.closed() == 4401


async def test_an_open_socket_ends_with_its_token() -> None:
    token = await now(lambda: ApiToken.make(person("vera", "viewer"), "ci"))
    async with opened("/ws/changes", authorization=f"Bearer {token}") as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await now(lambda: ApiToken.objects.all().delete())
        assert await socket.closed() == 4401


async def test_a_socket_of_a_job_ends_with_the_right(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = await logged_in()
    job = await a_job(monkeypatch)
    async with opened(f"/ws/jobs/{job.pk}", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: socket.of_kind("job"))
        await now(User.objects.update, role="nobody")
        assert await socket.closed() == 4403


# ---------------------------------------------------------------- a job's socket
async def a_job(monkeypatch: pytest.MonkeyPatch) -> Job:
    def make() -> Job:
        monkeypatch.setitem(kinds._kinds, "test", kinds.Kind("test", "Test", Right.IMAGES_MANAGE, lambda context: {}))
        monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
        return queue.start(User.objects.get(username="otto"), "test", params={})

    return await now(make)


async def test_a_long_log_of_a_job_that_has_ended_comes_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = await logged_in()
    job = await a_job(monkeypatch)
    await now(lambda: JobLine.objects.bulk_create([JobLine(job=job, text=str(n)) for n in range(1200)]))
    async with opened(f"/ws/jobs/{job.pk}", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: sum(len(m["log"]) for m in socket.of_kind("job")) == 1200)
        assert [text for m in socket.of_kind("job") for text in m["log"]] == [str(n) for n in range(1200)]


async def test_a_job_that_is_not_there_closes_its_socket() -> None:
    async with opened("/ws/jobs/999999", **OURS, cookie=await logged_in()) as socket:
        assert await socket.closed() == 4404
