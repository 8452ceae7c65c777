"""What Ctrl K finds: places, objects, jobs, and acts ("restart web")."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.guard import guard
from accounts.models import SavedView
from accounts.rights import Right, allows
from common.lists import SEARCH_AT_MOST, searched
from hosts import filters
from hosts.access import may
from hosts.models import (
    Config,
    Container,
    Host,
    Image,
    Network,
    Node,
    Plugin,
    Registry,
    Secret,
    Service,
    Swarm,
    Task,
    Volume,
)
from hosts.pages import args_of, page_of, stack_page
from hosts.palette import PLACES, Entry
from hosts.views import find_acts
from jobs.filters import JOBS, SCHEDULES
from jobs.models import Job, Schedule

OF_EACH = 5  # entries of a noun
ACTS_OF = 3  # containers whose acts are offered


@guard(Right.LOGIN)
@require_GET
def find(request: HttpRequest) -> HttpResponse:
    """The entries for what was typed, in groups; for nothing typed, the places."""
    query = request.GET.get("q", "").replace("\0", "")[:SEARCH_AT_MOST].strip()
    user = request.user
    named, other = places(user, query)
    groups = [(_("Acts"), acts(user, query)), (_("Places"), named)]
    if query:
        groups += [*objects(user, query), (_("Pages"), other), (_("Lists"), lists(user, query))]
    return render(request, "components/found.html", {"groups": [g for g in groups if g[1]], "query": query})


# ---------------------------------------------------------------- places and acts on nothing in particular
def places(user: Any, query: str) -> tuple[list[Entry], list[Entry]]:
    """Pages whose name has the words: those whose name begins with them, which are meant whatever else is called so, and
    the others."""
    found = [
        Entry(place.icon, str(place.words), reverse(place.page), how=place.how)
        for place in PLACES
        if allows(user, place.right) and _has(str(place.words), query)
    ]
    begins = [entry for entry in found if entry.words.casefold().startswith(query.casefold())]
    return begins, [entry for entry in found if entry not in begins]


def lists(user: Any, query: str) -> list[Entry]:
    """The lists that can be searched for the same words."""
    found = [
        (Right.CONTAINERS_VIEW, "box", _("Containers"), "container_list"),
        (Right.IMAGES_VIEW, "photo", _("Images"), "image_list"),
        (Right.EVENTS_VIEW, "activity", _("Events"), "event_list"),
        (Right.JOBS_VIEW, "circle-dashed", _("Jobs"), "job_list"),
    ]
    return [
        Entry(icon, words, f"{reverse(name)}?{urlencode({'search': query})}", _("with “%(query)s”") % {"query": query})
        for right, icon, words, name in found
        if allows(user, right)
    ]


def _has(words: str, query: str) -> bool:
    return all(part in words.casefold() for part in query.casefold().split())


# ---------------------------------------------------------------- acts on containers
def acts(user: Any, query: str) -> list[Entry]:
    """For "restart web": the act on each container that "web" finds and that its state allows."""
    first, _space, rest = query.partition(" ")
    rest = rest.strip()
    if not first or not rest:
        return []
    verbs = {
        "logs": ("file-text", _("Logs"), "", Right.LOGS_VIEW),
        "terminal": ("terminal-2", _("Terminal"), "", Right.CONTAINERS_TERMINAL),
        "stats": ("chart-line", _("Stats"), "", Right.STATS_VIEW),
        "inspect": ("code", _("Inspect"), "", Right.CONTAINERS_VIEW),
        "start": ("player-play", _("Start"), "post", Right.CONTAINERS_OPERATE),
        "unpause": ("player-play", _("Unpause"), "post", Right.CONTAINERS_OPERATE),
        "pause": ("player-pause", _("Pause"), "post", Right.CONTAINERS_OPERATE),
        "restart": ("refresh", _("Restart"), "sure", Right.CONTAINERS_OPERATE),
        "stop": ("player-stop", _("Stop"), "ask", Right.CONTAINERS_OPERATE),
        "kill": ("bolt", _("Kill"), "ask", Right.CONTAINERS_OPERATE),
        "rename": ("pencil", _("Rename"), "ask", Right.CONTAINERS_OPERATE),
        "remove": ("trash", _("Remove"), "ask", Right.CONTAINERS_OPERATE),
    }
    wanted = {
        verb: parts
        for verb, parts in verbs.items()
        if (verb.startswith(first.casefold()) or parts[1].casefold().startswith(first.casefold()))
        and allows(user, parts[3])
    }
    on_containers = [
        Entry(
            icon,
            f"{words} {container.name}",
            _url(container, verb, how),
            container.host.name,
            container.state,
            how,
            "/".join(args_of(container)),
        )
        for container in (_containers(user, rest)[:ACTS_OF] if wanted else [])
        for verb, (icon, words, how, right) in wanted.items()
        if (not how or verb in container.possible) and may(user, right, container)
    ]
    return on_containers + find_acts.acts(user, first.casefold(), rest)


def _url(container: Container, verb: str, how: str) -> str:
    place = args_of(container)
    return reverse("container_ask", args=[*place, verb]) if how == "ask" else reverse(f"container_{verb}", args=place)


def _containers(user: Any, query: str) -> list[Container]:
    """Those whose name begins with the words come first."""
    found = searched(Container.objects.visible_to(user).select_related("host"), query, filters.CONTAINERS.search)
    begins = list(found.filter(name__istartswith=query).order_by("name", "pk")[:OF_EACH])
    known = [row.pk for row in begins]
    return begins + list(found.exclude(pk__in=known).order_by("name", "pk")[: OF_EACH - len(begins)])


# ---------------------------------------------------------------- objects
def objects(user: Any, query: str) -> list[tuple[str, list[Entry]]]:
    """A group for each noun that has any."""
    containers = [
        Entry("box", row.name, page_of(row), f"{row.image} · {row.host.name}", row.state)
        for row in _containers(user, query)
    ]
    hosts = [
        Entry("server", row.name, page_of(row), row.url, row.state)
        for row in _some(Host.objects.visible_to(user), query, ("name", "url"), "name")
    ]
    images = [
        Entry("photo", row.name, page_of(row), row.host.name)
        for row in _some(Image.objects.visible_to(user).select_related("host"), query, filters.IMAGES.search, "name")
        if row.name
    ]
    jobs = [
        Entry("circle-dashed", f"{row.title} {row.target}", page_of(row), row.host, row.state)
        for row in _some(Job.objects.visible_to(user).listed(), query, JOBS.search, "-pk")
    ]
    schedules = [
        Entry("clock", row.name, page_of(row), row.cron)
        for row in _some(Schedule.objects.visible_to(user), query, SCHEDULES.search, "name")
    ]
    swarms = [
        Entry("hexagons", row.name, page_of(row))
        for row in _some(Swarm.objects.visible_to(user), query, ("name", "engine_id"), "name")
    ]
    registries = [
        Entry("cloud-download", row.name, page_of(row), row.address)
        for row in _some(Registry.objects.visible_to(user), query, filters.REGISTRIES.search, "name")
    ]
    stacks = [
        Entry("stack-2", name, stack_page(swarm, name), swarm)
        for swarm, name in Service.objects.visible_to(user)
        .filter(stack__icontains=query)
        .order_by("stack", "swarm__name")
        .values_list("swarm__name", "stack")
        .distinct()[:OF_EACH]
    ]
    views = [
        Entry("bookmark", row.name, row.url)
        for row in _some(SavedView.objects.filter(user=user.pk), query, ("name",), "name")
    ]
    return [
        (_("Saved views"), views),
        (_("Containers"), containers),
        (_("Hosts"), hosts),
        (_("Images"), images),
        (_("Networks"), _paged(user, Network, query, filters.NETWORKS.search, "network")),
        (_("Volumes"), _paged(user, Volume, query, filters.VOLUMES.search, "database")),
        (_("Plugins"), _paged(user, Plugin, query, filters.PLUGINS.search, "plug")),
        (_("Registries"), registries),
        (_("Services"), _of_swarms(user, Service, query, "stack-2")),
        (_("Stacks"), stacks),
        (_("Tasks"), _of_swarms(user, Task, query, "circle-dashed")),
        (_("Swarms"), swarms),
        (_("Nodes"), _of_swarms(user, Node, query, "server-2")),
        (_("Secrets"), _of_swarms(user, Secret, query, "key")),
        (_("Configs"), _of_swarms(user, Config, query, "file-text")),
        (_("Schedules"), schedules),
        (_("Jobs"), jobs),
    ]


def _some(rows: Any, query: str, columns: Iterable[str], order: str) -> Any:
    return searched(rows, query, tuple(columns)).order_by(order)[:OF_EACH]


def _paged(user: Any, model: Any, query: str, columns: Iterable[str], icon: str) -> list[Entry]:
    """Objects of hosts."""
    rows = _some(model.objects.visible_to(user).select_related("host"), query, columns, "name")
    return [Entry(icon, row.name, page_of(row), row.host.name) for row in rows]


def _of_swarms(user: Any, model: Any, query: str, icon: str) -> list[Entry]:
    rows = _some(model.objects.visible_to(user).select_related("swarm"), query, ("name", "engine_id"), "name")
    return [Entry(icon, row.name, page_of(row), row.swarm.name) for row in rows]
