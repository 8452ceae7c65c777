"""What every answer carries, be it a page, a part, a download, JSON, a static file or a refusal: nobody frames it, no browser
takes it for another kind of content, no script from elsewhere runs in it, and no name that somebody chose writes a header."""

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests
from django.http import HttpRequest, QueryDict
from django.test import Client, override_settings

from accounts.models import Team
from api.examples import examples
from common.htmx import back
from hosts.models import Config
from tests.rivals import addresses, call, everything_on, parts_of
from tests.rows import a_host, a_swarm, person
from tests.servers.product import Product

EVIL = 'a"; filename="evil.exe\r\nSet-Cookie: a=b\r\n\r\n<script>.tar'
ELSEWHERE = (
    "https://rival.example/", "//rival.example/", "\\\\rival.example\\", "/\\rival.example", "https:rival.example",
    "javascript:alert(1)", "///rival.example", "http:///rival.example", "https://testserver@rival.example/", "/\t/rival.example",
    "\x00//rival.example", "https://testserver.rival.example/", "data:text/html,x", " //rival.example",
)  # fmt: skip


def missing(answer: Any) -> list[str]:
    """What a browser is not told in an answer."""
    found, headers = [], {name.lower(): value for name, value in answer.headers.items()}
    if headers.get("x-content-type-options") != "nosniff":
        found.append("nosniff")
    if headers.get("x-frame-options") != "DENY":
        found.append("x-frame-options")
    policy = headers.get("content-security-policy", "")
    policy = policy.replace(
        "style-src 'self' 'unsafe-inline'", ""
    )  # of the terminal alone, whose library writes styles
    if "default-src 'none'" not in policy or "frame-ancestors 'none'" not in policy or "unsafe" in policy:
        found.append(f"policy {policy[:60]!r}")
    if headers.get("referrer-policy") != "same-origin":
        found.append("referrer-policy")
    kind = headers.get("content-type", "")
    if answer.status_code not in {204, 301, 302, 304} and not kind:
        found.append("content-type")
    if kind.startswith("text/") and "charset=utf-8" not in kind.replace('"', ""):
        found.append(kind)
    return found


@pytest.fixture
def admin(client: Client, settings: Any, db: None, monkeypatch: pytest.MonkeyPatch) -> Client:
    """With one object of each noun."""
    monkeypatch.setattr("hosts.actions.short.WAIT_SECONDS", 0.0)  # whose lane does not run here
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    client.force_login(person("ada", "admin"))
    client.raise_request_exception = False
    host = a_host()
    everything_on(host)
    a_swarm(host)
    Team.objects.create(name="quay-team")
    return client


def test_every_route_and_operation_says_what_a_browser_must_know(admin: Client) -> None:
    """As an administrator and as a stranger, by each of the two methods."""
    found: list[Any] = []
    seen, kinds = 0, set()
    for client in (admin, Client(raise_request_exception=False)):
        for address in addresses("quay"):
            for send in (client.get,) if client is admin else (client.post,):
                answer = send(address)
                seen += 1
                kinds.add((answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0]))
                if wrong := missing(answer):
                    found.append((send.__name__, address, answer.status_code, wrong))
        for operation, example in examples().items():
            if operation.startswith("GET "):
                answer = call(client, example, parts_of("quay"))
                seen += 1
                kinds.add((answer.status_code, answer.headers.get("Content-Type", "").partition(";")[0]))
                if wrong := missing(answer):
                    found.append((operation, answer.status_code, wrong))
    for address in ("/nowhere/", "/a%00b/", "/?a=%00", "/api/v1/nowhere", "/api/v1/hosts?limit=x"):
        if wrong := missing(admin.get(address)):
            found.append((address, wrong))
    assert not found, "\n".join(map(str, found[:20]))
    assert seen > 500 and {status for status, _ in kinds} >= {200, 302, 401, 404, 405, 502}


def test_a_page_that_broke_says_it_too(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hosts.filters.HOSTS", None)
    for path in ("/hosts/", "/api/v1/hosts"):
        answer = admin.get(path)
        assert answer.status_code == 500 and missing(answer) == [], path
        assert "NoneType" not in answer.content.decode()


def test_what_the_server_itself_answers_says_it_too(product: Product) -> None:
    """Static files, and who is turned away at the door before Django hears of it."""
    page = product.http.get(f"{product.url}/")
    static = re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text)
    assert len(static) > 2
    answers = [requests.get(product.url + path, timeout=10) for path in static]
    answers.append(requests.get(f"{product.url}/static/../../../etc/passwd", timeout=10))
    answers.append(requests.get(f"{product.url}/static/nowhere.js", timeout=10))
    answers.append(requests.post(f"{product.url}/account/login/", data=b"x" * 2_000_000, timeout=10))
    assert answers[-1].status_code == 401
    assert [(answer.url, wrong) for answer in answers if (wrong := missing(answer))] == []


# ---------------------------------------------------------------- names in headers
def test_a_name_writes_no_header(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads are called as an engine calls things: quotes and line ends in that are not a header's."""
    config = Config.objects.get(name="c1")
    Config.objects.filter(pk=config.pk).update(name=EVIL)
    monkeypatch.setattr("hosts.views.swarm.secrets.secrets.content", lambda *_: b"x")
    answer = admin.get(f"/configs/{config.swarm.name}/{config.engine_id}/content/?download=1")
    assert answer.status_code == 200
    check_headers(answer)


def check_headers(answer: Any) -> None:
    for name, value in answer.headers.items():
        assert "\r" not in value and "\n" not in value and "Set-Cookie" not in name, (name, value)
    assert 'filename="evil' not in answer.headers.get("Content-Disposition", "")
    assert "a" not in answer.cookies


@pytest.mark.parametrize("path", ["/?next=", "/containers/?search=", "/language/?next=", "/account/login/?next="])
def test_a_parameter_writes_no_header(admin: Client, path: str) -> None:
    for text in ("%0d%0aSet-Cookie:%20a=b", "%E5%98%8D%E5%98%8ASet-Cookie:a=b", "/%0d%0aX-Evil:1"):
        for client in (admin, Client()):
            answer = client.get(path + text, headers={"X-Request-Id": "a\r\nX-Evil: 1"})
            assert "X-Evil" not in answer.headers and "a" not in answer.cookies
            check_headers(answer)


# ---------------------------------------------------------------- where one is sent
def elsewhere(to: str) -> bool:
    """Whether a browser that is sent `to` leaves the product; it takes a backslash for a slash and drops tabs."""
    read = re.sub(r"[\t\r\n\0]", "", to).strip().replace("\\", "/")
    parts = urlsplit(read)
    return bool((parts.netloc or parts.scheme) and parts.netloc != "testserver") or read.startswith("//")


@pytest.mark.parametrize("to", ELSEWHERE)
def test_nobody_is_sent_elsewhere(admin: Client, to: str, settings: Any) -> None:
    login = {"login": "ada", "password": "quay-side-4711", "next": to}
    stranger = Client()
    answers = [
        stranger.post("/account/login/", login),
        Client().get("/account/login/", {"next": to}),
        admin.get("/account/login/", {"next": to}),
        admin.post("/language/", {"language": "id", "next": to}),
        admin.post("/language/", {"language": "id"}, headers={"Referer": to.strip("\x00").strip() or "/"}),
        admin.post("/containers/quay/quay-web/rename/", {"name": "a b", "next": to}),
        admin.post("/containers/bulk/stop/", {"target": "quay/nobody", "next": to}),
        admin.post("/account/reauthenticate/", {"password": "quay-side-4711", "next": to}),
        admin.post("/views/save/", {"name": "mine", "path": to, "next": to, "query": "a=b"}),
    ]
    for number, answer in enumerate(answers):
        for header in ("Location", "HX-Redirect", "HX-Location"):
            assert not elsewhere(answer.headers.get(header, "")), (number, header, answer.headers[header])
        if answer.status_code == 200:
            links = re.findall(r'(?:href|action)="([^"]*)"', answer.content.decode())
            assert not [link for link in links if elsewhere(link) and "rival" in link], number


def test_a_form_leads_back_to_our_own_pages_alone() -> None:
    for to in ELSEWHERE:
        request = HttpRequest()
        request.META |= {"SERVER_NAME": "testserver", "SERVER_PORT": "80"}
        request.POST = QueryDict(urlencode({"next": to}))  # type: ignore[assignment]
        assert not elsewhere(back(request, "/jobs/")), to


# ---------------------------------------------------------------- sessions
def key_of(client: Client) -> str:
    return client.cookies["sessionid"].value if "sessionid" in client.cookies else ""


def test_a_session_that_somebody_else_chose_is_not_the_one_that_is_logged_in(db: None) -> None:
    person("vera", "viewer")
    for chosen in ("chosen-by-mallory-0000000000000000", "", "x" * 500):
        victim = Client()
        victim.cookies["sessionid"] = chosen
        victim.get("/account/login/")
        assert victim.post("/account/login/", {"login": "vera", "password": "quay-side-4711"}).status_code == 302
        assert key_of(victim) not in {"", chosen}
        mallory = Client()
        mallory.cookies["sessionid"] = chosen
        assert mallory.get("/containers/").status_code == 302


def test_a_login_over_another_ones_session_takes_nothing_of_it_along(db: None) -> None:
    person("mallory", "viewer")
    person("vera", "viewer")
    browser = Client()
    browser.post("/account/login/", {"login": "mallory", "password": "quay-side-4711"})
    mallorys = key_of(browser)
    browser.session["kept"] = "x"
    browser.post("/account/logout/")
    browser.post("/account/login/", {"login": "vera", "password": "quay-side-4711"})
    assert key_of(browser) != mallorys and "kept" not in browser.session
    old = Client()
    old.cookies["sessionid"] = mallorys
    assert old.get("/containers/").status_code == 302


def test_a_new_password_makes_a_new_session_and_ends_all_others(db: None) -> None:
    person("vera", "viewer")
    here, there = Client(), Client()
    for browser in (here, there):
        browser.post("/account/login/", {"login": "vera", "password": "quay-side-4711"})
    before = key_of(here)
    fields = {"oldpassword": "quay-side-4711", "password1": "dock-side-0815", "password2": "dock-side-0815"}
    assert here.post("/account/password/change/", fields).status_code == 302
    assert key_of(here) != before and here.get("/containers/").status_code == 200
    assert there.get("/containers/").status_code == 302
    stolen = Client()
    stolen.cookies["sessionid"] = before
    assert stolen.get("/containers/").status_code == 302


def test_a_login_needs_the_token_of_its_page(db: None) -> None:
    """Login CSRF: nobody is made to work in an account that is not theirs."""
    person("mallory", "viewer")
    victim = Client(enforce_csrf_checks=True)
    answer = victim.post(
        "/account/login/",
        {"login": "mallory", "password": "quay-side-4711"},
        headers={"Origin": "https://rival.example"},
    )
    assert answer.status_code == 403 and "sessionid" not in victim.cookies
    assert victim.post("/account/logout/").status_code == 403


def test_cookies_stay_in_the_browser_and_over_https_go_nowhere_else(db: None) -> None:
    person("vera", "viewer")
    with override_settings(SESSION_COOKIE_SECURE=True, CSRF_COOKIE_SECURE=True, SECURE_HSTS_SECONDS=3600):
        browser = Client()
        answer = browser.get("/account/login/", secure=True)
        assert "max-age=3600" in answer.headers["Strict-Transport-Security"]
        browser.post("/account/login/", {"login": "vera", "password": "quay-side-4711"}, secure=True)
        browser.post("/language/", {"language": "id"}, secure=True)
        session, csrf = browser.cookies["sessionid"], browser.cookies["csrftoken"]
        assert session["httponly"] and session["secure"] and session["samesite"] == "Lax"
        assert csrf["secure"] and csrf["samesite"] == "Lax"


@pytest.mark.parametrize("host", ["rival.example", "localhost.rival.example", "localhost:80@rival.example", ""])
def test_a_host_header_of_others_is_not_ours(db: None, host: str) -> None:
    """It would stand in links that are mailed."""
    answer = Client(raise_request_exception=False).get("/account/login/", headers={"Host": host})
    assert answer.status_code == 400 and "rival" not in answer.content.decode()
