"""How an error looks: a page, a toast for htmx, or RFC 9457 problem JSON under /api/."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _

from common.errors import Denied, DermagaError, Invalid, NotFound, StillRunning
from common.htmx import back, go


def path_of(request: HttpRequest) -> str:
    """The path as it is written down: without the secret of a one-time link."""
    match = request.resolver_match
    return f"/{match.route}" if match and "link" in match.kwargs else request.path


def problem(status: int, code: str, title: str, **more: Any) -> JsonResponse:
    """RFC 9457 problem JSON."""
    body = {"type": f"urn:dermaga:{code}", "title": title, "status": status, "code": code, **more}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def answer(request: HttpRequest, error: DermagaError) -> HttpResponse:
    """The answer for one of our errors, in the form that the asker reads."""
    if request.path.startswith("/api/"):
        more: dict[str, Any] = {"field": error.field} if hasattr(error, "field") else {}
        if isinstance(error, Invalid) and error.others:
            more["errors"] = [{"field": one.field, "reason": str(one)} for one in (error, *error.others)]
        return problem(error.status, error.code, str(error), detail=error.detail, **more)
    return page(request, error.status, str(error), error.unsaid)


def goes_on(request: HttpRequest, running: StillRunning) -> HttpResponse:
    """What was asked for takes longer: the job, or the page that one came from with a link to the job."""
    if request.path.startswith("/api/"):
        return JsonResponse({"job": running.job_id}, status=202)
    url = reverse("job_page", args=[running.job_id])
    what, link = f"{running.title}: {running.target}.", _("Job %(id)s") % {"id": running.job_id}
    words = _("It takes longer, and goes on by itself:")
    messages.info(request, format_html('{} {} <a href="{}">{}</a>', what, words, url, link))
    return go(request, back(request, url))


def page(request: HttpRequest, status: int, sentence: str, detail: str = "") -> HttpResponse:
    """An error page, or the bare fragment when htmx asks."""
    fragment = bool(getattr(request, "htmx", False))
    template = "errors/fragment.html" if fragment else "errors/page.html"
    return render(request, template, {"status": status, "sentence": sentence, "detail": detail}, status=status)


def denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler403."""
    if request.path.startswith("/api/"):
        return problem(403, "denied", str(Denied()))
    return page(request, 403, str(Denied()))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler404."""
    if request.path.startswith("/api/"):
        return problem(404, "not_found", str(NotFound()))
    return page(request, 404, str(NotFound()))


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler400."""
    sentence = _("The browser sent something that cannot be read. Go back and try again.")
    if request.path.startswith("/api/"):
        return problem(400, "unreadable", sentence)
    return page(request, 400, sentence)


def too_many(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """handler429, which allauth calls: too many logins, or confirmations, from one address."""
    return page(request, 429, _("Too many attempts came from your address. Wait a minute, then try again."))


def wrong_method(request: HttpRequest, allowed: str) -> HttpResponse:
    """An address that takes only what a form sends, or only what a link asks."""
    sentence = _("This address cannot be opened like that. Go back and use the page's own buttons.")
    if request.path.startswith("/api/"):
        response: HttpResponse = problem(405, "wrong_method", f"This address takes {allowed}.")
    else:
        response = page(request, 405, sentence)
    response["Allow"] = allowed
    return response


def broken(request: HttpRequest) -> HttpResponse:
    """handler500: our fault; the request id leads to the log entry."""
    sentence = _("Dermaga failed to answer. The log has the reason under request id %(id)s.") % {
        "id": getattr(request, "request_id", "?")
    }
    if request.path.startswith("/api/"):
        return problem(500, "broken", sentence)
    return page(request, 500, sentence)
