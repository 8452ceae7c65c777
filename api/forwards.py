"""Targets of the audit over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.models import Forward
from accounts.rights import Right
from api.auth import needs
from api.bodies import changes_in, valid
from api.lists import Limit, Many, Offset, many
from hosts import filters
from hosts.access import get_forward
from hosts.actions.system import forwards
from hosts.forms.forwards import FIELDS, ForwardForm

router = Router(tags=["audit"])


class ForwardIn(Schema):
    """`kind` udp, tcp or tls with `address` host:port, or webhook with an https:// address and the `secret` that signs what
    is sent; `ca` is PEM text."""

    name: str
    kind: str
    address: str
    ca: str = ""
    secret: str = ""
    enabled: bool = True
    everything: bool = Field(False, description="send also what the audit has already")


class ForwardChange(Schema):
    """What is to change; what is left out stays."""

    name: str | None = None
    kind: str | None = None
    address: str | None = None
    ca: str | None = None
    secret: str | None = None
    enabled: bool | None = None


def show(forward: Forward) -> dict[str, Any]:
    """A target as JSON, with how far it got; never its secret."""
    return {
        "name": forward.name,
        "kind": forward.kind,
        "address": forward.address,
        "ca": forward.ca,
        "enabled": forward.enabled,
        "sent": forward.sent,
        "sent_at": forward.sent_at,
        "behind": forward.behind,
        "failures": forward.failures,
        "retry_at": forward.retry_at,
        "error": forward.error,
    }


@router.get("", response=Many)
@needs(Right.USERS_MANAGE)
def forward_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All targets, with how far each got: `sent` is the number of the newest entry that it has."""
    rows, _ = filters.FORWARDS.ordered(filters.FORWARDS.narrow(Forward.objects.all(), request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("", response={201: dict})
@needs(Right.USERS_MANAGE)
def forward_create(request: HttpRequest, body: ForwardIn) -> Any:
    """Adds a target: what is written to the audit from now on is sent to it."""
    form = valid(ForwardForm(body.dict()))
    return 201, show(forwards.add(request.user, form.fill(Forward()), everything=form.cleaned_data["everything"]))


@router.get("/{forward}", response=dict)
@needs(Right.USERS_MANAGE)
def forward_get(request: HttpRequest, forward: str) -> Any:
    """One target."""
    return show(get_forward(request.user, forward))


@router.patch("/{forward}", response=dict)
@needs(Right.USERS_MANAGE)
def forward_change(request: HttpRequest, forward: str, body: ForwardChange) -> Any:
    """Changes it, and tries at once. It goes on from where it has got to."""
    found = get_forward(request.user, forward)
    form = valid(ForwardForm({name: getattr(found, name) for name in FIELDS} | changes_in(body), forward=found))
    return show(forwards.change(request.user, form.fill(found)))


@router.delete("/{forward}", response={204: None})
@needs(Right.USERS_MANAGE)
def forward_remove(request: HttpRequest, forward: str) -> Any:
    """Sends nothing to it any more."""
    forwards.remove(request.user, get_forward(request.user, forward))
    return 204, None


@router.post("/{forward}/check", response=dict)
@needs(Right.USERS_MANAGE)
def forward_check(request: HttpRequest, forward: str) -> Any:
    """Sends it a word that is no entry of the audit."""
    forwards.test(request.user, get_forward(request.user, forward))
    return {"works": True}
