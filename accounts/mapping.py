"""Groups that somebody else knows (an OpenID provider) as teams here. What comes from there is kept apart from what people
here decided: a login adds and removes only its own."""

import logging
from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts.audit import record
from accounts.differences import difference
from accounts.models import Membership, Team, User
from accounts.rights import SYSTEM
from accounts.teams import part_of

GROUPS_AT_MOST = 10_000
Teams = Mapping[str, list[tuple[str, bool]]]  # group -> (name of a team, whether as its lead)
log = logging.getLogger(__name__)


def groups_in(claims: Mapping[str, Any], claim: str) -> set[str]:
    """The names of groups in a claim, whose dots lead into objects: `realm_access.roles`."""
    found: Any = claims.get(claim)
    if found is None:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    listed = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    return {group for group in listed[:GROUPS_AT_MOST] if isinstance(group, str)}


def teams_of(groups: set[str], teams: Teams) -> dict[str, bool]:
    """Team -> whether as its lead."""
    found: dict[str, bool] = {}
    for group in groups & set(teams):
        for team, lead in teams[group]:
            found[team] = found.get(team, False) or lead
    return found


@transaction.atomic
def apply(user: User, source: str, wanted: Mapping[str, bool]) -> None:
    """Makes the memberships of this source those that are `wanted`. Who is in a team by hand stays as they are."""
    there = {one.team.name: one for one in Membership.objects.filter(user=user).select_related("team")}
    said = {"user": user.username, "source": source}
    known = {team.name: team for team in Team.objects.filter(name__in=wanted)}
    for name in sorted(set(wanted) - set(known)):
        log.warning("a group is mapped to the team %s, which is not there", name)
    for name, team in sorted(known.items()):
        lead, old = wanted[name], there.get(name)
        if old is None:
            Membership.objects.create(team=team, user=user, lead=lead, source=source)
        elif old.source == source and old.lead != lead:
            Membership.objects.filter(pk=old.pk).update(lead=lead)
        else:
            continue
        change = difference({"part": part_of(old.lead)} if old else {}, {"part": part_of(lead)})
        record(SYSTEM, "team.member", name, detail=said | change)
    for name, one in sorted(there.items()):
        if one.source == source and name not in known:
            one.delete()
            record(SYSTEM, "team.leave", name, detail=said | difference({"part": part_of(one.lead)}, {}))
