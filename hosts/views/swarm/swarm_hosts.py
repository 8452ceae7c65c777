"""Hosts become parts of swarms: make one, join, leave, unlock. Each starts a job."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import go
from hosts.access import get_host, get_swarm
from hosts.actions.swarm import swarm_hosts
from hosts.forms.swarms import InitForm, JoinForm, UnlockForm
from hosts.models import Config, Host, Node, Secret, Service, Swarm, SwarmMember, Task
from hosts.pages import page_of
from hosts.views.swarm.swarms import quorum
from jobs.models import Job


@guard(Right.SWARM_MANAGE)
@require_http_methods(["GET", "POST"])
def swarm_init(request: HttpRequest) -> HttpResponse:
    """The form of a new swarm."""
    form = InitForm(request.POST or None, _hosts(request.user), initial=_initial(request))

    def start() -> Job:
        host = get_host(request.user, form.cleaned_data["host"])
        return swarm_hosts.start_init(request.user, host, form.plan)

    return _answer(request, form, "swarms/init.html", start)


@guard(Right.SWARM_MANAGE)
@require_http_methods(["GET", "POST"])
def swarm_join(request: HttpRequest) -> HttpResponse:
    """The form of a host that joins."""
    known = list(Swarm.objects.visible_to(request.user).prefetch_related("members__host"))
    initial = _initial(request) | {"swarm": request.GET.get("swarm", known[0].name if known else "")}
    form = JoinForm(request.POST or None, _hosts(request.user, in_swarm=False), known, initial=initial)

    def start() -> Job:
        data = form.cleaned_data
        swarm = get_swarm(request.user, data["swarm"], Right.SWARM_MANAGE) if data["swarm"] else None
        return swarm_hosts.start_join(
            request.user,
            get_host(request.user, data["host"]),
            form.node,
            swarm=swarm,
            role=data["role"] or "worker",
            token=data["token"],
            remotes=form.places,
        )

    return _answer(request, form, "swarms/join.html", start)


@guard(Right.SWARM_MANAGE)
@require_http_methods(["GET", "POST"])
def swarm_leave(request: HttpRequest, host: str) -> HttpResponse:
    """Says what is lost first; leaves on POST."""
    found, part = _member(request, host)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            job = swarm_hosts.start_leave(request.user, found, force=request.POST.get("force") == "1")
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    context = {"host": found, "member": part, "error": error, **_lost(request.user, part)}
    return render(request, "swarms/leave.html", context, status=422 if error else 200)


def _lost(user: Any, part: SwarmMember) -> dict[str, Any]:
    """What goes with this host: of the only manager everything, else its tasks, and perhaps the leader."""
    swarm = part.swarm
    if swarm is None:
        return {}
    managers = quorum(swarm)
    mine = Node.objects.filter(swarm=swarm, engine_id=part.node_id).first()
    is_manager = part.control or (mine is not None and mine.role == "manager")
    tasks = Task.objects.visible_to(user).filter(swarm=swarm, node_ref=part.node_id, current=True, state="running")
    counts = {
        "services": Service.objects.visible_to(user).filter(swarm=swarm).count(),
        "secrets": Secret.objects.visible_to(user).filter(swarm=swarm).count(),
        "configs": Config.objects.visible_to(user).filter(swarm=swarm).count(),
    }
    return {
        "tasks": tasks.count(),
        "is_manager": is_manager,
        "is_last": is_manager and managers["all"] <= 1,
        # the node stays in the list of managers until somebody removes it
        "no_quorum": is_manager and managers["all"] > 1 and managers["spare"] == 0,
        "counts": counts,
    }


@guard(Right.SWARM_MANAGE)
@require_http_methods(["GET", "POST"])
def swarm_unlock(request: HttpRequest, host: str) -> HttpResponse:
    """Asks for the key of a locked manager."""
    found, part = _member(request, host)
    form = UnlockForm(request.POST or None)
    return _answer(
        request,
        form,
        "swarms/unlock.html",
        lambda: swarm_hosts.start_unlock(request.user, found, form.cleaned_data["key"]),
        host=found,
        member=part,
    )


# ---------------------------------------------------------------- parts
def _hosts(user: Any, *, in_swarm: bool = True) -> list[Host]:
    """Hosts that can take part: those that answer and have swarms."""
    rows = Host.objects.visible_to(user).filter(enabled=True).order_by("name")
    rows = rows if in_swarm else rows.filter(member=None)
    return [host for host in rows if host.is_live and host.engine != "Podman"]


def _initial(request: HttpRequest) -> dict[str, Any]:
    return {"host": request.GET.get("host", "")}


def _member(request: HttpRequest, host: str) -> tuple[Host, SwarmMember]:
    found = get_host(request.user, host)
    part = SwarmMember.objects.filter(host=found).select_related("swarm", "host").first()
    if part is None:
        raise NotFound
    return found, part


def _answer(request: HttpRequest, form: Any, template: str, start: Any, **context: Any) -> HttpResponse:
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            return go(request, page_of(start()))
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
    status = 422 if request.method == "POST" else 200
    return render(request, template, {"form": form, "error": error, **context}, status=status)
