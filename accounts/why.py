"""Why somebody can, or cannot: where each right comes from."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from accounts.models import Grant, User
from accounts.models.teams import labels_of_hosts
from accounts.rights import RIGHTS_OF, Right, allows, standing_of


@dataclass(frozen=True)
class Source:
    """A role that somebody has: their own, or one that is granted to them or to their `team`. `hosts` are where it holds
    now; None: on all."""

    role: str
    role_words: str
    team: str
    place: str
    rights: frozenset[Right]
    hosts: tuple[str, ...] | None
    grant: int | None = None
    own: bool = False  # for what the team owns alone

    def gives(self, right: Right, host: str) -> bool:
        """Whether the right comes from here: on that host, or, for "", on any."""
        return right in self.rights and (self.hosts is None or (host in self.hosts if host else bool(self.hosts)))


def sources(user: User) -> list[Source]:
    """All roles of an account, its own first."""
    own = Source(user.role, str(user.get_role_display()), "", "all", RIGHTS_OF.get(user.role, frozenset()), None)
    grants = Grant.objects.select_related("team", "own_role", "host")
    mine = list(grants.filter(Q(user=user) | Q(team__memberships__user=user)).distinct())
    labels = labels_of_hosts() if any(grant.label for grant in mine) else {}
    return [own, *(_source(grant, labels) for grant in mine)]


def _source(grant: Grant, labels: dict[str, dict[str, Any]]) -> Source:
    placed = bool(grant.host or grant.label)
    return Source(
        grant.role_name,
        grant.role_words,
        grant.team.name if grant.team else "",
        grant.place,
        grant.gives,
        tuple(sorted(grant.hosts(labels))) if placed else None,
        grant.pk,
        grant.own,
    )


@dataclass(frozen=True)
class Answer:
    """Whether `user` has `right` on `host` ("": on any), the sources that give it, and those that would elsewhere."""

    allowed: bool
    by: list[Source]
    elsewhere: list[Source]
    disabled: bool


def why(user: User, right: Right, host: str = "") -> Answer:
    """Explains one decision."""
    found = sources(user)
    by = [source for source in found if source.gives(right, host)]
    elsewhere = [source for source in found if right in source.rights and source not in by]
    allowed = standing_of(user).reach(right).touches(host) if host else allows(user, right)
    return Answer(allowed, by, elsewhere, not user.is_active)


def hosts_of(found: Iterable[Source]) -> list[str]:
    """Names of the hosts that these are about, each once."""
    return sorted({host for source in found for host in source.hosts or ()})
