"""API tokens: one's own, and those of anybody for administrators."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import tokens
from accounts.guard import guard
from accounts.models import User
from accounts.rights import Right, rights_of
from accounts.teams import visible_teams
from common.errors import Conflict, DermagaError, Invalid

DAYS = {
    "7": gettext_lazy("in 7 days"),
    "30": gettext_lazy("in 30 days"),
    "90": gettext_lazy("in 90 days"),
    "365": gettext_lazy("in a year"),
    "": gettext_lazy("never"),
}


class TokenForm(forms.Form):
    """What a new token is for."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=tokens.NAME_AT_MOST,
        help_text=gettext_lazy("What it is for: a program, a machine."),
    )
    days = forms.ChoiceField(label=gettext_lazy("Expires"), choices=list(DAYS.items()), initial="90", required=False)
    networks = forms.CharField(
        label=gettext_lazy("Networks"),
        required=False,
        max_length=4000,
        widget=forms.Textarea(attrs={"rows": 2, "spellcheck": "false"}),
        help_text=gettext_lazy(
            "From where it may be used, like 10.8.0.0/16 or 2001:db8::/32, one a line. Empty: from anywhere."
        ),
    )
    hosts = forms.MultipleChoiceField(
        label=gettext_lazy("Hosts"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all that the account may see, also later ones."),
    )
    teams = forms.MultipleChoiceField(
        label=gettext_lazy("Teams"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Chosen: it is for what these teams own, and for nothing else."),
    )
    scope = forms.MultipleChoiceField(
        label=gettext_lazy("Rights"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("None chosen: all that the account may, also what it may later."),
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = sorted(str(right) for right in rights_of(user) if "." in right or right is Right.DIAGNOSTICS)
        fields: dict[str, Any] = self.fields
        fields["scope"].choices = [(name, name) for name in names]
        for field, rows in (("hosts", tokens.visible_hosts(user)), ("teams", visible_teams(user))):
            fields[field].choices = [(name, name) for name in rows.values_list("name", flat=True)]
            if not fields[field].choices:
                del self.fields[field]

    @property
    def limits(self) -> dict[str, Any]:
        """As accounts.tokens.make takes them."""
        days = self.cleaned_data["days"]
        return {
            **{name: self.cleaned_data.get(name) or None for name in ("scope", "hosts", "teams")},
            "networks": self.cleaned_data["networks"].replace(",", " ").split(),
            "expires": timezone.now() + timedelta(days=int(days)) if days else None,
        }


@guard(Right.LOGIN)
@require_GET
def own_tokens(request: HttpRequest) -> HttpResponse:
    """One's own."""
    return _page(request, request.user)  # type: ignore[arg-type]


@guard(Right.LOGIN)
@require_http_methods(["GET", "POST"])
def own_token_add(request: HttpRequest) -> HttpResponse:
    """One of one's own."""
    return _add(request, request.user)  # type: ignore[arg-type]


@guard(Right.LOGIN)
@require_POST
def own_token_remove(request: HttpRequest, token: int) -> HttpResponse:
    """One of one's own."""
    return _remove(request, request.user, token)  # type: ignore[arg-type]


@guard(Right.USERS_MANAGE)
@require_GET
def user_tokens(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody's."""
    return _page(request, get_object_or_404(User, pk=pk))


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def user_token_add(request: HttpRequest, pk: int) -> HttpResponse:
    """One for somebody, as for an account of a program."""
    return _add(request, get_object_or_404(User, pk=pk))


@guard(Right.USERS_MANAGE)
@require_POST
def user_token_remove(request: HttpRequest, pk: int, token: int) -> HttpResponse:
    """One of somebody's."""
    return _remove(request, get_object_or_404(User, pk=pk), token)


def _shown(request: HttpRequest, user: User, **more: Any) -> dict[str, Any]:
    return {"person": user, "is_own": user.pk == request.user.pk, **more}


def _page(request: HttpRequest, user: User) -> HttpResponse:
    return render(request, "users/tokens.html", _shown(request, user, tokens=tokens.of(user)))


@never_cache
def _add(request: HttpRequest, user: User) -> HttpResponse:
    form = TokenForm(request.POST or None, user=user)
    if request.method == "POST" and form.is_valid():
        try:
            name = form.cleaned_data["name"]
            token = tokens.make(request.user, user, name, **form.limits)  # type: ignore[arg-type]
            return render(request, "users/token.html", _shown(request, user, token=token, name=name))
        except Invalid as error:
            form.add_error(error.field if error.field in form.fields else "days", str(error))
        except Conflict as error:
            form.add_error("name", str(error))
        except DermagaError as error:
            form.add_error(None, str(error))
    status = 422 if form.errors else 200
    return render(request, "users/token_form.html", _shown(request, user, form=form), status=status)


def _remove(request: HttpRequest, user: User, pk: int) -> HttpResponse:
    token = tokens.get(user, pk)
    tokens.remove(request.user, token)  # type: ignore[arg-type]
    messages.success(request, _("Removed %(name)s.") % {"name": token.name})
    return redirect("own_tokens") if user.pk == request.user.pk else redirect("user_tokens", user.pk)
