"""What the engines reported."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import columns, filters
from hosts.event_pages import pages_of
from hosts.models import Event
from hosts.models.containers import FINE_EXITS

ID_SHOWN = 12
BAD_ACTIONS = ("oom", "health_status: unhealthy")


@guard(Right.EVENTS_VIEW, live=True)
@require_GET
def event_list(request: HttpRequest) -> HttpResponseBase:
    """Newest first; the name of what is still there leads to it."""
    rows = Event.objects.visible_to(request.user)
    if menu := filters.EVENTS.menu(request, rows):
        return menu
    if file := filters.EVENTS.file(request, rows, columns.EVENTS, "events", "host"):
        return file
    context = filters.EVENTS.context(request, rows, "host")
    pages = pages_of(request.user, context["page"].items)
    for event in context["page"].items:
        event.detail, event.is_bad, event.page = _detail(event.data), _is_bad(event), pages.get(event.pk, "")
    return render(request, template_for(request, "events/page.html", "events/_rows.html"), context)


def _detail(data: dict[str, Any]) -> str:
    """What the engine adds, in one line."""
    words = []
    for name, value in data.items():
        if name == "exitCode":
            words.append(_("exit code %(code)s") % {"code": value})
        else:
            words.append(f"{name} {str(value)[:ID_SHOWN] if name == 'container' else value}")
    return ", ".join(words)


def _is_bad(event: Event) -> bool:
    """Whether it says that something went wrong."""
    code = str(event.data.get("exitCode", "0"))
    return event.action in BAD_ACTIONS or (event.action in {"die", "died"} and code not in map(str, FINE_EXITS))
