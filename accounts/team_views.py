"""Pages of teams, roles of one's own, grants, and of what an account may do and why."""

from operator import attrgetter
from typing import Any

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import teams
from accounts.guard import guard
from accounts.models import OwnRole, Team, User
from accounts.models.teams import GRANTABLE
from accounts.right_words import ROLE_WORDS, WORDS, by_noun
from accounts.rights import PLACELESS, RIGHTS_OF, Right, Role, allows
from accounts.team_forms import GrantForm, MemberForm, RoleForm, TeamForm, WhyForm
from accounts.tokens import visible_hosts
from accounts.why import sources, why
from common import exports
from common.errors import DermagaError, NotFound

TEAM_COLUMNS: exports.Columns = {name: attrgetter(name) for name in ("name", "about", "members", "granted")}
ROLE_COLUMNS: exports.Columns = {
    "name": attrgetter("name"),
    "about": attrgetter("about"),
    "rights": lambda role: sorted(role.holds),
    "granted": attrgetter("granted"),
}


# ---------------------------------------------------------------- teams
@guard(Right.LOGIN)
@require_GET
def team_list(request: HttpRequest) -> HttpResponseBase:
    """All teams, or one's own."""
    found = teams.visible_teams(request.user).annotate(
        members=Count("memberships", distinct=True), granted=Count("grants", distinct=True)
    )
    if (kind := request.GET.get("format", "")) in exports.KINDS:
        return exports.as_file(found, TEAM_COLUMNS, "teams", kind)
    return render(request, "teams/page.html", {"teams": found})


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def team_add(request: HttpRequest) -> HttpResponse:
    """A new team."""
    return _team_form(request, TeamForm(request.POST or None), Team())


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def team_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Its name."""
    team = teams.get_team(request.user, name)
    return _team_form(request, TeamForm(request.POST or None, team=team), team)


def _team_form(request: HttpRequest, form: TeamForm, team: Team) -> HttpResponse:
    edited = team.name
    if request.method == "POST" and form.is_valid():
        try:
            stored = teams.store_team(request.user, team, **form.cleaned_data)
            messages.success(request, _("Stored %(name)s.") % {"name": stored.name})
            return redirect("team_page", stored.name)
        except DermagaError as error:
            form.refuse(error)
    return render(request, "teams/form.html", {"form": form, "edited": edited}, status=422 if form.errors else 200)


@guard(Right.LOGIN)
@require_GET
def team_page(request: HttpRequest, name: str) -> HttpResponse:
    """Who is in it, and what is granted to it."""
    return _team(request, teams.get_team(request.user, name))


def _team(
    request: HttpRequest, team: Team, member_form: MemberForm | None = None, grant_form: GrantForm | None = None
) -> HttpResponse:
    wrong = any(form and form.errors for form in (member_form, grant_form))
    context = {
        "team": team,
        "members": team.memberships.select_related("user"),
        "grants": team.grants.select_related("host", "own_role"),
        "leads": teams.leads(request.user, team),
        "member_form": member_form or MemberForm(),
        "grant_form": (grant_form or GrantForm()) if allows(request.user, Right.USERS_MANAGE) else None,
    }
    return render(request, "teams/team.html", context, status=422 if wrong else 200)


@guard(Right.USERS_MANAGE)
@require_POST
def team_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Forgets it."""
    team = teams.get_team(request.user, name)
    teams.remove_team(request.user, team)
    messages.success(request, _("The team %(name)s is gone.") % {"name": name})
    return redirect("team_list")


@guard(Right.LOGIN)
@require_POST
def member_set(request: HttpRequest, name: str) -> HttpResponse:
    """Somebody joins, or becomes a lead or a mere member."""
    team, form = teams.get_team(request.user, name), MemberForm(request.POST)
    if form.is_valid():
        try:
            teams.set_member(request.user, team, form.cleaned_data["user"], lead=form.cleaned_data["lead"])
            return redirect("team_page", name)
        except DermagaError as error:
            form.refuse(error)
    return _team(request, team, member_form=form)


@guard(Right.LOGIN)
@require_POST
def member_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Somebody leaves."""
    team = teams.get_team(request.user, name)
    try:
        teams.remove_member(request.user, team, request.POST.get("user", ""))
    except NotFound:
        messages.error(request, _("They are not in the team any more."))
    there = teams.visible_teams(request.user).filter(pk=team.pk).exists()
    return redirect("team_page", name) if there else redirect("team_list")


@guard(Right.USERS_MANAGE)
@require_POST
def team_grant(request: HttpRequest, name: str) -> HttpResponse:
    """Grants a role to the team."""
    team, form = teams.get_team(request.user, name), GrantForm(request.POST)
    if form.is_valid():
        try:
            teams.add_grant(request.user, team=team, **form.wanted)
            return redirect("team_page", name)
        except DermagaError as error:
            form.refuse(error)
    return _team(request, team, grant_form=form)


@guard(Right.USERS_MANAGE)
@require_POST
def grant_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Takes a grant away."""
    grant = teams.get_grant(request.user, pk)
    teams.remove_grant(request.user, grant)
    messages.success(request, _("%(whom)s has that no more.") % {"whom": grant.team or grant.user})
    return redirect("team_page", grant.team.name) if grant.team else redirect("user_access", grant.user_id or 0)


# ---------------------------------------------------------------- roles
@guard(Right.USERS_MANAGE)
@require_GET
def role_list(request: HttpRequest) -> HttpResponseBase:
    """The built-in ones and those of one's own."""
    built_in = [
        {
            "name": Role(role).label,
            "words": ROLE_WORDS[role],
            "rights": len(RIGHTS_OF[role]),
            "who": User.objects.filter(role=role).count(),
        }
        for role in GRANTABLE
    ]
    own = OwnRole.objects.annotate(granted=Count("grants"))
    if (kind := request.GET.get("format", "")) in exports.KINDS:
        return exports.as_file(own, ROLE_COLUMNS, "roles", kind)
    return render(request, "roles/page.html", {"built_in": built_in, "own": own})


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def role_add(request: HttpRequest) -> HttpResponse:
    """A new one."""
    return _role_form(request, RoleForm(request.POST or None), OwnRole())


@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def role_edit(request: HttpRequest, name: str) -> HttpResponse:
    """Its name and rights."""
    role = get_object_or_404(OwnRole, name=name)
    return _role_form(request, RoleForm(request.POST or None, role=role), role)


def _role_form(request: HttpRequest, form: RoleForm, role: OwnRole) -> HttpResponse:
    edited = role.name
    if request.method == "POST" and form.is_valid():
        try:
            stored = teams.store_role(request.user, role, **form.cleaned_data)
            messages.success(request, _("Stored %(name)s.") % {"name": stored.name})
            return redirect("role_list")
        except DermagaError as error:
            form.refuse(error)
    context = {"form": form, "edited": edited, "nouns": by_noun(), "placeless": {str(right) for right in PLACELESS}}
    return render(request, "roles/form.html", context, status=422 if form.errors else 200)


@guard(Right.USERS_MANAGE)
@require_POST
def role_remove(request: HttpRequest, name: str) -> HttpResponse:
    """Forgets one that nobody has."""
    try:
        teams.remove_role(request.user, get_object_or_404(OwnRole, name=name))
        messages.success(request, _("The role %(name)s is gone.") % {"name": name})
    except DermagaError as error:
        messages.error(request, str(error))
    return redirect("role_list")


# ---------------------------------------------------------------- what somebody may do
@guard(Right.USERS_MANAGE)
@require_http_methods(["GET", "POST"])
def user_access(request: HttpRequest, pk: int) -> HttpResponse:
    """What an account may do, where, and why; a role can be granted to it."""
    person = get_object_or_404(User, pk=pk)
    form = GrantForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            teams.add_grant(request.user, user=person, **form.wanted)
            return redirect("user_access", pk)
        except DermagaError as error:
            form.refuse(error)
    context = _access(request, person) | {"person": person, "grant_form": form, "may_change": True}
    return render(request, "teams/access.html", context, status=422 if form.errors else 200)


@guard(Right.LOGIN)
@require_GET
def my_access(request: HttpRequest) -> HttpResponse:
    """The same of oneself."""
    person: Any = request.user
    return render(request, "teams/access.html", _access(request, person) | {"person": person})


def _access(request: HttpRequest, person: User) -> dict[str, Any]:
    names = list(visible_hosts(person).values_list("name", flat=True))
    asked = WhyForm(request.GET if "right" in request.GET else None, hosts=names)
    context: dict[str, Any] = {"sources": sources(person), "why_form": asked}
    if asked.is_bound and asked.is_valid():
        right = Right(asked.cleaned_data["right"])
        context["answer"] = why(person, right, asked.cleaned_data["host"])
        context["words"] = WORDS[right]
        context["asked_host"] = asked.cleaned_data["host"]
    return context
