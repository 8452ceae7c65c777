"""Writes the audit."""

from typing import Any

from accounts.models import AuditEntry, User


def record(
    actor: User | None,
    action: str,
    target: str = "",
    *,
    host: str = "",
    outcome: str = "done",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Adds an entry. `outcome` is "done", "refused", "failed" or "cancelled"; without an actor it was the system itself."""
    return AuditEntry.objects.create(
        actor=actor,
        actor_name=actor.username if actor else "system",
        action=action,
        host=host[:100],
        target=target[:255],
        outcome=outcome,
        detail=detail or {},
    )
