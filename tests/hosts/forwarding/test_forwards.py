"""Targets of the audit: stored, tried, changed and removed by an administrator, in pages and over REST; and sent to by the
product that runs, also when it is killed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client

from accounts.models import AuditEntry, Forward, Grant, OwnRole
from accounts.rights import Role
from hosts.forwarding import sending
from tests.engines.certificates import Authority
from tests.rows import person
from tests.servers.product import Product
from tests.servers.receivers import Hook, Syslog, tls_server
from tests.waiting import until

SECRET = "canary-of-a-webhook-4711"


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture
def hook(authority: Authority, tmp_path: Path) -> Iterator[Hook]:
    receiver = Hook(tls_server(authority, tmp_path))
    yield receiver
    receiver.close()


def answers(product: Product) -> bool:
    try:
        return requests.get(f"{product.url}/readyz", timeout=2).status_code == 200
    except requests.RequestException:
        return False


def ask(client: Client, method: str, path: str, **body: Any) -> Any:
    sent = {"data": json.dumps(body), "content_type": "application/json"} if method != "get" else {}
    return getattr(client, method)(f"/api/v1/{path}", **sent)


# ---------------------------------------------------------------- pages and REST
@pytest.mark.core
@pytest.mark.django_db
def test_a_target_is_tried_stored_changed_and_removed_in_pages(
    client: Client, hook: Hook, authority: Authority
) -> None:
    client.force_login(person("ada", "admin"))
    typed = {"name": "siem", "kind": "webhook", "address": hook.address, "secret": SECRET, "ca": authority.ca}
    typed |= {"enabled": "on"}
    tried = client.post("/audit/forwards/add/", typed | {"test": "1"}).content.decode()
    assert "siem took a test message." in tried and not Forward.objects.exists()
    assert json.loads(hook.got[0][1]) == {"source": "dermaga", "test": "siem", "entries": []}
    assert client.post("/audit/forwards/add/", typed)["Location"] == "/audit/forwards/"
    forward = Forward.objects.get()
    assert forward.inside and forward.secret == SECRET
    assert forward.sent == AuditEntry.objects.get(action="forward.test").number  # from now on, what stored it included
    form = client.get("/audit/forwards/siem/").content.decode()
    assert SECRET not in form and "One is stored." in form
    changed = client.post("/audit/forwards/siem/", typed | {"secret": "", "name": "log"})
    assert changed.status_code == 302 and Forward.objects.get().secret == SECRET
    hook.answers(503)
    assert "answered HTTP 503" in client.post("/audit/forwards/log/test/", follow=True).content.decode()
    page = client.get("/audit/forwards/").content.decode()
    assert "log" in page and hook.address in page and "sending" in page
    assert "log" in client.get("/diagnostics/").content.decode()
    assert client.post("/audit/forwards/log/remove/").status_code == 302 and not Forward.objects.exists()
    acts = list(AuditEntry.objects.filter(action__startswith="forward.").order_by("number"))
    assert [(act.action, act.outcome) for act in acts] == [
        ("forward.test", "done"),
        ("forward.add", "done"),
        ("forward.change", "done"),
        ("forward.test", "failed"),
        ("forward.remove", "done"),
    ]
    assert (acts[2].detail["before"], acts[2].detail["after"]) == ({"name": "siem"}, {"name": "log"})
    details = str([act.detail for act in acts])  # whoever knows a webhook's whole address may be let in by it
    assert SECRET not in details and hook.address not in details and hook.address.rpartition("/")[0] in details


@pytest.mark.core
@pytest.mark.django_db
def test_over_rest_with_the_state_in_it(client: Client, hook: Hook, authority: Authority) -> None:
    client.force_login(person("ada", "admin"))
    sent = {"name": "siem", "kind": "webhook", "address": hook.address, "secret": SECRET, "ca": authority.ca}
    made = ask(client, "post", "forwards", **sent, everything=True)
    assert made.status_code == 201 and (made.json()["sent"], made.json()["enabled"]) == (0, True)
    assert "secret" not in made.json()
    assert ask(client, "post", "forwards/siem/check").json() == {"works": True}
    assert ask(client, "patch", "forwards/siem", enabled=False).json()["enabled"] is False
    told = ask(client, "get", "diagnostics").json()["forwards"]
    assert [(one["name"], one["enabled"], one["error"]) for one in told] == [("siem", False, "")]
    assert told[0]["behind"] == AuditEntry.objects.count()
    assert ask(client, "delete", "forwards/siem").status_code == 204
    assert ask(client, "get", "forwards/siem").status_code == 404


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "no secret": ({"secret": ""}, "secret"),
    "a short secret": ({"secret": "short"}, "secret"),
    "plain HTTP": ({"address": "http://logs.example.com/in"}, "address"),
    "a login in the address": ({"address": "https://me:canary@logs.example.com/in"}, "address"),
    "a port of nobody": ({"kind": "tcp", "address": "logs.example.com:0"}, "address"),
    "no port": ({"kind": "tls", "address": "logs.example.com"}, "address"),
    "a path": ({"kind": "udp", "address": "logs.example.com:514/in"}, "address"),
    "an odd kind": ({"kind": "smoke"}, "kind"),
    "no certificate": ({"ca": "canary"}, "ca"),
    "a page's name": ({"name": "add"}, "name"),
}


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_said_at_its_field(client: Client, what: str) -> None:
    client.force_login(person("ada", "admin"))
    right = {"name": "siem", "kind": "webhook", "address": "https://logs.example.com/in", "secret": SECRET}
    wrong, field = WRONG[what]
    answer = ask(client, "post", "forwards", **right | wrong)
    told = answer.json()
    assert answer.status_code == 422 and field in {told.get("field"), *(one["field"] for one in told.get("errors", []))}
    assert not Forward.objects.exists()


@pytest.mark.core
@pytest.mark.django_db
@pytest.mark.parametrize("role", [Role.HOST_ADMIN, Role.VIEWER])
def test_nobody_else_sends_the_audit_anywhere(client: Client, role: str) -> None:
    Forward.objects.create(name="siem", kind="tcp", address="logs.example.com:514")
    client.force_login(person("olga", role))
    for path in ("/audit/forwards/", "/audit/forwards/add/", "/audit/forwards/siem/", "/api/v1/forwards"):
        assert client.get(path).status_code == 403
    assert client.post("/audit/forwards/siem/remove/").status_code == 403
    assert ask(client, "delete", "forwards/siem").status_code == 403
    assert Forward.objects.exists()


@pytest.mark.core
@pytest.mark.django_db
def test_who_manages_users_but_not_all_hosts_leads_it_nowhere_inside(client: Client, hook: Hook) -> None:
    keeper = OwnRole.objects.create(name="keeper", rights=["users.manage"])
    nils = person("nils", Role.MEMBER)
    Grant.objects.create(user=nils, own_role=keeper)
    client.force_login(nils)
    sent = {"name": "siem", "kind": "webhook", "address": hook.address, "secret": SECRET}
    assert ask(client, "post", "forwards", **sent).status_code == 201
    assert ask(client, "post", "forwards/siem/check").json()["code"] == "forward_inside_address"
    assert sending.forward(Forward.objects.get().pk) == 0
    assert hook.asked == 0 and not Forward.objects.get().inside
    assert "inside a private network" in ask(client, "get", "forwards/siem").json()["error"]


# ---------------------------------------------------------------- the product that runs
@pytest.mark.core
def test_the_product_sends_what_is_done_and_what_it_could_not_send_before(product: Product) -> None:
    syslog = Syslog("tcp")
    product.api("forwards", "POST", name="away", kind="tcp", address=syslog.address)
    try:
        for n in range(3):
            product.api("teams", "POST", name=f"sent-{n}")
        until(lambda: "sent-2" in [entry["target"] for entry in syslog.entries], "entries come")
        syslog.stop()
        product.api("teams", "POST", name="sent-while-away")
        until(lambda: product.api("forwards/away")["failures"], "it is found away")
        assert "cannot be reached" in product.api("forwards/away")["error"]
        syslog.start()
        until(lambda: "sent-while-away" in [entry["target"] for entry in syslog.entries], "it comes", 60)
        numbers = syslog.numbers
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        until(lambda: product.api("forwards/away")["error"] == "", "it is well again")
    finally:
        product.api("forwards/away", "DELETE")
        for name in ("0", "1", "2", "while-away"):
            product.answer(f"teams/sent-{name}", "DELETE", {})
        syslog.stop()


def test_a_process_that_is_killed_between_loses_nothing(authority: Authority, hook: Hook) -> None:
    with Product() as product:
        product.api(
            "forwards", "POST", name="hook", kind="webhook", address=hook.address, secret=SECRET, ca=authority.ca
        )
        product.api("teams", "POST", name="first")
        until(lambda: hook.numbers, "the first one comes")
        hook.drips()  # it has got the batch, and the answer does not end
        asked = hook.asked
        for n in range(5):
            product.api("teams", "POST", name=f"t-{n}")
        until(lambda: hook.asked > asked, "a batch is on its way")
        product.kill("up")
        hook.say = None
        product.start_process("up")
        until(lambda: answers(product), "it is up again", 90)
        # the turn of the one that was killed ends after a minute
        until(lambda: hook.numbers and product.api("forwards/hook")["behind"] == 0, "all of it comes", 120)
        numbers = hook.numbers
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))) and len(numbers) >= 6
