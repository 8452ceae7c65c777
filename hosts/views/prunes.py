"""What the pages that prune have in common: what would go is shown, then what was shown is removed by a job."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext_noop

from common.errors import DermagaError, Invalid, NotFound
from common.htmx import go, is_fragment
from hosts.access import get_host
from hosts.models import Host
from hosts.pages import page_of
from jobs.models import Job


def prune_page(
    request: HttpRequest,
    folder: str,
    start: Callable[[HttpRequest], Job],
    shown: Callable[[HttpRequest, QueryDict], dict[str, Any]],
) -> HttpResponse:
    """The page, dialog or form in `folder` of the templates, with what `shown` gives; POST starts a job and shows it."""
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            return go(request, page_of(start(request)))
        except DermagaError as refused:
            error = refused
    context = shown(request, request.POST if request.method == "POST" else request.GET)
    context |= {"error": error, "field": getattr(error, "field", "")}
    template = f"{folder}/prune.html"
    if is_fragment(request):
        inside = request.headers.get("HX-Target") == "prune-form"
        template = f"{folder}/_prune_form.html" if inside else f"{folder}/_prune_dialog.html"
    return render(request, template, context, status=422 if error else 200)


def chosen_host(request: HttpRequest) -> Host:
    """The host that a form of a prune names. Raises Invalid."""
    try:
        return get_host(request.user, request.POST.get("host", ""))
    except NotFound as error:
        raise Invalid("host", gettext_noop("There is no such host. Choose one of the list.")) from error
