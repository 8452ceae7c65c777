"""A page of a container that was made anew leads to the one that took its place."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import reverse

from common.errors import NotFound
from common.htmx import go
from hosts.access import get_container
from hosts.models import Container
from hosts.specs.replaced import STANDS_IN
from jobs.models import Job, JobState

HOPS_AT_MOST = 20
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
    for _ in range(HOPS_AT_MOST):
        job = proven.filter(result__replaced__startswith=ref).first()
        new = str(job.result.get("id") or "") if job else ""
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
