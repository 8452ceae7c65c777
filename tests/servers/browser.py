"""Fixtures of a real browser: Debian's Chromium, driven by Playwright. A page with an error on its console fails."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Response,
    ViewportSize,
    sync_playwright,
)

from tests.engines.run import current
from tests.servers.product import PASSWORD

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
DESKTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
CLOSES_WITHIN = 30.0  # seconds
OpenPage = Callable[..., Page]


@contextmanager
def playing(playwright: Playwright) -> Iterator[None]:
    """Playwright may be used inside only.

    Between its calls it leaves its event loop marked as running. With the mark the next test of Django's database or
    of asyncio in this thread would fail; without it Playwright's own calls would.
    """
    loop = playwright._impl_obj._loop
    asyncio._set_running_loop(loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver; use it inside `playing`."""
    manager = sync_playwright()
    driver = manager.start()
    asyncio._set_running_loop(None)
    yield driver
    with playing(driver):
        driver.stop()


class Chromium:
    """One browser for all tests. Use it inside `playing`.

    Chromium under load leaves a request to close a context (`Target.disposeBrowserContext`) without an answer now and
    then, for ever. What a test looked at is over by then: the next one gets another browser.
    """

    def __init__(self, playwright: Playwright) -> None:
        self._playwright = playwright
        self._browser = self._launch()

    def _launch(self) -> Browser:
        # the run's mark in the environment: a browser of a run that was killed is killed too
        browser = self._playwright.chromium.launch(
            executable_path=CHROMIUM, args=ARGUMENTS, env=dict(current().environment())
        )
        current().note(f"Chromium {browser.version}")
        return browser

    def new_context(self, **options: Any) -> BrowserContext:
        """As Playwright's."""
        return self._browser.new_context(**options)

    def close_context(self, context: BrowserContext) -> None:
        """As `context.close()`, which has no deadline of its own."""
        try:
            context._sync(asyncio.wait_for(context._impl_obj.close(reason=None), CLOSES_WITHIN))
        except TimeoutError:
            # Playwright's driver kills the old one at the end
            current().note("a context that Chromium did not close: another Chromium from there on")
            self._browser = self._launch()

    def close(self) -> None:
        self._browser.close()


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Chromium]:
    """One Chromium for all tests; each page has a context of its own."""
    with playing(playwright):
        browser = Chromium(playwright)
    yield browser
    with playing(playwright):
        browser.close()


@pytest.fixture
def page_errors() -> list[str]:
    """What pages of this test said on their consoles; clear it in a test that expects errors."""
    return []


@pytest.fixture
def open_page(playwright: Playwright, browser: Chromium, page_errors: list[str]) -> Iterator[OpenPage]:
    """Opens an empty page in a new context: `open_page(viewport=PHONE, color_scheme="dark", locale="id")`.

    At the end of the test an error on the console of any of them fails the test.
    """
    contexts = []

    def opened(**options: Any) -> Page:
        context = browser.new_context(**({"viewport": DESKTOP} | options))
        contexts.append(context)
        context.set_default_timeout(10_000)
        page = context.new_page()
        watch(page, page_errors)
        wait_for_scripts(page)
        return page

    with playing(playwright):
        yield opened
        for context in contexts:
            browser.close_context(context)
    if page_errors:
        pytest.fail("The page's console has errors:\n" + "\n".join(page_errors), pytrace=False)


def watch(page: Page, errors: list[str]) -> None:
    """Writes errors of the page's scripts and console into `errors`."""

    def hear(message: ConsoleMessage) -> None:
        # Chromium drops its connections when this machine gets another network, as it does from runs beside this one
        if message.type == "error" and "net::ERR_NETWORK_CHANGED" not in message.text:
            errors.append(f"{page.url}: {message.text} {message.location}")

    page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
    page.on("console", hear)


def wait_for_scripts(page: Page) -> None:
    """Lets `page.goto` and `page.reload` return when the page's own elements listen.

    Their modules come after the page's load event; a key pressed before them is a key that nobody hears.
    """

    def waiting(visit: Callable[..., Response | None]) -> Callable[..., Response | None]:
        def visited(*args: Any, **options: Any) -> Response | None:
            answer = visit(*args, **options)
            # the page asks again for a module that did not come
            page.wait_for_function("() => !document.querySelector(':not(:defined)')", timeout=30_000)
            return answer

        return visited

    for name in ("goto", "reload"):
        setattr(page, name, waiting(getattr(page, name)))


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """An empty page of 1440 x 900."""
    return open_page()


@pytest.fixture
def phone_page(open_page: OpenPage) -> Page:
    """An empty page of 390 x 844 with touch."""
    return open_page(viewport=PHONE, has_touch=True, is_mobile=True, device_scale_factor=2)


def log_in(page: Page, url: str, name: str = "admin", password: str = PASSWORD) -> None:
    """Logs in through the page; leaves the browser on the page that follows."""
    page.goto(f"{url}/account/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", password)
    with page.expect_navigation(url=lambda address: "/account/login" not in address):
        page.press("input[name=password]", "Enter")
