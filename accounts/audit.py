"""Writes the audit."""

from typing import Any

from accounts.models import AuditEntry, User
from accounts.rights import System


def record(
    actor: User | System | None,
    action: str,
    target: str = "",
    *,
    host: str = "",
    outcome: str = "done",
    detail: dict[str, Any] | None = None,
) -> AuditEntry:
    """Adds an entry. `outcome` is "done", "refused", "failed" or "cancelled"; `actor` is None when the account is gone."""
    return AuditEntry.objects.create(
        actor=actor if isinstance(actor, User) else None,
        actor_name=actor.username if actor else "",
        action=action,
        host=host[:100],
        target=target[:255],
        outcome=outcome,
        detail=detail or {},
    )
