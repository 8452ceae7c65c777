"""What allauth asks us, and tells us for the audit."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core.internal.ratelimit import truncate_ip
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.audit import record
from accounts.models import User

NOWHERE = "0.0.0.0"  # the address of who has none


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by administrators, never by signing up. Who logs in and out is in the audit."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        try:
            return super().get_client_ip(request)
        except PermissionDenied:  # behind a UNIX socket nobody has one
            return NOWHERE

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Who guesses from one address does not keep the right person out, who comes from another."""
        name = credentials.get("username", "").lower()
        return f"{truncate_ip(self.get_client_ip(request))}:{name}"

    def login(self, request: HttpRequest, user: User) -> None:
        super().login(request, user)
        record(user, "login", user.username)

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            record(request.user, "logout", request.user.username)
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        # a name that nobody has may be a password that somebody typed into the wrong field
        tried = User.objects.filter(username=credentials.get("username", "")).first()
        record(None, "login", tried.username if tried else "", outcome="refused")

    def set_password(self, user: User, password: str) -> None:
        super().set_password(user, password)
        record(user, "user.password", user.username)


def display_name(user: User) -> str:
    """How a user is called on pages."""
    return user.username
