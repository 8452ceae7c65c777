"""What can be done to teams, roles of one's own, and grants. Whoever manages users may do all of it; a lead of a team
manages its members."""

import re
from collections.abc import Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.differences import difference, told
from accounts.models import Grant, Membership, OwnRole, Team, User
from accounts.models.teams import GRANTABLE, host_model
from accounts.rights import ALL, Right, allows
from common.errors import Conflict, Denied, Invalid, NotFound

SLUG = re.compile(r"[-a-zA-Z0-9_]{1,63}")
ABOUT_AT_MOST = 200
LABEL_AT_MOST = 200
MANAGE = Right.USERS_MANAGE
ROLE_FIELDS = ("name", "about", "rights")
NAME_TAKEN = gettext_noop("There is one called %(name)s already. Choose another name.")


# ---------------------------------------------------------------- who may
def leads(user: Any, team: Team) -> bool:
    """Whether `user` may change who is in the team. With a token for less than all that the user may, leading is none of
    it: who holds it would let others in."""
    if allows(user, MANAGE):
        return True
    if not user.is_active or user.narrowed is not None:
        return False
    return Membership.objects.filter(team=team, user=user.pk, lead=True).exists()


def visible_teams(user: Any) -> Any:
    """The teams that `user` may see: all, or those that they are in."""
    return Team.objects.all() if allows(user, MANAGE) else Team.objects.filter(memberships__user=user.pk)


def get_team(user: Any, name: str) -> Team:
    """The team, if `user` may see it. Raises NotFound."""
    found: Team | None = visible_teams(user).filter(name=name).first() if "\0" not in name else None
    if found is None:
        raise NotFound
    return found


def _demand(actor: Any, action: str, target: str) -> None:
    if not allows(actor, MANAGE):
        record(actor, action, target, outcome="refused")
        raise Denied


# ---------------------------------------------------------------- teams
def store_team(actor: Any, team: Team, *, name: str, about: str = "") -> Team:
    """Adds a team, or changes its name and what is said about it. Raises Denied, Invalid."""
    action = "team.change" if team.pk else "team.add"
    _demand(actor, action, team.name or name)
    return _stored(actor, team, action, name=name, about=about, was=told(team, "name", "about") if team.pk else {})


def remove_team(actor: Any, team: Team) -> None:
    """Forgets a team: its members lose what was granted to it."""
    _demand(actor, "team.remove", team.name)
    with transaction.atomic():
        detail = {
            "members": [membership.user.username for membership in team.memberships.select_related("user")],
            "grants": [str(grant.role_name) + " " + grant.place for grant in team.grants.select_related("host")],
        }
        team.delete()
        record(actor, "team.remove", team.name, detail=difference(told(team, "name", "about") | detail, {}))


def set_member(actor: Any, team: Team, name: str, *, lead: bool = False) -> Membership:
    """Puts the account called `name` into the team, or makes it a lead, or a mere member. Raises Denied, Invalid."""
    if not leads(actor, team):
        record(actor, "team.member", team.name, outcome="refused", detail={"user": name[:150]})
        raise Denied
    user = User.objects.filter(username=name.strip()).first() if "\0" not in name else None
    if user is None:
        raise Invalid("user", gettext_noop("There is no account of this name."))
    with transaction.atomic():
        old = Membership.objects.select_for_update().filter(team=team, user=user).first()
        was = {"part": part_of(old.lead)} if old else {}
        membership, _new = Membership.objects.update_or_create(
            team=team, user=user, defaults={"lead": lead, "source": ""}
        )
        detail = {"user": user.username} | difference(was, {"part": part_of(lead)})
        record(actor, "team.member", team.name, detail=detail)
    return membership


def remove_member(actor: Any, team: Team, name: str) -> None:
    """Takes an account out of the team; a member may leave. Raises Denied, NotFound."""
    membership = (
        team.memberships.select_related("user").filter(user__username=name).first() if "\0" not in name else None
    )
    if not leads(actor, team) and (membership is None or membership.user_id != actor.pk):
        record(actor, "team.leave", team.name, outcome="refused", detail={"user": name[:150]})
        raise Denied
    if membership is None:
        raise NotFound
    with transaction.atomic():
        membership.delete()
        detail = {"user": membership.user.username} | difference({"part": part_of(membership.lead)}, {})
        record(actor, "team.leave", team.name, detail=detail)


def part_of(lead: bool) -> str:
    """What somebody is in a team, as the audit says it."""
    return "lead" if lead else "member"


# ---------------------------------------------------------------- roles
def store_role(actor: Any, role: OwnRole, *, name: str, rights: Iterable[str], about: str = "") -> OwnRole:
    """Adds a role, or changes it for all who have it. Raises Denied, Invalid."""
    action = "role.change" if role.pk else "role.add"
    _demand(actor, action, role.name or name)
    if name in GRANTABLE or name == "member":
        raise Invalid("name", gettext_noop("This is the name of a built-in role. Choose another one."))
    wanted = sorted({str(right) for right in rights})
    unknown = [right for right in wanted if right not in {str(one) for one in ALL}]
    if unknown:
        raise Invalid("rights", gettext_noop("There is no right called %(name)s."), {"name": unknown[0][:60]})
    if not wanted:
        raise Invalid("rights", gettext_noop("Choose at least one right."))
    was = told(role, *ROLE_FIELDS) if role.pk else {}
    role.rights = wanted
    return _stored(actor, role, action, name=name, about=about, was=was)


def remove_role(actor: Any, role: OwnRole) -> None:
    """Forgets a role that nobody has. Raises Denied, Conflict."""
    _demand(actor, "role.remove", role.name)
    with transaction.atomic():
        if role.grants.exists():
            raise Conflict(
                gettext_noop("%(name)s is granted to somebody. Take these grants away first."), {"name": role.name}
            )
        role.delete()
        record(actor, "role.remove", role.name, detail=difference(told(role, *ROLE_FIELDS), {}))


# ---------------------------------------------------------------- grants
def add_grant(
    actor: Any,
    *,
    team: Team | None = None,
    user: User | None = None,
    role: str,
    host: str = "",
    label: str = "",
    own: bool = False,
) -> Grant:
    """Gives a role, built-in or one of our own, to a team or a person: on the `host`, on all hosts with the `label`
    (NAME=VALUE, or NAME), or on all; with `own`, for what the team owns there alone. Raises Denied, Invalid."""
    whom = str(team or user)
    _demand(actor, "grant.add", whom)
    built_in = role if role in GRANTABLE else ""
    own_role = None if built_in or "\0" in role else OwnRole.objects.filter(name=role).first()
    if not built_in and own_role is None:
        raise Invalid("role", gettext_noop("There is no such role. Choose one of the list."))
    found = host_model().objects.filter(name=host).first() if host and "\0" not in host else None
    if host and found is None:
        raise Invalid("host", gettext_noop("There is no such host. Choose one of the list."))
    if host and label:
        raise Invalid("label", gettext_noop("Name a host or a label, not both."))
    label = label.strip()
    if len(label) > LABEL_AT_MOST or not label.isprintable() or label.startswith("="):
        raise Invalid("label", gettext_noop("Write a label of hosts as NAME=VALUE, or NAME for any value."))
    what: Any = {"team": team, "user": user, "role": built_in, "own_role": own_role}
    what |= {"host": found, "label": label, "own": own}
    grant = Grant(**what, by_name=actor.username)
    if not grant.gives:
        about = gettext_noop("This role has only rights that are about no host. Grant it on all hosts.")
        objects = gettext_noop("This role has no right about objects that a team can own. Grant it for all objects.")
        raise Invalid("role", objects if own else about)
    with transaction.atomic():
        if Grant.objects.filter(**what).exists():
            raise Conflict(gettext_noop("This is granted already."))
        grant.save()
        record(actor, "grant.add", whom, host=host, detail={"grant": grant.pk} | difference({}, _said(grant)))
    return grant


def remove_grant(actor: Any, grant: Grant) -> None:
    """Takes it away: what it opened closes within seconds. Raises Denied."""
    whom = str(grant.team or grant.user)
    _demand(actor, "grant.remove", whom)
    with transaction.atomic():
        detail = {"grant": grant.pk} | difference(_said(grant), {})
        grant.delete()
        record(actor, "grant.remove", whom, host=grant.host.name if grant.host else "", detail=detail)


def get_grant(actor: Any, pk: int) -> Grant:
    """The grant. Raises NotFound."""
    rows = Grant.objects.select_related("team", "user", "host", "own_role")
    found = rows.filter(pk=pk).first() if allows(actor, MANAGE) and 0 < pk < 1 << 63 else None
    if found is None:
        raise NotFound
    return found


def _said(grant: Grant) -> dict[str, Any]:
    to = {"team": grant.team.name} if grant.team else {"user": str(grant.user)}
    return {"role": grant.role_name, "on": grant.place, "own": grant.own, **to}


def _stored(actor: Any, row: Any, action: str, *, name: str, about: str, was: dict[str, Any]) -> Any:
    name, about = name.strip(), about.strip()
    if not SLUG.fullmatch(name):
        raise Invalid("name", gettext_noop("A name has letters, digits, dashes and underscores, 63 at most."))
    if len(about) > ABOUT_AT_MOST or not (about.isprintable() or not about):
        raise Invalid("about", gettext_noop("Write one line of at most %(n)s characters."), {"n": ABOUT_AT_MOST})
    row.name, row.about = name, about
    try:
        with transaction.atomic():
            row.save()
            now = told(row, *(ROLE_FIELDS if isinstance(row, OwnRole) else ("name", "about")))
            record(actor, action, name, detail=difference(was, now))
    except IntegrityError as error:
        raise Invalid("name", NAME_TAKEN, {"name": name}) from error
    return row
