"""Swarms: which there are, who is in them, settings, tokens and the unlock key."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import go, template_for
from hosts import columns, filters
from hosts.access import get_swarm
from hosts.actions.short import soon
from hosts.actions.swarm import swarms
from hosts.forms.swarms import SettingsForm
from hosts.models import Config, Host, Node, Secret, Service, Swarm, SwarmMember
from hosts.pages import page_of
from hosts.views.swarm.nodes import with_hosts

MEMBERS_AT_MOST = 500


@guard(Right.SWARM_VIEW, live=True)
@require_GET
def swarm_list(request: HttpRequest) -> HttpResponseBase:
    """The swarms, and the hosts that are in one."""
    rows = Swarm.objects.visible_to(request.user)
    if file := filters.SWARMS.file(request, rows.prefetch_related("members__host"), columns.SWARMS, "swarms"):
        return file
    context = filters.SWARMS.context(request, rows.select_related("reader").prefetch_related("members__host"))
    add_counts(request.user, context["page"].items)
    members = SwarmMember.objects.filter(host__in=Host.objects.visible_to(request.user))
    context["members"] = members.select_related("host", "swarm").order_by("swarm__name", "host__name")[:MEMBERS_AT_MOST]
    return render(request, template_for(request, "swarms/page.html", "swarms/_rows.html"), context)


@guard(Right.SWARM_VIEW, live=True)
@require_GET
def swarm_page(request: HttpRequest, swarm: str) -> HttpResponse:
    """What is known of one, with its nodes."""
    found = get_swarm(request.user, swarm)
    add_counts(request.user, [found])
    context = filters.NODES.context(request, Node.objects.visible_to(request.user).filter(swarm=found), "swarm")
    with_hosts(request.user, context["page"].items)
    context |= {"swarm": found, "may_lose": quorum(found)}
    return render(request, template_for(request, "swarms/swarm.html", "swarms/_swarm.html"), context)


def quorum(swarm: Swarm) -> dict[str, int]:
    """How many managers there are, can be reached, and may be lost before there is no leader."""
    managers = Node.objects.filter(swarm=swarm, role="manager")
    everyone, up = managers.count(), managers.filter(reachability="reachable").count()
    return {"all": everyone, "up": up, "spare": max(0, up - (everyone // 2 + 1))}


def add_counts(user: Any, found: list[Swarm]) -> None:
    """Gives each swarm `counts`: nodes, ready, managers, services, secrets, configs."""
    nodes = {"nodes": Count("pk"), "ready": Count("pk", filter=Q(state="ready"))}
    nodes["managers"] = Count("pk", filter=Q(role="manager"))
    of_nodes = _grouped(Node.objects.visible_to(user), found, **nodes)
    others = {
        name: _grouped(model.objects.visible_to(user), found, n=Count("pk"))
        for name, model in (("services", Service), ("secrets", Secret), ("configs", Config))
    }
    for swarm in found:
        counts = dict.fromkeys(nodes, 0) | of_nodes.get(swarm.pk, {})
        swarm.counts = counts | {name: told.get(swarm.pk, {}).get("n", 0) for name, told in others.items()}  # type: ignore[attr-defined]


def _grouped(rows: QuerySet[Any], found: list[Swarm], **counts: Any) -> dict[int, dict[str, int]]:
    told = rows.filter(swarm__in=found).order_by().values("swarm").annotate(**counts)
    return {row.pop("swarm"): row for row in told}


# ---------------------------------------------------------------- settings
@guard(Right.SWARM_MANAGE)
@require_http_methods(["GET", "POST"])
def swarm_settings(request: HttpRequest, swarm: str) -> HttpResponse:
    """The form; what was typed stays when somebody else was quicker."""
    found = get_swarm(request.user, swarm, Right.SWARM_MANAGE)
    form = SettingsForm(request.POST or None, found)
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            name, version = form.cleaned_data["name"], form.cleaned_data["version"]
            if form.is_changed:
                soon(swarms.change, request.user, found, form.plan, version=version, name=name)
                found.refresh_from_db()
            elif name != found.name:
                swarms.rename(request.user, found, name)
            messages.success(request, _("The settings of %(name)s are changed.") % {"name": found.name})
            return go(request, page_of(found))
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
    status = 422 if request.method == "POST" else 200
    return render(request, "swarms/settings.html", {"form": form, "swarm": found, "error": error}, status=status)


# ---------------------------------------------------------------- secrets that let others in
@guard(Right.SWARM_MANAGE)
@never_cache
@require_POST
def swarm_tokens(request: HttpRequest, swarm: str) -> HttpResponse:
    """Shows the join tokens. By POST: looking is recorded, and no address of a browser's history shows them again."""
    found = get_swarm(request.user, swarm, Right.SWARM_MANAGE)
    return _shown(request, found, "tokens", lambda: swarms.tokens(request.user, found))


@guard(Right.SWARM_MANAGE)
@never_cache
@require_POST
def swarm_unlock_key(request: HttpRequest, swarm: str) -> HttpResponse:
    """Shows the unlock key, in the same way."""
    found = get_swarm(request.user, swarm, Right.SWARM_MANAGE)
    return _shown(request, found, "key", lambda: swarms.unlock_key(request.user, found))


def _shown(request: HttpRequest, swarm: Swarm, name: str, ask: Callable[[], Any]) -> HttpResponse:
    try:
        told = ask()
    except DermagaError as error:
        messages.error(request, error.whole)
        return redirect(page_of(swarm))
    managers = Node.objects.filter(swarm=swarm, role="manager").order_by("-leader", "name")
    address = next((a for node in managers if (a := node.data.get("manager_address"))), "")
    return render(request, "swarms/shown.html", {"swarm": swarm, "name": name, name: told, "address": address})


@guard(Right.SWARM_MANAGE)
@require_POST
def swarm_rotate(request: HttpRequest, swarm: str) -> HttpResponse:
    """Makes a new token for a role, or a new unlock key: `what` is worker, manager or key."""
    found = get_swarm(request.user, swarm, Right.SWARM_MANAGE)
    what = request.POST.get("what", "")
    try:
        if what == "key":
            soon(swarms.rotate_unlock_key, request.user, found)
            messages.success(request, _("There is a new unlock key. The old one no longer unlocks."))
        else:
            soon(swarms.rotate_token, request.user, found, what)
            messages.success(request, _("There is a new token. Nobody joins with the old one any more."))
    except DermagaError as error:
        messages.error(request, error.whole)
    return redirect(page_of(found))
