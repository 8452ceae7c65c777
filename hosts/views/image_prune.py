"""Removing images that nobody uses: the exact list with sizes first."""

from typing import Any

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import go, is_fragment
from hosts import filters
from hosts.access import get_host
from hosts.actions import image_prune as acts
from hosts.actions import images
from hosts.models import Host, Image
from jobs.models import Job


@guard(Right.IMAGES_MANAGE)
@require_http_methods(["GET", "POST"])
def image_prune(request: HttpRequest) -> HttpResponse:
    """Shows which images of a host would go; on POST starts the job that removes those that were shown."""
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            return go(request, reverse("job_page", args=[_start(request).pk]))
        except DermagaError as refused:
            error = refused
    shown = _shown(request, request.POST if request.method == "POST" else request.GET)
    context = shown | {"error": error, "field": getattr(error, "field", "")}
    template = "images/prune.html"
    if is_fragment(request):
        inside = request.headers.get("HX-Target") == "prune-form"
        template = "images/_prune_form.html" if inside else "images/_prune_dialog.html"
    return render(request, template, context, status=422 if error else 200)


def _start(request: HttpRequest) -> Job:
    """Of those that were shown; without a list by the engine's own rule."""
    try:
        host = get_host(request.user, request.POST.get("host", ""))
    except NotFound as error:
        raise Invalid("host", gettext_noop("There is no such host. Choose one of the list.")) from error
    if "shown" not in request.POST:
        return images.start_prune(request.user, host, everything=request.POST.get("everything") == "1")
    targets = [target.split() for target in request.POST.getlist("target")[: acts.AT_ONCE + 1]]
    chosen = {target[0]: target[1:] for target in targets if target and "\0" not in target[0]}
    rows = filters.unused_images(Image.objects.visible_to(request.user), everything=True)
    return acts.start_prune_of(request.user, host, list(rows.filter(host=host, engine_id__in=chosen)), chosen)


def _shown(request: HttpRequest, params: QueryDict) -> dict[str, Any]:
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    everything = params.get("everything") == "1"
    unused = filters.unused_images(Image.objects.visible_to(request.user), everything=everything)
    counts = dict(unused.order_by().values_list("host").annotate(n=Count("pk")))
    for one in hosts:
        one.unused = counts.get(one.pk, 0)
    asked = [host for host in hosts if host.name == params.get("host")]
    host = next(iter(asked or [h for h in hosts if counts.get(h.pk) and h.is_live] or hosts), None)
    rows = unused.filter(host=host).order_by("-size", "name", "pk")
    found = list(rows[: acts.AT_ONCE])
    return {
        "hosts": hosts,
        "host": host,
        "everything": everything,
        "found": found,
        "size": sum(image.size for image in found),
        "more": rows.count() - len(found),
    }
