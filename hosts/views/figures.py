"""What lists and the overview show of the stats history: sparklines of hosts, and who uses most."""

from collections.abc import Sequence
from typing import Any

from accounts.rights import Right
from hosts.models import Container, Host, Series
from hosts.models.hosts import LIVE_STATES

SHOWN = 5


def add_sparks(user: Any, hosts: Sequence[Host]) -> None:
    """Sets `cpu_points` and `memory_points` (shares of the host in percent, oldest first) on each of `hosts` that
    has them, None on others; in one query."""
    rows = Series.objects.visible_to(user).filter(host__in=[host.pk for host in hosts], key="")
    found = {row.host_id: row.sparks for row in rows}
    for host in hosts:
        spark = found.get(host.pk) if host.is_live else None
        cpus, memory = host.cpus or 1, host.memory or 0
        host.cpu_points = [cpu / cpus for cpu in spark.cpu] if spark else None  # type: ignore[attr-defined]
        points = [100 * used / memory for used in spark.memory] if spark and memory else None
        host.memory_points = points  # type: ignore[attr-defined]


def greatest(user: Any, figure: str) -> list[Container]:
    """The running containers of all hosts that use most `figure` ("cpu" or "memory") now, with host and series."""
    rows = Container.objects.visible_to(user).filter(state="running", host__state__in=LIVE_STATES, series__isnull=False)
    rows = rows.granted(user, Right.STATS_VIEW)
    # some more, since a few may have been sampled last before their host was lost for a while
    rows = rows.select_related("host", "series").order_by(f"-series__{figure}", "pk")[: 3 * SHOWN]
    return [container for container in rows if container.current][:SHOWN]
