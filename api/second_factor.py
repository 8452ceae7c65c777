"""For which roles a second factor is required, over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from accounts import second_factor
from accounts.rights import Right
from api.auth import needs

router = Router(tags=["users"])


class Duty(Schema):
    """The names of the roles."""

    roles: list[str]


@router.get("", response=Duty)
@needs(Right.USERS_MANAGE)
def duty_get(request: HttpRequest) -> Any:
    """For which roles it is required."""
    return {"roles": second_factor.roles()}


@router.put("", response=Duty)
@needs(Right.USERS_MANAGE)
def duty_put(request: HttpRequest, body: Duty) -> Any:
    """Who has one of these roles and no second factor can do nothing but set it up. API tokens are not affected."""
    second_factor.require_for(request.user, body.roles)  # type: ignore[arg-type]
    return {"roles": second_factor.roles()}
