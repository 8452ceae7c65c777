"""Looking through the eyes of a user: what is seen is the user's, nothing is changed, and it ends."""

import re
import time
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from accounts import eyes, tokens
from accounts.models import AuditEntry, Grant, User
from api.urls import api
from tests.accounts.test_sockets import OURS, now, opened
from tests.rows import a_host, container_json, containers, person
from tests.test_guard import our_routes
from tests.test_wrong_input import PARTS

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.core]
BANNER = "You look through the eyes of vera"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.05)


@pytest.fixture
def vera() -> User:
    """A member who sees the host quay, but not rival."""
    quay, rival = a_host("quay"), a_host("rival")
    containers(quay, container_json("web", Config={"Env": ["WORD=hidden"]}))
    containers(rival, container_json("rival-web"))
    user = person("vera", "member")
    Grant.objects.create(user=user, host=quay, role="deployer")
    return user


@pytest.fixture
def ada(client: Client, vera: User) -> Client:
    """An administrator who looks through vera's eyes."""
    client.force_login(person("ada", "admin"))
    assert client.post(f"/users/{vera.pk}/look/")["Location"] == "/"
    return client


def ends() -> list[tuple[str, str, Any]]:
    return [(one.actor_name, one.target, one.detail["reason"]) for one in AuditEntry.objects.filter(action="eyes.end")]


def text(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_pages_and_rest_show_what_the_user_sees_and_say_so(ada: Client) -> None:
    page = text(ada, "/containers/")
    assert BANNER in page and "quay" in page and "rival-web" not in page
    rows = ada.get("/api/v1/containers").json()["items"]
    assert [row["name"] for row in rows] == ["web"]
    assert ada.get("/containers/rival/rival-web/").status_code == 404
    assert BANNER in text(ada, "/")


@pytest.mark.parametrize(
    "path",
    ["/users/", "/audit/", "/account/sessions/", "/account/tokens/", "/account/tokens/add/", "/account/2fa/", "/views/",
     "/account/2fa/webauthn/", "/account/2fa/totp/activate/", "/account/password/change/", "/account/reauthenticate/",
     "/access/", "/containers/quay/web/terminal/", "/containers/create/", "/api/v1/users/vera/tokens",
     "/api/v1/users/vera/sessions", "/api/v1/users/ada/tokens"],
)  # fmt: skip
def test_what_is_the_person_s_own_and_what_is_more_than_a_view_is_closed(ada: Client, path: str) -> None:
    assert ada.get(path).status_code == 403


def test_every_writing_route_is_refused(ada: Client) -> None:
    paths = [path for path, entry in our_routes() if entry.name not in eyes.WRITES]
    for path in paths:
        for part, value in PARTS.items():
            path = path.replace(part, value)
        path = "/" + re.sub("<[^>]*>", "1", path)
        if "^" not in path and "\\" not in path:
            answer = ada.post(path)
            assert answer.status_code in (403, 404) and (answer.status_code == 403 or path.startswith("/account/")), (
                path
            )
    tried = 0
    for prefix, router in api._routers:
        for at, view in router.path_operations.items():
            for operation in view.operations:
                for method in set(operation.methods) - eyes.READS:
                    path = f"/api/v1/{prefix}/{at}".replace("//", "/").replace("//", "/").rstrip("/")
                    path = re.sub(r"\{(int:|path:|str:)?\w+\}", "1", path)
                    answer = ada.generic(method, path, "{}", content_type="application/json")
                    assert (answer.status_code, answer.json()["code"]) == (403, "looking"), (method, path)
                    tried += 1
    assert len(paths) > 100 and tried > 50
    assert BANNER in text(ada, "/")
    assert {one.actor_name for one in AuditEntry.objects.all()} == {"ada"}
    assert AuditEntry.objects.filter(action="request", via="eyes of vera", outcome="refused").exists()


def test_begin_and_end_are_in_the_audit_under_the_administrator_s_name(ada: Client) -> None:
    entry = AuditEntry.objects.get(action="eyes.begin")
    assert (entry.actor_name, entry.target, entry.outcome) == ("ada", "vera", "done")
    assert ada.post("/users/look/stop/")["Location"] == "/"
    assert ends() == [("ada", "vera", "stopped")]
    page = text(ada, "/containers/")
    assert BANNER not in page and "rival-web" in page
    assert not UserSession.objects.filter(user__username="vera").exists()


def test_a_logout_ends_it(ada: Client) -> None:
    ada.post("/account/logout/")
    assert ada.get("/").status_code == 302
    assert ends() == [("ada", "vera", "logout")]


@pytest.mark.parametrize("how", ["closed", "removed", "demoted", "expired"])
def test_it_ends_by_itself_and_the_request_that_finds_out_changes_nothing(ada: Client, vera: User, how: str) -> None:
    if how == "closed":
        User.objects.filter(pk=vera.pk).update(is_active=False)
    elif how == "removed":
        vera.delete()
    elif how == "demoted":
        User.objects.filter(username="ada").update(role="viewer")
    else:
        session = ada.session
        session[eyes.KEY] = session[eyes.KEY] | {"until": time.time() - 1}
        session.save()
    assert ada.post("/hosts/quay/remove/").status_code == 403
    assert ends() == [("ada", "vera", "over")]
    page = text(ada, "/containers/")
    assert BANNER not in page and "rival-web" in page
    assert len(ends()) == 1


def test_who_may_not_begin(client: Client, vera: User) -> None:
    ada, robot = person("ada", "admin"), person("robot", "viewer")
    User.objects.filter(pk=robot.pk).update(is_service=True)
    for name, role in (("otto", "host_admin"), ("vito", "viewer")):
        client.force_login(person(name, role))
        assert client.post(f"/users/{vera.pk}/look/").status_code == 403
    client.force_login(ada)
    assert client.get(f"/users/{vera.pk}/look/").status_code == 405
    for user in (ada, robot):  # oneself, and who sees no pages
        assert client.post(f"/users/{user.pk}/look/")["Location"] == f"/users/{user.pk}/"
        assert eyes.KEY not in client.session
    assert client.post("/users/4711000/look/").status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(f"/users/{vera.pk}/look/").status_code == 403 and eyes.KEY not in strict.session
    token = {"Authorization": f"Bearer {tokens.make(ada, ada, 'backup')}"}
    assert Client().post(f"/users/{vera.pk}/look/", headers=token).status_code == 302  # to the login
    assert not AuditEntry.objects.filter(action="eyes.begin", outcome="done").exists()


def test_none_is_nested_and_none_is_set_from_outside(ada: Client, vera: User) -> None:
    otto = person("otto", "deployer")
    assert ada.post(f"/users/{otto.pk}/look/").status_code == 403
    assert ada.session[eyes.KEY]["user"] == vera.pk
    other = Client()
    other.force_login(otto)
    other.cookies[eyes.KEY] = str(vera.pk)
    answer = other.get("/containers/", {eyes.KEY: str(vera.pk), "looker": "ada"})
    assert answer.context["user"].username == "otto" and BANNER not in answer.content.decode()
    session = other.session  # even where it stood in the session of who is no administrator
    session[eyes.KEY] = {"user": vera.pk, "name": "vera", "until": time.time() + 99}
    session.save()
    assert other.get("/containers/").context["user"].username == "otto"


def test_an_administrator_who_is_looked_at_shows_no_more_than_views(client: Client) -> None:
    a_host("quay")
    zoe = person("zoe", "admin")
    client.force_login(person("ada", "admin"))
    client.post(f"/users/{zoe.pk}/look/")
    assert client.get("/hosts/").status_code == 200
    assert client.get("/users/").status_code == client.get("/audit/").status_code == 403


async def test_sockets_are_the_user_s_and_close_when_it_stops(ada: Client) -> None:
    cookie = f"sessionid={ada.cookies['sessionid'].value}"
    async with opened("/ws/changes", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await socket.send({"t": "show", "id": 1, "url": "/containers/", "target": "containers"})
        await socket.until(lambda: socket.of_kind("part"))
        assert socket.of_kind("part")[0]["status"] == 406  # by itself, over HTTP
        await now(ada.post, "/users/look/stop/")
        assert await socket.closed() == 4401


async def test_no_terminal_is_opened(ada: Client) -> None:
    cookie = f"sessionid={ada.cookies['sessionid'].value}"
    async with opened("/ws/terminal", **OURS, cookie=cookie) as socket:
        assert await socket.closed() == 4403


async def test_sockets_of_the_administrator_close_when_it_begins(client: Client, vera: User) -> None:
    await now(lambda: client.force_login(person("ada", "admin")))
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    async with opened("/ws/changes", **OURS, cookie=cookie) as socket:
        await socket.until(lambda: socket.of_kind("ready"))
        await now(client.post, f"/users/{vera.pk}/look/")
        assert await socket.closed() == 4401
