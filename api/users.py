"""Accounts over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from accounts import second_factor
from accounts.models import User
from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from common.errors import NotFound

router = Router(tags=["users"])


def show(user: User) -> dict[str, Any]:
    """An account as JSON."""
    return {
        "name": user.username,
        "role": user.role,
        "active": user.is_active,
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
