"""Stacks: what of a swarm bears the label com.docker.stack.namespace."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common import exports
from common.errors import DermagaError
from common.htmx import go, template_for
from hosts import stacks
from hosts.actions.swarm import stacks as acts
from hosts.pages import page_of


@guard(Right.SERVICES_VIEW, live=True)
@require_GET
def stack_list(request: HttpRequest) -> HttpResponse:
    """One table."""
    found = stacks.names_of(request.user)
    if (kind := request.GET.get("format", "")) in exports.KINDS:
        names = {
            "swarm__name": "swarm",
            "stack": "name",
            "count": "services",
            "running": "running",
            "wanted": "desired",
        }
        return exports.small_file([{to: row[key] for key, to in names.items()} for row in found], "stacks", kind)
    context = {"stacks": found}
    return render(request, template_for(request, "stacks/page.html", "stacks/_rows.html"), context)


@guard(Right.SERVICES_VIEW, live=True)
@require_GET
def stack_page(request: HttpRequest, swarm: str, name: str) -> HttpResponse:
    """What is in one."""
    context = {"stack": stacks.get_stack(request.user, swarm, name)}
    return render(request, template_for(request, "stacks/stack.html", "stacks/_stack.html"), context)


@guard(Right.SERVICES_MANAGE)
@require_http_methods(["GET", "POST"])
def stack_remove(request: HttpRequest, swarm: str, name: str) -> HttpResponse:
    """Shows what would go; starts the job that removes it."""
    stack = stacks.get_stack(request.user, swarm, name, Right.SERVICES_MANAGE)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            # exactly what was shown: what came to it since then stays
            shown = stacks.only(stack, set(request.POST.getlist("target")[: 4 * stacks.AT_MOST]))
            return go(request, page_of(acts.start_remove(request.user, shown)))
        except DermagaError as refused:
            error = refused
    context = {"stack": stack, "error": error}
    fragment = "stacks/_remove_form.html" if error else "stacks/_remove_dialog.html"
    return render(request, template_for(request, "stacks/remove.html", fragment), context, status=422 if error else 200)
