"""What everybody did."""

from operator import attrgetter

from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.differences import lines, words
from accounts.guard import guard
from accounts.models import AuditChain, AuditEntry
from accounts.rights import Right
from common.exports import Columns
from common.htmx import template_for
from common.lists import Table
from common.moments import moment

EMPTY: tuple[object, ...] = ("", None, [], {})
SIDES = ("before", "after")  # of a difference
COLUMNS: Columns = {
    "number": attrgetter("number"),
    "time": attrgetter("time"),
    "actor": attrgetter("actor_name"),
    **{
        name: attrgetter(name) for name in ("action", "host", "target", "outcome", "address", "via", "detail", "digest")
    },
}
ENTRIES = Table(
    search=("actor_name", "action", "target", "host", "address", "via"),
    sorts={"time": ["number"]},
    first="-time",
    facets={
        "actor": "actor_name",
        "action": "action",
        "host": "host",
        "outcome": "outcome",
        "address": "address",
        "from": "",
        "to": "",
    },
    conditions={
        "from": lambda values: Q(time__gte=moment("from", values)),
        "to": lambda values: Q(time__lt=moment("to", values)),
    },
)


@guard(Right.AUDIT_READ)
@require_GET
def audit_list(request: HttpRequest) -> HttpResponseBase:
    """Newest first."""
    rows = AuditEntry.objects.all()
    if menu := ENTRIES.menu(request, rows):
        return menu
    if file := ENTRIES.file(request, rows, COLUMNS, "audit"):
        return file
    context = ENTRIES.context(request, rows) | {"chain": AuditChain.now()}
    for entry in context["page"].items:
        entry.changes = lines(entry.detail)
        told = entry.detail.items()
        entry.facts = [(name, words(value)) for name, value in told if value not in EMPTY and name not in SIDES]
        number = entry.detail.get("recording")
        entry.replay = number if isinstance(number, int) and 0 < number < 1 << 63 else None
    return render(request, template_for(request, "audit/page.html", "audit/_rows.html"), context)
