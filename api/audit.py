"""The audit over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.audit_views import ENTRIES
from accounts.models import AuditEntry
from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many

router = Router(tags=["audit"])


def show(entry: AuditEntry) -> dict[str, Any]:
    """An entry as JSON."""
    return {
        "number": entry.number,
        "time": entry.time,
        "actor": entry.actor_name,
        "action": entry.action,
        "host": entry.host,
        "target": entry.target,
        "outcome": entry.outcome,
        "address": entry.address,
        "via": entry.via,
        "detail": entry.detail,
        "digest": entry.digest,
    }


@router.get("", response=Many)
@needs(Right.AUDIT_READ)
def audit_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All that was done, newest first; the same filters as the page: search, actor, action, host, outcome, address,
    from, to (RFC 3339, or seconds since 1970)."""
    rows, _ = ENTRIES.ordered(ENTRIES.narrow(AuditEntry.objects.all(), request.GET), sort)
    return many(rows, limit, offset, show)
