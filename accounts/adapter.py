"""What allauth asks us, and tells us for the audit."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.account.internal.stagekit import clear_login
from allauth.core.internal.ratelimit import truncate_ip
from allauth.mfa.models import Authenticator
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext

from accounts import identities
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

    def get_login_stages(self) -> list[str]:
        own = {"allauth.mfa.stages.AuthenticateStage": "accounts.stages.AuthenticateStage"}
        return [own.get(stage, stage) for stage in super().get_login_stages()]

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        if not user.has_usable_password() and identities.in_directory(user):  # their password is there
            told = {"description": gettext("Use your password"), "url": reverse("account_reauthenticate")}
            methods.insert(0, {"id": "reauthenticate", **told})
        return methods

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        if user.is_service:  # whatever it had to log in by before it became one
            clear_login(request)
            return self.respond_user_inactive(request, user)
        return super().pre_login(request, user, **kwargs)

    def login(self, request: HttpRequest, user: User) -> None:
        ways = get_authentication_records(request, user)
        super().login(request, user)
        record(user, "login", user.username, detail=_said(ways))

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


def _said(ways: list[dict[str, Any]]) -> dict[str, Any]:
    """What somebody logged in by: `by`, the ways one after the other, and the name of a passkey."""
    said: dict[str, Any] = {"by": [way.get("type") or way.get("method") for way in ways]}
    passkeys = [way["id"] for way in ways if way.get("type") == Authenticator.Type.WEBAUTHN]
    if used := Authenticator.objects.filter(pk__in=passkeys).first():
        said["passkey"] = used.wrap().name
    return said


def display_name(user: User) -> str:
    """How a user is called on pages."""
    return user.username
