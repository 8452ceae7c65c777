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

SORTS = {"name": ["name"], "host": ["host__name", "name"], "driver": ["driver", "name"], "created": ["created"]}


@guard(Right.NETWORKS_VIEW)
@require_GET
def network_list(request: HttpRequest) -> HttpResponse:
    """One table."""
    rows = Network.objects.visible_to(request.user).select_related("host")
    if host := request.GET.get("host"):
        rows = rows.filter(host__name=host)
    rows = filters.search(rows, request.GET.get("search", ""), ["name", "driver", "host__name"])
    rows, sort = filters.order(rows, request.GET.get("sort", ""), SORTS, "name")
    page = filters.page_of(rows, request.GET, sort)
    add_users(request.user, "network", page.items)
    template = template_for(request, "networks/page.html", "networks/_rows.html")
    return render(request, template, {"page": page})
