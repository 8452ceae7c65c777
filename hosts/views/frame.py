"""The live part of every page's frame."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right


@guard(Right.LOGIN, live=True)
@require_GET
def frame(request: HttpRequest) -> HttpResponse:
    """Pills of the top bar, and the counts of the sidebar (hosts.context)."""
    return render(request, "components/pills.html")
