"""Places for backups: list, add, edit, test, remove."""

from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, Sum
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import template_for
from hosts import columns, filters
from hosts.access import get_destination, may_see_place
from hosts.actions.backups import destinations
from hosts.forms.backups import DestinationForm
from hosts.models import Backup, Destination


@guard(Right.BACKUPS_VIEW)
@require_GET
def destination_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows, shown = Destination.objects.visible_to(request.user), may_see_place(request.user)
    seen = Q(backups__in=Backup.kept().visible_to(request.user).order_by().values("pk"))
    rows = rows.annotate(count=Count("backups", filter=seen), size=Sum("backups__bytes", filter=seen))
    table = filters.DESTINATIONS if shown else filters.DESTINATION_NAMES
    if file := table.file(request, rows, columns.DESTINATIONS if shown else columns.DESTINATION_NAMES, "destinations"):
        return file
    context = table.context(request, rows) | {"place_shown": shown}
    template = template_for(request, "destinations/page.html", "destinations/_rows.html")
    return render(request, template, context)


@guard(Right.BACKUPS_PLACES)
@require_http_methods(["GET", "POST"])
def destination_add(request: HttpRequest) -> HttpResponse:
    """The form; `test=1` tries it once and stores nothing."""
    return _form(request, DestinationForm(request.POST or None), None)


@guard(Right.BACKUPS_PLACES)
@require_http_methods(["GET", "POST"])
def destination_edit(request: HttpRequest, name: str) -> HttpResponse:
    """The same form with what is stored, but for secrets."""
    destination = get_destination(request.user, name, Right.BACKUPS_PLACES)
    return _form(request, DestinationForm(request.POST or None, destination=destination), destination)


def _form(request: HttpRequest, form: DestinationForm, destination: Destination | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "destination": destination}
    if request.method == "POST" and form.is_valid():
        filled = form.fill(Destination.objects.get(pk=destination.pk) if destination else Destination())
        if "test" in request.POST:
            context |= _test(request, filled)
        else:
            try:
                (destinations.change if destination else destinations.add)(request.user, filled)
                messages.success(request, _("Stored %(name)s.") % {"name": filled.name})
                return redirect("destination_list")
            except Invalid as error:
                form.refuse(error)
    return render(request, "destinations/form.html", context, status=422 if form.errors else 200)


def _test(request: HttpRequest, destination: Destination) -> dict[str, Any]:
    try:
        destinations.test(request.user, destination)
    except DermagaError as error:
        return {"test_error": str(error), "test_detail": error.unsaid}
    return {"tested": _("A file was written to %(name)s, read and removed.") % {"name": destination.name}}


@guard(Right.BACKUPS_PLACES)
@require_POST
def destination_test(request: HttpRequest, name: str) -> HttpResponse:
    """Tries a stored one once."""
    found = _test(request, get_destination(request.user, name, Right.BACKUPS_PLACES))
    if "tested" in found:
        messages.success(request, found["tested"])
    else:
        messages.error(request, f"{found['test_error']} {found['test_detail']}".strip())
    return redirect("destination_list")


@guard(Right.BACKUPS_PLACES)
@require_POST
def destination_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Forgets an empty one."""
    try:
        destinations.remove(request.user, get_destination(request.user, name, Right.BACKUPS_PLACES))
        messages.success(request, _("Removed %(name)s.") % {"name": name})
    except DermagaError as error:
        messages.error(request, str(error))
    return redirect("destination_list")
