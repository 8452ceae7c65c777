"""Volumes of all hosts, and who uses them."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import columns, filters
from hosts.models import Volume
from hosts.views.uses import add_users


@guard(Right.VOLUMES_VIEW, live=True)
@require_GET
def volume_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = filters.with_use("volume", Volume.objects.visible_to(request.user))
    if menu := filters.VOLUMES.menu(request, rows):
        return menu
    if file := filters.VOLUMES.file(request, rows, columns.VOLUMES, "volumes", "host"):
        return file
    context = filters.VOLUMES.context(request, rows, "host")
    add_users(request.user, "volume", context["page"].items)
    return render(request, template_for(request, "volumes/page.html", "volumes/_rows.html"), context)
