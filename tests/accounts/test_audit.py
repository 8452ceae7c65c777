"""The audit: who did what, from where, with what outcome; and whether somebody changed it afterwards."""

import io
import json
from datetime import timedelta
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from accounts import audit, chain
from accounts.audit import record
from accounts.models import ApiToken, AuditChain, AuditEntry
from accounts.rights import SYSTEM
from tests.rows import a_host, container_json, containers, person
from tests.servers.product import Product
from tests.waiting import until

pytestmark = [pytest.mark.core, pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")]


def verify(**options: Any) -> str:
    """What the command says; CommandError with the faults when something is wrong."""
    said, faults = io.StringIO(), io.StringIO()
    try:
        call_command("audit", "verify", stdout=said, stderr=faults, **options)
    except CommandError as error:
        raise CommandError(f"{error}\n{faults.getvalue()}") from error
    return said.getvalue()


@pytest.fixture
def acts(db: None) -> list[AuditEntry]:
    """Nine of them."""
    ada = person("ada", "admin")
    details: tuple[dict[str, Any], ...] = (
        {},
        {"fields": ["name"], "was": "kai"},
        {"share": 0.25, "n": 3.0, "yes": True},
    )
    return [record(ada, "container.stop", f"web-{n}", host="quay", detail=details[n % 3]) for n in range(9)]


# ---------------------------------------------------------------- the chain
def test_a_whole_audit_is_called_whole_and_its_end_is_told(acts: list[AuditEntry]) -> None:
    said = verify()
    end = AuditEntry.objects.latest("number")
    assert f"entries 1 to {end.number}" in said
    assert f"{end.number}:{end.digest}" in said
    assert verify(noted=f"{acts[3].number}:{acts[3].digest}")


CHANGES: dict[str, dict[str, Any]] = {
    "an outcome": {"outcome": "failed"},
    "who": {"actor_name": "eve"},
    "a target": {"target": "db"},
    "a detail": {"detail": {"fields": []}},
    "an address": {"address": "10.0.0.1"},
    "the digest": {"digest": "0" * 64},
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_changed_entry_is_found(acts: list[AuditEntry], what: str) -> None:
    AuditEntry.objects.filter(pk=acts[4].pk).update(**CHANGES[what])
    with pytest.raises(CommandError, match=f"Entry {acts[4].number} was changed"):
        verify()


def test_a_moved_time_is_found(acts: list[AuditEntry]) -> None:
    AuditEntry.objects.filter(pk=acts[4].pk).update(time=acts[4].time + timedelta(microseconds=1))
    with pytest.raises(CommandError, match=f"Entry {acts[4].number} was changed"):
        verify()


def test_removed_entries_are_found_in_the_middle_and_at_both_ends(acts: list[AuditEntry]) -> None:
    for gone in (acts[0], acts[4], acts[-1]):
        AuditEntry.objects.filter(pk=gone.pk).delete()
        with pytest.raises(CommandError, match=f"Entry {gone.number} is missing"):
            verify()


def test_reordered_entries_are_found(acts: list[AuditEntry]) -> None:
    first, second = acts[2], acts[5]
    AuditEntry.objects.filter(pk=first.pk).update(number=None)
    AuditEntry.objects.filter(pk=second.pk).update(number=first.number)
    AuditEntry.objects.filter(pk=first.pk).update(number=second.number)
    with pytest.raises(CommandError, match=f"Entry {first.number} was changed, or stood elsewhere"):
        verify()


def test_an_entry_from_elsewhere_is_found(acts: list[AuditEntry]) -> None:
    AuditEntry.objects.create(actor_name="eve", action="login")
    with pytest.raises(CommandError, match="1 entries were not written by Dermaga"):
        verify()


def test_an_end_that_was_cut_off_together_with_the_chain_is_found_by_what_was_noted(acts: list[AuditEntry]) -> None:
    noted = verify().split()[-1]
    AuditEntry.objects.filter(number__gt=acts[5].number).delete()
    AuditChain.objects.update(number=acts[5].number, digest=acts[5].digest)
    assert verify()
    with pytest.raises(CommandError, match="which was noted, is missing"):
        verify(noted=noted)


def test_it_stays_whole_when_the_key_is_changed_and_nobody_signs_without_one(
    acts: list[AuditEntry], settings: Any
) -> None:
    old = settings.DERMAGA_ENCRYPTION_KEY
    settings.DERMAGA_ENCRYPTION_KEY = f"{Fernet.generate_key().decode()},{old}"
    record(SYSTEM, "host.add", "kai")
    assert verify()
    settings.DERMAGA_ENCRYPTION_KEY = Fernet.generate_key().decode()
    with pytest.raises(CommandError, match="100 faults|10 faults"):
        verify()


def test_an_account_that_is_deleted_leaves_it_whole(acts: list[AuditEntry]) -> None:
    person("olga", "deployer").delete()
    assert acts[0].actor is not None
    acts[0].actor.delete()
    assert AuditEntry.objects.filter(actor=None, actor_name="ada").count() == len(acts)
    assert verify()


# ---------------------------------------------------------------- how long it is kept
def test_old_entries_are_forgotten_and_that_is_in_the_audit(acts: list[AuditEntry], settings: Any) -> None:
    assert audit.forget_old() == 0  # for ever, unless told
    settings.AUDIT_KEPT_DAYS = 30
    old = timezone.now() - timedelta(days=31)
    # as if they had been written then
    before = ""
    for entry in AuditEntry.objects.order_by("number"):
        entry.time = old if entry.pk <= acts[4].pk else entry.time
        entry.digest = before = chain.digest(before, entry)
        entry.save()
    AuditChain.objects.update(digest=before)
    assert verify()
    assert audit.forget_old() == 5
    last = AuditEntry.objects.latest("number")
    assert (last.action, last.actor_name, last.detail["entries"]) == ("audit.forget", "system", 5)
    assert f"entries {acts[5].number} to {last.number}" in verify()
    assert audit.forget_old() == 0
    AuditEntry.objects.filter(number=acts[5].number).delete()
    with pytest.raises(CommandError, match="is missing"):
        verify()


# ---------------------------------------------------------------- where it came from
@pytest.fixture
def quay(db: None) -> None:
    containers(a_host(), container_json("web"))


def test_an_entry_has_the_address_of_who_asked(client: Client, quay: None) -> None:
    client.force_login(person("ada", "admin"))
    client.post("/hosts/quay/disable/", REMOTE_ADDR="10.8.0.14")
    entry = AuditEntry.objects.get(action="host.disable")
    assert (entry.actor_name, entry.address, entry.outcome) == ("ada", "10.8.0.14", "done")


def test_a_request_that_was_refused_before_any_act_is_in_the_audit(client: Client, quay: None) -> None:
    vera = person("vera", "viewer")
    client.force_login(vera)
    assert client.post("/hosts/quay/disable/").status_code == 403
    assert client.get("/users/").status_code == 403  # looking is no act
    token = {"Authorization": f"Bearer {ApiToken.make(vera, 'cli')}"}
    assert Client().delete("/api/v1/hosts/quay", headers=token).status_code == 403
    found = AuditEntry.objects.filter(actor=vera, outcome="refused").order_by("number")
    assert [entry.target for entry in found] == ["POST /hosts/quay/disable/", "DELETE /api/v1/hosts/quay"]


def test_what_a_job_does_names_the_job(product: Product) -> None:
    job = product.api("images/local/prune", "POST")["job"]
    until(lambda: product.api(f"jobs/{job}")["state"] == "done", "it is done")
    acts = product.api("audit?action=image.prune")["items"]
    assert acts[0]["via"] == f"job {job}"
    asked = product.api("audit?action=job.image.prune")["items"][0]
    assert (asked["actor"], asked["address"], asked["detail"]["job"]) == ("admin", "127.0.0.1", job)


# ---------------------------------------------------------------- the page
def test_the_page_shows_filters_and_escapes(client: Client, acts: list[AuditEntry]) -> None:
    assert acts[0].actor is not None
    record(None, "login", "<script>alert(1)</script>", outcome="refused", detail={"<b>": "<i>"})
    client.force_login(acts[0].actor)
    page = client.get("/audit/").content.decode()
    assert page.count("container.stop") >= len(acts)
    assert "<script>alert(1)" not in page and "<b>" not in page and "<i>" not in page
    refused = client.get("/audit/?outcome=refused").content.decode()
    assert "login" in refused and "container.stop" not in refused.split("<tbody>")[1]
    future = client.get("/audit/?from=2100-01-01").content.decode()
    assert 'id="audit-rows"' in future and "<tbody>" not in future
    assert client.get("/audit/?from=yesterday").status_code == 422


def test_it_is_exported_as_csv_and_line_by_line(client: Client, acts: list[AuditEntry]) -> None:
    assert acts[0].actor is not None
    client.force_login(acts[0].actor)

    def body(kind: str) -> list[str]:
        answer: Any = client.get(f"/audit/?action=container.stop&format={kind}")
        return b"".join(answer).decode().splitlines()

    rows = [json.loads(line) for line in body("ndjson")]
    assert [row["target"] for row in rows] == [f"web-{n}" for n in reversed(range(9))]
    assert rows[0]["digest"] == acts[-1].digest and rows[0]["detail"] == {"share": 0.25, "n": 3, "yes": True}
    assert len(body("csv")) == 10


@pytest.mark.parametrize("role", ["viewer", "deployer"])
def test_only_administrators_read_it(client: Client, acts: list[AuditEntry], role: str) -> None:
    client.force_login(person("olga", role))
    assert client.get("/audit/").status_code == 403
    assert client.get("/api/v1/audit").status_code == 403
    assert "/audit/" not in client.get("/").content.decode()


# ---------------------------------------------------------------- many at once
@pytest.mark.django_db(transaction=True)
def test_many_who_write_at_once_make_one_chain() -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(n: int) -> None:
        try:
            for step in range(10):
                record(SYSTEM, "host.add", f"{n}-{step}")
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(6)))
    assert AuditEntry.objects.count() == 60
    assert "entries 1 to 60" in verify()
