"""Services of all swarms, their tasks, and one service."""

from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import columns, filters
from hosts.access import get_of_swarm
from hosts.logins import registry_of
from hosts.models import Config, Container, Network, Registry, Secret, Service, SwarmMember, Task
from hosts.service_specs import network_names
from hosts.specs.services.inspected import from_inspect

TASKS_SHOWN = 500
SCALABLE = ("replicated", "replicated-job")


@guard(Right.SERVICES_VIEW, live=True)
@require_GET
def service_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = Service.objects.visible_to(request.user).current()
    return filters.SERVICES.answer(request, rows, columns.SERVICES, "services")


@guard(Right.SERVICES_VIEW, live=True)
@require_GET
def task_list(request: HttpRequest) -> HttpResponseBase:
    """The newest tasks of every slot."""
    rows = Task.objects.visible_to(request.user).current()
    return filters.TASKS.answer(request, rows, columns.TASKS, "tasks", add=partial(with_containers, request.user))


@guard(Right.SERVICES_VIEW, live=True)
@require_GET
def service_page(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """What is known of one, its tasks by slot, and what it uses."""
    service = get_of_swarm(request.user, Service, swarm, ref)
    found = (
        Task.objects.visible_to(request.user)
        .select_related("swarm")
        .filter(swarm=service.swarm, service_ref=service.engine_id)
    )
    tasks = list(found.order_by("slot", "node_name", "-current", "-created")[:TASKS_SHOWN])
    with_containers(request.user, tasks)
    context = {
        "service": service,
        "swarm": service.swarm,
        "tasks": tasks,
        "now": sum(task.current for task in tasks),
        "spec": from_inspect(service.spec, network_names(service)),
        "scalable": service.mode in SCALABLE,
        **_related(request.user, service),
    }
    return render(request, template_for(request, "services/service.html", "services/_service.html"), context)


def _related(user: Any, service: Service) -> dict[str, Any]:
    """Rows of what it uses, within what `user` sees. A network of the swarm is a row of each host: one is enough."""
    networks: dict[str, Network] = {}
    rows = Network.objects.visible_to(user).select_related("host").order_by("name", "host__name")
    for network in rows.filter(engine_id__in=service.data.get("networks") or [], host__member__swarm=service.swarm_id):
        networks.setdefault(network.engine_id, network)

    def used(model: Any, noun: str) -> Any:
        ids = service.data.get(noun) or []
        return model.objects.visible_to(user).filter(swarm=service.swarm_id, engine_id__in=ids).order_by("name")

    return {
        "networks": list(networks.values()),
        "secrets": used(Secret, "secrets"),
        "configs": used(Config, "configs"),
        "registry": Registry.objects.visible_to(user).filter(address=registry_of(service.image)).first(),
        "image_name": service.image.partition("@")[0],
    }


def with_containers(user: Any, tasks: list[Task]) -> None:
    """Gives each task `container`: the row of its container where its node is one of our hosts, or None."""
    ids = [task.container_id for task in tasks if task.container_id]
    nodes = SwarmMember.objects.filter(node_id__in={task.node_ref for task in tasks})
    rows = Container.objects.visible_to(user).select_related("host").filter(engine_id__in=ids, host__member__in=nodes)
    known = {row.engine_id: row for row in rows}
    for task in tasks:
        task.container = known.get(task.container_id)  # type: ignore[attr-defined]
