"""Teams, roles and grants over REST: who may do what on which hosts."""

from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router, Schema
from ninja.params.functions import Query
from pydantic import Field

from accounts import teams
from accounts.models import Grant, OwnRole, Team, User
from accounts.models.teams import GRANTABLE
from accounts.rights import ALL, PLACELESS, RIGHTS_OF, Right, Role, allows
from accounts.why import Source, why
from api.auth import needs
from api.lists import Limit, Many, Offset, many
from common.errors import Invalid, NotFound

router = Router(tags=["teams"])
roles = Router(tags=["roles"])
grants = Router(tags=["grants"])
access = Router(tags=["access"])


class TeamIn(Schema):
    """A team."""

    name: str
    about: str = ""


class TeamChange(Schema):
    """What is to change of a team."""

    name: str | None = None
    about: str | None = None


class MemberIn(Schema):
    """What somebody is in a team."""

    lead: bool = False


class RoleIn(Schema):
    """A role of one's own."""

    name: str
    about: str = ""
    rights: list[str]


class RoleChange(Schema):
    """What is to change of it."""

    name: str | None = None
    about: str | None = None
    rights: list[str] | None = None


class GrantIn(Schema):
    """A role for a team or a user: on a host, on all hosts with a label, or on all."""

    team: str = ""
    user: str = ""
    role: str
    host: str = ""
    label: str = Field("", description="NAME=VALUE, or NAME with any value")
    own: bool = Field(False, description="only for what the team owns there; of a user: what their teams own")


def show_team(team: Team) -> dict[str, Any]:
    """A team as JSON."""
    members = [{"user": member.user.username, "lead": member.lead} for member in team.memberships.all()]
    return {"name": team.name, "about": team.about, "members": members}


def show_role(role: OwnRole) -> dict[str, Any]:
    """A role as JSON."""
    return {"name": role.name, "about": role.about, "built_in": False, "rights": sorted(role.holds)}


def show_grant(grant: Grant) -> dict[str, Any]:
    """A grant as JSON."""
    return {
        "id": grant.pk,
        "team": grant.team.name if grant.team else "",
        "user": grant.user.username if grant.user else "",
        "role": grant.role_name,
        "host": grant.host.name if grant.host else "",
        "label": grant.label,
        "own": grant.own,
        "created": grant.created,
        "by": grant.by_name,
    }


def _teams(user: Any) -> Any:
    return teams.visible_teams(user).prefetch_related("memberships__user")


# ---------------------------------------------------------------- teams
@router.get("", response=Many)
@needs(Right.LOGIN)
def team_list(request: HttpRequest, limit: int = Limit, offset: int = Offset) -> Any:
    """All teams, or, for who does not manage users, those that they are in."""
    return many(_teams(request.user), limit, offset, show_team)


@router.post("", response={201: dict})
@needs(Right.USERS_MANAGE)
def team_add(request: HttpRequest, body: TeamIn) -> Any:
    """Adds a team."""
    return 201, show_team(teams.store_team(request.user, Team(), name=body.name, about=body.about))


@router.get("/{team}", response=dict)
@needs(Right.LOGIN)
def team_get(request: HttpRequest, team: str) -> Any:
    """One team with its members."""
    return show_team(teams.get_team(request.user, team))


@router.patch("/{team}", response=dict)
@needs(Right.USERS_MANAGE)
def team_change(request: HttpRequest, team: str, body: TeamChange) -> Any:
    """Changes its name, or what is said about it."""
    found = teams.get_team(request.user, team)
    name = found.name if body.name is None else body.name
    about = found.about if body.about is None else body.about
    return show_team(teams.store_team(request.user, found, name=name, about=about))


@router.delete("/{team}", response={204: None})
@needs(Right.USERS_MANAGE)
def team_remove(request: HttpRequest, team: str) -> Any:
    """Forgets it: its members lose what was granted to it."""
    teams.remove_team(request.user, teams.get_team(request.user, team))
    return 204, None


@router.put("/{team}/members/{user}", response=dict)
@needs(Right.LOGIN)
def member_set(request: HttpRequest, team: str, user: str, body: MemberIn) -> Any:
    """Puts somebody into the team, as a lead or a mere member: for leads of the team, and who manages users."""
    membership = teams.set_member(request.user, teams.get_team(request.user, team), user, lead=body.lead)
    return show_team(membership.team)


@router.delete("/{team}/members/{user}", response={204: None})
@needs(Right.LOGIN)
def member_remove(request: HttpRequest, team: str, user: str) -> Any:
    """Takes somebody out of it: for its leads, who manages users, and members themselves."""
    teams.remove_member(request.user, teams.get_team(request.user, team), user)
    return 204, None


# ---------------------------------------------------------------- roles
@roles.get("", response=dict)
@needs(Right.LOGIN)
def role_list(request: HttpRequest) -> Any:
    """The built-in roles and those of one's own, with their rights."""
    built_in = [
        {"name": str(role), "about": str(Role(role).label), "built_in": True, "rights": sorted(RIGHTS_OF[role])}
        for role in GRANTABLE
    ]
    return {"items": built_in + [show_role(role) for role in OwnRole.objects.all()]}


@roles.post("", response={201: dict})
@needs(Right.USERS_MANAGE)
def role_add(request: HttpRequest, body: RoleIn) -> Any:
    """Adds a role of these rights."""
    stored = teams.store_role(request.user, OwnRole(), name=body.name, about=body.about, rights=body.rights)
    return 201, show_role(stored)


@roles.patch("/{role}", response=dict)
@needs(Right.USERS_MANAGE)
def role_change(request: HttpRequest, role: str, body: RoleChange) -> Any:
    """Changes it, for all who have it."""
    found = _role(role)
    values = {name: value for name, value in body.dict(exclude_unset=True).items() if value is not None}
    values = {"name": found.name, "about": found.about, "rights": sorted(found.holds)} | values
    return show_role(teams.store_role(request.user, found, **values))


@roles.delete("/{role}", response={204: None})
@needs(Right.USERS_MANAGE)
def role_remove(request: HttpRequest, role: str) -> Any:
    """Forgets a role that nobody has."""
    teams.remove_role(request.user, _role(role))
    return 204, None


def _role(name: str) -> OwnRole:
    found = OwnRole.objects.filter(name=name).first() if "\0" not in name else None
    if found is None:
        raise NotFound
    return found


# ---------------------------------------------------------------- grants
@grants.get("", response=Many)
@needs(Right.USERS_MANAGE)
def grant_list(
    request: HttpRequest, team: str = "", user: str = "", host: str = "", limit: int = Limit, offset: int = Offset
) -> Any:
    """All grants, or those of a team, of a user, or on a host alone."""
    rows = Grant.objects.select_related("team", "user", "host", "own_role")
    for column, name in (("team__name", team), ("user__username", user), ("host__name", host)):
        if name:
            rows = rows.filter(**{column: name.replace("\0", "")})
    return many(rows, limit, offset, show_grant)


@grants.post("", response={201: dict})
@needs(Right.USERS_MANAGE)
def grant_add(request: HttpRequest, body: GrantIn) -> Any:
    """Gives a role to a team or a user."""
    if bool(body.team) == bool(body.user):
        raise Invalid("team", gettext_noop("Name a team or a user."))
    try:
        team = teams.get_team(request.user, body.team) if body.team else None
    except NotFound as error:
        raise Invalid("team", gettext_noop("There is no such team.")) from error
    user = _user("user", body.user) if body.user else None
    where: Any = {"role": body.role, "host": body.host, "label": body.label, "own": body.own}
    grant = teams.add_grant(request.user, team=team, user=user, **where)
    return 201, show_grant(grant)


@grants.delete("/{grant}", response={204: None})
@needs(Right.USERS_MANAGE)
def grant_remove(request: HttpRequest, grant: int) -> Any:
    """Takes it away: what it opened closes within seconds."""
    teams.remove_grant(request.user, teams.get_grant(request.user, grant))
    return 204, None


def _user(field: str, name: str) -> User:
    found = User.objects.filter(username=name).first() if "\0" not in name else None
    if found is None:
        raise Invalid(field, gettext_noop("There is no account of this name."))
    return found


# ---------------------------------------------------------------- why
@access.get("", response=dict)
@needs(Right.LOGIN)
def access_get(
    request: HttpRequest,
    right: str = Query(..., description="a right by its name, as containers.operate"),
    host: str = Query("", description="on this host; on any unless given"),
    user: str = Query("", description="of this account, for who manages users; one's own unless given"),
) -> Any:
    """Whether somebody has a right, and where it comes from."""
    if right not in {str(one) for one in ALL}:
        raise Invalid("right", gettext_noop("There is no right of this name."))
    mine: Any = request.user
    if user and user != mine.username and not allows(mine, Right.USERS_MANAGE):
        raise NotFound
    whose = _user("user", user) if user else mine
    answer = why(whose, Right(right), host)
    return {
        "user": whose.username,
        "right": right,
        "host": host,
        "allowed": answer.allowed,
        "by": [_source(source) for source in answer.by],
        "elsewhere": [_source(source) for source in answer.elsewhere],
        "of_all_hosts": Right(right) in PLACELESS,
    }


def _source(source: Source) -> dict[str, Any]:
    return {
        "role": source.role,
        "team": source.team,
        "on": source.place,
        "hosts": list(source.hosts) if source.hosts is not None else None,
        "grant": source.grant,
        "own": source.own,
    }
