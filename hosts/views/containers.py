"""Containers of all hosts in one table, a page for each, and what can be done to them."""

from collections.abc import Callable
from typing import Any

from csp.decorators import csp_update
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import back, is_fragment, template_for
from hosts import filters
from hosts.access import get_container
from hosts.actions import bulk, containers, looks
from hosts.models import Container
from hosts.views.container_facts import Facts
from hosts.views.container_groups import GROUPS, add_groups, grouped
from hosts.views.ports import published

COLUMNS = ("state", "host", "image", "ports", "project", "created", "started")
COLUMNS_AT_FIRST = ("state", "host", "image", "ports", "started")


# ---------------------------------------------------------------- list
@guard(Right.CONTAINERS_VIEW)
@require_GET
def container_list(request: HttpRequest) -> HttpResponse:
    """The table; its filters, order, columns and grouping are in the URL."""
    params, everything = request.GET, Container.objects.visible_to(request.user)
    group = params.get("group", "") if params.get("group", "") in GROUPS else ""
    matching = filters.containers(everything, params)
    rows, sort = filters.order(matching.select_related("host"), params.get("sort", ""), filters.CONTAINER_SORTS, "name")
    page = filters.page_of(grouped(rows, group), params, sort)
    for container in page.items:
        container.published = published(container, request)
    add_groups(page.items, matching, group)
    context = {
        "page": page,
        "columns": [c for c in params.getlist("column") if c in COLUMNS] or list(COLUMNS_AT_FIRST),
        "group": group,
        "fleet": everything.aggregate(n=Count("pk"), hosts=Count("host", distinct=True)),
        "is_filtered": any(params.get(name) for name in ("search", *filters.CONTAINER_FACETS)),
    }
    if not is_fragment(request):
        context["all_columns"] = COLUMNS
        context["facets"] = filters.facets(everything, params, filters.CONTAINER_FACETS, filters.containers)
    return render(request, template_for(request, "containers/page.html", "containers/_rows.html"), context)


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_bulk(request: HttpRequest, verb: str) -> HttpResponse:
    """Starts a job for all chosen containers (`target` = HOST/ID, repeated) and shows it."""
    targets = []
    for target in request.POST.getlist("target")[: bulk.TARGETS_AT_MOST + 1]:
        host, _slash, ref = target.partition("/")
        targets.append(get_container(request.user, host, ref))
    try:
        job = bulk.start_bulk(request.user, verb, targets, _options(request, verb))
    except DermagaError as error:
        messages.error(request, str(error))
        return redirect(back(request, "container_list"))
    return redirect("job_page", job.pk)


# ---------------------------------------------------------------- page
def _page(request: HttpRequest, host: str, ref: str, tab: str, right: Right, **more: Any) -> HttpResponse:
    container = get_container(request.user, host, ref, right)
    detail = getattr(container, "detail", None)
    context = {
        "container": container,
        "tab": tab,
        "facts": Facts(detail.inspect if detail else {}),
        "target": f"{host}/{container.engine_id}",
        "signals": containers.SIGNALS,
        **more,
    }
    fragment = "containers/_acts.html" if request.GET.get("part") == "acts" else "containers/_overview.html"
    return render(request, template_for(request, f"containers/{tab}.html", fragment), context)


@guard(Right.CONTAINERS_VIEW)
@require_GET
def container_page(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What is known of it, from the tables."""
    return _page(request, host, ref, "overview", Right.CONTAINERS_VIEW)


@guard(Right.LOGS_VIEW)
@require_GET
def container_logs(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """The log, live."""
    return _page(request, host, ref, "logs", Right.LOGS_VIEW)


@guard(Right.STATS_VIEW)
@require_GET
def container_stats(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Charts, live."""
    return _page(request, host, ref, "stats", Right.STATS_VIEW)


@guard(Right.CONTAINERS_TERMINAL)
@require_GET
@csp_update({"style-src": "'unsafe-inline'"})  # type: ignore[arg-type]  # xterm inserts <style> elements; only this page allows it
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
        context |= {"sentence": str(error), "detail": getattr(error, "detail", "")}
    return render(request, f"containers/_{tab}.html", context)


@guard(Right.CONTAINERS_VIEW)
@require_GET
def container_processes(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What runs in it."""
    return _look(request, host, ref, "processes", looks.processes)


@guard(Right.CONTAINERS_VIEW)
@require_GET
def container_changes(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Which files differ from its image."""
    return _look(request, host, ref, "changes", looks.changes)


@guard(Right.CONTAINERS_VIEW)
@require_GET
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
    """The whole log as a file."""
    container = get_container(request.user, host, ref, Right.LOGS_VIEW)
    return looks.log_download(request.user, container, timestamps=request.GET.get("timestamps") == "1")


# ---------------------------------------------------------------- acts
SLOW = {"stop", "restart"}  # may take as long as the container likes: a job


def _act(request: HttpRequest, host: str, ref: str, verb: str) -> HttpResponse:
    container = get_container(request.user, host, ref, Right.CONTAINERS_OPERATE)
    to = back(request, "") or container_url(container, verb)
    try:
        options = _options(request, verb)
        if verb in SLOW:
            job = bulk.start_bulk(request.user, verb, [container], options)
            messages.info(
                request, _("%(verb)s %(name)s: job %(job)s") % {"verb": verb, "name": container.name, "job": job.pk}
            )
        else:
            act: Callable[..., None] = bulk.ACTS.get(verb, containers.rename)
            act(request.user, container, **options)
            messages.success(request, _done(verb, container, options))
    except DermagaError as error:
        messages.error(request, f"{error} {getattr(error, 'detail', '')}".strip())
        to = back(request, "") or container_url(container, "")
    return redirect(to)


def container_url(container: Container, verb: str) -> str:
    """Where to go after an act: a removed container has no page any more."""
    from django.urls import reverse

    if verb == "remove":
        return reverse("container_list")
    return reverse("container_page", args=[container.host.name, container.engine_id[:12]])


def _done(verb: str, container: Container, options: dict[str, Any]) -> str:
    sentences = {
        "start": _("Started %(name)s on %(host)s."),
        "kill": _("Sent the signal to %(name)s on %(host)s."),
        "pause": _("Paused %(name)s on %(host)s."),
        "unpause": _("%(name)s on %(host)s goes on."),
        "rename": _("%(name)s on %(host)s is now called %(new)s."),
        "remove": _("Removed %(name)s from %(host)s."),
    }
    return sentences[verb] % {"name": container.name, "host": container.host.name, "new": options.get("name", "")}


def _options(request: HttpRequest, verb: str) -> dict[str, Any]:
    """The act's own options from a form."""
    post = request.POST
    if verb in SLOW and post.get("timeout", "").strip():
        value = post["timeout"].strip()
        if not value.isdecimal() or len(value) > 6:
            raise Invalid("timeout", "The time to stop is a whole number of seconds.")
        return {"timeout": int(value)}
    if verb == "kill":
        return {"signal": post.get("signal", "KILL")}
    if verb == "rename":
        return {"name": post.get("name", "")}
    if verb == "remove":
        return {"volumes": post.get("volumes") == "1", "force": post.get("force") == "1"}
    return {}


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_start(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Starts it."""
    return _act(request, host, ref, "start")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_stop(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Stops it, in a job."""
    return _act(request, host, ref, "stop")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_restart(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Restarts it, in a job."""
    return _act(request, host, ref, "restart")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_kill(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Sends it a signal."""
    return _act(request, host, ref, "kill")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_pause(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Freezes it."""
    return _act(request, host, ref, "pause")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_unpause(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Lets it go on."""
    return _act(request, host, ref, "unpause")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_rename(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Renames it."""
    return _act(request, host, ref, "rename")


@guard(Right.CONTAINERS_OPERATE)
@require_POST
def container_remove(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Removes it."""
    return _act(request, host, ref, "remove")
