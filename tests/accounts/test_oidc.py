"""Logging in by an OpenID provider that really runs: who gets in, as whom, and in which teams."""

import re
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from accounts import identities, links, mails, people, second_factor, teams, tokens
from accounts.models import ApiToken, AuditEntry, Membership, Team, User
from accounts.rights import SYSTEM
from common.errors import Denied
from tests.accounts.openid import BACK, BEGIN, LINK, is_in, said, there, through
from tests.rows import person
from tests.servers.openid import OpenIdProvider

pytestmark = [pytest.mark.django_db, pytest.mark.core]
PASSWORD = "quay-side-4711"


def membership(name: str = "vera") -> dict[str, tuple[bool, str]]:
    rows = Membership.objects.filter(user__username=name)
    return {row.team.name: (row.lead, row.source) for row in rows}


# ---------------------------------------------------------------- who gets in
def test_who_is_in_a_mapped_group_gets_an_account_with_what_the_team_is_granted(
    client: Client, provider: OpenIdProvider
) -> None:
    assert 'action="/account/provider/"' in client.get("/account/login/").content.decode()
    assert "Log in with Harbour" in client.get("/account/login/").content.decode()
    assert through(client, next="/images/")["Location"] == "/images/"
    assert is_in(client) == "vera"
    vera = User.objects.get(username="vera")
    assert (vera.role, vera.email, vera.has_usable_password()) == ("member", "vera@x.example", False)
    assert membership() == {"north": (False, "oidc")}
    entry = AuditEntry.objects.filter(action="login").latest("number")
    assert (entry.actor_name, entry.outcome, entry.detail) == ("vera", "done", {"by": ["provider"]})
    assert client.session.get_expire_at_browser_close()


def test_a_group_that_is_gone_takes_its_team_away_at_the_next_login_and_what_was_done_by_hand_stays(
    provider: OpenIdProvider,
) -> None:
    provider.person["groups"] = ["chiefs", "unknown"]
    through(Client())
    assert membership() == {"north": (True, "oidc"), "south": (False, "oidc")}
    teams.set_member(SYSTEM, Team.objects.get(name="east"), "vera")
    teams.set_member(SYSTEM, Team.objects.get(name="south"), "vera", lead=True)  # by hand from now on
    provider.person["groups"] = ["crew"]
    through(Client())
    assert membership() == {"north": (False, "oidc"), "south": (True, ""), "east": (False, "")}
    provider.person["groups"] = []
    through(Client())
    assert membership() == {"south": (True, ""), "east": (False, "")}
    acts = AuditEntry.objects.filter(action="team.leave").values_list("actor_name", "target", "detail")
    assert list(acts) == [
        ("system", "north", {"user": "vera", "source": "oidc"} | {"before": {"part": "member"}, "after": {}})
    ]


@pytest.mark.parametrize(("claim", "groups"), [("realm.roles", {"roles": ["crew"]}), ("realm", "crew")])
def test_groups_may_lie_deeper_or_be_one_word(
    client: Client, provider: OpenIdProvider, settings: Any, claim: str, groups: Any
) -> None:
    settings.OIDC_GROUPS_CLAIM = claim
    provider.person["realm"] = groups
    through(client)
    assert membership() == {"north": (False, "oidc")}


def test_a_stranger_gets_no_account_unless_the_setting_says_so(
    client: Client, provider: OpenIdProvider, settings: Any
) -> None:
    provider.person["groups"] = ["visitors"]
    assert "you have no account here" in said(client, through(client))
    settings.OIDC_NEW_ACCOUNTS = "nobody"
    provider.person["groups"] = ["crew"]
    assert "you have no account here" in said(client, through(client))
    assert not User.objects.exists() and not is_in(client)
    settings.OIDC_NEW_ACCOUNTS = "anybody"
    provider.person["groups"] = []
    assert through(client)["Location"] == "/"
    assert is_in(client) == "vera"


def test_an_equal_name_or_address_takes_no_account_over(client: Client, provider: OpenIdProvider) -> None:
    User.objects.create_user("Vera", password=PASSWORD, email="vera@x.example", role="admin")
    sentence = said(client, through(client))
    assert "There is an account called vera already." in sentence
    assert not is_in(client) and not SocialAccount.objects.exists()
    provider.person["preferred_username"] = "other"  # with the address of an administrator
    through(client)
    assert is_in(client) == "other"
    assert User.objects.get(username="other").role == "member"


def test_a_disabled_account_and_a_service_account_stay_out(provider: OpenIdProvider) -> None:
    through(Client())
    vera = User.objects.get()
    people.change(SYSTEM, vera, {"is_active": False})
    browser = Client()
    provider.person["groups"] = ["chiefs"]
    assert through(browser)["Location"] == "/account/inactive/"
    assert not is_in(browser)
    assert membership() == {"north": (False, "oidc")}
    people.change(SYSTEM, vera, {"is_active": True, "is_service": True})
    assert through(browser)["Location"] == "/account/inactive/"


def test_another_issuer_knows_other_people(client: Client, provider: OpenIdProvider, settings: Any) -> None:
    through(client)
    with OpenIdProvider() as other:
        settings.OIDC_ISSUER = other.issuer
        other.person = {"sub": "1001", "preferred_username": "mallory", "groups": ["crew"]}
        browser = Client()
        through(browser)
        assert is_in(browser) == "mallory"


# ---------------------------------------------------------------- links
def test_its_owner_links_an_account_and_takes_the_link_away(client: Client, provider: OpenIdProvider) -> None:
    olga = person("olga", "viewer")
    client.force_login(olga)
    assert client.post(LINK)["Location"].startswith("/account/reauthenticate/")
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": LINK})
    assert through(client, LINK)["Location"] == "/account/2fa/"
    browser = Client()
    through(browser)
    assert is_in(browser) == "olga"
    assert membership("olga") == {"north": (False, "oidc")}
    client.post("/account/provider/unlink/")
    assert membership("olga") == {} and not SocialAccount.objects.exists()
    assert AuditEntry.objects.filter(action="login.link", actor_name="olga").exists()
    assert AuditEntry.objects.filter(action="login.unlink", actor_name="olga").exists()


def test_a_link_that_somebody_else_began_links_nothing(client: Client, provider: OpenIdProvider) -> None:
    olga, mallory = person("olga", "viewer"), person("mallory", "viewer")
    client.force_login(mallory)
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": LINK})
    back = there(client, LINK)
    victim = Client()
    victim.force_login(olga)
    assert "not begun in this browser" in said(victim, victim.get(back))
    client.force_login(olga)  # the same browser, another account
    assert "not begun in this browser" in said(client, client.get(back))
    assert not SocialAccount.objects.exists()


def test_who_is_linked_already_is_not_linked_again(client: Client, provider: OpenIdProvider) -> None:
    through(Client())
    client.force_login(person("olga", "viewer"))
    client.post("/account/reauthenticate/", {"password": PASSWORD, "next": LINK})
    assert "Somebody else's account is linked to this already." in said(client, through(client, LINK))
    assert SocialAccount.objects.get().user.username == "vera"


def test_who_has_no_password_keeps_the_link(client: Client, provider: OpenIdProvider) -> None:
    through(client)
    assert "could not log in again" in said(client, client.post("/account/provider/unlink/"))
    assert SocialAccount.objects.exists()
    assert "/account/password/change/" not in client.get("/").content.decode()


def test_an_administrator_links_and_unlinks_and_nobody_else_does(client: Client, provider: OpenIdProvider) -> None:
    ada, olga = person("ada", "admin"), person("olga", "viewer")
    act = f"/users/{ada.pk}/provider/link/"
    client.force_login(olga)
    assert client.post(act, {"subject": "1001"}).status_code == 403
    client.force_login(ada)
    assert client.get(act).status_code == 405
    assert 'name="subject"' in client.get(f"/users/{olga.pk}/").content.decode()
    client.post(f"/users/{olga.pk}/provider/link/", {"subject": " 1001 "})
    assert "1001" in client.get(f"/users/{olga.pk}/").content.decode()
    browser = Client()
    through(browser)
    assert is_in(browser) == "olga"
    client.post(f"/users/{olga.pk}/provider/unlink/")
    assert not SocialAccount.objects.exists()
    assert "Write who they are" in said(client, client.post(f"/users/{olga.pk}/provider/link/", {"subject": " "}))


def test_without_a_provider_there_is_none_of_it(client: Client) -> None:
    assert "provider" not in client.get("/account/login/").content.decode()
    assert [client.post(BEGIN).status_code, client.get(BACK).status_code] == [404, 404]
    client.force_login(person("ada", "admin"))
    assert client.post(LINK).status_code == 404


def test_an_account_of_the_provider_is_changed_and_gets_no_password_by_mail(
    provider: OpenIdProvider, mailoutbox: Any
) -> None:
    through(Client())
    vera = User.objects.get()
    people.change(SYSTEM, vera, {"role": "viewer"})
    mails.password_link(vera.pk, "https://x.example", "en")
    assert mailoutbox == []
    assert links.for_password(SYSTEM, vera)  # an administrator may


# ---------------------------------------------------------------- the second factor
def test_a_required_second_factor_is_asked_for_unless_the_provider_counts_as_one(
    client: Client, provider: OpenIdProvider, settings: Any
) -> None:
    second_factor.require_for(SYSTEM, ["member"])
    through(client)
    assert client.get("/")["Location"] == "/account/2fa/totp/activate/"
    settings.OIDC_IS_SECOND_FACTOR = True
    assert is_in(client) == "vera"
    people.change(SYSTEM, User.objects.get(), {}, "another-way-in-4711")  # which the provider does not guard
    browser = Client()
    through(browser)
    assert browser.get("/")["Location"] == "/account/2fa/totp/activate/"


def test_ones_own_second_factor_is_asked_for_unless_the_provider_counts_as_one(
    provider: OpenIdProvider, settings: Any
) -> None:
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

    through(Client())
    TOTP.activate(User.objects.get(), generate_totp_secret())
    browser = Client()
    assert through(browser)["Location"] == "/account/2fa/authenticate/"
    assert not is_in(browser)
    settings.OIDC_IS_SECOND_FACTOR = True
    browser = Client()
    through(browser)
    assert is_in(browser) == "vera"


def test_hostile_names_and_groups_break_nothing(client: Client, provider: OpenIdProvider) -> None:
    provider.person |= {
        "preferred_username": "<script>\0 " + "v" * 500,
        "email": ["x"],
        "groups": ["crew", 1, None, {"a": []}, "g" * 10_000],
    }
    assert through(client)["Location"] == "/"
    assert re.fullmatch(r"-script-v{142}", is_in(client))
    browser = Client()
    provider.person |= {
        "sub": "<b>\U0001f6a2</b>" * 500,
        "preferred_username": {"a": ["b"]},
        "groups": ["\ud800", "crew"],
    }
    assert through(browser)["Location"] == "/"
    assert re.fullmatch(r"sha256-[0-9a-f]{64}", is_in(browser))


def test_too_many_logins_are_told_to_wait(client: Client, provider: OpenIdProvider, settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    assert [client.post(BEGIN).status_code for _ in range(2)] == [200, 429]


def test_a_token_for_some_rights_links_nothing(provider: OpenIdProvider) -> None:
    ada = person("ada", "admin")
    token = ApiToken.make(ada, "ci", scope=["containers.view"])
    actor = tokens.let_in(token)
    for user in (actor, person("olga", "viewer")):
        with pytest.raises(Denied):
            identities.link(actor, user, "1001")
