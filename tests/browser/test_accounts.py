"""Logging in and out, and what a viewer sees."""

import pytest
from playwright.sync_api import Page, Route, WebSocket, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.browser import DESKTOP, PHONE, OpenPage, log_in
from tests.servers.product import PASSWORD, Product
from tests.waiting import until


@pytest.fixture(params=[DESKTOP, PHONE], ids=["desktop", "phone"])
def stranger(open_page: OpenPage, request: pytest.FixtureRequest) -> Page:
    """An empty page of a browser that has not logged in."""
    return open_page(viewport=request.param)


def test_it_logs_in_and_out_and_says_that_a_password_is_wrong(
    stranger: Page, product: Product, page_errors: list[str]
) -> None:
    stranger.goto(f"{product.url}/containers/?sort=-name")
    stranger.get_by_label("Name").fill("admin")
    stranger.get_by_label("Password").fill("not this one")
    stranger.get_by_role("button", name="Log in").click()
    expect(stranger.get_by_role("alert")).to_contain_text("password you specified are not correct")
    expect(stranger.get_by_label("Name")).to_have_value("admin")
    stranger.get_by_label("Password").fill(PASSWORD)
    stranger.get_by_role("button", name="Log in").click()
    stranger.wait_for_url("**/containers/?sort=-name")
    log_out(stranger)
    stranger.goto(f"{product.url}/hosts/")
    expect(stranger).to_have_url(f"{product.url}/account/login/?next=/hosts/")


def log_out(page: Page) -> None:
    """By the menu; the page's live parts end before the server hears of it, so that none of them is answered 401."""
    sockets: list[WebSocket] = []
    answers: list[int] = []
    held: list[Route] = []
    page.on("websocket", lambda socket: sockets.append(socket))
    page.on("framenavigated", lambda frame: sockets.clear())  # those of the page before are not heard to close
    page.reload()
    until(lambda: (page.wait_for_timeout(20), sockets)[-1], "the page is live")
    page.on("response", lambda response: answers.append(response.status))
    page.route("**/account/logout/", lambda route: held.append(route))
    page.locator(".top summary").click()
    page.get_by_role("button", name="Log out").click(no_wait_after=True)
    until(
        lambda: (page.wait_for_timeout(20), held and all(socket.is_closed() for socket in sockets))[-1],
        "what is live has ended",
    )
    held[0].continue_()
    page.wait_for_url("**/account/login/")
    assert 401 not in answers


def test_a_viewer_looks_and_does_nothing(
    page: Page, open_page: OpenPage, product: Product, docker_engine: DockerEngine, page_errors: list[str]
) -> None:
    width = page.evaluate("innerWidth")
    name, password = f"vera{width}", "looks-at-ships-4711"
    page.goto(f"{product.url}/users/")
    page.get_by_role("link", name="Add user").click()
    page.get_by_label("Username").fill(name)
    page.locator("#id_password").fill("12345")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".errors").first).to_contain_text("too short")
    expect(page.get_by_label("Username")).to_have_value(name)
    page_errors.clear()  # Chromium writes an error for the answer 422
    page.locator("#id_password").fill(password)
    page.get_by_label("Role").select_option("viewer")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("tr", has_text=name)).to_contain_text("Viewer")

    viewer = open_page(viewport=page.viewport_size)
    log_in(viewer, product.url, name, password)
    expect(viewer.get_by_role("link", name="Add host")).to_have_count(0)
    expect(viewer.locator("nav").get_by_role("link", name="Users")).to_have_count(0)
    with running(docker_engine, product, "seen-by-vera") as url:
        viewer.goto(f"{product.url}/containers/?search=seen-by-vera")
        expect(viewer.locator("tbody tr")).to_contain_text("running")
        expect(viewer.locator(".row-acts button, .chosen-bar [data-confirm-verb]")).to_have_count(0)
        viewer.goto(url)
        expect(viewer.locator("h1")).to_contain_text("seen-by-vera")
        expect(viewer.locator("#container-acts")).to_have_count(0)
        expect(viewer.get_by_role("link", name="Terminal")).to_have_count(0)
        expect(viewer.get_by_role("button", name="Reveal values")).to_have_count(0)
        viewer.goto(f"{product.url}/images/")
        expect(viewer.get_by_role("link", name="Pull image…")).to_have_count(0)
        viewer.goto(f"{url}terminal/")
        expect(viewer.locator("main")).to_contain_text("Your role does not allow this")
        page_errors.clear()  # and for 403


def test_the_language_stays_chosen(page: Page, product: Product) -> None:
    page.locator(".top summary").click()
    page.get_by_role("button", name="Bahasa Indonesia").click()
    expect(page.locator("h1")).to_contain_text("Ringkasan")
    page.goto(f"{product.url}/containers/")
    expect(page.locator("h1")).to_contain_text("Kontainer")
    expect(page.locator("html")).to_have_attribute("lang", "id")


def test_the_theme_stays_chosen(page: Page, product: Product) -> None:
    page.locator("theme-toggle:defined").wait_for(state="attached")
    page.get_by_role("button", name="Light or dark").click()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto(f"{product.url}/hosts/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
