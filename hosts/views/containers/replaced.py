"""A page of a container that was made anew leads to the one that took its place: as jobs of this product know it, or, where
others did it (docker compose, a person), by the name that events tell."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _

from common.errors import NotFound
from common.htmx import go, is_fragment
from hosts.access import get_container
from hosts.models import Container, Event
from hosts.specs.replaced import STANDS_IN
from jobs.models import Job, JobState

HOPS_AT_MOST = 20
EVENTS_AT_MOST = 10_000  # the newest of the host: an id that is none must not read all of years
SET_ASIDE = re.compile(r"[0-9a-f]{12}_(.+)")  # by docker compose, until the new one runs
NAMED = "named"  # in the address of a live part: the name that its page was opened by
TABS = {
    "logs": "container_logs",
    "stats": "container_stats",
    "terminal": "container_terminal",
    "files": "container_files",
    "processes": "container_processes",
    "changes": "container_changes",
    "inspect": "container_inspect",
}
View = Callable[..., HttpResponseBase]


def leads_on(view: View) -> View:
    """Sends the browser on where there is no such container any more and another is in its place."""

    @wraps(view)
    def wrapped(request: HttpRequest, host: str, ref: str, *args: Any, **more: Any) -> HttpResponseBase:
        try:
            return view(request, host, ref, *args, **more)
        except NotFound:
            name = request.GET.get(NAMED, "")
            found = successor(request.user, host, ref) or _called(request.user, host, name)
            if found is None and request.method == "GET":
                found = _namesake(request, host, ref)
            if request.method != "GET" or found is None or request.resolver_match is None:
                raise
            to = name if name and name == found.name else found.engine_id[:12]
            query = request.GET.copy()
            tab = TABS.get(query.get("tab", ""), request.resolver_match.view_name)  # that the part was shown on
            for of_part in (NAMED, "part", "tab"):
                query.pop(of_part, None)
            url = reverse(tab, args=[host, to])
            return go(request, f"{url}?{query.urlencode()}" if query else url)

    return wrapped


def place_of(container: Container, ref: str) -> dict[str, Any]:
    """What the frame of a container's page shows of it: the name that it was opened by (it follows the name then), and
    whether the container stands in for another while that is made anew."""
    return {"named": ref if ref == container.name else "", "stands_in": STANDS_IN.fullmatch(container.name)}


def successor(user: Any, host: str, ref: str) -> Container | None:
    """The container that was made in the place of the one with the id `ref` (or the beginning of it)."""
    if len(ref) < 12 or "\0" in ref:
        return None
    proven = Job.objects.filter(kind="container.recreate", host=host, state__in=[JobState.RUNNING, JobState.DONE])
    for _hop in range(HOPS_AT_MOST):
        short = ref[:12]
        job = proven.filter(Q(result__replaced__startswith=ref) | Q(result__along__has_key=short)).first()
        new = str(job.result.get("along", {}).get(short) or job.result.get("id") or "") if job else ""
        if not new:
            return None
        if found := _called(user, host, new):
            return found
        ref = new
    return None


def _called(user: Any, host: str, ref: str) -> Container | None:
    try:
        return get_container(user, host, ref) if ref else None
    except NotFound:
        return None


def _namesake(request: HttpRequest, host: str, ref: str) -> Container | None:
    """The container that bears the name of the one with the id `ref` now, which is gone; the browser's page says so."""
    if len(ref) < 12 or not ref.isascii() or not ref.isalnum():
        return None
    newest = (
        Event.objects.visible_to(request.user).filter(host__name=host).order_by("-pk").values("pk")[:EVENTS_AT_MOST]
    )
    about = Event.objects.filter(pk__in=newest, kind="container", actor_id__startswith=ref).exclude(actor_name="")
    last = about.order_by("-pk").values_list("actor_name", flat=True).first() or ""
    aside = SET_ASIDE.fullmatch(last)
    found = _called(request.user, host, aside[1] if aside else last)
    if found and not is_fragment(request):
        words = _("The container %(id)s is gone. This is the one that is called %(name)s now.")
        messages.info(request, words % {"id": ref[:12], "name": found.name})
    return found
