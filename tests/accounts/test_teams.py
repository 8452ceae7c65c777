"""Teams, roles of one's own and grants: who may change them, what is refused and why, what the audit keeps."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, Grant, Membership, OwnRole, Team, User
from accounts.rights import ALL, PLACELESS, Limits, Right, Role, Standing, allows_at
from tests.rows import a_host, container_json, containers, person

pytestmark = [pytest.mark.django_db, pytest.mark.core]
JSON: dict[str, Any] = {"content_type": "application/json"}


@pytest.fixture
def ada(client: Client) -> Client:
    """An administrator's browser; there is a team with its lead nils, who is nothing else, and a host."""
    a_host("quay")
    nils = person("nils", "member")
    Membership.objects.create(team=Team.objects.create(name="north"), user=nils, lead=True)
    client.force_login(person("ada", "admin"))
    return client


@pytest.fixture
def nils(ada: Client) -> Client:
    """The lead's browser."""
    client = Client()
    client.force_login(User.objects.get(username="nils"))
    return client


def test_a_team_is_made_filled_granted_something_and_removed_in_the_pages(ada: Client) -> None:
    person("sofia", "member")
    assert ada.post("/teams/add/", {"name": "south", "about": "the other shop"})["Location"] == "/teams/south/"
    ada.post("/teams/south/members/", {"user": "sofia"})
    ada.post("/teams/south/grants/", {"role": "operator", "place": "host", "host": "quay"})
    page = ada.get("/teams/south/").content.decode()
    assert "sofia" in page and "Operator" in page and "quay" in page
    sofia = User.objects.get(username="sofia")
    assert allows_at(sofia, Right.CONTAINERS_OPERATE, "quay")
    assert ada.post("/teams/south/remove/").status_code == 302
    assert User.objects.get(username="sofia").standing == Standing()
    acts = list(AuditEntry.objects.order_by("pk").values_list("action", "target"))
    assert acts[-4:] == [(act, "south") for act in ("team.add", "team.member", "grant.add", "team.remove")]


@pytest.mark.parametrize(
    ("path", "sent", "says"),
    [
        ("teams/add/", {"name": "north"}, "There is one called north already"),
        ("teams/add/", {"name": "two words"}, "letters, digits, dashes and underscores"),
        ("teams/north/members/", {"user": "nobody"}, "There is no account of this name."),
        ("teams/north/grants/", {"role": "king", "place": "all"}, "king"),
        ("teams/north/grants/", {"role": "viewer", "place": "host"}, "Choose the host."),
        ("teams/north/grants/", {"role": "viewer", "place": "label", "label": "=x"}, "NAME=VALUE"),
        ("roles/add/", {"name": "viewer", "rights": "hosts.view"}, "the name of a built-in role"),
        ("roles/add/", {"name": "nothing"}, "Choose at least one right."),
        ("roles/add/", {"name": "odd", "rights": "hosts.fly"}, "hosts.fly"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_stored(ada: Client, path: str, sent: dict[str, str], says: str) -> None:
    answer = ada.post(f"/{path}", sent)
    assert answer.status_code == 422
    assert says in answer.content.decode()
    assert (Team.objects.count(), Grant.objects.count(), OwnRole.objects.count()) == (1, 0, 0)


def test_a_role_of_our_own_holds_what_was_chosen_and_changes_for_all_who_have_it(ada: Client) -> None:
    ada.post("/roles/add/", {"name": "restarter", "rights": ["containers.view", "containers.operate"]})
    nils = User.objects.get(username="nils")
    ada.post(f"/users/{nils.pk}/access/", {"role": "restarter", "place": "all"})
    assert User.objects.get(pk=nils.pk).standing.everywhere == {Right.CONTAINERS_VIEW, Right.CONTAINERS_OPERATE}
    ada.post("/roles/restarter/", {"name": "restarter", "rights": ["containers.view"]})
    assert User.objects.get(pk=nils.pk).standing.everywhere == {Right.CONTAINERS_VIEW}
    page = ada.post("/roles/restarter/remove/", follow=True).content.decode()
    assert "restarter is granted to somebody" in page and OwnRole.objects.exists()


def test_rights_about_no_host_come_from_a_grant_on_all_hosts_alone(ada: Client) -> None:
    nils = User.objects.get(username="nils")
    url = f"/users/{nils.pk}/access/"
    ada.post(url, {"role": "admin", "place": "host", "host": "quay"})
    held = User.objects.get(pk=nils.pk).standing
    assert held.everywhere == frozenset() and held.at == {("quay", ALL - PLACELESS)}
    ada.post("/roles/add/", {"name": "auditor", "rights": "audit.read"})
    assert (
        "only rights that are about no host"
        in ada.post(url, {"role": "auditor", "place": "host", "host": "quay"}).content.decode()
    )
    ada.post(url, {"role": "auditor", "place": "all"})
    assert Right.AUDIT_READ in User.objects.get(pk=nils.pk).standing.everywhere


def test_a_lead_manages_members_and_nothing_else(nils: Client) -> None:
    person("sofia", "member")
    assert nils.post("/teams/north/members/", {"user": "sofia", "lead": "on"}).status_code == 302
    assert Membership.objects.get(user__username="sofia").lead
    assert nils.delete("/api/v1/teams/north/members/sofia").status_code == 204
    for path, body in (
        ("grants", {"team": "north", "role": "admin"}),
        ("teams", {"name": "mine"}),
        ("roles", {"name": "king", "rights": ["users.manage"]}),
    ):
        assert nils.post(f"/api/v1/{path}", body, **JSON).status_code == 403
    assert nils.post("/teams/north/grants/", {"role": "admin", "place": "all"}).status_code == 403
    assert nils.post("/teams/north/remove/").status_code == 403
    assert not Grant.objects.exists()


def test_a_member_changes_nothing_but_may_leave_and_a_stranger_sees_no_team(nils: Client, ada: Client) -> None:
    sofia = Client()
    sofia.force_login(person("sofia", "member"))
    assert sofia.get("/teams/north/").status_code == sofia.get("/teams/nowhere/").status_code == 404
    assert sofia.put("/api/v1/teams/north/members/sofia", {"lead": True}, **JSON).status_code == 404
    nils.post("/teams/north/members/", {"user": "sofia"})
    assert sofia.put("/api/v1/teams/north/members/sofia", {"lead": True}, **JSON).status_code == 403
    assert sofia.delete("/api/v1/teams/north/members/nils").status_code == 403
    assert AuditEntry.objects.filter(actor_name="sofia", outcome="refused").count() == 2
    assert sofia.delete("/api/v1/teams/north/members/sofia").status_code == 204
    assert sofia.get("/api/v1/teams").json() == {"items": [], "count": 0}


def test_who_was_granted_nothing_yet_is_told_what_to_ask_for(nils: Client) -> None:
    page = nils.get("/")
    assert page.status_code == 403
    assert "Nothing is granted to you yet" in page.content.decode() and 'href="/access/"' in page.content.decode()
    assert nils.get("/access/").status_code == 200
    assert "Not allowed" in nils.get("/hosts/").content.decode()


def test_a_token_for_less_does_not_manage_its_users_team(ada: Client) -> None:
    """Who holds it could otherwise let somebody else into the team."""
    from accounts.teams import leads

    nils = User.objects.get(username="nils")
    assert leads(nils, Team.objects.get())
    nils.narrowed = Limits(frozenset({Right.CONTAINERS_VIEW}))
    assert not leads(nils, Team.objects.get())


def test_the_page_says_why_and_why_not(nils: Client, ada: Client) -> None:
    containers(a_host("pier"), container_json("web"))
    ada.post("/teams/north/grants/", {"role": "viewer", "place": "label", "label": "crew=a"})
    ada.post("/teams/north/grants/", {"role": "operator", "place": "host", "host": "quay"})

    def explained(right: str, host: str) -> dict[str, Any]:
        answer: dict[str, Any] = nils.get(f"/api/v1/access?right={right}&host={host}").json()
        return answer

    why = explained("containers.operate", "quay")
    assert why["allowed"] and [source["team"] for source in why["by"]] == ["north"]
    why = explained("containers.operate", "pier")
    assert not why["allowed"] and why["by"] == [] and [source["on"] for source in why["elsewhere"]] == ["host:quay"]
    assert (
        "Operator, granted to the team north"
        in nils.get("/access/?right=containers.operate&host=quay").content.decode()
    )
    assert "No role that they have holds this right." in nils.get("/access/?right=users.manage").content.decode()
    assert nils.get("/api/v1/access?right=hosts.view&user=ada").status_code == 404
    assert ada.get("/api/v1/access?right=hosts.view&user=nils").json()["user"] == "nils"


def test_a_host_that_is_removed_takes_its_grants_along(ada: Client) -> None:
    ada.post("/teams/north/grants/", {"role": Role.OPERATOR, "place": "host", "host": "quay"})
    assert ada.delete("/api/v1/hosts/quay").status_code in {200, 204}
    assert not Grant.objects.exists()
    a_host("quay")  # another one, of the same name
    assert User.objects.get(username="nils").standing == Standing()
