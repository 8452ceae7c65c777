"""Managed plugins of all hosts, and a page for each."""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import columns, filters
from hosts.access import get_plugin
from hosts.models import Plugin, Volume


@guard(Right.PLUGINS_VIEW, live=True)
@require_GET
def plugin_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = filters.with_state(Plugin.objects.visible_to(request.user))
    return filters.PLUGINS.answer(request, rows, columns.PLUGINS, "plugins", "host")


@guard(Right.PLUGINS_VIEW, live=True)
@require_GET
def plugin_page(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What it is, what it may do, what is set, and which volumes it drives."""
    plugin = get_plugin(request.user, host, ref)
    short = plugin.name.removesuffix(":latest")
    volumes = Volume.objects.visible_to(request.user).filter(host=plugin.host, driver__in={plugin.name, short})
    context = {"plugin": plugin, "volumes": volumes.count(), "driver": plugin.name}
    return render(request, template_for(request, "plugins/plugin.html", "plugins/_plugin.html"), context)
