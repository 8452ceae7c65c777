"""Pages of a logged-in admin, in both widths."""

import pytest
from playwright.sync_api import Page

from tests.servers.browser import DESKTOP, PHONE, OpenPage, log_in
from tests.servers.product import Product


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def page(open_page: OpenPage, product: Product, request: pytest.FixtureRequest) -> Page:
    """The overview, just logged in."""
    opened = open_page(viewport=request.param)
    log_in(opened, product.url)
    return opened
