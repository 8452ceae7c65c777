"""Every page, every operation of the API and every socket, as each kind of person: whom its rule leaves out is refused
before anything is looked at, and whom it lets in is not."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from channels.db import database_sync_to_async
from django.test import Client

from accounts import tokens
from accounts.guard import rule_of
from accounts.models import Grant, User
from accounts.rights import ALL, PLACELESS, RIGHTS_OF, SYSTEM, Right, Role
from api.examples import examples
from api.urls import api
from dashboard.routing import socket_urls
from tests.hosts.consumers.sockets import open_scope
from tests.rivals import OURS, call, counts, everything_on, parts_of, routed
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
OPEN = {Right.PUBLIC, Right.LOGIN}
HAVE: dict[str, frozenset[Right]] = {
    "anonymous": frozenset({Right.PUBLIC}),
    "outsider": frozenset(OPEN),
    "viewer": RIGHTS_OF[Role.VIEWER] | OPEN,
    "operator": RIGHTS_OF[Role.OPERATOR] | OPEN,
    "deployer": RIGHTS_OF[Role.DEPLOYER] | OPEN,
    "host admin": (RIGHTS_OF[Role.HOST_ADMIN] - PLACELESS) | OPEN,
    "admin": ALL | OPEN,
    "token with less": frozenset({Right.CONTAINERS_VIEW, *OPEN}),
}
LESS = ["containers.view"]


@pytest.fixture
def people(settings: Any) -> dict[str, User | None]:
    """One of each kind; the host admin's host has one thing of each noun."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    ada = person("ada", "admin")
    host = a_host(OURS)
    everything_on(host)
    hana = person("hana", "member")
    Grant.objects.create(user=hana, role=Role.HOST_ADMIN, host=host)
    people = {kind: person(f"a-{kind}", kind) for kind in ("viewer", "operator", "deployer")}
    return {"anonymous": None, "outsider": person("olga", "member"), **people, "host admin": hana, "admin": ada}


def browsers(people: dict[str, User | None]) -> Iterator[tuple[str, Client]]:
    for kind, user in people.items():
        client = Client(raise_request_exception=False)
        if user is not None:
            client.force_login(user)
        yield kind, client


def is_refused(answer: Any) -> bool:
    """By a rule: sent to the login page, or told that it is not allowed."""
    to_login = answer.status_code == 302 and "/account/login/?next=" in answer["Location"]
    return to_login or answer.status_code in {401, 403}


def test_each_page_refuses_whom_its_rule_leaves_out(people: dict[str, User | None]) -> None:
    wrong, seen, before = [], 0, counts()
    for kind, client in browsers(people):
        for address, route in routed(OURS):
            rule = rule_of(route.callback, route.name)
            assert rule is not None, route
            if getattr(route.callback, "by_token", False) or rule in HAVE[kind]:
                continue
            for send in (client.get, client.post):
                answer, seen = send(address), seen + 1
                if not is_refused(answer):
                    wrong.append((kind, send.__name__, address, rule, answer.status_code))
    assert not wrong, "\n".join(map(str, wrong))
    assert seen > 1000
    assert counts() == before


def test_each_page_lets_in_whom_its_rule_does(people: dict[str, User | None]) -> None:
    """What is refused further in takes a further right, of one thing or of all hosts: never of an administrator."""
    wrong, seen, further = [], 0, dict.fromkeys(HAVE, 0)
    for kind, client in browsers(people):
        for address, route in routed(OURS):
            rule = rule_of(route.callback, route.name)
            if getattr(route.callback, "by_token", False) or rule not in HAVE[kind]:
                continue
            answer, seen = client.get(address), seen + 1
            if answer.status_code >= 500 and answer.status_code not in {502, 503, 504}:
                wrong.append((kind, address, rule, answer.status_code))
            if is_refused(answer):
                further[kind] += 1
                if kind == "admin" or answer.status_code != 403:
                    wrong.append((kind, address, rule, answer.status_code))
            if address == "/account/logout/" and people[kind] is not None:
                client.force_login(people[kind])  # type: ignore[arg-type]
    assert not wrong, "\n".join(map(str, wrong))
    assert seen > 700
    assert all(count < 60 for count in further.values()), further


def test_each_operation_refuses_whom_its_rule_leaves_out_and_lets_in_the_others(people: dict[str, User | None]) -> None:
    rules = {
        view.__name__: view.rule  # type: ignore[attr-defined]
        for _, router in api._routers
        for path in router.path_operations.values()
        for view in (operation.view_func for operation in path.operations)
    }
    named = {
        re.sub(r"{\w+:", "{", f"{method} {prefix.strip('/')}{path}".rstrip("/")): operation.view_func.__name__
        for prefix, router in api._routers
        for path, of_path in router.path_operations.items()
        for operation in of_path.operations
        for method in operation.methods
    }
    wrong, seen, known = [], 0, parts_of(OURS)
    keys = {kind: tokens.make(SYSTEM, user, "all") for kind, user in people.items() if user is not None}
    keys["token with less"] = tokens.make(SYSTEM, people["admin"], "less", scope=LESS)  # type: ignore[arg-type]
    for kind, have in HAVE.items():
        headers = {"Authorization": f"Bearer {keys[kind]}"} if kind in keys else {}
        client = Client(raise_request_exception=False, headers=headers)
        before = counts()
        for operation, example in examples().items():
            rule = rules[named[operation]]
            if rule in have and not operation.startswith("GET "):
                continue  # what it does is tested elsewhere
            answer, seen = call(client, example, known), seen + 1
            if (rule not in have) != (answer.status_code in {401, 403}) and not (rule in have and kind != "admin"):
                wrong.append((kind, operation, rule, answer.status_code))
        assert counts() == before
    assert not wrong, "\n".join(map(str, wrong))
    assert seen > 1000


@pytest.mark.django_db(transaction=True)
async def test_each_socket_refuses_whom_its_rule_leaves_out(settings: Any) -> None:
    wrong, seen = [], 0
    found = await database_sync_to_async(lambda: _people(settings))()
    for kind, user in found.items():
        for route in socket_urls:
            rule, path = route.callback.consumer_class.rule, f"/{route.pattern}".replace("<int:job_id>", "1")
            if rule in HAVE[kind]:
                continue
            seen += 1
            query = f"target={OURS}/{OURS}-web&host={OURS}&q=x&cmd=sh".encode()
            async with open_scope({"user": user, "path": path, "query_string": query}, socket_urls) as socket:
                code = await socket.closed()
            if code != (4401 if user is None else 4403):
                wrong.append((kind, path, rule, code))
    assert not wrong, "\n".join(map(str, wrong))
    assert seen > 12


def _people(settings: Any) -> dict[str, User | None]:
    return people.__wrapped__(settings)  # type: ignore[attr-defined,no-any-return]
