"""Containers of all hosts in one table, and a page for each."""

from collections.abc import Callable
from functools import partial
from typing import Any

from csp.decorators import csp_update
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right, allows
from common.errors import DermagaError
from common.htmx import template_for
from hosts import columns as exported
from hosts import filters, reasons
from hosts.access import get_container
from hosts.actions.containers import looks
from hosts.context import frame_of
from hosts.log_sources import Log
from hosts.models import Container, Host
from hosts.views.containers import container_rows
from hosts.views.containers.container_facts import Facts
from hosts.views.containers.container_groups import GROUPS, add_groups, grouped
from hosts.views.containers.replaced import leads_on, place_of
from hosts.views.ports import published

COLUMNS = ("state", "host", "image", "ports", "project", "cpu", "memory", "created", "started")
STATS_COLUMNS = {"cpu", "memory"}
PARTS = {
    "head": "containers/_head.html",
    "terminal": "containers/_no_terminal.html",
}
COLUMNS_AT_FIRST = ("state", "host", "image", "ports", "cpu", "memory", "started")


# ---------------------------------------------------------------- list
@guard(Right.CONTAINERS_VIEW, live=True)
@require_GET
def container_list(request: HttpRequest) -> HttpResponseBase:
    """The table; its filters, order, columns and grouping are in the URL."""
    everything = Container.objects.visible_to(request.user).defer("labels", "data", "command", "words")
    if menu := filters.CONTAINERS.menu(request, everything):
        return menu
    sortable = partial(filters.with_figures, user=request.user, sort=request.GET.get("sort", ""))
    whole = Container.objects.visible_to(request.user)
    if file := filters.CONTAINERS.file(request, whole, exported.CONTAINERS, "containers", "host", sortable=sortable):
        return file
    group = request.GET.get("group", "") if request.GET.get("group", "") in GROUPS else ""
    context = filters.CONTAINERS.context(
        request,
        everything,
        "host",
        "series",
        sortable=sortable,
        shape=lambda rows: grouped(rows, group),
        total=lambda: frame_of(request).containers,
    )
    add_groups(context["page"].items, filters.CONTAINERS.narrow(everything, request.GET), group)
    allowed = [c for c in COLUMNS if c not in STATS_COLUMNS or allows(request.user, Right.STATS_VIEW)]
    chosen = [c for c in request.GET.getlist("column") if c in allowed]
    columns = chosen or [c for c in COLUMNS_AT_FIRST if c in allowed]
    container_rows.prepare(context["page"].items, request, columns)
    context |= {
        "columns": columns,
        "all_columns": allowed,
        "group": group,
    }
    if not context["is_filtered"]:  # host by host in an index: to find the different ones among all rows reads all
        context["hosts"] = Host.objects.filter(Exists(everything.filter(host=OuterRef("pk")))).count()
    return render(request, template_for(request, "containers/page.html", "containers/_rows.html"), context)


# ---------------------------------------------------------------- page
def _page(
    request: HttpRequest, host: str, ref: str, tab: str, right: Right, *, fragment: str = "", **more: Any
) -> HttpResponse:
    container = get_container(request.user, host, ref, right)
    detail = getattr(container, "detail", None)
    context = {
        "container": container,
        "tab": tab,
        "facts": Facts(detail.inspect if detail else {}),
        "published": published(container, request),
        "target": f"{host}/{container.engine_id}",
        "no_terminal": reasons.no_terminal(container),
        **place_of(container, ref),
        **more,
    }
    fragment = fragment or PARTS.get(request.GET.get("part", ""), "containers/_overview.html")
    return render(request, template_for(request, f"containers/{tab}.html", fragment), context)


@guard(Right.CONTAINERS_VIEW, live=True)
@require_GET
@leads_on
def container_page(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What is known of it, from the tables."""
    return _page(request, host, ref, "overview", Right.CONTAINERS_VIEW)


@guard(Right.CONTAINERS_VIEW)
@require_GET
def container_health(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Its health card, which asks again while somebody looks at it: the engine is asked too, with a short deadline."""
    looks.refresh(request.user, get_container(request.user, host, ref))
    return _page(request, host, ref, "overview", Right.CONTAINERS_VIEW, fragment="containers/_health.html")


@guard(Right.LOGS_VIEW)
@require_GET
@leads_on
def container_logs(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """The log, live."""
    return _page(request, host, ref, "logs", Right.LOGS_VIEW)


@guard(Right.STATS_VIEW)
@require_GET
@leads_on
def container_stats(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Charts, live."""
    return _page(request, host, ref, "stats", Right.STATS_VIEW)


@guard(Right.CONTAINERS_TERMINAL, live=True)
@require_GET
@csp_update({"style-src": "'unsafe-inline'"})  # xterm inserts <style> elements; only this page allows it
@leads_on
def container_terminal(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """A shell in it."""
    return _page(request, host, ref, "terminal", Right.CONTAINERS_TERMINAL)


def _look(request: HttpRequest, host: str, ref: str, tab: str, ask: Callable[[Any, Container], Any]) -> HttpResponse:
    """The page comes at once; its part that only the engine knows is fetched then, with a short deadline."""
    if "part" not in request.GET:
        return _page(request, host, ref, tab, Right.CONTAINERS_VIEW)
    container = get_container(request.user, host, ref)
    context: dict[str, Any] = {"container": container}
    try:
        context["answer"] = ask(request.user, container)
    except DermagaError as error:
        context |= {"sentence": str(error), "detail": error.unsaid}
    return render(request, f"containers/_{tab}.html", context)


@guard(Right.CONTAINERS_VIEW)
@require_GET
@leads_on
def container_processes(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What runs in it."""
    return _look(request, host, ref, "processes", looks.processes)


@guard(Right.CONTAINERS_VIEW)
@require_GET
@leads_on
def container_changes(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Which files differ from its image."""
    return _look(request, host, ref, "changes", looks.changes)


@guard(Right.CONTAINERS_VIEW)
@require_GET
@leads_on
def container_inspect(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """The engine's inspect answer; environment values only for those who may reveal them."""
    return _look(request, host, ref, "inspect", looks.inspect)


@guard(Right.CONTAINERS_REVEAL)
@require_POST
def container_environment(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """The environment with its values; who looked is in the audit."""
    container = get_container(request.user, host, ref, Right.CONTAINERS_REVEAL)
    facts = Facts(looks.environment(request.user, container))
    response = render(
        request, "containers/_environment.html", {"container": container, "facts": facts, "revealed": True}
    )
    response["Cache-Control"] = "no-store"
    return response


@guard(Right.LOGS_VIEW)
@require_GET
def container_logs_download(request: HttpRequest, host: str, ref: str) -> StreamingHttpResponse:
    """The log as a file, or a part of it: see LogRange."""
    container = get_container(request.user, host, ref, Right.LOGS_VIEW)
    return looks.log_download(request.user, Log.of(container), looks.LogRange.of(request.GET))
