"""What can be done to quotas: set and taken away. Who manages a host does so for that host; who manages all of them also
for all hosts together."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference
from accounts.models import Quota, Team
from accounts.models.quotas import BOUNDS, DEFAULTS
from accounts.rights import Right
from common.errors import Denied, Invalid, NotFound
from hosts.access import EVERYWHERE
from hosts.actions.act import demand
from hosts.models import Host
from hosts.specs.check import CPUS_AT_LEAST

FIELDS = (*BOUNDS, *DEFAULTS)
TOO_MUCH = gettext_noop("Write a number from 0 to %(most)s, or nothing for no bound.")
MOST = {"cpus": 1e6, "default_cpus": 1e6, "memory": 2**50, "default_memory": 2**50, "volume_bytes": 2**60}
MOST_OF_OTHERS = 2**31 - 1
LEAST_MEMORY = 6 * 1024 * 1024  # an engine takes no less for a container
EMPTY = gettext_noop("Give at least one bound, or remove the quota.")


def store(actor: Any, team: Team, host: Host | None, values: dict[str, Any]) -> Quota:
    """Sets the team's quota there: `values` by the names of its columns, None for no bound; what is left out stays.
    Raises Denied, Invalid."""
    _demand(actor, team, host, "quota.set")
    for name, value in values.items():
        most = MOST.get(name, MOST_OF_OTHERS)
        if value is not None and not 0 <= value <= most:
            raise Invalid(name, TOO_MUCH, {"most": int(most)})
    if 0 < (values.get("default_memory") or 0) < LEAST_MEMORY:
        raise Invalid("default_memory", gettext_noop("Write at least 6m: an engine takes no less."))
    if 0 < (values.get("default_cpus") or 0) < CPUS_AT_LEAST:
        raise Invalid("default_cpus", gettext_noop("Write at least 0.01: of much less an engine makes no limit."))
    with transaction.atomic():
        list(Team.objects.select_for_update().filter(pk=team.pk))
        quota: Quota = Quota.objects.filter(team=team, host=host).first() or Quota(team=team, host=host)
        before = {name: getattr(quota, name) for name in FIELDS}
        for name, value in values.items():
            # a default of 0 would be none for an engine
            setattr(quota, name, value if value or name in BOUNDS else None)
        after = {name: getattr(quota, name) for name in FIELDS}
        if not any(value is not None for value in after.values()):
            raise Invalid("containers", EMPTY)
        quota.by_name = actor.username
        quota.save()
        detail = difference(before, after)
        record(actor, "quota.set", team.name, host=host.name if host else "", detail=detail)
    return quota


def remove(actor: Any, team: Team, host: Host | None) -> None:
    """Takes the team's quota there away: nothing bounds it any more. Raises Denied, NotFound."""
    _demand(actor, team, host, "quota.remove")
    with transaction.atomic():
        quota = Quota.objects.filter(team=team, host=host).first()
        if quota is None:
            raise NotFound
        before = {name: getattr(quota, name) for name in FIELDS}
        quota.delete()
        record(actor, "quota.remove", team.name, host=host.name if host else "", detail=difference(before, {}))


def _demand(actor: Any, team: Team, host: Host | None, action: str) -> None:
    try:
        demand(actor, Right.HOSTS_MANAGE, host or EVERYWHERE)
    except Denied:
        record(actor, action, team.name, host=host.name if host else "", outcome="refused")
        raise
