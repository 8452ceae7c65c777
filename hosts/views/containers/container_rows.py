"""What a row of the table of containers depends on: rows that look the same to all who may see the same are rendered once."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from time import time

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import get_language

from accounts.rights import Right, standing_of
from common.templatetags.ui import clock, short_span
from hosts.models import Container, Host
from hosts.models.spark import STEP
from hosts.views.ports import published


def prepare(containers: Iterable[Container], request: HttpRequest, columns: Sequence[str]) -> None:
    """Gives each container `published`, its ports as links, and `key`, for {% kept "containers/_row.html" %}."""
    # the links of the project column keep the rest of the page's query
    query = request.META.get("QUERY_STRING", "") if "project" in columns else ""
    same = (get_language(), standing_of(request.user), tuple(columns), query, int(time()) // STEP)
    now = timezone.now()
    figures = standing_of(request.user).reach(Right.STATS_VIEW)
    for container in containers:
        if not figures.covers(container.host.name) and not figures.owns(container.host.name, container.owner_id):
            container.series = None
        container.published = published(container, request)  # type: ignore[attr-defined]
        container.key = (*same, *_facts(container, now))  # type: ignore[attr-defined]


def _facts(container: Container, now: datetime) -> tuple[object, ...]:
    """All of the row that the template shows; times as they read now."""
    sampled = container.current
    return (
        container.pk,
        container.engine_id,
        container.name,
        container.image,
        container.project,
        container.state,
        container.health,
        container.exit_code,
        tuple(container.published),  # type: ignore[attr-defined]
        *(part for moment in (container.created, container.started, container.finished) for part in _time(moment, now)),
        *_host(container.host),
        *((sampled.cpu, sampled.memory, bytes(sampled.spark)) if sampled else ()),
    )


def _time(moment: datetime | None, now: datetime) -> tuple[object, ...]:
    return (moment, short_span((now - moment).total_seconds())) if moment else (None, "")


def _host(host: Host) -> tuple[object, ...]:
    return (host.name,) if host.is_live else (host.name, host.state, host.enabled, host.reason, clock(host.last_seen))
