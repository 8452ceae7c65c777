"""What the pages do to networks."""

import re
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import back, go, template_for
from hosts import filters
from hosts.access import get_container, get_host, get_network
from hosts.actions.networks import network_prune as prunes
from hosts.actions.networks import networks
from hosts.actions.removals import AT_ONCE
from hosts.actions.short import soon
from hosts.forms.networks import NetworkForm
from hosts.forms.pairs import PairsField
from hosts.models import Container, Host, Network
from hosts.pages import page_of
from hosts.views.prunes import prune_page
from jobs.models import Job

OFFERED = 500  # containers in the list to choose from


@guard(Right.NETWORKS_MANAGE)
@require_http_methods(["GET", "POST"])
def network_create(request: HttpRequest) -> HttpResponse:
    """The form; what was typed stays when it is refused."""
    hosts = Host.objects.visible_to(request.user).filter(enabled=True).order_by("name")
    initial = {"host": request.GET.get("host", ""), "driver": "bridge"}
    form = NetworkForm(request.POST or None, hosts, initial=initial)
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        host = form.cleaned_data["host"]
        try:
            made = soon(networks.create, request.user, get_host(request.user, host), form.plan)
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
        else:
            name = form.cleaned_data["name"]
            messages.success(request, _("Made the network %(name)s on %(host)s.") % {"name": name, "host": host})
            return go(request, reverse("network_page", args=[host, made[:12]]))
    wrong_input = request.method == "POST"
    return render(request, "networks/form.html", {"form": form, "error": error}, status=422 if wrong_input else 200)


@guard(Right.NETWORKS_MANAGE)
@require_http_methods(["GET", "POST"])
def network_connect(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks which container, its names and addresses; connects it."""
    network = get_network(request.user, host, ref, Right.NETWORKS_MANAGE)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            container = _connect(request, network)
            words = _("%(name)s is in %(network)s now.") % {"name": container.name, "network": network.name}
            messages.success(request, words)
            return go(request, page_of(network))
        except DermagaError as refused:
            error = refused
    rows = Container.objects.visible_to(request.user).filter(host=network.host_id)
    inside = filters.users_of("network", network, rows)
    context = {
        "network": network,
        "verb": "connect",
        "typed": request.POST.dict(),
        "offered": list(
            rows.exclude(pk__in=inside.values("pk")).order_by("name").values_list("name", flat=True)[:OFFERED]
        ),
    }
    return _asked(request, context, error)


def _connect(request: HttpRequest, network: Network) -> Container:
    post = request.POST
    try:
        container = get_container(request.user, network.host.name, post.get("container", "").strip())
    except NotFound as error:
        raise Invalid("container", gettext_noop("There is no such container on this host.")) from error
    soon(
        networks.connect,
        request.user,
        network,
        container,
        aliases=post.get("aliases", "").replace(",", " ").split(),
        ipv4=post.get("ipv4", "").strip(),
        ipv6=post.get("ipv6", "").strip(),
        driver_options=_pairs(post.get("driver_options", "")),
        mac_address=post.get("mac_address", "").strip(),
        gateway_priority=_priority(post.get("gateway_priority", "").strip()),
    )
    return container


def _priority(typed: str) -> int:
    """A whole number, 0 for nothing. Raises Invalid."""
    if typed and not re.fullmatch(r"-?[0-9]{1,10}", typed):
        raise Invalid("gateway_priority", gettext_noop("“%(value)s” is no whole number."), {"value": typed[:80]})
    return int(typed or 0)


def _pairs(typed: str) -> dict[str, str]:
    """name=value, one a line. Raises Invalid."""
    try:
        return dict(PairsField().clean(typed))
    except ValidationError as error:
        raise Invalid("driver_options", "%(reason)s", {"reason": " ".join(error.messages)}) from error


@guard(Right.NETWORKS_MANAGE)
@require_http_methods(["GET", "POST"])
def network_disconnect(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks before; takes a container out."""
    network = get_network(request.user, host, ref, Right.NETWORKS_MANAGE)
    params = request.POST if request.method == "POST" else request.GET
    container = get_container(request.user, host, params.get("container", ""))
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            soon(networks.disconnect, request.user, network, container, force=request.POST.get("force") == "1")
            words = _("%(name)s is not in %(network)s any more.") % {"name": container.name, "network": network.name}
            messages.success(request, words)
            return go(request, page_of(network))
        except DermagaError as refused:
            error = refused
    context = {"network": network, "verb": "disconnect", "container": container, "typed": request.POST.dict()}
    return _asked(request, context, error)


def _asked(request: HttpRequest, context: dict[str, Any], error: DermagaError | None) -> HttpResponse:
    """The dialog, or without scripts the page; after an error the form alone, which takes the form's place."""
    fragment = "networks/_ask_form.html" if error else "networks/_ask_dialog.html"
    context |= {"error": error, "field": getattr(error, "field", "")}
    return render(request, template_for(request, "networks/ask.html", fragment), context, status=422 if error else 200)


@guard(Right.NETWORKS_MANAGE)
@require_POST
def network_remove(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Removes it."""
    network = get_network(request.user, host, ref, Right.NETWORKS_MANAGE)
    try:
        soon(networks.remove, request.user, network)
        messages.success(
            request, _("Removed the network %(name)s from %(host)s.") % {"name": network.name, "host": host}
        )
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, back(request, page_of(network)))
    return go(request, back(request, reverse("network_list")))


@guard(Right.NETWORKS_MANAGE)
@require_http_methods(["GET", "POST"])
def network_prune(request: HttpRequest) -> HttpResponse:
    """Shows which networks of a host would go; on POST starts the job that removes those that were shown."""
    return prune_page(request, "networks", _start_prune, _prune_context)


def _start_prune(request: HttpRequest) -> Job:
    host = get_host(request.user, request.POST.get("host", ""))
    chosen = request.POST.getlist("target")[: AT_ONCE + 1]
    return prunes.start_prune(request.user, host, filters.prunable_networks(request.user, host, chosen), rule={})


def _prune_context(request: HttpRequest, params: QueryDict) -> dict[str, Any]:
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    asked = [host for host in hosts if host.name == params.get("host")]
    host = next(iter(asked or [host for host in hosts if host.is_live] or hosts), None)
    found = filters.prunable_networks(request.user, host) if host else []
    return {"hosts": hosts, "host": host, "found": found[:AT_ONCE], "more": max(0, len(found) - AT_ONCE)}
