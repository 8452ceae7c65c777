"""The audit is sent to syslog and to a webhook: in order, without a gap, whatever the other side does."""

import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from accounts import audit, chain
from accounts.audit import record
from accounts.models import AuditChain, AuditEntry, Forward
from accounts.rights import SYSTEM
from hosts.forwarding import errors, messages, sending, wires
from tests.engines.certificates import Authority
from tests.servers.receivers import Hook, Syslog, tls_server

pytestmark = [pytest.mark.core, pytest.mark.django_db]
SECRET = "canary-of-a-webhook-4711"


@pytest.fixture
def authority() -> Authority:
    return Authority()


@pytest.fixture(params=["udp", "tcp", "tls"])
def syslog(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> Iterator[Syslog]:
    receiver = Syslog(request.param, tls_server(authority, tmp_path) if request.param == "tls" else None)
    yield receiver
    receiver.stop()


@pytest.fixture
def hook(authority: Authority, tmp_path: Path) -> Iterator[Hook]:
    receiver = Hook(tls_server(authority, tmp_path))
    yield receiver
    receiver.close()


def to(receiver: Syslog | Hook, authority: Authority, **more: Any) -> Forward:
    """A target as an administrator stores it."""
    kind = receiver.kind if isinstance(receiver, Syslog) else "webhook"
    row: dict[str, Any] = {"name": "siem", "kind": kind, "address": receiver.address, "inside": True}
    return Forward.objects.create(**row | {"ca": authority.ca, "secret": SECRET} | more)


def written(n: int, name: str = "web") -> list[int]:
    """So many entries; their numbers."""
    return [record(SYSTEM, "container.stop", f"{name}-{i}", host="quay").number or 0 for i in range(n)]


def arrived(receiver: Syslog | Hook, count: int) -> list[int]:
    """Datagrams take a moment."""
    end = time.monotonic() + 5
    while len(receiver.numbers) < count and time.monotonic() < end:
        time.sleep(0.02)
    return receiver.numbers


# ---------------------------------------------------------------- syslog
def test_each_entry_is_a_message_of_rfc_5424_in_order(syslog: Syslog, authority: Authority) -> None:
    forward = to(syslog, authority)
    numbers = written(7) + [record(SYSTEM, "login", "vera\n<b>", outcome="refused").number or 0]
    assert sending.due() == [forward.pk]
    assert sending.forward(forward.pk) == 8
    assert arrived(syslog, 8) == numbers
    assert syslog.messages[0].startswith(b"<110>1 ") and syslog.messages[-1].startswith(b"<108>1 ")
    last = AuditEntry.objects.latest("number")
    assert syslog.entries[-1]["target"] == "vera\n<b>" and syslog.entries[-1]["digest"] == last.digest
    forward.refresh_from_db()
    assert (forward.sent, forward.behind, forward.failures, forward.lease) == (numbers[-1], 0, 0, "")
    assert forward.sent_at is not None and sending.due() == []


def test_what_was_written_while_it_was_away_comes_in_order_without_a_gap(syslog: Syslog, authority: Authority) -> None:
    forward = to(syslog, authority)
    first = written(3)
    sending.forward(forward.pk)
    syslog.stop()
    second = written(120)
    assert sending.forward(forward.pk) == 0
    forward.refresh_from_db()
    assert forward.sent == first[-1] and forward.behind == 120
    assert "cannot be reached" in forward.error and syslog.address in forward.error
    assert sending.due() == []  # it waits
    waits = []
    for _ in range(3):
        assert forward.retry_at is not None
        waits.append((forward.retry_at - timezone.now()).total_seconds())
        sending.forward(forward.pk)
        forward.refresh_from_db()
    assert waits == sorted(waits) and waits[-1] > 3 * waits[0] and forward.failures == 4
    syslog.start()
    Forward.objects.update(retry_at=timezone.now())
    assert sending.due() == [forward.pk]
    assert sending.forward(forward.pk) == 120
    # of datagrams that were sent before it was known that nobody listens, none arrived
    assert arrived(syslog, 123) == first + second
    forward.refresh_from_db()
    assert (forward.error, forward.failures, forward.retry_at) == ("", 0, None)


@pytest.mark.parametrize("kind", ["tcp", "tls"])
def test_what_a_receiver_broke_off_in_is_sent_again(kind: str, authority: Authority, tmp_path: Path) -> None:
    syslog = Syslog(kind, tls_server(authority, tmp_path) if kind == "tls" else None)
    forward, numbers = to(syslog, authority), written(10)
    syslog.break_after = 4
    assert sending.forward(forward.pk) == 0
    syslog.break_after = None
    assert sending.forward(forward.pk) == 10
    assert syslog.numbers[-10:] == numbers  # some twice, none missing
    syslog.stop()


def test_a_certificate_of_another_ca_is_refused(authority: Authority, tmp_path: Path) -> None:
    syslog = Syslog("tls", tls_server(authority, tmp_path))
    forward = to(syslog, Authority("another"))
    written(1)
    assert sending.forward(forward.pk) == 0
    forward.refresh_from_db()
    assert "is not trusted" in forward.error and syslog.messages == []
    syslog.stop()


def test_a_receiver_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:  # the machine takes it, and nobody reads
        target = wires.Target("tcp", f"127.0.0.1:{server.getsockname()[1]}", inside=True)
        began = time.monotonic()
        with pytest.raises(errors.Slow):
            wires.send_syslog(target, [b"a"], seconds=0.5)
        assert time.monotonic() - began < 3


def test_a_long_entry_is_cut_and_says_so(authority: Authority) -> None:
    entry = record(SYSTEM, "image.remove", "x" * 255, detail={"names": ["y" * 100] * 500})
    message = messages.syslog(entry)
    assert len(message) <= messages.MESSAGE_AT_MOST
    assert json.loads(message.split(b"] ", 1)[1])["detail"]["left_out_bytes"] > 50_000


# ---------------------------------------------------------------- a webhook
def test_a_webhook_gets_signed_batches(hook: Hook, authority: Authority) -> None:
    forward, numbers = to(hook, authority), written(450)
    assert sending.forward(forward.pk) == 450
    assert hook.numbers == numbers and len(hook.got) == 3
    for headers, body in hook.got:
        told = f"{headers['X-Dermaga-Timestamp']}.".encode() + body
        expected = hmac.new(SECRET.encode(), told, "sha256").hexdigest()
        assert headers["X-Dermaga-Signature"] == f"sha256={expected}"
        assert abs(int(headers["X-Dermaga-Timestamp"]) - time.time()) < 60
        assert SECRET not in str(headers) and SECRET.encode() not in body


def test_large_entries_make_smaller_batches(hook: Hook, authority: Authority) -> None:
    forward = to(hook, authority)
    for n in range(5):
        record(SYSTEM, "image.remove", str(n), detail={"names": ["y" * 1000] * 400})
    assert sending.forward(forward.pk) == 5
    assert len(hook.got) == 3 and all(len(body) < sending.BYTES_AT_MOST for _headers, body in hook.got)


def test_an_error_is_no_receipt(hook: Hook, authority: Authority) -> None:
    forward, numbers = to(hook, authority), written(3)
    hook.answers(500)
    assert sending.forward(forward.pk) == 0
    forward.refresh_from_db()
    assert "answered HTTP 500" in forward.error and (forward.sent, forward.failures) == (0, 1)
    hook.say = None
    assert sending.forward(forward.pk) == 3
    assert hook.numbers == numbers


def test_a_redirect_is_not_followed(hook: Hook, authority: Authority, tmp_path: Path) -> None:
    elsewhere = Hook(tls_server(authority, tmp_path / "elsewhere"))
    for status in (301, 302, 303, 307, 308):
        hook.answers(status, Location=elsewhere.address)
        forward = to(hook, authority, name=f"siem-{status}")
        written(1)
        assert sending.forward(forward.pk) == 0
        forward.refresh_from_db()
        assert "redirects elsewhere" in forward.error and "/…" in forward.error
    assert (elsewhere.asked, hook.asked) == (0, 5)
    elsewhere.close()


def test_one_that_drips_is_given_up(hook: Hook, authority: Authority) -> None:
    hook.drips()
    target = sending.target_of(to(hook, authority))
    began = time.monotonic()
    with pytest.raises(errors.Slow):
        wires.send_webhook(target, b"{}", seconds=0.7)
    assert time.monotonic() - began < 3


# ---------------------------------------------------------------- who sends, and from where
def test_one_process_at_a_time_sends_and_a_dead_ones_turn_ends(hook: Hook, authority: Authority) -> None:
    forward, numbers = to(hook, authority), written(2)
    soon = timezone.now() + timedelta(seconds=30)
    Forward.objects.update(lease="another process", lease_until=soon)
    assert sending.due() == [] and sending.forward(forward.pk) == 0 and hook.got == []
    Forward.objects.update(lease_until=timezone.now() - timedelta(seconds=1))  # it was killed
    assert sending.due() == [forward.pk] and sending.forward(forward.pk) == 2
    assert hook.numbers == numbers


def test_one_that_is_off_gets_nothing_and_goes_on_where_it_was(hook: Hook, authority: Authority) -> None:
    forward, numbers = to(hook, authority, enabled=False), written(2)
    assert sending.due() == [] and sending.forward(forward.pk) == 0
    Forward.objects.update(enabled=True)
    assert sending.forward(forward.pk) == 2 and hook.numbers == numbers


def test_what_a_target_has_not_got_is_not_forgotten(authority: Authority, hook: Hook, settings: Any) -> None:
    forward = to(hook, authority)
    settings.AUDIT_KEPT_DAYS = 30
    before, old = "", timezone.now() - timedelta(days=31)
    written(6)
    for entry in AuditEntry.objects.order_by("number"):
        entry.time, entry.digest = old, ""
        entry.digest = before = chain.digest(before, entry)
        entry.save()
    AuditChain.objects.update(digest=before)
    assert audit.forget_old() == 0
    Forward.objects.update(sent=4)
    assert audit.forget_old() == 4
    sending.forward(forward.pk)
    assert hook.numbers[:2] == [5, 6]
    assert audit.forget_old() == 2
    assert list(chain.faults()) == []


@pytest.mark.parametrize("kind", ["udp", "tcp", "tls", "webhook"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "10.0.0.5", "[::1]", "169.254.169.254", "[fd00:ec2::254]"])
def test_an_address_inside_is_for_who_manages_all_hosts(kind: str, host: str) -> None:
    address = f"https://{host}:9/in" if kind == "webhook" else f"{host}:9"
    target = wires.Target(kind, address, secret=SECRET)
    send: Any = wires.send_webhook if kind == "webhook" else wires.send_syslog
    with pytest.raises((errors.InsideAddress, errors.ForbiddenAddress)):
        send(target, b"{}" if kind == "webhook" else [b"a"])
    if host.startswith(("169", "[fd00")):  # metadata services: for nobody
        with pytest.raises(errors.ForbiddenAddress):
            send(wires.Target(kind, address, secret=SECRET, inside=True), b"{}" if kind == "webhook" else [b"a"])
