"""Nodes of all swarms: list, page, and what can be done to one."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import back, go, template_for
from hosts import columns, filters
from hosts.access import get_of_swarm
from hosts.actions.short import soon
from hosts.actions.swarm import nodes
from hosts.forms.swarms import LabelsForm
from hosts.models import Host, Node, SwarmMember, Task
from hosts.pages import page_of

TASKS_SHOWN = 200


@guard(Right.SWARM_VIEW, live=True)
@require_GET
def node_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = Node.objects.visible_to(request.user).current()
    return filters.NODES.answer(request, rows, columns.NODES, "nodes", add=partial(with_hosts, request.user))


def with_hosts(user: Any, rows: list[Node]) -> None:
    """Gives each node `as_host`: our host that it is, or None."""
    members = SwarmMember.objects.filter(node_id__in=[row.engine_id for row in rows]).select_related("host")
    seen = set(Host.objects.visible_to(user).filter(member__in=members).values_list("pk", flat=True))
    known = {member.node_id: member.host for member in members if member.host_id in seen}
    for row in rows:
        row.as_host = known.get(row.engine_id)  # type: ignore[attr-defined]


@guard(Right.SWARM_VIEW, live=True)
@require_GET
def node_page(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """What is known of one, and the tasks that are on it."""
    node = get_of_swarm(request.user, Node, swarm, ref)
    with_hosts(request.user, [node])
    tasks = Task.objects.visible_to(request.user).filter(swarm=node.swarm, node_ref=node.engine_id, current=True)
    context = {"node": node, "swarm": node.swarm, "tasks": tasks.order_by("name")[:TASKS_SHOWN]}
    return render(request, template_for(request, "nodes/node.html", "nodes/_node.html"), context)


# ---------------------------------------------------------------- acts
@guard(Right.SWARM_MANAGE)
@require_POST
def node_promote(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """Makes it a manager."""
    done = _("%(name)s becomes a manager.")
    return _act(request, swarm, ref, done, lambda node: soon(nodes.set_role, request.user, node, "manager"))


@guard(Right.SWARM_MANAGE)
@require_POST
def node_demote(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """Makes it a worker."""
    done = _("%(name)s becomes a worker.")
    return _act(request, swarm, ref, done, lambda node: soon(nodes.set_role, request.user, node, "worker"))


@guard(Right.SWARM_OPERATE)
@require_POST
def node_availability(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """active, pause or drain."""
    to = request.POST.get("availability", "")
    done = {
        "active": _("%(name)s takes tasks again."),
        "pause": _("%(name)s takes no new tasks."),
        "drain": _("%(name)s gives its tasks to other nodes."),
    }.get(to, "")
    return _act(request, swarm, ref, done, lambda node: soon(nodes.change, request.user, node, availability=to))


@guard(Right.SWARM_OPERATE)
@require_POST
def node_remove(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """Forgets it."""
    force = request.POST.get("force") == "1"
    done = _("Removed the node %(name)s.")
    return _act(request, swarm, ref, done, lambda node: soon(nodes.remove, request.user, node, force=force), gone=True)


def _act(
    request: HttpRequest, swarm: str, ref: str, done: str, act: Callable[[Node], None], *, gone: bool = False
) -> HttpResponse:
    node = get_of_swarm(request.user, Node, swarm, ref)
    page = page_of(node)
    try:
        act(node)
        messages.success(request, done % {"name": node.name})
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, back(request, page))
    return redirect("swarm_page", swarm) if gone else go(request, back(request, page))


@guard(Right.SWARM_OPERATE)
@require_http_methods(["GET", "POST"])
def node_labels(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """The form of its labels; what was typed stays when somebody else was quicker."""
    node = get_of_swarm(request.user, Node, swarm, ref)
    page = page_of(node)

    def change(labels: dict[str, str], version: int) -> None:
        soon(nodes.change, request.user, node, labels=labels, version=version)

    return labels_form(request, node, change, page)


def labels_form(
    request: HttpRequest, row: Any, change: Callable[[dict[str, str], int], None], page: str
) -> HttpResponse:
    """The form of an object's labels, which `change` changes; then back to its `page`."""
    form = LabelsForm(request.POST or None, row)
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            change(form.cleaned_data["labels"], form.cleaned_data["version"])
            messages.success(request, _("The labels of %(name)s are changed.") % {"name": row.name})
            return go(request, page)
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
    context = {"form": form, "row": row, "page_url": page, "error": error}
    return render(request, "nodes/labels.html", context, status=422 if request.method == "POST" else 200)
