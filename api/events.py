"""What the engines reported, over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.models import Event

router = Router(tags=["events"])


def show(event: Event) -> dict[str, Any]:
    """An event as JSON."""
    return {
        "time": event.time,
        "host": event.host.name,
        "kind": event.kind,
        "action": event.action,
        "id": event.actor_id,
        "name": event.actor_name,
        "data": event.data,
    }


@router.get("", response=Many)
@needs(Right.EVENTS_VIEW)
def event_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All events that are kept, newest first; the same filters as the page: search, host, kind, action, name, from, to
    (RFC 3339, or seconds since 1970)."""
    rows = Event.objects.visible_to(request.user).select_related("host")
    rows, _ = filters.EVENTS.ordered(filters.EVENTS.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)
