"""Quotas of teams: how much is used, by whom, and what may be had."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.guard import guard
from accounts.models import Quota, Team
from accounts.rights import Right
from common import exports
from common.errors import Denied, DermagaError, NotFound
from hosts.access import get_host, may_police
from hosts.actions.system import quotas
from hosts.forms.quotas import QuotaForm
from hosts.models import Container, Host, Service, Volume
from hosts.owning import granted_at
from hosts.quotas.tasks import counted, services_of
from hosts.quotas.usage import by_whom, containers_of, jobs_of, lines, pulls_of, volumes_of
from hosts.quotas.visible import get_team, visible_quotas

SHOWN = 100  # containers, services, and volumes
COLUMNS: exports.Columns = {
    "team": lambda quota: quota.team.name,
    "host": lambda quota: quota.host.name if quota.host else "",
    "limits": lambda quota: {line.name: line.words["most"] for line in lines(quota)},
    "used": lambda quota: {line.name: line.words["used"] for line in lines(quota)},
}


@guard(Right.LOGIN)
@require_GET
def quota_list(request: HttpRequest) -> HttpResponseBase:
    """Those that one may see; with `host` those there, and who manages it sees the teams there that have none."""
    found, host = visible_quotas(request.user), None
    if name := request.GET.get("host", ""):
        host = get_host(request.user, name)
        found = found.filter(host=host)
    if (kind := request.GET.get("format", "")) in exports.KINDS:
        return exports.as_file(found, COLUMNS, "quotas", kind)
    rows = list(found)
    has = {quota.team_id for quota in rows if quota.host == host}
    teams = (granted_at(host) if host else Team.objects.all()) if _may_set(request, host) else []
    without = [team for team in teams if team.pk not in has]
    context = {"quotas": [_shown(request, quota) for quota in rows], "host": host, "without": without}
    return render(request, "quotas/page.html", context)


def _may_set(request: HttpRequest, host: Host | None) -> bool:
    return may_police(request.user, host)


def _shown(request: HttpRequest, quota: Quota) -> dict[str, Any]:
    return {"quota": quota, "lines": lines(quota), "may_set": _may_set(request, quota.host)}


@guard(Right.LOGIN)
@require_GET
def quota_team(request: HttpRequest, team: str) -> HttpResponse:
    """What bounds a team, and who and what uses it."""
    found = visible_quotas(request.user).filter(team__name=team) if "\0" not in team else Quota.objects.none()
    rows = list(found)
    of = rows[0].team if rows else get_team(request.user, team, None)
    seen = Host.objects.visible_to(request.user).order_by()
    mine = Container.objects.visible_to(request.user)
    containers = containers_of(of.pk).filter(pk__in=mine).order_by("-memory_limit", "name")
    services = services_of(of.pk).filter(pk__in=Service.objects.visible_to(request.user))
    volumes = volumes_of(of.pk).filter(pk__in=Volume.objects.visible_to(request.user))
    context = {
        "team": of,
        "quotas": [_shown(request, quota) for quota in rows],
        "may_set": _may_set(request, None) and not any(quota.host is None for quota in rows),
        "containers": containers[:SHOWN],
        "more": max(0, containers.count() - SHOWN),
        "services": counted(services[:SHOWN]),
        "more_services": max(0, services.count() - SHOWN),
        "volumes": volumes.select_related("host").order_by("-size", "name")[:SHOWN],
        "pulls": by_whom(pulls_of(of.pk).filter(host__in=seen)),
        "jobs": by_whom(jobs_of(of.pk).filter(host__in=seen.values("name"))),
    }
    return render(request, "quotas/team.html", context)


def _place(request: HttpRequest, team: str) -> tuple[Team, Host | None]:
    name = request.GET.get("host", "") or request.POST.get("host", "")
    host = get_host(request.user, name) if name else None
    found = get_team(request.user, team, host)
    if not _may_set(request, host):
        raise Denied
    return found, host


@guard(Right.HOSTS_MANAGE)
@require_http_methods(["GET", "POST"])
def quota_edit(request: HttpRequest, team: str) -> HttpResponse:
    """What the team may have on the host `host`, or on all together."""
    of, host = _place(request, team)
    quota = Quota.objects.filter(team=of, host=host).first() or Quota(team=of, host=host)
    form = QuotaForm(request.POST or None, quota=quota)
    if request.method == "POST" and form.is_valid():
        try:
            quotas.store(request.user, of, host, form.cleaned_data)
            messages.success(request, _("Stored the quota. It holds from now on."))
            return redirect("quota_team", of.name)
        except DermagaError as error:
            form.refuse(error)
    context = {"form": form, "team": of, "host": host, "quota": quota}
    return render(request, "quotas/form.html", context, status=422 if form.errors else 200)


@guard(Right.HOSTS_MANAGE)
@require_POST
def quota_remove(request: HttpRequest, team: str) -> HttpResponse:
    """Nothing bounds the team there any more."""
    of, host = _place(request, team)
    try:
        quotas.remove(request.user, of, host)
        messages.success(request, _("The quota is gone: nothing bounds the team there any more."))
    except NotFound:
        messages.error(request, _("There is no such quota any more."))
    return redirect("quota_list")
