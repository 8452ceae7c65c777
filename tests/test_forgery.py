"""What another site's page can make a browser send: nothing that changes anything."""

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Team, User
from accounts.sockets import TokenOrOrigin
from api.examples import examples
from hosts.models import Container, Host
from hosts.sockets import socket_urls as host_sockets
from jobs.models import Job
from jobs.sockets import socket_urls as job_sockets
from tests.rows import a_host, container_json, containers, person
from tests.test_guard import our_routes

pytestmark = [pytest.mark.django_db]
PARTS = {
    "host": "quay",
    "name": "quay",
    "ref": "web",
    "swarm": "swarm",
    "verb": "stop",
    "pk": "1",
    "job_id": "1",
    "token": "1",
}
READS = {"GET", "HEAD", "OPTIONS"}


@pytest.fixture
def victim() -> Client:
    """An administrator's browser, which sends its cookies along and no token of a page."""
    containers(a_host(), container_json("web"))
    Team.objects.create(name="quay")
    client = Client(enforce_csrf_checks=True)
    client.force_login(person("ada", "admin"))
    client.raise_request_exception = False
    return client


def counts() -> dict[Any, int]:
    return {model: model.objects.count() for model in (Host, Container, Job, Team, User)}


def test_no_page_takes_a_form_that_it_did_not_give(victim: Client) -> None:
    before, found, seen = counts(), [], 0
    for path, _ in our_routes():
        address = "/" + re.sub(r"<\w+:(\w+)>", lambda part: PARTS.get(part[1], "1"), path)
        answer = victim.post(address, {"name": "forged"}, headers={"Origin": "https://rival.example"})
        seen += 1
        if answer.status_code not in {403, 404, 405}:
            found.append((address, answer.status_code))
    assert not found, found
    assert seen > 200 and counts() == before
    assert not AuditEntry.objects.exclude(action="request").exists()


def test_no_operation_is_done_by_a_session_without_its_pages_token(victim: Client) -> None:
    before, found, seen = counts(), [], 0
    for operation in examples():
        method, _, path = operation.partition(" ")
        if method in READS:
            continue
        address = "/api/v1/" + re.sub(r"\{(\w+)\}", lambda part: PARTS.get(part[1], "1"), path)
        for kind in ("application/json", "text/plain"):  # what a form of another site can send
            answer = victim.generic(
                method, address, "{}", content_type=kind, headers={"Origin": "https://rival.example"}
            )
            seen += 1
            if answer.status_code not in {401, 403}:
                found.append((operation, kind, answer.status_code))
    assert not found, found
    assert seen > 150 and counts() == before


@pytest.mark.parametrize("origin", ["https://rival.example", "null", ""])
async def test_no_socket_opens_for_another_sites_page(origin: str) -> None:
    reached: list[str] = []

    async def inner(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope["path"])

    said: list[str] = []

    async def receive() -> dict[str, Any]:
        return {"type": said.pop(), "code": 1006}

    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    routes = [*host_sockets, *job_sockets]
    for route in routes:
        said[:] = ["websocket.disconnect", "websocket.connect"]
        headers = [(b"host", b"testserver"), (b"cookie", b"sessionid=x"), (b"origin", origin.encode())]
        await TokenOrOrigin(inner)(
            {"type": "websocket", "path": f"/{route.pattern}", "headers": headers}, receive, send
        )
    assert reached == [] and len(sent) == len(routes) > 5
    assert {message["type"] for message in sent} == {"websocket.close"}
