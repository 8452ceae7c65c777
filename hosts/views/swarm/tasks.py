"""One task of a service."""

from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts.access import get_of_swarm
from hosts.log_sources import log_of_task
from hosts.models import Task
from hosts.views.swarm.services import with_containers

EARLIER_SHOWN = 50


@guard(Right.SERVICES_VIEW, live=True)
@require_GET
def task_page(request: HttpRequest, swarm: str, ref: str) -> HttpResponse:
    """What is known of one, where its log is, and what was or is in its place."""
    task = get_of_swarm(request.user, Task, swarm, ref)
    place = {"slot": task.slot} if task.slot else {"node_ref": task.node_ref}
    rows = Task.objects.visible_to(request.user).select_related("swarm").filter(swarm=task.swarm, **place)
    others = list(rows.filter(service_ref=task.service_ref).exclude(pk=task.pk).order_by("-created")[:EARLIER_SHOWN])
    with_containers(request.user, [task, *others])
    log = log_of_task(request.user, task)
    context = {
        "task": task,
        "swarm": task.swarm,
        "others": others,
        "log_url": f"{reverse('log_page')}?{urlencode({'target': log.ref})}" if log else "",
        "through": log.host.name if log and log.is_task and log.host else "",
    }
    return render(request, template_for(request, "tasks/task.html", "tasks/_task.html"), context)
