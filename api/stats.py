"""The stats history over REST: of a container or a host under their own addresses, of several at once here."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from ninja import Query, Router, Schema
from ninja.params import functions
from pydantic import Field

from accounts.rights import Right
from api.auth import needs
from common.errors import Invalid
from hosts import charts, reasons
from hosts.access import get_histories
from hosts.models import Container, Host, Series
from hosts.models.grid import METRICS

router = Router(tags=["stats"])
HOUR = 3600
TARGETS_AT_MOST = 200
Targets = functions.Query(..., description="HOST/CONTAINER")


class Span(Schema):
    """Which time, in how many points, of which metrics (all if none is named). Times are RFC 3339 or Unix time."""

    from_: datetime | None = Field(None, alias="from", description="an hour before `to` if left out")
    to: datetime | None = Field(None, description="now if left out")
    points: int = Field(300, ge=2, le=2000)
    metric: list[Literal["cpu", "memory", "net_rx", "net_tx", "block_read", "block_write", "pids"]] = []

    @property
    def metrics(self) -> Sequence[str]:
        """The asked ones in their usual order."""
        return [name for name in METRICS if name in self.metric] or METRICS

    def read(self, wanted: Sequence[Series]) -> charts.Lines:
        """The history of `wanted` in this span. Raises Invalid."""
        now = int(time.time())
        end = _seconds(self.to, now)
        start = _seconds(self.from_, end - HOUR)
        if not 0 <= start < end:
            raise Invalid("from", gettext_noop("The span must begin before it ends."))
        return charts.series(wanted, start, end, self.points, now, self.metrics)


def _seconds(moment: datetime | None, otherwise: int) -> int:
    if moment is None:
        return otherwise
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def show(span: Span, series: Series | None, host: Host, container: Container | None = None) -> dict[str, Any]:
    """One line: what it is read from, its last sample, and its points, or the reason why it has none."""
    lines = span.read([series] if series else [])
    latest = {"time": series.sampled, "cpu": series.cpu, "memory": series.memory} if series else None
    points = charts.as_json(lines.grids.get(series.pk) if series else None, span.metrics)
    return {
        **_frame(lines),
        "reason": "" if points["time"] else reasons.no_samples(host, container, series),
        "memory_limit": series.memory_limit if series else None,
        "latest": latest,
        **points,
    }


def _frame(lines: charts.Lines) -> dict[str, Any]:
    return {"from": lines.start, "to": lines.end, "step": lines.step, "tier": lines.tier}


@router.get("", response=dict)
@needs(Right.STATS_VIEW)
def stats_many(request: HttpRequest, span: Query[Span], target: list[str] = Targets) -> Any:
    """The history of several containers (`target`=HOST/CONTAINER, repeated), in one answer."""
    if len(target) > TARGETS_AT_MOST:
        raise Invalid("target", gettext_noop("At most %(n)s targets at once."), {"n": TARGETS_AT_MOST})
    found = get_histories(request.user, target)
    lines = span.read([series for series in found if series])
    items = []
    for name, series in zip(target, found, strict=True):
        host, _, container = name.partition("/")
        points = charts.as_json(lines.grids.get(series.pk) if series else None, span.metrics)
        items.append({"host": host, "container": container, **points})
    # numbers alone, many thousands of them: ninja's own way takes four times as long
    return HttpResponse(orjson.dumps({**_frame(lines), "items": items}), content_type="application/json")
