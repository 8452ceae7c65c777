"""From where somebody comes: only proxies that the settings name are believed; and what is limited by it."""

import re
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from accounts.models import ApiToken, AuditEntry
from dashboard import environment
from tests.accounts.asgi import Answer, ask
from tests.accounts.test_sockets import opened
from tests.rows import person

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
PROXY, STRANGER = "127.0.0.1", "10.9.9.9"  # the one is trusted by the default settings, the other is not


@pytest.fixture(autouse=True)
def own_count(settings: Any) -> None:
    """Logins that failed in other tests do not count."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # a quick one
    settings.CACHES = {"default": settings.CACHES["default"] | {"KEY_PREFIX": uuid4().hex}}


@database_sync_to_async
def token_of(role: str = "admin", **limits: Any) -> str:
    return f"Bearer {ApiToken.make(person('ada', role), 'ci', **limits)}"


@database_sync_to_async
def last_entry() -> AuditEntry:
    return AuditEntry.objects.latest("number")


@pytest.mark.parametrize(
    ("client", "forwarded", "known_as"),
    [
        (STRANGER, "", STRANGER),
        (STRANGER, "203.0.113.7", STRANGER),
        (PROXY, "203.0.113.7", "203.0.113.7"),
        (PROXY, "6.6.6.6, 203.0.113.7", "203.0.113.7"),
        (PROXY, "6.6.6.6, 203.0.113.7, 127.0.0.1", "203.0.113.7"),
        (PROXY, "2001:db8::7", "2001:db8::7"),
        (PROXY, "", PROXY),
    ],
)
async def test_only_a_proxy_that_is_trusted_says_where_somebody_came_from(
    client: str, forwarded: str, known_as: str
) -> None:
    headers: Any = {"x_forwarded_for": forwarded} if forwarded else {}
    await ask("/api/v1/users/ada/sessions/end", method="POST", client=client, authorization=await token_of(), **headers)
    entry = await last_entry()
    assert (entry.action, entry.address, entry.via) == ("session.end_all", known_as, "token ci")


@pytest.mark.parametrize(("client", "status"), [(PROXY, 200), (STRANGER, 403)])
async def test_only_a_proxy_that_is_trusted_says_that_somebody_came_over_tls(client: str, status: int) -> None:
    headers = {"x_forwarded_proto": "https", "origin": "https://localhost", "referer": "https://localhost/"}
    assert (await log_in("wrong", client=client, **headers)).status == status


async def log_in(password: str, *, client: str = STRANGER, **headers: str) -> Answer:
    """The login page is asked for and sent."""
    page = await ask("/account/login/", client=client)
    token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)[0]
    body = urlencode({"login": "ada", "password": password, "csrfmiddlewaretoken": token}).encode()
    headers |= {"content_type": "application/x-www-form-urlencoded", "cookie": page.cookies}
    return await ask("/account/login/", method="POST", client=client, body=body, **headers)


async def test_a_forged_address_does_not_get_around_the_limit_of_failed_logins() -> None:
    await database_sync_to_async(person)("ada", "admin")
    for n in range(6):
        answer = await log_in("wrong", x_forwarded_for=f"203.0.113.{n}")
    assert "Too many failed login attempts" in answer.text
    assert (await log_in("quay-side-4711", x_forwarded_for="203.0.113.99")).status == 200  # and not 302


async def test_people_behind_one_trusted_proxy_are_counted_each_for_themselves() -> None:
    await database_sync_to_async(person)("ada", "admin")
    for _ in range(6):
        answer = await log_in("wrong", client=PROXY, x_forwarded_for="203.0.113.7")
    assert "Too many failed login attempts" in answer.text
    assert (await log_in("quay-side-4711", client=PROXY, x_forwarded_for="203.0.113.8")).status == 302


def test_many_who_guess_from_elsewhere_do_not_keep_the_right_person_out() -> None:
    person("ada", "admin")
    for n in range(60):
        guess = Client(REMOTE_ADDR=f"198.51.100.{n % 20}")
        guess.post("/account/login/", {"login": "ada", "password": f"wrong-{n}"})
    right = Client(REMOTE_ADDR="10.8.0.14").post("/account/login/", {"login": "ada", "password": "quay-side-4711"})
    assert right.status_code == 302
    guesser = Client(REMOTE_ADDR="198.51.100.3")
    for n in range(6):
        guesser.post("/account/login/", {"login": "ada", "password": f"wrong-{n}"})
    refused = guesser.post("/account/login/", {"login": "ada", "password": "quay-side-4711"})
    assert refused.status_code == 200 and "Too many failed login attempts" in refused.content.decode()


def test_an_address_that_tries_many_accounts_is_stopped(client: Client) -> None:
    person("ada", "admin")
    for n in range(11):
        client.post("/account/login/", {"login": f"somebody-{n}", "password": "wrong"})
    assert client.post("/account/login/", {"login": "ada", "password": "quay-side-4711"}).status_code == 200


async def test_a_token_s_networks_are_compared_with_the_address_that_is_believed() -> None:
    token = await token_of(networks=["203.0.113.0/24", "2001:db8::/32"])

    async def status(client: str, forwarded: str = "") -> int:
        headers: Any = {"x_forwarded_for": forwarded} if forwarded else {}
        return (await ask("/api/v1/containers", client=client, authorization=token, **headers)).status

    assert await status(PROXY, "203.0.113.7") == 200
    assert await status(PROXY, "2001:db8::7") == 200
    assert await status("::ffff:203.0.113.7") == 200
    assert await status(PROXY, "203.0.114.7") == 401
    assert await status(STRANGER, "203.0.113.7") == 401
    assert await status(PROXY, "not an address") == 401


async def test_a_socket_is_refused_to_a_token_from_elsewhere() -> None:
    token = await token_of("viewer", networks=["203.0.113.0/24"])
    async with opened("/ws/changes", client=STRANGER, authorization=token) as socket:
        assert await socket.closed() == 4401
    async with opened("/ws/changes", client=PROXY, authorization=token, **{"x-forwarded-for": "203.0.113.7"}) as socket:
        await socket.until(lambda: socket.of_kind("ready"))


@pytest.mark.parametrize("value", ["somewhere", "10.0.0.0/33", "10.0.0.1/8", "*"])
def test_what_is_no_address_or_network_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("TRUSTED_PROXIES", f"127.0.0.1,{value}")
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES="):
        environment.networks("TRUSTED_PROXIES")
