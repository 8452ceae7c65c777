"""Removing several volumes: those that were chosen in the list, or those that nobody uses, after a look at which."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import back, go
from hosts import filters
from hosts.access import chosen_host, get_volume
from hosts.actions.removals import AT_ONCE
from hosts.actions.volumes import volume_removals as acts
from hosts.models import Host
from hosts.pages import page_of
from hosts.views.prunes import prune_page
from jobs.models import Job


@guard(Right.VOLUMES_MANAGE)
@require_POST
def volumes_remove(request: HttpRequest) -> HttpResponse:
    """Starts the job for all chosen volumes (`target` = HOST/NAME, repeated) and shows it."""
    volumes = []
    for target in request.POST.getlist("target")[: AT_ONCE + 1]:
        host, _slash, name = target.partition("/")
        volumes.append(get_volume(request.user, host, name, Right.VOLUMES_MANAGE))
    try:
        job = acts.start_removals(request.user, volumes)
    except DermagaError as error:
        messages.error(request, str(error))
        return go(request, back(request, reverse("volume_list")))
    return go(request, page_of(job))


@guard(Right.VOLUMES_MANAGE)
@require_http_methods(["GET", "POST"])
def volume_prune(request: HttpRequest) -> HttpResponse:
    """Shows which volumes of a host would go; on POST starts the job that removes those that were shown."""
    return prune_page(request, "volumes", _start, _shown)


def _start(request: HttpRequest) -> Job:
    host = chosen_host(request.user, request.POST.get("host", ""))
    names = request.POST.getlist("target")[: AT_ONCE + 1]
    found = filters.prunable_volumes(request.user, host, everything=True, only=names)
    return acts.start_removals(request.user, list(found[: AT_ONCE + 1]), rule=_rule(request.POST))


def _rule(params: QueryDict) -> dict[str, Any]:
    return {"everything": params.get("everything") == "1", "label": params.get("label", "").strip()[:300]}


def _shown(request: HttpRequest, params: QueryDict) -> dict[str, Any]:
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    asked = [host for host in hosts if host.name == params.get("host")]
    host = next(iter(asked or [host for host in hosts if host.is_live] or hosts), None)
    rule = _rule(params)
    found: list[Any] = []
    count = 0
    if host:
        rows = filters.prunable_volumes(request.user, host, **rule)
        found, count = list(rows[:AT_ONCE]), rows.count()
    return {
        "hosts": hosts,
        "host": host,
        **rule,
        "found": found,
        "size": sum(volume.size or 0 for volume in found),
        "unmeasured": sum(volume.size is None for volume in found),
        "more": count - len(found),
    }
