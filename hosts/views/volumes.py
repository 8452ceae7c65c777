"""Volumes of all hosts, and who uses them."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.htmx import template_for
from hosts import filters
from hosts.models import Container, Volume

SORTS = {"name": ["name"], "host": ["host__name", "name"], "driver": ["driver", "name"], "created": ["created"]}


@guard(Right.VOLUMES_VIEW)
@require_GET
def volume_list(request: HttpRequest) -> HttpResponse:
    """One table."""
    rows = Volume.objects.visible_to(request.user).select_related("host")
    if host := request.GET.get("host"):
        rows = rows.filter(host__name=host)
    rows = filters.search(rows, request.GET.get("search", ""), ["name", "driver", "host__name"])
    rows, sort = filters.order(rows, request.GET.get("sort", ""), SORTS, "name")
    page = filters.page_of(rows, request.GET, sort)
    users: dict[tuple[int, str], list[Container]] = {}
    for container in Container.objects.visible_to(request.user).filter(host__in={v.host_id for v in page.items}):
        for mount in container.data.get("mounts", []):
            users.setdefault((container.host_id, mount.get("name", "")), []).append(container)
    for volume in page.items:
        volume.users = users.get((volume.host_id, volume.name), [])
    return render(request, template_for(request, "volumes/page.html", "volumes/_rows.html"), {"page": page})
