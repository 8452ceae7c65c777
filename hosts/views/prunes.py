"""What the pages that prune have in common: what would go is shown, then what was shown is removed by a job."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from common.errors import DermagaError
from common.htmx import go, is_fragment
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
