"""Sends the audit to its targets: in order, from where each has got to, at least once. How far it got is in the database, so
nothing is lost when a target is away or a process is killed; what was sent and not noted is sent again."""

import secrets
from datetime import timedelta
from typing import Any

import structlog
from django.db.models import F, Q
from django.utils import timezone

from accounts.models import AuditChain, AuditEntry, Forward
from common.secrets import Undecipherable
from hosts.engine.errors import EngineError
from hosts.forwarding import messages, wires
from hosts.forwarding.errors import ForwardError

ENTRIES_AT_MOST = {"udp": 50, "tcp": 500, "tls": 500, "webhook": 200}  # in a batch; datagrams overrun who is slow
BYTES_AT_MOST = 1024 * 1024  # of a batch
BATCHES_AT_MOST = 20  # before somebody else has their turn
LEASE = timedelta(seconds=60)  # longer than a batch can take
WAIT_AT_MOST = 300  # seconds

log = structlog.get_logger("dermaga.forwarding")


def target_of(forward: Forward) -> wires.Target:
    """How it is reached."""
    return wires.Target(forward.kind, forward.address, forward.ca, forward.secret, forward.inside)


def due() -> list[int]:
    """Keys of the targets that something is to be sent to now, and that nobody sends to."""
    now = timezone.now()
    newest = AuditChain.now().number
    rows = Forward.objects.filter(enabled=True, sent__lt=newest).filter(_is_free(now))
    return list(rows.filter(Q(retry_at=None) | Q(retry_at__lte=now)).values_list("pk", flat=True))


def _is_free(now: object) -> Q:
    return Q(lease_until=None) | Q(lease_until__lte=now)


def forward(pk: int) -> int:
    """Sends what one target has not got; how many entries it took. One process at a time does so, whoever is first."""
    me, now = secrets.token_hex(16), timezone.now()
    rows = Forward.objects.filter(pk=pk, enabled=True)
    if not rows.filter(_is_free(now)).update(lease=me, lease_until=now + LEASE):
        return 0
    mine, taken = rows.filter(lease=me), 0
    try:
        for _batch in range(BATCHES_AT_MOST):
            some = _send(mine)
            if not some:
                break
            taken += some
    finally:
        Forward.objects.filter(pk=pk, lease=me).update(lease="", lease_until=None)
    return taken


def _send(mine: Any) -> int:
    """One batch; how many entries."""
    try:
        found = mine.first()
        if found is None:
            return 0
        whole = AuditEntry.objects.filter(number__gt=found.sent, number__lte=AuditChain.now().number)
        entries = list(whole.order_by("number")[: ENTRIES_AT_MOST[found.kind]])
        if not entries:
            return 0
        told, count = messages.batch(entries, BYTES_AT_MOST)
        if found.kind == "webhook":
            wires.send_webhook(target_of(found), messages.body(told))
        else:
            wires.send_syslog(target_of(found), [messages.syslog(entry) for entry in entries[:count]])
    except (EngineError, Undecipherable) as error:
        _failed(mine, error if isinstance(error, EngineError) else ForwardError(error, where="?"))
        return 0
    now = timezone.now()
    # a target that was told to begin elsewhere meanwhile, or that another process took, is theirs
    moved = mine.filter(sent=found.sent, address=found.address).update(
        sent=entries[count - 1].number, sent_at=now, lease_until=now + LEASE,
        failures=0, retry_at=None, error_template="", error_params={}, error_detail="",
    )  # fmt: skip
    return count if moved else 0


def _failed(mine: Any, error: EngineError) -> None:
    failures = (mine.values_list("failures", flat=True).first() or 0) + 1
    wait = timedelta(seconds=min(WAIT_AT_MOST, 2 ** min(failures, 10)))
    mine.update(
        failures=F("failures") + 1,
        retry_at=timezone.now() + wait,
        error_template=error.template,
        error_params=error.params,
        error_detail=error.detail[:500],
    )
    log.warning("audit not forwarded", code=error.code, where=error.params.get("where"), failures=failures)


def try_out(target: wires.Target, name: str) -> None:
    """Sends a word that is no entry. Raises ForwardError."""
    if target.kind == "webhook":
        wires.send_webhook(target, messages.body([], test=name))
    else:
        wires.send_syslog(target, [messages.syslog_test(timezone.now().isoformat(), name)])
