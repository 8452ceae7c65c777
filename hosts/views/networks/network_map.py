"""The drawn map of a host's networks and containers."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import filters
from hosts.access import get_host
from hosts.models import Container, Network
from hosts.network_map import draw

NETWORKS_AT_MOST = 500


@guard(Right.NETWORKS_VIEW, live=True)
@require_GET
def host_map(request: HttpRequest, name: str) -> HttpResponse:
    """Networks as rails, containers on them; the filters are in the URL."""
    host = get_host(request.user, name)
    rows = Container.objects.visible_to(request.user).filter(host=host)
    if menu := filters.MAP.menu(request, rows):
        return menu
    context = filters.MAP.context(request, rows, "host")
    networks = Network.objects.visible_to(request.user).filter(host=host).order_by("name", "pk")[:NETWORKS_AT_MOST]
    context |= {"host": host, "map": draw(networks, context["page"].items)}
    return render(request, template_for(request, "networks/map.html", "networks/_map.html"), context)
