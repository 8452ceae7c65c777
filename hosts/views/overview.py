"""All hosts in one view, and what needs attention."""

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts.models import Container, Event, Host
from hosts.models.containers import NEEDS_ATTENTION
from hosts.models.hosts import LIVE_STATES, HostState
from hosts.views.figures import add_sparks, greatest
from hosts.views.system.disk import sum_of
from hosts.views.system.host_counts import add_counts
from jobs.links import add_links
from jobs.models import Job

LOST_SHOWN, TROUBLED_SHOWN, EVENTS_SHOWN, JOBS_SHOWN = 6, 10, 8, 5
CARDS_AT_MOST = 12  # hosts; more are a table, and what needs attention comes before it
UNUSED = ("tls_ca", "tls_cert", "tls_key", "ssh_key", "ssh_known_hosts", "info", "warnings")


@guard(Right.HOSTS_VIEW, live=True)
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """The first page: tables only, no engine."""
    user = request.user
    hosts = list(Host.objects.visible_to(user).defer(*UNUSED))
    add_counts(user, hosts)
    add_sparks(user, hosts)
    lost = [host for host in hosts if host.enabled and host.state not in (*LIVE_STATES, HostState.CONNECTING)]
    troubled = Container.objects.visible_to(user).filter(NEEDS_ATTENTION)
    events = Event.objects.visible_to(user).exclude(kind="network", action__in=["connect", "disconnect"])
    jobs = list(Job.objects.visible_to(user).listed().open()[:JOBS_SHOWN])
    add_links(user, jobs)
    disk = sum_of([host for host in hosts if host.enabled])
    context = {
        "disk_sums": disk,
        "disk_free": sum(use.free or 0 for use in disk),
        "disk_oldest": min((host.disk_at for host in hosts if host.enabled and host.disk_at), default=None),
        "hosts": hosts,
        "is_dense": len(hosts) > CARDS_AT_MOST,
        "containers": sum(host.counts.total for host in hosts),
        "lost": lost[:LOST_SHOWN],
        "lost_count": len(lost),
        "troubled": troubled.select_related("host").order_by("-health", F("finished").desc(nulls_last=True), "name")[
            :TROUBLED_SHOWN
        ],
        "troubled_count": troubled.count(),
        "busiest": greatest(user, "cpu"),
        "hungriest": greatest(user, "memory"),
        "events": events.select_related("host")[:EVENTS_SHOWN],
        "jobs": jobs,
    }
    return render(request, template_for(request, "overview/page.html", "overview/_live.html"), context)
