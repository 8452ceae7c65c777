"""Volumes of all hosts, and who uses them."""

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.htmx import back, go, template_for
from hosts import columns, filters
from hosts.access import get_host, get_volume
from hosts.actions.short import soon
from hosts.actions.volumes import volumes
from hosts.forms.volumes import VolumeForm
from hosts.models import Backup, Container, Host, Volume
from hosts.pages import page_of
from hosts.views.uses import add_users

BACKUPS_SHOWN = 10


@guard(Right.VOLUMES_VIEW, live=True)
@require_GET
def volume_list(request: HttpRequest) -> HttpResponseBase:
    """One table."""
    rows = filters.with_use("volume", Volume.objects.visible_to(request.user))
    add = partial(add_users, request.user, "volume")
    return filters.VOLUMES.answer(request, rows, columns.VOLUMES, "volumes", "host", add=add)


@guard(Right.VOLUMES_VIEW, live=True)
@require_GET
def volume_page(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """What is known of a volume, and who uses it."""
    volume = get_volume(request.user, host, ref)
    rows = filters.users_of("volume", volume, Container.objects.visible_to(request.user))
    context = filters.MEMBERS.context(request, rows)
    for container in context["page"].items:
        container.mounts = [m for m in container.data.get("mounts", []) if m.get("name") == volume.name]
    backups = Backup.kept().visible_to(request.user).filter(host=host, volume=volume.name)
    context |= {"volume": volume, "host": volume.host, "backup_count": backups.count()}
    context["backups"] = list(backups.select_related("destination")[:BACKUPS_SHOWN])
    return render(request, template_for(request, "volumes/volume.html", "volumes/_volume.html"), context)


@guard(Right.VOLUMES_MANAGE)
@require_http_methods(["GET", "POST"])
def volume_create(request: HttpRequest) -> HttpResponse:
    """The form; what was typed stays when it is refused, but for a password."""
    hosts = Host.objects.visible_to(request.user).filter(enabled=True).order_by("name")
    form = VolumeForm(request.POST or None, hosts, initial={"host": request.GET.get("host", "")})
    error: DermagaError | None = None
    if request.method == "POST" and form.is_valid():
        host, name = form.cleaned_data["host"], form.cleaned_data["name"]
        try:
            soon(volumes.create, request.user, get_host(request.user, host), form.plan)
        except Invalid as wrong:
            form.blame(wrong)
        except DermagaError as refused:
            error = refused
        else:
            messages.success(request, _("Made the volume %(name)s on %(host)s.") % {"name": name, "host": host})
            return go(request, reverse("volume_page", args=[host, name]))
    status = 422 if request.method == "POST" else 200
    return render(request, "volumes/form.html", {"form": form, "error": error}, status=status)


@guard(Right.VOLUMES_MANAGE)
@require_POST
def volume_remove(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Removes it with what is in it."""
    volume = get_volume(request.user, host, ref, Right.VOLUMES_MANAGE)
    try:
        soon(volumes.remove, request.user, volume, force=request.POST.get("force") == "1")
        messages.success(request, _("Removed the volume %(name)s from %(host)s.") % {"name": volume.name, "host": host})
    except DermagaError as error:
        messages.error(request, error.whole)
        return go(request, back(request, page_of(volume)))
    return go(request, back(request, reverse("volume_list")))
