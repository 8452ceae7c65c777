"""How many containers hosts have, in one query for all of them; and what is told of a host as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q

from accounts.rights import Right
from hosts.access import may
from hosts.models import Container, Host


@dataclass(frozen=True)
class Counts:
    """Containers of one host."""

    total: int = 0
    running: int = 0
    stopped: int = 0
    unhealthy: int = 0


def hide_sums(user: Any, hosts: Sequence[Host]) -> None:
    """Takes from each of `hosts` what is the sum of all its containers and images, when `user` does not see all of them:
    a difference would tell of the others."""
    for host in hosts:
        if not may(user, Right.CONTAINERS_VIEW, host):
            host.hides_sums = True


def add_counts(user: Any, hosts: Sequence[Host]) -> None:
    """Sets `counts` (a Counts) on each of `hosts`, and hides their sums from who may not see these.

    Not by a join: the database would sort whole hosts with their certificates once for each container.
    """
    rows = (
        Container.objects.visible_to(user)
        .filter(host__in=[host.pk for host in hosts])
        .order_by()
        .values("host")
        .annotate(
            total=Count("pk"),
            running=Count("pk", filter=Q(state="running")),
            stopped=Count("pk", filter=Q(state__in=["exited", "created", "dead"])),
            unhealthy=Count("pk", filter=Q(health="unhealthy", state="running")),
        )
    )
    hide_sums(user, hosts)
    found = {row.pop("host"): Counts(**row) for row in rows}
    for host in hosts:
        host.counts = found.get(host.pk, Counts())  # type: ignore[attr-defined]
