"""What the engines reported."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import filters
from hosts.models import Event


@guard(Right.EVENTS_VIEW)
@require_GET
def event_list(request: HttpRequest) -> HttpResponse:
    """Newest first."""
    rows = Event.objects.visible_to(request.user).select_related("host").order_by("-time", "-id")
    if host := request.GET.get("host"):
        rows = rows.filter(host__name=host)
    rows = filters.search(rows, request.GET.get("search", ""), ["actor_name", "action", "kind", "host__name"])
    page = filters.page_of(rows, request.GET, "-time")
    return render(request, template_for(request, "events/page.html", "events/_rows.html"), {"page": page})
