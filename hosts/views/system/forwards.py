"""Targets of the audit: list, add, edit, test, remove."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.models import Forward
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from hosts import columns, filters
from hosts.access import get_forward
from hosts.actions.system import forwards
from hosts.forms.forwards import ForwardForm


@guard(Right.USERS_MANAGE)
@require_GET
def forward_list(request: HttpRequest) -> HttpResponseBase:
    """Each with how far it got."""
    rows = Forward.objects.all()
    if file := filters.FORWARDS.file(request, rows, columns.FORWARDS, "forwards"):
        return file
    return render(request, "forwards/page.html", {"forwards": rows})


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def forward_add(request: HttpRequest) -> HttpResponse:
    """The form; `test=1` tries it once and stores nothing."""
    return _form(request, ForwardForm(request.POST or None), None)


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def forward_edit(request: HttpRequest, name: str) -> HttpResponse:
    """The same form with what is stored, but for the secret."""
    forward = get_forward(request.user, name)
    return _form(request, ForwardForm(request.POST or None, forward=forward), forward)


def _form(request: HttpRequest, form: ForwardForm, forward: Forward | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "forward": forward}
    if request.method == "POST" and form.is_valid():
        filled = form.fill(Forward.objects.get(pk=forward.pk) if forward else Forward())
        if "test" in request.POST:
            context |= _test(request, filled)
        else:
            try:
                if forward:
                    forwards.change(request.user, filled)
                else:
                    forwards.add(request.user, filled, everything=form.cleaned_data["everything"])
                messages.success(request, _("Stored %(name)s.") % {"name": filled.name})
                return redirect("forward_list")
            except Invalid as error:
                form.refuse(error)
    return render(request, "forwards/form.html", context, status=422 if form.errors else 200)


def _test(request: HttpRequest, forward: Forward) -> dict[str, Any]:
    try:
        forwards.test(request.user, forward)
    except DermagaError as error:
        return {"test_error": str(error), "test_detail": error.unsaid}
    return {"tested": _("%(name)s took a test message.") % {"name": forward.name}}


@guard(Right.USERS_MANAGE)
@require_POST
def forward_test(request: HttpRequest, name: str) -> HttpResponse:
    """Tries a stored one once."""
    found = _test(request, get_forward(request.user, name))
    if "tested" in found:
        messages.success(request, found["tested"])
    else:
        messages.error(request, f"{found['test_error']} {found['test_detail']}".strip())
    return redirect("forward_list")


@guard(Right.USERS_MANAGE)
@require_POST
def forward_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Nothing is sent to it any more."""
    forwards.remove(request.user, get_forward(request.user, name))
    messages.success(request, _("Removed %(name)s.") % {"name": name})
    return redirect("forward_list")
