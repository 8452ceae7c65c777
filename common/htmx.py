"""Same URL, two renderings: the page, or its live fragment when htmx asks."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of the page (a boosted link asks for the whole)."""
    htmx: Any = getattr(request, "htmx", None)
    return bool(htmx) and not htmx.boosted and not htmx.history_restore_request


def template_for(request: HttpRequest, page: str, fragment: str) -> str:
    """The template to render."""
    return fragment if is_fragment(request) else page


def back(request: HttpRequest, default: str) -> str:
    """Where a form came from (its `next`, checked), else `default`."""
    target = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(target, {request.get_host()}, require_https=request.is_secure())
    return target if ours else default


def go(request: HttpRequest, to: str) -> HttpResponse:
    """Sends the browser to `to`, also when htmx sent the form."""
    return HttpResponse(status=204, headers={"HX-Redirect": to}) if is_fragment(request) else HttpResponseRedirect(to)
