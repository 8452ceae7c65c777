"""Invitations over REST."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from ninja import Router, Schema

from accounts import links
from accounts.models import OneTimeLink
from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many

router = Router(tags=["users"])


class InvitationIn(Schema):
    """As what, and for how many days."""

    role: str
    days: int = 7


def show(link: OneTimeLink) -> dict[str, Any]:
    """An invitation as JSON; its link is shown once, when it is made."""
    by = link.by.username if link.by else "system"
    return {"id": link.pk, "role": link.role, "by": by, "created": link.created, "expires": link.expires}


@router.get("", response=Many)
@needs(Right.USERS_MANAGE)
def invitation_list(request: HttpRequest, limit: int = Limit, offset: int = Offset) -> Any:
    """Those that nobody has used yet, the newest first."""
    return many(links.invitations(), limit, offset, show)


@router.post("", response={201: dict})
@needs(Right.USERS_MANAGE)
def invitation_make(request: HttpRequest, body: InvitationIn) -> Any:
    """Makes one; whoever has its `link`, which is shown this once, makes an account of that role by it, once."""
    made, secret = links.invite(request.user, body.role, body.days)  # type: ignore[arg-type]
    return 201, show(made) | {"link": request.build_absolute_uri(reverse("join", args=[secret]))}


@router.delete("/{invitation}", response={204: None})
@needs(Right.USERS_MANAGE)
def invitation_take_back(request: HttpRequest, invitation: int) -> Any:
    """Nobody joins by it any more."""
    links.take_back(request.user, invitation)  # type: ignore[arg-type]
    return 204, None
