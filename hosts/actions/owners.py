"""Whose an object of a host is, and with which other teams it is shared."""

from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference
from accounts.models import Team
from accounts.rights import Right
from common.errors import Denied, Invalid
from hosts.access import may
from hosts.actions.act import demand
from hosts.inventory.owners import Owners, apply_owners
from hosts.models import Adoption, Share
from hosts.models.base import Owned, Shared
from hosts.owning import MANAGE, teams_for
from hosts.pages import NOUNS

NO_TEAM = gettext_noop("There is no team called %(name)s.")


def set_owner(actor: Any, row: Owned, team: str) -> None:
    """It belongs to the team of this name from now on, also when it is made anew, whatever its label says; "": to nobody.
    Raises Denied, and Invalid for `team`."""
    noun = NOUNS[type(row)]
    try:
        demand(actor, Right.HOSTS_MANAGE, row.host)
    except Denied:
        record(actor, f"{noun}.owner", str(row), host=row.host.name, outcome="refused")
        raise
    (found,) = _teams(actor, row, [team], "team") if team else (None,)
    was = row.owner.name if row.owner else ""
    with transaction.atomic():
        word = {"team": found, "by_name": actor.username}
        Adoption.objects.update_or_create(
            host=row.host, noun=noun, key=Owners(row.host, noun).key(row.__dict__), defaults=word
        )
        record(actor, f"{noun}.owner", str(row), host=row.host.name, detail=difference({"team": was}, {"team": team}))
        apply_owners([row.host], [noun])


def set_shared(actor: Any, row: Shared, teams: Iterable[str]) -> None:
    """The teams of these names see and use it as well, and no others. Raises Denied, and Invalid for `shared`."""
    noun, key = NOUNS[type(row)], getattr(row, row.key_column)
    manages = may(actor, Right.HOSTS_MANAGE, row.host)
    try:
        demand(actor, Right.HOSTS_MANAGE if manages else MANAGE[type(row)], row.host if manages else row)
    except Denied:
        record(actor, f"{noun}.share", str(row), host=row.host.name, outcome="refused")
        raise
    found = _teams(actor, row, teams, "shared")
    rows = Share.objects.filter(host=row.host, noun=noun, key=key)
    with transaction.atomic():
        was = sorted(rows.values_list("team__name", flat=True))
        rows.exclude(team__in=found).delete()
        for team in found:
            Share.objects.get_or_create(host=row.host, noun=noun, key=key, team=team)
        detail = difference({"teams": was}, {"teams": sorted(team.name for team in found)})
        record(actor, f"{noun}.share", str(row), host=row.host.name, detail=detail)


def _teams(actor: Any, row: Owned, names: Iterable[str], field: str) -> list[Team]:
    wanted, offered = set(names), teams_for(actor, row)
    known = {team.name: team for team in Team.objects.filter(name__in=wanted & set(offered))}
    for name in sorted(wanted - known.keys()):
        raise Invalid(field, NO_TEAM, {"name": name[:63]})
    return list(known.values())
