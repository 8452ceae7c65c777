"""The page that says whose an object is."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import Denied, DermagaError, NotFound
from hosts.access import GET_OWNED, may
from hosts.actions import owners
from hosts.forms.owners import OwnerForm
from hosts.models.base import Owned, Shared
from hosts.models.owners import shared_names
from hosts.owning import may_share, teams_for
from hosts.pages import page_of


@guard(Right.HOSTS_VIEW)
@require_http_methods(["GET", "POST"])
def owner_edit(request: HttpRequest, noun: str, host: str, ref: str) -> HttpResponse:
    """For who manages the host; its owner says with whom it is shared."""
    if noun not in GET_OWNED:
        raise NotFound
    row: Owned = GET_OWNED[noun](request.user, host, ref)
    if not may_share(request.user, row):
        raise Denied
    manages = may(request.user, Right.HOSTS_MANAGE, row.host)
    shared = shared_names(row) if isinstance(row, Shared) else []
    sent = request.POST if request.method == "POST" else None  # nothing chosen is an answer too
    form = OwnerForm(sent, row=row, shared=shared, teams=teams_for(request.user, row), manages=manages)
    if form.is_bound and form.is_valid():
        try:
            if manages and form.cleaned_data["team"] != (row.owner.name if row.owner else ""):
                owners.set_owner(request.user, row, form.cleaned_data["team"])
            if isinstance(row, Shared) and set(form.cleaned_data["shared"]) != set(shared):
                owners.set_shared(request.user, row, form.cleaned_data["shared"])
        except DermagaError as error:
            form.refuse(error)
        else:
            messages.success(request, _("Stored whose %(name)s is.") % {"name": row})
            return redirect(page_of(row))
    context = {"form": form, "row": row, "page_url": page_of(row)}
    return render(request, "owners/form.html", context, status=422 if form.errors else 200)
