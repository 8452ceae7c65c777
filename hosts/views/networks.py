"""Networks of all hosts, and who is in them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import filters
from hosts.models import Network
from hosts.views.uses import add_users


@guard(Right.NETWORKS_VIEW, live=True)
@require_GET
def network_list(request: HttpRequest) -> HttpResponse:
    """One table."""
    rows = filters.with_use("network", Network.objects.visible_to(request.user))
    if menu := filters.NETWORKS.menu(request, rows):
        return menu
    context = filters.NETWORKS.context(request, rows, "host")
    add_users(request.user, "network", context["page"].items)
    return render(request, template_for(request, "networks/page.html", "networks/_rows.html"), context)
