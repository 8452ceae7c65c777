"""Pages behind one-time links, and where they are made."""

from typing import Any

from allauth.core.internal import ratelimit
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts import links, tasks
from accounts.guard import guard
from accounts.models import LinkKind, OneTimeLink, User
from accounts.rights import Right, Role
from common.error_pages import not_found
from common.errors import Invalid

LIMITS = {"forgotten": "20/h/ip,3/h/key"}
NEW = forms.PasswordInput(attrs={"autocomplete": "new-password"})


class InviteForm(forms.Form):
    """As what, and for how long."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=Role.choices, initial=Role.VIEWER)
    days = forms.IntegerField(
        label=gettext_lazy("Days"), initial=7, min_value=1, max_value=links.INVITATION_DAYS_AT_MOST
    )


class PasswordForm(forms.Form):
    """A new one."""

    password = forms.CharField(label=gettext_lazy("Password"), strip=False, max_length=4000, widget=NEW)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = password_validators_help_text_html()


class JoinForm(PasswordForm):
    """What the invited one chooses."""

    username = forms.CharField(
        label=gettext_lazy("Name"), max_length=150, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )
    email = forms.EmailField(label=gettext_lazy("E-mail address"), required=False)
    field_order = ["username", "email", "password"]


class ForgottenForm(forms.Form):
    """Who."""

    who = forms.CharField(label=gettext_lazy("Name or e-mail address"), max_length=254)


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
@never_cache
def user_invite(request: HttpRequest) -> HttpResponse:
    """Makes an invitation and shows its link, once."""
    form, url = InviteForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        _link, secret = links.invite(request.user, **form.cleaned_data)  # type: ignore[arg-type]
        url = request.build_absolute_uri(reverse("join", args=[secret]))
    context = {"form": form, "url": url, "invitations": links.invitations()}
    return render(request, "users/invite.html", context, status=422 if form.errors else 200)


@guard(Right.USERS_MANAGE)
@require_POST
def invitation_take_back(request: HttpRequest, invitation: int) -> HttpResponse:
    """Nobody joins by it any more."""
    links.take_back(request.user, invitation)  # type: ignore[arg-type]
    messages.success(request, _("Taken back."))
    return redirect("user_invite")


@guard(Right.PUBLIC)
@require_http_methods(["GET", "POST"])
@never_cache
def join(request: HttpRequest, link: str) -> HttpResponse:
    """Whoever was invited chooses a name and a password."""
    return _behind(request, LinkKind.INVITATION, link, JoinForm(request.POST or None))


@guard(Right.PUBLIC)
@require_http_methods(["GET", "POST"])
@never_cache
def new_password(request: HttpRequest, link: str) -> HttpResponse:
    """Whoever forgot the password chooses another one."""
    return _behind(request, LinkKind.PASSWORD, link, PasswordForm(request.POST or None))


def _behind(request: HttpRequest, kind: LinkKind, secret: str, form: forms.Form) -> HttpResponse:
    try:
        link = links.find(kind, secret)
        if request.method == "POST" and form.is_valid() and _used(link, form):
            messages.success(request, _("Log in with the new password."))
            return redirect("account_login")
    except links.LinkGone as error:
        return render(request, "account/link_gone.html", {"sentence": str(error)}, status=error.status)
    context = {"form": form, "link": link, "invited": kind is LinkKind.INVITATION}
    return render(request, "account/link.html", context, status=422 if form.errors else 200)


def _used(link: OneTimeLink, form: forms.Form) -> bool:
    values = form.cleaned_data
    try:
        if link.kind == LinkKind.INVITATION:
            links.join(link, values["username"], values["password"], values["email"])
        else:
            links.choose_password(link, values["password"])
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True


@guard(Right.PUBLIC)
@require_http_methods(["GET", "POST"])
def forgotten(request: HttpRequest) -> HttpResponse:
    """Mails a link, where mail is set up; the answer is the same whether there is such an account or not."""
    if not settings.EMAIL_URL:
        return not_found(request)
    form = ForgottenForm(request.POST or None)
    sent = request.method == "POST" and form.is_valid()
    if sent:
        who = form.cleaned_data["who"].strip()
        if not ratelimit.consume(request, app="accounts", action="forgotten", config=LIMITS, key=who.lower()):
            form.add_error(None, _("This was asked for too often. Wait an hour."))
            sent = False
        else:
            _mail(request, who)
    status = 422 if form.errors else 200
    return render(request, "account/forgotten.html", {"form": form, "sent": sent}, status=status)


def _mail(request: HttpRequest, who: str) -> None:
    found = User.objects.filter(Q(username=who) | Q(email__iexact=who), is_active=True, is_service=False)
    place = request.build_absolute_uri("/")
    for user in found.exclude(email="")[:5]:
        tasks.mail_password_link.delay(user.pk, place, get_language())
