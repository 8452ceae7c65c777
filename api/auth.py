"""Who calls the API: a bearer token, or the browser's session; and the right that each operation demands."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja.security import HttpBearer, SessionAuth

from accounts import tokens
from accounts.rights import Right, allows
from common.errors import Denied


class SecondFactorMissing(Denied):
    """The role needs one: until it is set up, a session opens nothing."""

    code = "second_factor_required"
    template = gettext_noop("Your role needs a second factor. Set it up in the browser first.")


class Token(HttpBearer):
    """`Authorization: Bearer TOKEN`."""

    def authenticate(self, request: HttpRequest, token: str) -> Any:
        request.user = user = tokens.let_in(token)  # raises TokenRefused
        return user


class Session(SessionAuth):
    """The browser's session (with its CSRF token)."""

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        return request.user if request.user.is_authenticated and request.user.is_active else None


def needs(right: Right) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Marks an operation with its rule and checks it."""

    def mark(operation: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(operation)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if getattr(request.user, "lacks_second_factor", False):
                raise SecondFactorMissing
            if not allows(request.user, right):
                raise Denied
            return operation(request, *args, **kwargs)

        checked.rule = right  # type: ignore[attr-defined]
        return checked

    return mark
