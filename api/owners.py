"""Whose objects of hosts are, over REST."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.rights import Right
from api.auth import needs
from hosts.access import GET_OWNED
from hosts.actions import owners
from hosts.models.base import Owned, Shared
from hosts.models.owners import shared_names
from hosts.owning import shareable

router = Router(tags=["teams"])
Noun = Literal["container", "image", "network", "volume"]


class OwnerIn(Schema):
    """The object `ref` of a host, and what is to be changed: its `team` ("" for nobody's), by who manages the host; the
    teams that it is `shared` with, all of them, by who manages the host or owns it. Containers are shared with nobody."""

    noun: Noun
    host: str
    ref: str = Field(description="name or id, as in the object's own routes")
    team: str | None = None
    shared: list[str] | None = Field(None, max_length=200)


def show(row: Owned) -> dict[str, Any]:
    """Whose it is, as JSON."""
    shared = shared_names(row) if isinstance(row, Shared) else []
    return {"name": str(row), "team": row.owner.name if row.owner else "", "shared": shared}


@router.get("", response=dict)
@needs(Right.HOSTS_VIEW)
def owner_get(request: HttpRequest, noun: Noun, host: str, ref: str) -> Any:
    """Whose an object is."""
    return show(GET_OWNED[noun](request.user, host, ref))


@router.put("", response=dict)
@needs(Right.HOSTS_VIEW)
def owner_set(request: HttpRequest, body: OwnerIn) -> Any:
    """Says whose it is, also when it is made anew, and with whom it is shared."""
    row: Owned = GET_OWNED[body.noun](request.user, body.host, body.ref)
    if body.team is not None:
        owners.set_owner(request.user, row, body.team)
    if body.shared is not None:
        owners.set_shared(request.user, shareable(row), body.shared)
    row.refresh_from_db()
    return show(row)
