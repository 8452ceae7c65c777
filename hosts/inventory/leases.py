"""Who watches which host: leases in the database, shared out evenly among the watch processes that live.

A lease is also a fence: what a watcher writes is written in one transaction with the look at its lease, so that a
process that was frozen for a while writes nothing about a host which another one has taken over meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from common.events import changed
from hosts.models import Host, WatchProcess
from hosts.models.hosts import HostState

LEASE = timedelta(seconds=12)
RENEW_BELOW = timedelta(seconds=8)
SEEN_EVERY = timedelta(seconds=3)


class LeaseLost(Exception):
    """Another process watches the host now, or it is gone."""


@dataclass
class Leases:
    """What a process holds: `mine` as {host's key: revision of its connection}; `surplus` are to be given back."""

    mine: dict[int, int] = field(default_factory=dict)
    surplus: list[int] = field(default_factory=list)


def take(owner: str) -> Leases:
    """Renews this owner's leases and takes free ones up to its even share."""
    now = timezone.now()
    share = _share(owner, now)
    _disable(now)
    mine = Host.objects.filter(enabled=True, lease_owner=owner)
    mine.filter(lease_until__lt=now + RENEW_BELOW).update(lease_until=now + LEASE)
    held = dict(mine.order_by("pk").values_list("pk", "revision"))
    if len(held) < share:
        free = Q(lease_until=None) | Q(lease_until__lt=now)
        wanted = Host.objects.filter(free, enabled=True).order_by(F("lease_until").asc(nulls_first=True), "pk")
        for pk in wanted.values_list("pk", flat=True)[: share - len(held)]:
            # the condition again in the update: two processes may have seen the same free host
            Host.objects.filter(free, pk=pk).update(lease_owner=owner, lease_until=now + LEASE)
        held = dict(mine.order_by("pk").values_list("pk", "revision"))
    return Leases(held, list(held)[share:])


def _share(owner: str, now: datetime) -> int:
    """How many hosts fall to each process."""
    if not WatchProcess.objects.filter(owner=owner, seen__gt=now - SEEN_EVERY).exists():
        WatchProcess.objects.update_or_create(owner=owner, defaults={"seen": now})
        WatchProcess.objects.filter(seen__lt=now - timedelta(days=1)).delete()
    live = WatchProcess.objects.filter(seen__gt=now - LEASE).count()
    return -(-Host.objects.filter(enabled=True).count() // max(1, live))


def _disable(now: datetime) -> None:
    """Hosts that somebody has just disabled say so."""
    for pk, name in Host.objects.filter(enabled=False).exclude(state=HostState.DISABLED).values_list("pk", "name"):
        Host.objects.filter(pk=pk).update(
            state=HostState.DISABLED, since=now, reason_code="", reason_template="", lease_owner="", lease_until=None
        )
        changed("host", name)


def give_back(owner: str, hosts: list[int] | None = None) -> None:
    """Lets others take these hosts at once; without `hosts` all of this owner's, who stops."""
    mine = Host.objects.filter(lease_owner=owner)
    if hosts is None:
        WatchProcess.objects.filter(owner=owner).delete()
    else:
        mine = mine.filter(pk__in=hosts)
    mine.update(lease_owner="", lease_until=None)


def fenced(owner: str, host: int, function: Callable[..., Any], *args: Any) -> Any:
    """Calls `function` in a transaction in which nobody else can take the host. Raises LeaseLost."""
    with transaction.atomic():
        if not Host.objects.select_for_update().filter(pk=host, lease_owner=owner).values_list("pk").first():
            raise LeaseLost(host)
        return function(*args)
