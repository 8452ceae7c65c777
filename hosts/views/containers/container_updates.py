"""The dialog that changes limits and the restart policy of a container that is there."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import back, go, template_for
from hosts.access import get_container
from hosts.actions.containers import container_updates
from hosts.actions.short import soon
from hosts.forms.updates import UpdateForm
from hosts.models import Container
from hosts.pages import page_of
from hosts.specs.inspected import from_inspect


@guard(Right.CONTAINERS_OPERATE)
@require_http_methods(["GET", "POST"])
def container_update(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Shows what applies now, as the tables have it; changes what was changed."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_OPERATE)
    detail = getattr(container, "detail", None)
    before = from_inspect(detail.inspect if detail else {})
    if request.method == "GET":
        return _page(request, container, UpdateForm.of(before))
    form = UpdateForm.sent(before, {name: str(value) for name, value in request.POST.items()})
    error: DermagaError | None = None
    if not form.errors:
        try:
            warnings = soon(container_updates.update, request.user, container, form.changes)
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
        else:
            for words in warnings:
                messages.warning(request, words)
            messages.success(request, _("Changed %(name)s on %(host)s.") % {"name": container.name, "host": host})
            page = page_of(container)
            return go(request, back(request, "") or page)
    return _page(request, container, form, error, status=422)


def _page(
    request: HttpRequest, container: Container, form: UpdateForm, error: DermagaError | None = None, status: int = 200
) -> HttpResponse:
    context = {"container": container, "form": form, "error": error}
    fragment = "containers/_update_form.html" if status == 422 else "containers/_update_dialog.html"
    return render(request, template_for(request, "containers/update.html", fragment), context, status=status)
