"""Which quotas somebody may see, and set."""

from typing import Any

from django.db.models import Q, QuerySet

from accounts.models import Quota, Team
from accounts.rights import Right
from accounts.teams import visible_teams
from common.errors import NotFound
from hosts.access import may_police
from hosts.models import Host
from hosts.owning import granted_at


def visible_quotas(user: Any) -> QuerySet[Quota]:
    """Those of one's own teams, and those of the hosts that one manages; who manages all hosts sees all."""
    found = Quota.objects.select_related("team", "host")
    if may_police(user, None):
        return found
    seen, managed = Host.objects.visible_to(user), Host.objects.granted(user, Right.HOSTS_MANAGE)
    theirs = Q(team__in=visible_teams(user)) & (Q(host=None) | Q(host__in=seen))
    return found.filter(theirs | Q(host__in=managed))


def get_team(actor: Any, name: str, host: Host | None) -> Team:
    """The team for whom `actor` may set a quota. Raises NotFound for one that they do not see."""
    found: Team | None = visible_teams(actor).filter(name=name).first() if "\0" not in name else None
    if found is None and may_police(actor, host):
        there = granted_at(host) if host else list(Team.objects.filter(name=name) if "\0" not in name else [])
        found = next((team for team in there if team.name == name), None)
    if found is None:
        raise NotFound
    return found
