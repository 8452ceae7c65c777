"""Removing what does not run: the exact list first."""

from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from hosts import filters
from hosts.access import chosen_host
from hosts.actions.containers import container_prune as acts
from hosts.actions.removals import AT_ONCE
from hosts.models import Container, Host
from hosts.models.containers import STOPPED
from hosts.views.prunes import prune_page
from jobs.models import Job

HOURS = (0, 1, 24, 168, 720)


@guard(Right.CONTAINERS_OPERATE)
@require_http_methods(["GET", "POST"])
def container_prune(request: HttpRequest) -> HttpResponse:
    """Shows which containers of a host would go; on POST starts the job that removes those that were shown."""
    return prune_page(request, "containers", _start, _shown)


def _start(request: HttpRequest) -> Job:
    host = chosen_host(request.user, request.POST.get("host", ""))
    chosen = request.POST.getlist("target")[: AT_ONCE + 1]
    found = list(_rows(request).filter(host=host, engine_id__in=chosen))
    return acts.start_prune(request.user, host, found, rule=_rule(request.POST))


def _rule(params: QueryDict) -> dict[str, Any]:
    text = params.get("hours", "0")
    hours = int(text) if text in map(str, HOURS) else 0
    return {"hours": hours, "label": params.get("label", "").replace("\0", "").strip()[:300]}


def _rows(request: HttpRequest) -> Any:
    return Container.objects.visible_to(request.user).select_related("host").filter(state__in=STOPPED)


def _shown(request: HttpRequest, params: QueryDict) -> dict[str, Any]:
    count = Count("container", filter=Q(container__in=_rows(request)))
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).annotate(stopped=count).order_by("name"))
    asked = [host for host in hosts if host.name == params.get("host")]
    host = next(
        iter(asked or [h for h in hosts if h.stopped and h.is_live] or [h for h in hosts if h.is_live] or hosts), None
    )
    rule = _rule(params)
    rows = filters.stopped(_rows(request).filter(host=host), **rule).order_by("name", "pk")
    found = list(rows[:AT_ONCE])
    return {
        "hosts": hosts,
        "host": host,
        **rule,
        "all_hours": HOURS,
        "found": found,
        "more": rows.count() - len(found) if len(found) == AT_ONCE else 0,
    }
