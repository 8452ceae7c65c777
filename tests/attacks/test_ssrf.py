"""What people store as an address, and what servers answer, makes Dermaga call nobody whom they could not call themselves.

Private networks, this machine among them, are for who manages all hosts: deployers store registries and buckets, too."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from accounts.models import Grant, OwnRole, Team, User
from accounts.rights import Right, Role
from common.errors import Denied
from hosts.actions.registries import registries
from hosts.build_remotes import demand_outside
from hosts.engine.errors import EngineError
from hosts.models import Destination, Host, Registry
from hosts.registry import addresses, errors
from hosts.registry.client import Client
from hosts.registry.places import Login, Place
from hosts.stores import store as stores
from jobs import queue
from jobs.models import Job
from tests.hosts.registry.scripted import Scripted
from tests.rows import a_host, person

pytestmark = [pytest.mark.django_db]
BUCKET = {"kind": "s3", "bucket": "quay", "access_key": "me", "secret_key": "canary"}


@pytest.fixture
def script() -> Iterator[Scripted]:
    """What must not be reached."""
    server = Scripted()
    yield server
    server.close()


@pytest.fixture
def dora(monkeypatch: pytest.MonkeyPatch) -> User:
    """A deployer: registries and places of backups are hers to store, and which hosts there are is not."""
    monkeypatch.setattr(queue, "enqueue", lambda job_id: None)
    a_host()
    return person("dora", Role.DEPLOYER)


def browser_of(user: User) -> Browser:
    browser = Browser()
    browser.force_login(user)
    return browser


def post(browser: Browser, path: str, **body: Any) -> Any:
    return browser.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")


def spellings(port: str) -> list[str]:
    """This machine, and what is near it, as attackers write them."""
    return [f"{host}:{port}" for host in (
        "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.8.8.8", "localhost", "[::1]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "0.0.0.0", "0", "[::]",
        "10.0.0.5", "172.16.0.1", "192.168.1.1", "100.64.0.1", "[fd12::1]", "169.254.169.254", "[fe80::1]",
        "[fd00:ec2::254]", "100.100.100.200", "2852039166", "0xa9fea9fe",
    )]  # fmt: skip


# ---------------------------------------------------------------- registries
def test_a_deployers_registry_leads_nowhere_inside(dora: User, script: Scripted) -> None:
    browser, found = browser_of(dora), []
    for n, address in enumerate(spellings(script.address.partition(":")[2])):
        added = post(browser, "registries", name=f"r{n}", address=address, plain_http=True)
        if added.status_code == 422:
            continue  # no registry's address at all
        told = post(browser, f"registries/r{n}/check").json()
        if told["code"] not in {"registry_inside_address", "registry_forbidden_address", "registry_unreachable"}:
            found.append((address, told))
        answer = browser.post("/registries/add/", {"name": f"s{n}", "address": address, "test": "1"})
        assert answer.status_code in {200, 422}
        for path in (f"registries/r{n}/repositories", f"registries/r{n}/tags?repository=app"):
            browser.get(f"/api/v1/{path}")
    assert not found, found
    assert script.asked == [] and Registry.objects.filter(inside=True).count() == 0
    assert Registry.objects.count() > 15


def test_who_manages_all_hosts_lets_it_lead_inside_for_everybody(dora: User, script: Scripted) -> None:
    script.says["/v2/"] = (200, {}, b"{}")
    ada = browser_of(person("ada", Role.HOST_ADMIN))
    assert post(ada, "registries", name="quay", address=script.address, plain_http=True).status_code == 201
    assert post(browser_of(dora), "registries/quay/check").json()["login"] == "none"
    # a new address is one that she stored
    other = Scripted()
    try:
        changed = json.dumps({"address": other.address})
        answer = browser_of(dora).patch("/api/v1/registries/quay", changed, content_type="application/json")
        assert answer.status_code == 200
        assert post(browser_of(dora), "registries/quay/check").json()["code"] == "registry_inside_address"
        assert other.asked == []
    finally:
        other.close()
    changed = json.dumps({"address": script.address})
    browser_of(dora).patch("/api/v1/registries/quay", changed, content_type="application/json")
    assert post(browser_of(dora), "registries/quay/check").json()["code"] == "registry_inside_address"


def test_managing_some_hosts_is_not_enough(dora: User, script: Scripted) -> None:
    keeper = OwnRole.objects.create(name="keeper", rights=["registries.manage", "registries.view"])
    nils = person("nils", Role.MEMBER)
    Grant.objects.create(user=nils, own_role=keeper)
    Grant.objects.create(user=nils, role=Role.HOST_ADMIN, host=Host.objects.get())
    assert post(browser_of(nils), "registries", name="r", address=script.address, plain_http=True).status_code == 201
    assert post(browser_of(nils), "registries/r/check").json()["code"] == "registry_inside_address"
    assert script.asked == [] and not Team.objects.exists()


def test_a_name_that_leads_elsewhere_between_look_and_call_changes_nothing(
    script: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name server of the attacker's that gives a public address to who asks first, and this machine's to who asks next."""
    asked, port = [], int(script.address.partition(":")[2])
    real = socket.getaddrinfo

    def turning(host: str, *args: Any, **options: Any) -> Any:
        if host != "turns.example.com":
            return real(host, *args, **options)
        asked.append(host)
        return real("192.0.2.1" if len(asked) == 1 else "127.0.0.1", *args, **options)

    called = []

    def connecting(one: socket.socket, address: Any) -> None:
        called.append(address[0])
        raise ConnectionRefusedError(111, "refused")

    monkeypatch.setattr(socket, "getaddrinfo", turning)
    monkeypatch.setattr("hosts.registry.transport.level_of", level_as_if_public)
    monkeypatch.setattr(socket.socket, "connect", connecting)
    with Client(Place(f"turns.example.com:{port}", plain_http=True)) as client, pytest.raises(errors.RegistryError):
        client.ping()
    assert called == ["192.0.2.1"], "it calls the address that it looked at"
    monkeypatch.undo()
    assert script.asked == []


def level_as_if_public(text: str) -> Any:
    """An address that is for documents takes the place of a public one."""
    return addresses.Level.PUBLIC if text == "192.0.2.1" else addresses.level_of(text)


def test_a_name_that_leads_to_a_good_and_a_bad_address_is_not_called(
    script: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = int(script.address.partition(":")[2])
    answers = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port)) for host in ("1.1.1.1", "127.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: answers)
    with Client(Place(f"both.example.com:{port}", plain_http=True)) as client, pytest.raises(errors.InsideAddress):
        client.ping()
    assert script.asked == []


# ---------------------------------------------------------------- what a registry answers
@pytest.mark.parametrize("how", ["realm", "redirect", "next page"])
@pytest.mark.parametrize(
    "to", ["http://127.0.0.1:{port}/", "http://[::1]:{port}/", "https://10.0.0.5/", "http://169.254.169.254/", "file:///etc/passwd"]
)  # fmt: skip
def test_a_public_registry_sends_nobody_inside(monkeypatch: pytest.MonkeyPatch, how: str, to: str) -> None:
    """As if 127.0.0.2 were a public address: what a server there names is looked at, a hop at a time."""
    inside, public = Scripted(), Scripted("127.0.0.2")
    real = addresses.level_of
    monkeypatch.setattr(
        "hosts.registry.transport.level_of",
        lambda text: addresses.Level.PUBLIC if text == "127.0.0.2" else real(text),
    )
    url = to.format(port=inside.address.partition(":")[2])
    if how == "realm":
        public.says["/v2/"] = (401, {"WWW-Authenticate": f'Bearer realm="{url}token",service="s"'}, b"")
    elif how == "redirect":
        public.says["/v2/"] = (307, {"Location": f"{url}v2/"}, b"")
    else:
        link = {"Link": f'<{url}v2/_catalog?last=a>; rel="next"'}
        public.says["/v2/_catalog"] = (200, link, b'{"repositories": ["a"]}')
    with Client(Place(public.address, plain_http=True), Login("me", "canary")) as client:
        if how == "next page":
            client.names("/v2/_catalog", "repositories", "")
            assert {path.partition("?")[0] for path, _ in public.asked} == {"/v2/_catalog"}  # its own list, no other
        else:
            with pytest.raises(errors.RegistryError) as raised:
                client.ping()
            assert isinstance(raised.value, REFUSED)
            assert public.asked  # it was called itself
    assert inside.asked == []
    inside.close()
    public.close()


REFUSED = (errors.BadRealm, errors.NotARegistry, errors.InsideAddress, errors.ForbiddenAddress)


def test_a_redirect_goes_from_tls_to_tls_only_and_takes_no_login_along() -> None:
    place = Place("registry.example.com")
    assert place.lets_login_go_to("http://registry.example.com/token") is None
    assert place.lets_login_go_to("https://me:canary@registry.example.com/") is None
    assert str(place.lets_login_go_to("https://tokens.example.com/")) == "https://tokens.example.com:443"


# ---------------------------------------------------------------- buckets
def test_a_deployers_bucket_leads_nowhere_inside(dora: User, script: Scripted) -> None:
    browser, seen = browser_of(dora), 0
    for n, address in enumerate(spellings(script.address.partition(":")[2])):
        added = post(browser, "destinations", name=f"d{n}", url=f"http://{address}", **BUCKET)
        if added.status_code == 422:
            continue
        seen += 1
        with pytest.raises(EngineError) as raised:
            stores.check(Destination.objects.get(name=f"d{n}").store())
        assert raised.value.code in {"registry_inside_address", "registry_forbidden_address", "store_unreachable"}, (
            address
        )
        form = {"name": f"e{n}", "url": f"http://{address}", "test": "1", **BUCKET}
        assert browser.post("/backups/destinations/add/", form).status_code in {200, 422}
    assert script.asked == [] and seen > 12 and not Destination.objects.filter(inside=True).exists()


def test_a_bucket_of_who_manages_all_hosts_is_asked_and_its_redirect_is_not_followed(
    dora: User, script: Scripted
) -> None:
    other = Scripted()
    script.says[f"/quay/{stores.CHECK_KEY}"] = (307, {"Location": f"http://{other.address}/"}, b"")
    ada = browser_of(person("ada", Role.HOST_ADMIN))
    url = f"http://{script.address}"
    assert post(ada, "destinations", name="cloud", url=url, region="us-east-1", **BUCKET).status_code == 201
    stored = Destination.objects.get()
    assert stored.inside
    with pytest.raises(EngineError):
        list(stored.store().read(stores.CHECK_KEY))
    assert script.asked and other.asked == []
    changed = json.dumps({"url": f"http://{other.address}", "secret_key": "other"})
    answer = browser_of(dora).patch("/api/v1/destinations/cloud", changed, content_type="application/json")
    assert answer.status_code == 200
    post(browser_of(dora), "destinations/cloud/check")
    assert other.asked == [] and not Destination.objects.get().inside
    other.close()


# ---------------------------------------------------------------- builds, hosts
def test_an_engine_fetches_from_inside_for_who_manages_its_host_alone(dora: User) -> None:
    browser, found = browser_of(dora), []
    for address in spellings("80"):
        answer = browser.post(
            "/api/v1/images/quay/build", {"name": "app:1", "source": "git", "remote": f"http://{address}/app.git"}
        )
        if answer.status_code != 422 or answer.json().get("field") != "remote":
            found.append((address, answer.status_code, answer.content[:200]))
    assert not found, found
    assert not Job.objects.exists()
    for role, status in ((Role.HOST_ADMIN, 202), (Role.DEPLOYER, 422)):
        browser = browser_of(person(f"p-{role}", role))
        form = {"name": "app:1", "source": "git", "remote": "http://10.0.0.5/app.git"}
        assert browser.post("/api/v1/images/quay/build", form).status_code == status
    demand_outside(dora, Host.objects.get(), "https://1.1.1.1/app.git")


def test_a_host_is_added_and_tried_by_who_manages_all_of_them_alone(dora: User, script: Scripted) -> None:
    url = f"tcp://{script.address}"
    nils = person("nils", Role.MEMBER)
    Grant.objects.create(user=nils, role=Role.HOST_ADMIN, host=Host.objects.get())
    for user in (dora, nils):
        browser = browser_of(user)
        assert post(browser, "hosts", name="near", url=url).status_code == 403
        browser.post("/hosts/add/", {"name": "near", "kind": "tcp", "url": url, "test": "1"})
        answer = browser.patch("/api/v1/hosts/quay", json.dumps({"url": url}), content_type="application/json")
        assert answer.status_code == 403
    assert script.asked == [] and Host.objects.count() == 1


def test_an_image_is_imported_from_what_was_sent_and_from_no_address(dora: User) -> None:
    """The engine's own `fromSrc` takes an address, which nobody gives it."""
    answer = browser_of(dora).post(
        "/api/v1/images/quay/import", {"name": "app:1", "fromSrc": "http://127.0.0.1/", "remote": "http://127.0.0.1/"}
    )
    assert answer.status_code == 422 and not Job.objects.exists()


def test_testing_an_address_needs_the_right_to_store_one(dora: User) -> None:
    vera = person("vera", Role.VIEWER)
    with pytest.raises(Denied):
        registries.test(vera, Place("registry.example.com"))
    assert Right.REGISTRIES_MANAGE not in vera.standing.rights
