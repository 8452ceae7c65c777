"""Pages of passkeys, where allauth's own lose the way back or what was wrong."""

from typing import Any
from urllib.parse import urlencode

from allauth.account.utils import get_next_redirect_url
from allauth.mfa.webauthn import views
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right


class LoginView(views.LoginWebAuthnView):
    """A passkey in place of name and password."""

    def form_valid(self, form: Any) -> HttpResponse:
        authenticator = form.cleaned_data["credential"]
        login = views.Login(user=authenticator.user, redirect_url=get_next_redirect_url(self.request))
        response = views.flows.perform_passwordless_login(self.request, authenticator, login)
        self.request.session.set_expiry(settings.SESSION_COOKIE_AGE if form.cleaned_data["remember"] else 0)
        return response

    def form_invalid(self, form: Any) -> HttpResponse:
        return _back(self.request, form, reverse("account_login"))


class ReauthenticateView(views.ReauthenticateWebAuthnView):
    """A passkey once more before something that matters."""

    def form_invalid(self, form: Any) -> HttpResponse:
        return _back(self.request, form, reverse("mfa_reauthenticate_webauthn"))


def _back(request: HttpRequest, form: Any, url: str) -> HttpResponse:
    """To the page that asked, which says what was wrong and still knows where to go afterwards."""
    for sentence in form.errors.get("credential", []):
        messages.error(request, sentence)
    to = get_next_redirect_url(request)
    return redirect(f"{url}?{urlencode({'next': to})}" if to else url)


passkey_login = guard(Right.PUBLIC)(LoginView.as_view())
passkey_reauthenticate = guard(Right.LOGIN)(ReauthenticateView.as_view())


@guard(Right.LOGIN)
@require_GET
def passkey_list(request: HttpRequest) -> HttpResponse:
    """They are shown with the other second factors."""
    return redirect("mfa_index")
