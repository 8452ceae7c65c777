"""Hosts: list, page, add, edit, test, enable, disable, remove."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import template_for
from hosts import columns, filters
from hosts.access import get_host
from hosts.actions.system import hosts
from hosts.forms.hosts import HostForm
from hosts.models import Container, Event, Host, Image, Network, Plugin, Volume
from hosts.pages import page_of
from hosts.views.figures import add_sparks
from hosts.views.system.disk import disk_use
from hosts.views.system.host_counts import add_counts

EVENTS_SHOWN = 8


@guard(Right.HOSTS_VIEW, live=True)
@require_GET
def host_list(request: HttpRequest) -> HttpResponseBase:
    """One table; its filters and order are in the URL."""
    rows = Host.objects.visible_to(request.user)
    if menu := filters.HOSTS.menu(request, rows):
        return menu
    if file := filters.HOSTS.file(request, rows, columns.HOSTS, "hosts"):
        return file
    context = filters.HOSTS.context(request, rows)
    add_counts(request.user, context["page"].items)
    add_sparks(request.user, context["page"].items)
    return render(request, template_for(request, "hosts/page.html", "hosts/_rows.html"), context)


@guard(Right.HOSTS_VIEW, live=True)
@require_GET
def host_page(request: HttpRequest, name: str) -> HttpResponse:
    """What is known of one host."""
    host = get_host(request.user, name)
    if request.GET.get("part") == "head":
        return render(request, "hosts/_head.html", {"host": host})
    add_counts(request.user, [host])
    context = {
        "host": host,
        "counts": _counts(request.user, host, Image, Network, Volume, Plugin),
        "events": Event.objects.visible_to(request.user).select_related("host").filter(host=host)[:EVENTS_SHOWN],
        "disk": disk_use(host.told_disk),
    }
    return render(request, template_for(request, "hosts/host.html", "hosts/_host.html"), context)


def _counts(user: Any, host: Host, *models: Any) -> dict[str, int]:
    """How many rows of each model a host has: {"images": 3, ...}."""
    return {f"{model._meta.model_name}s": model.objects.visible_to(user).filter(host=host).count() for model in models}


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def host_add(request: HttpRequest) -> HttpResponse:
    """The form; `test=1` connects once and stores nothing."""
    form = HostForm(request.POST or None, request.FILES or None, initial={"kind": "unix"})
    return _form(request, form, None)


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def host_edit(request: HttpRequest, name: str) -> HttpResponse:
    """The same form with what is stored, but for the keys."""
    host = get_host(request.user, name, Right.HOSTS_MANAGE)
    return _form(request, HostForm(request.POST or None, request.FILES or None, host=host), host)


def _form(request: HttpRequest, form: HostForm, host: Host | None) -> HttpResponse:
    context: dict[str, Any] = {"form": form, "host": host}
    if request.method == "POST" and form.is_valid():
        if "test" in request.POST:
            context |= _test(request, form.endpoint(), form.cleaned_data["name"])
        else:
            stored = form.fill(Host.objects.get(pk=host.pk) if host else Host())
            (hosts.change if host else hosts.add)(request.user, stored)
            messages.success(request, _("Stored %(host)s. Connecting…") % {"host": stored.name})
            return redirect(page_of(stored))
    status = 422 if form.errors else 200
    return render(request, "hosts/form.html", context, status=status)


def _test(request: HttpRequest, endpoint: Any, name: str) -> dict[str, Any]:
    try:
        return {"tested": hosts.test(request.user, endpoint, name)}
    except DermagaError as error:
        return {"test_error": str(error), "test_detail": error.unsaid}


@guard(Right.HOSTS_MANAGE)
@require_POST
def host_test(request: HttpRequest, name: str) -> HttpResponse:
    """Connects once to a stored host and says who answers."""
    host = get_host(request.user, name, Right.HOSTS_MANAGE)
    found = _test(request, host.endpoint(), name)
    if "tested" in found:
        info = found["tested"]
        messages.success(
            request,
            _("%(engine)s %(version)s answers, API %(api)s.")
            % {"engine": info["engine"], "version": info["version"], "api": info["api_version"]},
        )
    else:
        messages.error(request, f"{found['test_error']} {found['test_detail']}".strip())
    return redirect("host_page", name)


@guard(Right.HOSTS_MANAGE)
@require_POST
def host_enable(request: HttpRequest, name: str) -> HttpResponse:
    """Watches it again."""
    hosts.set_enabled(request.user, get_host(request.user, name, Right.HOSTS_MANAGE), True)
    return redirect("host_page", name)


@guard(Right.HOSTS_MANAGE)
@require_POST
def host_disable(request: HttpRequest, name: str) -> HttpResponse:
    """Stops watching it; what is known stays."""
    hosts.set_enabled(request.user, get_host(request.user, name, Right.HOSTS_MANAGE), False)
    return redirect("host_page", name)


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def host_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Says what will be deleted; deletes it on POST."""
    host = get_host(request.user, name, Right.HOSTS_MANAGE)
    if request.method == "POST":
        hosts.remove(request.user, host)
        messages.success(request, _("Removed %(host)s. Nothing on the host itself was touched.") % {"host": name})
        return redirect("host_list")
    counts = _counts(request.user, host, Container, Image, Network, Volume, Event)
    return render(request, "hosts/remove.html", {"host": host, "counts": counts})
