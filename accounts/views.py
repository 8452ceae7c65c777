"""Accounts, administered by an admin."""

from operator import attrgetter
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_text_html
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import identities, people, second_factor
from accounts.guard import guard
from accounts.models import User
from accounts.rights import Right
from common import exports
from common.errors import DermagaError, Invalid

COLUMNS: exports.Columns = {
    name: attrgetter(name)
    for name in ("username", "role", "is_active", "last_login", "has_second_factor", "is_service")
}


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, address, role, whether the account is open, and a password (on change: empty keeps it)."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["username", "email", "role", "is_active", "is_service"]
        labels = {
            "email": gettext_lazy("E-mail address"),
            "is_active": gettext_lazy("May log in"),
            "is_service": gettext_lazy("Service account: no password, only API tokens"),
        }
        help_texts = {"is_active": "", "username": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        if self.instance.pk is None:
            password.help_text = password_validators_help_text_html()
        else:
            password.label, password.help_text = _("New password"), _("Leave this empty to keep the one there is.")

    def _post_clean(self) -> None:
        """The account itself is checked and changed by accounts.people alone."""


@guard(Right.USERS_MANAGE)
@require_GET
def user_list(request: HttpRequest) -> HttpResponseBase:
    """Everybody."""
    users = second_factor.with_knowledge(User.objects.order_by("username"))
    if (kind := request.GET.get("format", "")) in exports.KINDS:
        return exports.as_file(users, COLUMNS, "users", kind)
    return render(request, "users/page.html", {"users": users})


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def user_add(request: HttpRequest) -> HttpResponse:
    """A new account."""
    return _form(request, UserForm(request.POST or None), None)


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def user_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Role, password, open or closed."""
    user = get_object_or_404(User, pk=pk)
    return _form(request, UserForm(request.POST or None, instance=user), user)


@guard(Right.USERS_MANAGE)
@require_POST
def user_second_factor_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """For somebody who lost the device and the codes."""
    user = get_object_or_404(User, pk=pk)
    try:
        second_factor.remove(request.user, user)
        messages.success(request, _("%(name)s logs in by the password alone.") % {"name": user.username})
    except DermagaError as error:
        messages.error(request, str(error))
    return redirect("user_edit", pk)


@guard(Right.USERS_MANAGE)
@require_POST
def user_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """The account, with its tokens."""
    user = get_object_or_404(User, pk=pk)
    try:
        name = user.username
        people.remove(request.user, user)  # type: ignore[arg-type]
    except DermagaError as error:
        messages.error(request, str(error))
        return redirect("user_edit", pk)
    messages.success(request, _("Removed %(name)s.") % {"name": name})
    return redirect("user_list")


def _form(request: HttpRequest, form: UserForm, user: User | None) -> HttpResponse:
    if request.method == "POST" and form.is_valid() and (stored := _stored(request, form, user)):
        messages.success(request, _("Stored %(name)s.") % {"name": stored.username})
        return redirect("user_list")
    status = 422 if form.errors else 200
    return render(request, "users/form.html", _shown(form, user), status=status)


def _shown(form: UserForm, user: User | None) -> dict[str, Any]:
    person = User.objects.get(pk=user.pk) if user else None  # as it is, not as it was typed
    return {
        "form": form,
        "edited": person,
        "has_second_factor": bool(user and second_factor.of(user)),
        "provider_name": settings.OIDC_NAME if settings.OIDC_ISSUER and person and not person.is_service else "",
        "identity": identities.of(person) if person else None,
    }


def _stored(request: HttpRequest, form: UserForm, user: User | None) -> User | None:
    values = {name: form.cleaned_data[name] for name in people.FIELDS}
    password, actor = form.cleaned_data["password"], request.user
    try:
        if user is None:
            return people.add(actor, values, password)  # type: ignore[arg-type]
        stored = people.change(actor, user, values, password)  # type: ignore[arg-type]
    except Invalid as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None
    except DermagaError as error:
        form.add_error(None, str(error))
        return None
    if password and stored.pk == actor.pk:
        update_session_auth_hash(request, stored)
    return stored
