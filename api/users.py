"""Accounts over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts import people, second_factor
from accounts.models import User
from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from common.errors import NotFound

router = Router(tags=["users"])


NAMES = {"name": "username", "active": "is_active", "service": "is_service"}  # body -> row


class UserIn(Schema):
    """`role` is admin, operator or viewer. A `service` account has no password, only API tokens."""

    name: str
    role: str = "viewer"
    email: str = ""
    password: str = ""
    active: bool = True
    service: bool = False


class UserChange(Schema):
    """What is to change; what is left out stays."""

    name: str | None = None
    role: str | None = None
    email: str | None = None
    password: str | None = None
    active: bool | None = None
    service: bool | None = None


def show(user: User) -> dict[str, Any]:
    """An account as JSON."""
    return {
        "name": user.username,
        "role": user.role,
        "email": user.email,
        "active": user.is_active,
        "service": user.is_service,
        "second_factor": user.has_second_factor,  # type: ignore[attr-defined]
        "last_login": user.last_login,
    }


@router.get("", response=Many)
@needs(Right.USERS_MANAGE)
def user_list(request: HttpRequest, limit: int = Limit, offset: int = Offset) -> Any:
    """All accounts by name."""
    return many(second_factor.with_knowledge(User.objects.order_by("username")), limit, offset, show)


@router.get("/{user}", response=dict)
@needs(Right.USERS_MANAGE)
def user_get(request: HttpRequest, user: str) -> Any:
    """One account."""
    return show(_named(user))


@router.post("", response={201: dict})
@needs(Right.USERS_MANAGE)
def user_add(request: HttpRequest, body: UserIn) -> Any:
    """Makes one; a service account without `password`."""
    stored = people.add(request.user, *_values(body))  # type: ignore[arg-type]
    return 201, show(_named(stored.username))


@router.patch("/{user}", response=dict)
@needs(Right.USERS_MANAGE)
def user_change(request: HttpRequest, user: str, body: UserChange) -> Any:
    """Changes what is given. A new password and a closed account log the person out."""
    stored = people.change(request.user, _named(user), *_values(body))  # type: ignore[arg-type]
    return show(_named(stored.username))


@router.delete("/{user}", response={204: None})
@needs(Right.USERS_MANAGE)
def user_remove(request: HttpRequest, user: str) -> Any:
    """Removes it with its API tokens; the last administrator and oneself stay."""
    people.remove(request.user, _named(user))  # type: ignore[arg-type]
    return 204, None


def _values(body: Schema) -> tuple[dict[str, Any], str]:
    """What accounts.people takes of a body."""
    told = body.dict(exclude_none=True)
    password = told.pop("password", "")
    return {NAMES.get(name, name): value for name, value in told.items()}, password


@router.post("/{user}/second-factor/remove", response=dict)
@needs(Right.USERS_MANAGE)
def user_second_factor_remove(request: HttpRequest, user: str) -> Any:
    """Takes second factor and recovery codes away from somebody who lost them: the password alone logs in."""
    second_factor.remove(request.user, _named(user))
    return show(_named(user))


def _named(name: str) -> User:
    found = second_factor.with_knowledge(User.objects.filter(username=name)).first()
    if found is None:
        raise NotFound
    return found
