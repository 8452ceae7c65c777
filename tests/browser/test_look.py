"""What must hold of the look in every list: names of hosts in one line, sheets as wide as a phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.fake_engine import FakeEngine
from tests.servers.browser import PHONE, OpenPage
from tests.servers.product import Product
from tests.waiting import until

NAME = "far-away-host-42"
TALL = """() => [...document.querySelectorAll(".host-name")]
  .filter((one) => one.getBoundingClientRect().height > 2 * parseFloat(getComputedStyle(one).fontSize))
  .map((one) => one.textContent)"""
SHEETS = {"/containers/": "#facet-state summary", "/logs/": "[data-adder] summary", "/hosts/": "#facet-state summary"}


@pytest.fixture
def far_host(product: Product, fake_engine: FakeEngine) -> Iterator[None]:
    """A host with dashes in its name and things of each kind."""
    product.api("hosts", "POST", name=NAME, url=fake_engine.url)
    until(lambda: product.api(f"containers?host={NAME}")["count"] == 2, "its containers show")
    yield
    product.api(f"hosts/{NAME}", "DELETE")


def test_the_name_of_a_host_stays_in_one_line(
    open_page: OpenPage, logged_in: Any, product: Product, far_host: None
) -> None:
    page = open_page(viewport={"width": 1000, "height": 800}, storage_state=logged_in)
    for path in ("/containers/", "/images/", "/networks/", "/volumes/", "/hosts/"):
        page.goto(f"{product.url}{path}")
        expect(page.locator(".host-name", has_text=NAME).first).to_be_visible()
        assert page.evaluate(TALL) == [], path


@pytest.mark.parametrize("path", SHEETS)
def test_a_menu_on_a_phone_is_as_wide_as_the_page(
    open_page: OpenPage, logged_in: Any, product: Product, far_host: None, path: str
) -> None:
    page: Page = open_page(viewport=PHONE, storage_state=logged_in)
    page.goto(f"{product.url}{path}")
    page.locator(SHEETS[path]).click()
    sheet = page.locator("main details[open] .menu-list").bounding_box()
    assert sheet and sheet["width"] == PHONE["width"] - 16 and sheet["x"] == 8
