"""Copying a volume: to a new one of the same host, or to another host."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError
from common.htmx import go, template_for
from hosts import filters
from hosts.access import get_volume, may
from hosts.actions.volumes import volume_copies
from hosts.models import Container, Host
from hosts.pages import page_of

SHOWN = 6


@guard(Right.VOLUMES_MANAGE)
@require_http_methods(["GET", "POST"])
def volume_copy(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks where to, and says who uses it now; on POST starts the job, and shows it."""
    volume = get_volume(request.user, host, ref, Right.VOLUMES_MANAGE)
    hosts = Host.objects.visible_to(request.user).filter(enabled=True).order_by("name")
    typed = {"to": host, "name": f"{volume.name}-copy"[:255], **request.POST.dict()}
    error: DermagaError | None = None
    if request.method == "POST":
        to = hosts.filter(name=typed["to"].replace("\0", "")).first()
        try:
            stop = request.POST.get("stop") == "1"
            job = volume_copies.start_copy(request.user, volume, to, typed["name"].strip(), stop=stop)
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    users = filters.users_of("volume", volume, Container.objects.visible_to(request.user)).filter(state="running")
    context = {
        "volume": volume,
        "hosts": hosts,
        "typed": typed,
        "error": error,
        "field": getattr(error, "field", ""),
        "running": [user.name for user in users.order_by("name") if not user.is_helper][: SHOWN + 1],
        "shown": SHOWN,
        "may_stop": may(request.user, Right.CONTAINERS_OPERATE, volume),
    }
    fragment = "volumes/_copy_form.html" if error else "volumes/_copy_dialog.html"
    template = template_for(request, "volumes/copy.html", fragment)
    return render(request, template, context, status=422 if error else 200)
