"""To an OpenID provider and back: a login, and the link of one's own account. And links as administrators make them."""

from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from allauth.account.decorators import reauthentication_required
from allauth.account.internal.flows.login import perform_login, record_authentication
from allauth.account.models import Login
from allauth.account.utils import get_next_redirect_url
from allauth.decorators import rate_limit
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts import identities, oidc
from accounts.audit import record
from accounts.guard import guard
from accounts.models import User
from accounts.not_let_in import NotLetIn
from accounts.rights import Right
from common.errors import DermagaError, NotFound

View = Callable[..., HttpResponse]


def _configured(view: View) -> View:
    """Where there is no provider, there is no such page."""

    @wraps(view)
    def viewed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not settings.OIDC_ISSUER:
            raise NotFound
        return view(request, *args, **kwargs)

    return viewed


@guard(Right.PUBLIC)
@require_POST
@rate_limit(action="login")
@_configured
def provider_login(request: HttpRequest) -> HttpResponse:
    """A login begins."""
    after = get_next_redirect_url(request)
    if request.user.is_authenticated:
        return redirect(after or "overview")
    return _go(request, "login", after)


@guard(Right.LOGIN)
@require_POST
@_configured
@reauthentication_required(app="allauth.mfa")
def provider_link(request: HttpRequest) -> HttpResponse:
    """One's own account is linked."""
    return _go(request, "link", reverse("mfa_index"))


def _go(request: HttpRequest, process: str, after: str | None) -> HttpResponse:
    """By a page of our own: the policy of forms lets none end at another place, not even by a redirect."""
    try:
        to = oidc.begin(request, process, after)
    except NotLetIn as error:
        return _refused(request, error, process, after)
    return render(request, "account/provider.html", {"to": to, "name": settings.OIDC_NAME})


@guard(Right.PUBLIC)
@require_GET
@never_cache
@rate_limit(action="login")
@_configured
def provider_back(request: HttpRequest) -> HttpResponse:
    """From there, with a code."""
    process, after = "login", None
    try:
        state = oidc.state_of(request)
        process, after = state["process"], state["next"]
        claims = oidc.claims_of(request, state)
        if process == "link":
            return _linked(request, state, claims)
        user = identities.enter(claims)
    except DermagaError as error:
        return _refused(request, error, process, after)
    if request.user.is_authenticated:  # meanwhile, in another tab
        return redirect(after or "overview")
    record_authentication(request, user, "provider", uid=claims["sub"])
    response = perform_login(request, Login(user=user, redirect_url=after))
    request.session.set_expiry(0)
    return response


def _linked(request: HttpRequest, state: dict[str, Any], claims: dict[str, Any]) -> HttpResponse:
    if not isinstance(request.user, User) or request.user.pk != state["user"]:
        raise oidc.refusal(oidc.NOT_BEGUN, "begun by another account")
    identities.link(request.user, request.user, claims["sub"])
    messages.success(request, _("%(name)s logs you in from now on.") % {"name": settings.OIDC_NAME})
    return redirect("mfa_index")


def _refused(request: HttpRequest, error: DermagaError, process: str, after: str | None) -> HttpResponse:
    actor = request.user if isinstance(request.user, User) else None
    action = "login.link" if process == "link" else "login"
    record(actor, action, outcome="refused", detail={"kind": "provider", "why": getattr(error, "why", str(error))})
    messages.error(request, str(error))
    if actor:
        return redirect("mfa_index")
    return redirect(f"{reverse('account_login')}?{urlencode({'next': after})}" if after else "account_login")


@guard(Right.LOGIN)
@require_POST
@_configured
@reauthentication_required(app="allauth.mfa")
def provider_unlink(request: HttpRequest) -> HttpResponse:
    """One's own account is linked no more."""
    return _told(request, request.user, lambda user: identities.unlink(user, user), "mfa_index")


# ---------------------------------------------------------------- administrators
@guard(Right.USERS_MANAGE)
@require_POST
@_configured
def user_provider_link(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody's account is linked."""
    subject = request.POST.get("subject", "")
    user = get_object_or_404(User, pk=pk)
    return _told(request, user, lambda user: identities.link(request.user, user, subject), "user_edit", pk)  # type: ignore[arg-type]


@guard(Right.USERS_MANAGE)
@require_POST
@_configured
def user_provider_unlink(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody's account is linked no more."""
    user = get_object_or_404(User, pk=pk)
    return _told(request, user, lambda user: identities.unlink(request.user, user), "user_edit", pk)  # type: ignore[arg-type]


def _told(request: HttpRequest, user: Any, act: Callable[[Any], None], to: str, *args: Any) -> HttpResponse:
    try:
        act(user)
        messages.success(request, _("Stored %(name)s.") % {"name": user.username})
    except DermagaError as error:
        messages.error(request, str(error))
    return redirect(to, *args)
