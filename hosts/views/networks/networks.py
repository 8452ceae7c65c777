"""Networks of all hosts, and who is in them."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import columns, filters
from hosts.access import get_network
from hosts.links import add_links
from hosts.models import Container, Network
from hosts.views.uses import add_users


@guard(Right.NETWORKS_VIEW, live=True)
@require_GET
def network_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = filters.with_use("network", Network.objects.visible_to(request.user))
    add = partial(add_users, request.user, "network")
    return filters.NETWORKS.answer(request, rows, columns.NETWORKS, "networks", "host", add=add)


@guard(Right.NETWORKS_VIEW, live=True)
@require_GET
def network_page(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What is known of a network, and who is in it."""
    network = get_network(request.user, host, ref)
    return render(
        request, template_for(request, "networks/network.html", "networks/_network.html"), facts(request, network)
    )


def facts(request: HttpRequest, network: Network) -> dict[str, Any]:
    """The context of its page."""
    rows = filters.users_of("network", network, Container.objects.visible_to(request.user))
    context = filters.MEMBERS.context(request, rows)
    add_links(network.name, context["page"].items)
    return context | {"network": network, "host": network.host}
