"""Removing images that nobody uses: the exact list with sizes first."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from hosts import filters
from hosts.access import chosen_host
from hosts.actions.images import image_prune as acts
from hosts.actions.images import images
from hosts.actions.removals import AT_ONCE
from hosts.models import Host, Image
from hosts.views.prunes import prune_page
from jobs.models import Job


@guard(Right.IMAGES_MANAGE)
@require_http_methods(["GET", "POST"])
def image_prune(request: HttpRequest) -> HttpResponse:
    """Shows which images of a host would go; on POST starts the job that removes those that were shown."""
    return prune_page(request, "images", _start, _shown)


def _start(request: HttpRequest) -> Job:
    """Of those that were shown; without a list by the engine's own rule."""
    host = chosen_host(request.user, request.POST.get("host", ""))
    if "shown" not in request.POST:
        return images.start_prune(request.user, host, everything=request.POST.get("everything") == "1")
    targets = [target.split() for target in request.POST.getlist("target")[: AT_ONCE + 1]]
    chosen = {target[0]: target[1:] for target in targets if target and "\0" not in target[0]}
    rows = filters.unused_images(Image.objects.visible_to(request.user), everything=True)
    found = list(rows.filter(host=host, engine_id__in=chosen))
    rule = {"everything": request.POST.get("everything") == "1"}
    return acts.start_prune_of(request.user, host, found, chosen, rule=rule)


def _shown(request: HttpRequest, params: QueryDict) -> dict[str, Any]:
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    everything = params.get("everything") == "1"
    unused = filters.unused_images(Image.objects.visible_to(request.user), everything=everything)
    counts = dict(unused.order_by().values_list("host").annotate(n=Count("pk")))
    for one in hosts:
        one.unused = counts.get(one.pk, 0)
    asked = [host for host in hosts if host.name == params.get("host")]
    host = next(
        iter(asked or [h for h in hosts if counts.get(h.pk) and h.is_live] or [h for h in hosts if h.is_live] or hosts),
        None,
    )
    rows = unused.filter(host=host).order_by("-size", "name", "pk")
    found = list(rows[:AT_ONCE])
    return {
        "hosts": hosts,
        "host": host,
        "everything": everything,
        "found": found,
        "size": sum(image.size for image in found),
        "more": rows.count() - len(found),
    }
