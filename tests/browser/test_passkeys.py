"""Passkeys in a real browser, with the device that Chromium plays: added, alone, after the password, renamed, removed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.servers.browser import OpenPage
from tests.servers.product import Product

NAME, SECRET = "pia", "sails-at-dawn-4711"


def a_device(page: Page, *, verifies: bool = True) -> CDPSession:
    """A phone or a key beside this page's browser; its PIN is typed by itself."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal" if verifies else "usb",
        "hasResidentKey": verifies,
        "hasUserVerification": verifies,
        "isUserVerified": verifies,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return session


def at_a_name(product: Product) -> str:
    """An IP address is no name for passkeys."""
    return product.url.replace("127.0.0.1", "localhost")


@pytest.fixture
def account(product: Product) -> Iterator[str]:
    product.api("users", "POST", name=NAME, role="viewer", password=SECRET)
    yield NAME
    product.api(f"users/{NAME}", "DELETE")


def type_password(page: Page, url: str) -> None:
    page.goto(f"{url}/account/login/")
    page.get_by_label("Name").fill(NAME)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Log in", exact=True).click()


def add(page: Page, url: str, name: str, *, alone: bool) -> None:
    """On the page of second factors, after the password once more."""
    page.goto(f"{url}/account/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    if "reauthenticate" in page.url:
        page.get_by_label("Password").fill(SECRET)
        page.get_by_role("button", name="Confirm").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("It may log in alone").set_checked(alone)
    page.get_by_role("button", name="Add").click()


def log_out(page: Page, url: str) -> None:
    page.goto(f"{url}/account/logout/")  # nothing is live in this page, which would get in the way of the next one
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/account/login/")
    page.goto(f"{url}/account/login/?next=/images/")


def test_one_is_added_logs_in_alone_is_renamed_and_removed(
    open_page: OpenPage, product: Product, account: str, page_errors: list[str]
) -> None:
    url, page = at_a_name(product), open_page()
    a_device(page)
    type_password(page, url)
    add(page, url, "this laptop", alone=True)
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    page.get_by_role("link", name="I have kept them").click()
    expect(page.locator("tr", has_text="this laptop")).to_contain_text("alone")

    log_out(page, url)
    page.get_by_role("button", name="Log in with a passkey").click()
    page.wait_for_url(f"{url}/images/")
    page.goto(f"{url}/account/2fa/")
    page.get_by_role("link", name="Rename this laptop").click()
    page.get_by_role("link", name="Use a passkey").click()  # who it is, once more
    page.get_by_role("button", name="Use a passkey").click()
    page.get_by_label("Name").fill("old laptop")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("link", name="Remove old laptop").click()
    page.get_by_role("button", name="Remove the passkey").click()
    expect(page.locator("tr", has_text="old laptop")).to_have_count(0)

    log_out(page, url)
    page.get_by_role("button", name="Log in with a passkey").click()
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("This passkey was not accepted")
    assert page_errors == []


def test_a_key_without_a_pin_is_asked_for_after_the_password(
    open_page: OpenPage, product: Product, account: str, page_errors: list[str]
) -> None:
    url, page = at_a_name(product), open_page()
    device = a_device(page, verifies=False)
    type_password(page, url)
    add(page, url, "key ring", alone=False)
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    log_out(page, url)
    type_password(page, url)
    expect(page.get_by_role("heading", name="Second factor")).to_be_visible()
    page.get_by_role("button", name="Use a passkey").click()
    expect(page.locator("h1")).to_contain_text("Overview")
    # one device holds one of an account
    add(page, url, "again", alone=False)
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("has a passkey of this account already")
    device.detach()
    assert page_errors == []


def test_at_an_ip_address_it_is_not_offered_and_says_why(
    open_page: OpenPage, product: Product, account: str, page_errors: list[str]
) -> None:
    page = open_page()
    page.goto(f"{product.url}/account/login/")
    expect(page.get_by_role("button", name="Log in", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Log in with a passkey")).to_be_hidden()
    type_password(page, product.url)
    add(page, product.url, "no", alone=True)
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("a name in place of an IP address")
    page_errors.clear()  # Chromium writes what it refused
