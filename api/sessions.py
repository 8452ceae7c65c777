"""Sessions of browsers over REST: one's own, and everybody's for who manages users."""

from typing import Any

from allauth.usersessions.models import UserSession
from django.http import HttpRequest
from ninja import Router

from accounts import own, sessions
from accounts.rights import Right
from api.auth import needs

router = Router(tags=["users"])


def show(session: UserSession, this: str | None) -> dict[str, Any]:
    """A session as JSON."""
    return {
        "id": session.pk,
        "client": sessions.client_of(session.user_agent),
        "user_agent": session.user_agent,
        "address": session.ip,
        "begun": session.created_at,
        "last_used": session.last_seen_at,
        "current": session.session_key == this,
    }


@router.get("/{user}/sessions", response=dict)
@needs(Right.LOGIN)
def session_list(request: HttpRequest, user: str) -> Any:
    """Where the account is logged in; the session that was used last first."""
    rows = [show(row, request.session.session_key) for row in sessions.of(own.person_named(request.user, user))]
    return {"items": rows, "count": len(rows)}


@router.post("/{user}/sessions/end", response=dict)
@needs(Right.LOGIN)
def session_end_all(request: HttpRequest, user: str) -> Any:
    """Ends all sessions of the account but the one that asks."""
    person = own.person_named(request.user, user)
    return {"ended": sessions.end_all(request.user, person, keep=request.session.session_key)}  # type: ignore[arg-type]


@router.delete("/{user}/sessions/{session}", response={204: None})
@needs(Right.LOGIN)
def session_end(request: HttpRequest, user: str, session: int) -> Any:
    """Ends one: that browser has to log in again, and its sockets close within seconds."""
    sessions.end(request.user, sessions.get(own.person_named(request.user, user), session))  # type: ignore[arg-type]
    return 204, None
