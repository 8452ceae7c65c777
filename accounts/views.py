"""Accounts, administered by an admin."""

from operator import attrgetter
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import second_factor
from accounts.audit import record
from accounts.guard import guard
from accounts.models import User
from accounts.rights import Right, Role
from common import exports
from common.errors import DermagaError

COLUMNS: exports.Columns = {
    name: attrgetter(name) for name in ("username", "role", "is_active", "last_login", "has_second_factor")
}


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """Name, role, whether the account is open, and a password (on change: empty keeps it)."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = User
        fields = ["username", "role", "is_active"]
        labels = {"is_active": gettext_lazy("May log in")}
        help_texts = {"is_active": "", "username": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        password = self.fields["password"]
        password.required = self.instance.pk is None
        password.error_messages["required"] = _("A new account needs a password.")
        if self.instance.pk is None:
            password.help_text = password_validators_help_text_html()
        else:
            password.label, password.help_text = _("New password"), _("Leave this empty to keep the one there is.")

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        if User.objects.filter(username__iexact=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("There is an account of this name already."))
        return name

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if password:
            validate_password(password, User(username=self.cleaned_data.get("username", "")))
        return password

    def clean(self) -> None:
        super().clean()
        loses = self.cleaned_data.get("role") != Role.ADMIN or not self.cleaned_data.get("is_active")
        others = User.objects.filter(role=Role.ADMIN, is_active=True).exclude(pk=self.instance.pk)
        was_admin = (
            self.instance.pk and User.objects.filter(pk=self.instance.pk, role=Role.ADMIN, is_active=True).exists()
        )
        if was_admin and loses and not others.exists():
            raise forms.ValidationError(_("This is the last administrator: make another one first."))


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


def _form(request: HttpRequest, form: UserForm, user: User | None) -> HttpResponse:
    if request.method == "POST" and _stored(request, form, user):
        messages.success(request, _("Stored %(name)s.") % {"name": form.instance.username})
        return redirect("user_list")
    status = 422 if form.errors else 200
    return render(request, "users/form.html", _shown(form, user), status=status)


def _shown(form: UserForm, user: User | None) -> dict[str, Any]:
    return {"form": form, "edited": user, "has_second_factor": bool(user and second_factor.of(user))}


@transaction.atomic
def _stored(request: HttpRequest, form: UserForm, user: User | None) -> bool:
    list(User.objects.select_for_update().filter(role=Role.ADMIN))  # two at once must not demote each other
    if not form.is_valid():
        return False
    stored, password = form.save(commit=False), form.cleaned_data["password"]
    if password:
        stored.set_password(password)
    stored.save()
    if password and stored.pk == request.user.pk:
        update_session_auth_hash(request, stored)
    record(
        request.user,  # type: ignore[arg-type]
        "user.change" if user else "user.add",
        stored.username,
        detail={
            "fields": [name for name in form.changed_data if name != "password"],
            "role": stored.role,
            "password": bool(password),
        },
    )
    return True
