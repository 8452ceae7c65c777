"""All hosts in one view, and what needs attention."""

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts.models import Container, Event, Host
from hosts.models.containers import NEEDS_ATTENTION
from hosts.models.hosts import LIVE_STATES
from jobs.models import Job

SHOWN = 12


@guard(Right.HOSTS_VIEW)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The first page: tables only, no engine."""
    user = request.user
    hosts = Host.objects.visible_to(user).annotate(
        running=Count("container", filter=Q(container__state="running")),
        stopped=Count("container", filter=Q(container__state__in=["exited", "created", "dead"])),
        unhealthy=Count("container", filter=Q(container__health="unhealthy", container__state="running")),
    )
    containers = Container.objects.visible_to(user).select_related("host")
    troubled = containers.filter(NEEDS_ATTENTION).order_by("-health", "state", "name")
    lost = [host for host in hosts if host.enabled and host.state not in (*LIVE_STATES, "connecting")]
    context = {
        "hosts": hosts,
        "lost": lost,
        "troubled": troubled[:SHOWN],
        "attention": troubled.count() + len(lost),
        "containers": containers.count(),
        "events": Event.objects.visible_to(user).select_related("host")[:8],
        "jobs": Job.objects.visible_to(user).open()[:8],
    }
    return render(request, template_for(request, "overview/page.html", "overview/_live.html"), context)
