"""What must hold of the look: names of hosts in one line, sheets as wide as a phone, a log above its bar."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.engines.docker_engine import DockerEngine
from tests.fake_engine import FakeEngine
from tests.servers.browser import DESKTOP, PHONE, OpenPage
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


@pytest.mark.parametrize("viewport", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_end_of_a_log_is_on_the_screen(
    open_page: OpenPage, logged_in: Any, product: Product, docker_engine: DockerEngine, viewport: ViewportSize
) -> None:
    docker_engine.docker("run", "-d", "--name", "long-tale", "busybox", "sh", "-c", "seq 200; sleep 1000")
    try:
        until(lambda: product.api("containers?search=long-tale")["count"] == 1, "it shows")
        page = open_page(viewport=viewport, storage_state=logged_in)
        page.goto(f"{product.url}/containers/local/long-tale/logs/")
        last = page.locator(".log-row .log-text").last
        expect(last).to_have_text("200")
        box, bar = last.bounding_box(), page.locator(".bottom-bar").bounding_box()
        assert box and box["y"] + box["height"] <= (bar["y"] if bar else viewport["height"])
        assert page.evaluate("document.documentElement.scrollHeight - innerHeight") == 0
    finally:
        docker_engine.docker("rm", "-f", "long-tale")
