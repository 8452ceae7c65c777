"""The logs of any choice of containers in one view, and the list to choose from."""

import json
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.rights import Right
from common.errors import NotFound
from common.lists import searched
from hosts import filters
from hosts.actions.containers import looks
from hosts.log_choice import TARGETS_AT_MOST, Chosen, LogChoice, chosen
from hosts.models import Container, Host

CONTAINERS_SHOWN, GROUPS_SHOWN = 30, 6
CHIPS_SHOWN = 6


@dataclass(frozen=True)
class Chip:
    """One part of a choice: `name`=`value` is its place in the URL, `url` the page without it."""

    kind: str
    name: str
    value: str
    label: str
    url: str
    gone: bool = False


@guard(Right.LOGS_VIEW)
@require_GET
def log_page(request: HttpRequest) -> HttpResponse:
    """One time-ordered view; the URL holds the choice: `target` HOST/CONTAINER, `host`, `project`, `service`
    SWARM/SERVICE, each repeatable."""
    choice = LogChoice.of(request.GET.getlist)
    found = chosen(request.user, choice)
    chips = _chips(request.GET, choice, found)
    context = {
        "choice": json.dumps(_for_socket(choice, found)),
        "can_show": bool(found.logs or choice.grows),
        "is_chosen": bool(choice),
        "found": found,
        "chips": chips[:CHIPS_SHOWN],
        "more_chips": chips[CHIPS_SHOWN:],
        "at_most": TARGETS_AT_MOST,
        "running": sum(log.state == "running" for log in found.logs),
    }
    return render(request, "logs/page.html", context)


def _for_socket(choice: LogChoice, found: Chosen) -> dict[str, list[str]]:
    """The choice with whole ids: a name may come to mean another container while the page is open."""
    targets = list(choice.targets) if choice.grows else [log.ref for log in found.logs]
    services = {"service": list(choice.services)} if choice.services else {}
    return {"target": targets, "host": list(choice.hosts), "project": list(choice.projects)} | services


def _chips(params: QueryDict, choice: LogChoice, found: Chosen) -> list[Chip]:
    names = {}
    for log in found.logs:
        for ref in (log.name, log.engine_id, log.engine_id[:12]):
            names[f"{log.place}/{ref}"] = log.name
    words = [("host", value, value) for value in choice.hosts]
    words += [("project", value, value) for value in choice.projects]
    words += [("service", value, value) for value in choice.services]
    words += [("target", value, names.get(value, value)) for value in choice.targets[:TARGETS_AT_MOST]]
    return [
        Chip(name, name, value, label, _without(params, name, value), value in found.unknown)
        for name, value, label in words
    ]


def _without(params: QueryDict, name: str, value: str) -> str:
    rest = params.copy()
    rest.setlist(name, [each for each in rest.getlist(name) if each != value])
    return f"?{rest.urlencode()}"


@guard(Right.LOGS_VIEW)
@require_GET
def logs_download(request: HttpRequest) -> StreamingHttpResponse:
    """What the view shows, or a part of it, as one file in order of time: see LogRange."""
    found = chosen(request.user, LogChoice.of(request.GET.getlist))
    if not found.logs:
        raise NotFound
    return looks.logs_download(request.user, found.logs, looks.LogRange.of(request.GET))


@guard(Right.LOGS_VIEW)
@require_GET
def log_choices(request: HttpRequest) -> HttpResponse:
    """What can be added to a view: projects, hosts and containers in which the words of `search` occur."""
    words, user = request.GET.get("search", ""), request.user
    everything = Container.objects.visible_to(user)
    projects = everything.exclude(project="").order_by("project").values("project").annotate(n=Count("pk"))
    mine = Count("container", filter=Q(container__in=everything))
    hosts = Host.objects.visible_to(user).annotate(n=mine).filter(n__gt=0)
    containers = searched(everything, words, filters.CONTAINERS.search)
    context: dict[str, Any] = {
        "projects": searched(projects, words, ["project"])[:GROUPS_SHOWN],
        "hosts": searched(hosts, words, ["name"])[:GROUPS_SHOWN],
        "containers": containers.select_related("host").order_by("name", "host__name")[:CONTAINERS_SHOWN],
    }
    return render(request, "logs/_choices.html", context)
