"""Images of all hosts: list, pull, remove, prune."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, NotFound
from common.htmx import back, template_for
from hosts import filters
from hosts.access import get_host
from hosts.actions import images
from hosts.models import Host, Image
from hosts.views.uses import add_image_users

SORTS = {"name": ["name"], "host": ["host__name", "name"], "size": ["size"], "created": ["created"]}


@guard(Right.IMAGES_VIEW)
@require_GET
def image_list(request: HttpRequest) -> HttpResponse:
    """One table."""
    return _list(request)


def _list(request: HttpRequest, status: int = 200, **more: object) -> HttpResponse:
    rows = Image.objects.visible_to(request.user).select_related("host")
    if host := request.GET.get("host"):
        rows = rows.filter(host__name=host)
    rows = filters.search(rows, request.GET.get("search", ""), ["name", "engine_id", "host__name"])
    rows, sort = filters.order(rows, request.GET.get("sort", ""), SORTS, "name")
    page = filters.page_of(rows, request.GET, sort)
    add_image_users(request.user, page.items)
    hosts = Host.objects.visible_to(request.user).filter(enabled=True)
    template = template_for(request, "images/page.html", "images/_rows.html")
    return render(request, template, {"page": page, "hosts": hosts, **more}, status=status)


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_pull(request: HttpRequest) -> HttpResponse:
    """Starts the job and shows it; a wrong name keeps what was typed."""
    host = get_host(request.user, request.POST.get("host", ""))
    reference = request.POST.get("reference", "")
    try:
        job = images.start_pull(request.user, host, reference)
    except DermagaError as error:
        return _list(request, error.status, pull_error=str(error), pull_reference=reference, pull_host=host.name)
    return redirect("job_page", job.pk)


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_prune(request: HttpRequest) -> HttpResponse:
    """Starts the job and shows it."""
    host = get_host(request.user, request.POST.get("host", ""))
    job = images.start_prune(request.user, host, everything=request.POST.get("everything") == "1")
    return redirect("job_page", job.pk)


@guard(Right.IMAGES_MANAGE)
@require_POST
def image_remove(request: HttpRequest, host: str, pk: int) -> HttpResponse:
    """Removes one image."""
    image = Image.objects.visible_to(request.user).select_related("host").filter(host__name=host, pk=pk).first()
    if image is None:
        raise NotFound
    try:
        images.remove(request.user, image, force=request.POST.get("force") == "1")
        messages.success(request, _("Removed %(image)s from %(host)s.") % {"image": image, "host": host})
    except DermagaError as error:
        messages.error(request, error.whole)
    return redirect(back(request, "image_list"))
