"""Pages of a logged-in admin, in both widths."""

from typing import Any

import pytest
from playwright.sync_api import Page, Playwright

from tests.servers.browser import DESKTOP, PHONE, Chromium, OpenPage, log_in, playing
from tests.servers.product import Product


@pytest.fixture(scope="session")
def logged_in(playwright: Playwright, browser: Chromium, product: Product) -> Any:
    """The cookies of a browser in which the admin has logged in."""
    with playing(playwright):
        context = browser.new_context()
        log_in(context.new_page(), product.url)
        state = context.storage_state()
        browser.close_context(context)
    return state


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(open_page: OpenPage, product: Product, logged_in: Any, request: pytest.FixtureRequest) -> Page:
    """The overview."""
    opened = open_page(viewport=request.param, storage_state=logged_in)
    opened.goto(product.url)
    return opened


@pytest.fixture
def desktop(open_page: OpenPage, product: Product, logged_in: Any) -> Page:
    """The overview, in the wide form alone."""
    opened = open_page(storage_state=logged_in)
    opened.goto(product.url)
    return opened
