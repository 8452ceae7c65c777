"""Backups of volumes: list, page, and what can be done to one."""

from typing import Any

from django.contrib import messages
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.rights import Right
from common.errors import DermagaError, Invalid, NotFound
from common.htmx import go, template_for
from hosts import columns, filters
from hosts.access import chosen_host, get_backup, get_destination, get_volume, may_see_place
from hosts.actions.backups import downloads, kept, making, restoring
from hosts.actions.removals import AT_ONCE
from hosts.forms.backups import BackupScheduleForm
from hosts.models import Backup, Container, Destination, Host
from hosts.models.hosts import LIVE_STATES
from hosts.pages import page_of
from jobs.schedules import NAME_AT_MOST

RUNNING = ("running", "restarting")


@guard(Right.BACKUPS_VIEW, live=True)
@require_GET
def backup_list(request: HttpRequest) -> HttpResponseBase:
    """Newest first."""
    rows = Backup.kept().visible_to(request.user)
    if menu := filters.BACKUPS.menu(request, rows):
        return menu
    if file := filters.BACKUPS.file(request, rows, columns.BACKUPS, "backups", "destination", "owner"):
        return file
    context = filters.BACKUPS.context(request, rows, "destination")
    context["size"] = rows.aggregate(all=Sum("bytes"))["all"] or 0
    return render(request, template_for(request, "backups/page.html", "backups/_rows.html"), context)


@guard(Right.BACKUPS_VIEW, live=True)
@require_GET
def backup_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One backup."""
    backup = get_backup(request.user, pk)
    host = Host.objects.visible_to(request.user).filter(name=backup.host).first()
    context = {"backup": backup, "host": host, "place_shown": may_see_place(request.user)}
    return render(request, template_for(request, "backups/backup.html", "backups/_backup.html"), context)


# ---------------------------------------------------------------- of a volume
@guard(Right.BACKUPS_MANAGE)
@require_GET
def volume_download(request: HttpRequest, host: str, ref: str) -> StreamingHttpResponse:
    """All that is in the volume now as a tar.zst."""
    return downloads.download(request.user, get_volume(request.user, host, ref, Right.BACKUPS_MANAGE))


@guard(Right.BACKUPS_MANAGE)
@require_http_methods(["GET", "POST"])
def volume_backup(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """Asks where to; on POST starts the job and shows it."""
    volume = get_volume(request.user, host, ref, Right.BACKUPS_MANAGE)
    typed = request.POST.dict()
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            destination = _destination(request, typed.get("destination", ""))
            job = making.start_backup(request.user, volume, destination, stop=typed.get("stop") == "1")
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    context = {
        "volume": volume,
        "destinations": Destination.objects.visible_to(request.user),
        "users": _users(request, volume.host, volume.name),
        "typed": typed,
        "error": error,
        "field": getattr(error, "field", ""),
    }
    fragment = "backups/_make_form.html" if error else "backups/_make_dialog.html"
    return render(request, template_for(request, "backups/make.html", fragment), context, status=422 if error else 200)


def _destination(request: HttpRequest, name: str) -> Destination:
    try:
        return get_destination(request.user, name)
    except NotFound as error:
        raise Invalid("destination", gettext_noop("Choose a destination.")) from error


def _users(request: HttpRequest, host: Host, volume: str) -> list[Container]:
    """Containers that use the volume and run."""
    rows = filters.users_of_name("volume", host, volume, Container.objects.visible_to(request.user))
    return list(rows.filter(state__in=RUNNING).order_by("name")[:20])


@guard(Right.BACKUPS_MANAGE)
@require_http_methods(["GET", "POST"])
def volume_backup_schedule(request: HttpRequest, host: str, ref: str) -> HttpResponse:
    """The form of a schedule of its backups."""
    volume = get_volume(request.user, host, ref, Right.BACKUPS_MANAGE)
    destinations = Destination.objects.visible_to(request.user)
    form = BackupScheduleForm(
        request.POST or None, destinations=destinations, initial={"name": f"{volume.name} ({host})"[:NAME_AT_MOST]}
    )
    if request.method == "POST" and form.is_valid():
        asked = dict(form.cleaned_data)
        try:
            destination = _destination(request, asked.pop("destination"))
            made = making.schedule(request.user, volume, destination, **asked)
            messages.success(request, _("Stored %(name)s.") % {"name": made.name})
            return redirect(page_of(made))
        except Invalid as error:
            form.refuse(error)
    context = {"form": form, "volume": volume, "destinations": destinations}
    return render(request, "backups/schedule.html", context, status=422 if form.errors else 200)


@guard(Right.VOLUMES_MANAGE)
@require_http_methods(["GET", "POST"])
def volume_restore(request: HttpRequest) -> HttpResponse:
    """Asks for a file and where to; on POST starts the job and shows it. What was typed stays, the file does not."""
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    first = next(iter([host for host in hosts if host.is_live] or hosts), None)
    typed = {"host": first.name if first else "", "volume": "", "into": "new"} | _asked(request)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            host = chosen_host(request.user, typed["host"])
            replace, stop = typed["into"] == "replace", typed.get("stop") == "1"
            file, name = request.FILES.get("file"), typed["volume"].strip()
            job = restoring.start_unpack(request.user, host, name, file, replace=replace, stop=stop)
            return redirect(page_of(job))
        except DermagaError as refused:
            error = refused
    context = {"hosts": hosts, "typed": typed, "error": error, "field": getattr(error, "field", "")}
    return render(request, "backups/upload.html", context, status=422 if error else 200)


# ---------------------------------------------------------------- of a backup
@guard(Right.BACKUPS_MANAGE)
@require_GET
def backup_download(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The file."""
    return kept.download(request.user, get_backup(request.user, pk, Right.BACKUPS_MANAGE))


@guard(Right.VOLUMES_MANAGE)
@require_http_methods(["GET", "POST"])
def backup_restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Asks where to, and says what is lost; on POST starts the job and shows it."""
    backup = get_backup(request.user, pk, Right.BACKUPS_MANAGE)
    hosts = list(Host.objects.visible_to(request.user).filter(enabled=True).order_by("name"))
    typed = {"host": backup.host, "volume": f"{backup.volume}-restored"[:255], "into": "new"} | _asked(request)
    error: DermagaError | None = None
    if request.method == "POST":
        try:
            job = _restore(request, backup, typed)
            return go(request, page_of(job))
        except DermagaError as refused:
            error = refused
    context: dict[str, Any] = {
        "backup": backup,
        "hosts": hosts,
        "typed": typed,
        "error": error,
        "field": getattr(error, "field", ""),
        "users": [],
        "live": LIVE_STATES,
    }
    host = next((host for host in hosts if host.name == typed["host"]), None)
    if host is not None and typed["into"] == "replace":
        context["users"] = _users(request, host, typed["volume"])
    part = request.method == "POST" or "host" in request.GET
    fragment = "backups/_restore_form.html" if part else "backups/_restore_dialog.html"
    template = template_for(request, "backups/restore.html", fragment)
    return render(request, template, context, status=422 if error else 200)


def _asked(request: HttpRequest) -> dict[str, str]:
    return request.POST.dict() or request.GET.dict()


def _restore(request: HttpRequest, backup: Backup, typed: dict[str, str]) -> Any:
    host = chosen_host(request.user, typed["host"])
    replace = typed["into"] == "replace"
    return restoring.start_restore(
        request.user, backup, host, typed["volume"].strip(), replace=replace, stop=typed.get("stop") == "1"
    )


@guard(Right.BACKUPS_MANAGE)
@require_POST
def backup_check(request: HttpRequest, pk: int) -> HttpResponse:
    """Reads the file and compares its hash, as a job."""
    backup = get_backup(request.user, pk, Right.BACKUPS_MANAGE)
    return redirect(page_of(kept.start_check(request.user, backup)))


@guard(Right.BACKUPS_MANAGE)
@require_POST
def backups_remove(request: HttpRequest) -> HttpResponse:
    """Deletes the chosen files, as a job."""
    keys = [int(key) for key in request.POST.getlist("target")[: AT_ONCE + 1] if key.isdecimal() and len(key) < 19]
    found = Backup.kept().visible_to(request.user).filter(pk__in=keys).select_related("destination")
    return go(request, page_of(kept.start_removal(request.user, found)))
