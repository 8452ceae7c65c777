"""An OpenID provider in a real browser: over to it and back, behind the policy of our pages."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import looks, turn
from tests.servers.browser import DESKTOP, OpenPage, log_in
from tests.servers.openid import CLIENT, SECRET, OpenIdProvider
from tests.servers.product import PASSWORD, Product


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    with OpenIdProvider() as provider:
        yield provider


@pytest.fixture(scope="module")
def with_provider(provider: OpenIdProvider) -> Iterator[Product]:
    """The product, which knows it."""
    settings = {
        "OIDC_ISSUER": provider.issuer,
        "OIDC_CLIENT_ID": CLIENT,
        "OIDC_CLIENT_SECRET": SECRET,
        "OIDC_NAME": "Harbour",
        "OIDC_TEAMS": "crew=north:lead",
        "NO_PROXY": "*",
    }
    with Product(settings=settings) as product:
        product.api("teams", "POST", name="north")
        yield product


def test_it_logs_in_who_is_known_there_and_says_what_went_wrong(
    open_page: OpenPage, with_provider: Product, provider: OpenIdProvider, page_errors: list[str]
) -> None:
    page, url = open_page(), with_provider.url
    provider.person = {"sub": "7", "preferred_username": "vera", "groups": ["others"]}
    page.goto(f"{url}/account/login/?next=/teams/")
    page.get_by_role("button", name="Log in with Harbour").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("you have no account here")
    provider.person["groups"] = ["crew"]
    page.get_by_role("button", name="Log in with Harbour").click()
    page.wait_for_url(f"{url}/teams/")
    page.goto(f"{url}/teams/north/")
    expect(page.locator("tr", has_text="vera")).to_contain_text("by their groups")
    assert page_errors == []


def test_an_account_is_linked_by_its_owner(
    open_page: OpenPage, with_provider: Product, provider: OpenIdProvider, page_errors: list[str]
) -> None:
    page, url = open_page(), with_provider.url
    provider.person = {"sub": "8", "preferred_username": "somebody", "groups": []}
    log_in(page, url)
    page.goto(f"{url}/account/2fa/")
    page.get_by_role("button", name="Link this account").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Take the link away")).to_be_visible()
    other = open_page()
    other.goto(f"{url}/account/login/?next=/users/")
    other.get_by_role("button", name="Log in with Harbour").click()
    other.wait_for_url(f"{url}/users/")
    expect(other.locator(".top summary")).to_contain_text("admin")
    assert page_errors == []


def test_axe_finds_nothing_serious_on_its_pages(
    open_page: OpenPage, with_provider: Product, provider: OpenIdProvider, page_errors: list[str]
) -> None:
    """The way there and what went wrong on it; one's own account without a link and with one; an account of others."""
    page, url, found = open_page(), with_provider.url, {}

    def look(what: str) -> None:
        found.update({f"{what} {how}": problems for how, problems in looks(page).items()})
        turn(page, DESKTOP, "light")

    provider.person = {"sub": "9", "preferred_username": "nora", "groups": ["others"]}
    page.goto(f"{url}/account/login/")
    look("the login")
    page.route(
        f"{provider.issuer}/authorize?*", lambda route: route.fulfill(status=204)
    )  # the browser stays where it is
    page.get_by_role("button", name="Log in with Harbour").click()
    expect(page.get_by_role("link", name="Go on")).to_be_visible()
    look("the way there")
    page.unroute_all()
    page.get_by_role("link", name="Go on").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("you have no account here")
    look("a stranger")
    nora = with_provider.api("users", "POST", name="nora", password=PASSWORD)
    log_in(page, url)
    page.goto(f"{url}/users/")
    page.get_by_role("link", name=nora["name"], exact=True).click()
    expect(page.get_by_label("Who they are there")).to_be_visible()
    look("an account without a link")
    page.get_by_label("Who they are there").fill("9")
    page.get_by_role("button", name="Link", exact=True).click()
    expect(page.get_by_role("button", name="Take the link away")).to_be_visible()
    look("an account with a link")
    page = open_page()
    log_in(page, url, "nora")
    page.goto(f"{url}/account/2fa/")
    expect(page.get_by_role("button", name="Take the link away")).to_be_visible()
    look("one's own account with a link")
    page.get_by_role("button", name="Take the link away").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("button", name="Link this account")).to_be_visible()
    look("one's own account without a link")
    assert {where: problems for where, problems in found.items() if problems} == {}
    assert page_errors == []
