"""Disk use of all hosts by kind with what can be freed; measuring it, and pruning a host after a look at the list."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import go, template_for
from hosts import prunable, prune_plan
from hosts.access import chosen_host, get_host
from hosts.actions.system import disk as acts
from hosts.actions.system import system_prune
from hosts.models import Host
from hosts.pages import page_of
from hosts.prune_plan import Choice
from hosts.views.prunes import prune_page
from hosts.views.system.disk import KINDS, disk_use, sum_of
from jobs.models import Job


@guard(Right.HOSTS_VIEW, live=True)
@require_GET
def disk_page(request: HttpRequest) -> HttpResponse:
    """A row for each host, from what was last measured, and the sums."""
    rows = Host.objects.visible_to(request.user).granted(request.user, Right.CONTAINERS_VIEW)  # of all on them
    hosts = list(rows.filter(enabled=True).order_by("name"))
    for host in hosts:
        host.uses = disk_use(host.disk, host.engine)
        host.total = sum(use.bytes for use in host.uses)
        host.total_free = sum(use.free or 0 for use in host.uses)
    hosts.sort(key=lambda host: -host.total)
    context = {"hosts": hosts, "kinds": [_(label) for label in KINDS.values()], "sums": sum_of(hosts)}
    return render(request, template_for(request, "disk/page.html", "disk/_rows.html"), context)


@guard(Right.HOSTS_VIEW)
@require_POST
def disk_measure(request: HttpRequest) -> HttpResponse:
    """Starts the job that measures a host, and shows it."""
    try:
        job = acts.start_measure(request.user, get_host(request.user, request.POST.get("host", "")))
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, reverse("disk_page"))
    return go(request, page_of(job))


@guard(Right.SYSTEM_PRUNE)
@require_http_methods(["GET", "POST"])
def disk_prune(request: HttpRequest) -> HttpResponse:
    """Shows what would go from a host, kind by kind; on POST starts the job that removes what was shown."""
    return prune_page(request, "disk", _start, _shown)


def _start(request: HttpRequest) -> Job:
    host = chosen_host(request.user, request.POST.get("host", ""))
    plan = prune_plan.signed_plan(request.user, request.POST.get("plan", ""), host.name)
    return system_prune.start_prune(request.user, host, plan)


def _shown(request: HttpRequest, params: QueryDict) -> dict[str, Any]:
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    asked = [host for host in hosts if host.name == params.get("host")]
    host = next(iter(asked or [host for host in hosts if host.is_live] or hosts), None)
    images, volumes = params.get("images", "dangling"), params.get("volumes", "none")
    choice = Choice(
        images if images in prune_plan.IMAGES else "dangling",
        volumes if volumes in prune_plan.VOLUMES else "none",
        params.get("build_cache", "1") == "1",
    )
    context: dict[str, Any] = {"hosts": hosts, "host": host, "choice": choice, "plan": None}
    if host:
        plan = prunable.plan_of(request.user, host, choice)
        words = {"networks": gettext_noop("Networks"), **KINDS}
        groups = [
            {"label": _(words[kind]), "items": items, "size": sum(i.size for i in items), "more": plan.more[kind]}
            for kind, items in plan.items.items()
        ]
        context |= {"plan": plan, "groups": groups, "word": plan.signed(request.user)}
    return context
