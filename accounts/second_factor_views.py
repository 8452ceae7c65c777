"""For which roles a second factor is required."""

from typing import Any

from allauth.mfa.base.views import IndexView
from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from accounts import identities, second_factor
from accounts.guard import guard
from accounts.rights import Right, Role


class DutyForm(forms.Form):
    """The roles."""

    roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles that need a second factor"),
        required=False,
        choices=Role.choices,
        widget=forms.CheckboxSelectMultiple,
    )


class SecondFactorsView(IndexView):
    """One's own: second factors, and the provider that logs one in."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        told = {"provider_name": settings.OIDC_NAME if settings.OIDC_ISSUER else ""}
        return super().get_context_data(**kwargs) | told | {"identity": identities.of(self.request.user)}


second_factors = guard(Right.LOGIN)(SecondFactorsView.as_view())


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def second_factor_duty(request: HttpRequest) -> HttpResponse:
    """Shown and changed."""
    form = DutyForm(request.POST or None, initial={"roles": second_factor.roles()})
    if request.method == "POST":
        form = DutyForm(request.POST)
        if form.is_valid():
            second_factor.require_for(request.user, form.cleaned_data["roles"])  # type: ignore[arg-type]
            messages.success(request, _("Stored. Who lacks a second factor is led to setting it up."))
            return redirect("user_list")
    context = {"form": form, "lacking": second_factor.lacking_by_role()}
    return render(request, "users/second_factor.html", context, status=422 if form.errors else 200)
