"""Writes the audit, and forgets what was kept for long enough."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import chain, origin
from accounts.models import AuditChain, AuditEntry, Forward, User
from accounts.rights import SYSTEM, System

CHUNK = 5000  # entries that are forgotten in one transaction


def record(
    actor: User | System | None,
    action: str,
    target: str = "",
    *,
    host: str = "",
    outcome: str = "done",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Adds an entry. `outcome` is "done", "refused", "failed" or "cancelled"; `actor` is None when the account is gone.
    In a transaction this comes last: until its end nobody else can add one."""
    came = origin.current()
    came.entries += 1
    if isinstance(actor, User) and actor.looker:  # who looks through others' eyes answers for it
        actor, came.via = actor.looker, f"eyes of {actor.username}"
    entry = AuditEntry(
        actor=actor if isinstance(actor, User) else None,
        actor_name=actor.username if actor else "",
        action=action,
        host=_text(host, 100),
        target=_text(target, 255),
        outcome=outcome,
        detail=chain.plain(detail or {}),
        address=came.address,
        via=_text(came.via, 150),
    )
    with transaction.atomic():
        end = _next()
        entry.number = end.number
        entry.time = timezone.now()
        entry.digest = chain.digest(end.digest, entry)
        entry.save(force_insert=True)
        AuditChain.objects.filter(pk=end.pk).update(digest=entry.digest)
    return entry


def _text(value: str, at_most: int) -> str:
    return value.replace("\0", "")[:at_most]


def _next() -> AuditChain:
    """The chain with the number of the next entry; the update keeps others waiting until the transaction ends."""
    if not AuditChain.objects.filter(pk=1).update(number=F("number") + 1):
        AuditChain.objects.bulk_create([AuditChain(pk=1)], ignore_conflicts=True)
        AuditChain.objects.filter(pk=1).update(number=F("number") + 1)
    return AuditChain.objects.get(pk=1)


def forget_old() -> int:
    """Removes entries older than AUDIT_KEPT_DAYS (0: none) that all targets of forwarding have, and says so in the audit;
    returns how many."""
    if not settings.AUDIT_KEPT_DAYS:
        return 0
    before = timezone.now() - timedelta(days=settings.AUDIT_KEPT_DAYS)
    newer = AuditEntry.objects.filter(time__gte=before).order_by("number").values_list("number", flat=True).first()
    removed = 0
    while (some := _forget(newer)) > 0:
        removed += some
    return removed


def _forget(newer: int | None) -> int:
    """Removes the oldest entries below the number `newer`, CHUNK at most; how many."""
    with transaction.atomic():
        ends = AuditChain.objects.select_for_update().filter(pk=1).first()
        if ends is None:
            return 0
        through = min((newer or ends.number + 1) - 1, ends.kept_after + CHUNK)
        if (sent := Forward.oldest_sent()) is not None:
            through = min(through, sent)
        old = AuditEntry.objects.filter(number__gt=ends.kept_after, number__lte=through)
        last = old.order_by("-number").first()
        if last is None:
            return 0
        removed, _ = AuditEntry.objects.filter(number__lte=through).delete()
        AuditChain.objects.filter(pk=1).update(kept_after=last.number, kept_after_digest=last.digest)
        detail = {
            "entries": removed,
            "through": last.number,
            "digest": last.digest,
            "older_than": last.time.isoformat(),
        }
        record(SYSTEM, "audit.forget", f"{ends.kept_after + 1}-{last.number}", detail=detail)
    return removed
