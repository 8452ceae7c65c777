"""Recordings of terminals: the list, the page that replays one, and its file."""

from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from hosts import columns, filters, recordings
from hosts.access import get_recording
from hosts.models import Recording


@guard(Right.AUDIT_READ)
@require_GET
def recording_list(request: HttpRequest) -> HttpResponseBase:
    """Newest first."""
    return filters.RECORDINGS.answer(request, Recording.objects.all(), columns.RECORDINGS, "recordings")


@guard(Right.AUDIT_READ)
@require_GET
@csp_update({"style-src": "'unsafe-inline'"})  # type: ignore[arg-type]  # as for a terminal
def recording_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Replays it in the page."""
    return render(request, "recordings/replay.html", {"recording": get_recording(request.user, pk)})


@guard(Right.AUDIT_READ)
@require_GET
def recording_cast(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The asciicast, for the page and as a download."""
    return recordings.read(request.user, get_recording(request.user, pk))
