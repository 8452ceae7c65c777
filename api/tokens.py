"""API tokens over REST: one's own, and everybody's for who manages users."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from ninja import Schema
from pydantic import Field

from accounts import own, tokens
from accounts.models import ApiToken
from accounts.rights import Right
from api.auth import needs
from api.sessions import router


class TokenIn(Schema):
    """`scope`: rights by name, `hosts` by name, `teams` by name for what they own alone, each null for all of the account;
    `networks` like 10.8.0.0/16; `expires` null for never."""

    name: str
    scope: list[str] | None = None
    hosts: list[str] | None = Field(None, max_length=1000)
    teams: list[str] | None = Field(None, max_length=1000)
    networks: list[str] = []
    expires: datetime | None = None


def show(token: ApiToken) -> dict[str, Any]:
    """A token as JSON; what it is itself is shown once, when it is made."""
    return {
        "id": token.pk,
        "name": token.name,
        "scope": token.scope,
        "hosts": token.hosts,
        "teams": token.teams,
        "networks": token.networks,
        "expires": token.expires,
        "created": token.created,
        "last_used": token.last_used,
        "last_address": token.last_address,
    }


@router.get("/{user}/tokens", response=dict)
@needs(Right.LOGIN)
def token_list(request: HttpRequest, user: str) -> Any:
    """The account's API tokens by name."""
    rows = [show(row) for row in tokens.of(own.person_named(request.user, user))]
    return {"items": rows, "count": len(rows)}


@router.post("/{user}/tokens", response={201: dict})
@needs(Right.LOGIN)
def token_make(request: HttpRequest, user: str, body: TokenIn) -> Any:
    """Makes one; `token` in the answer is shown this once. A token with limits of its own makes no others."""
    person = own.person_named(request.user, user)
    limits = body.dict(exclude={"name"})
    if limits["expires"] and limits["expires"].tzinfo is None:
        limits["expires"] = limits["expires"].replace(tzinfo=UTC)
    made = tokens.make(request.user, person, body.name, **limits)  # type: ignore[arg-type]
    return 201, show(ApiToken.objects.get(digest=ApiToken.hash(made))) | {"token": made}


@router.delete("/{user}/tokens/{token}", response={204: None})
@needs(Right.LOGIN)
def token_remove(request: HttpRequest, user: str, token: int) -> Any:
    """Nobody is let in by it any more, and its sockets close within seconds."""
    person = own.person_named(request.user, user)
    tokens.remove(request.user, tokens.get(person, token))  # type: ignore[arg-type]
    return 204, None
