"""Ctrl K in a browser: find, choose, do."""

from playwright.sync_api import Page, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until


def test_a_container_is_found_and_opened_by_keyboard(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "sought-after"):
        page.keyboard.press("Control+k")
        page.keyboard.type("sought")
        expect(page.locator("#found")).to_contain_text("sought-after")
        expect(page.get_by_role("option").first).to_have_attribute("aria-selected", "true")
        page.keyboard.press("Enter")
        expect(page.locator("h1")).to_contain_text("sought-after")


def test_enter_counts_also_before_the_answer_has_come(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    with running(docker_engine, product, "sought-after"):
        desktop.keyboard.press("Control+k")
        desktop.keyboard.type("logs sought")
        desktop.keyboard.press("Enter")
        desktop.wait_for_url("**/logs/")


def test_an_act_asks_first_and_is_done(desktop: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "sought-after"):
        desktop.keyboard.press("Control+k")
        desktop.keyboard.type("stop sought")
        expect(desktop.get_by_role("option").first).to_contain_text("Stop sought-after")
        desktop.keyboard.press("Enter")
        dialog = desktop.get_by_role("dialog")
        expect(dialog).to_contain_text("sought-after")
        expect(desktop.locator("#found")).to_be_hidden()
        dialog.get_by_role("button", name="Stop").click()
        expect(desktop.locator(".toast")).to_contain_text("sought-after")


def test_a_removal_asks_where_one_is_and_says_who_is_affected(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    docker_engine.docker("volume", "create", "sought-hold")
    until(lambda: product.api("volumes?search=sought-hold")["count"], "the volume is known")
    desktop.keyboard.press("Control+k")
    desktop.keyboard.type("remove sought-hold")
    expect(desktop.get_by_role("option").first).to_contain_text("Remove sought-hold")
    before = desktop.url
    desktop.keyboard.press("Enter")
    dialog = desktop.get_by_role("dialog")
    expect(dialog).to_contain_text("sought-hold (local). All that is in it is deleted.")
    assert desktop.url == before
    dialog.get_by_role("button", name="Remove").click()
    until(lambda: "sought-hold" not in docker_engine.docker("volume", "ls", "-q"), "the volume is gone")


def test_arrows_choose_and_escape_closes(desktop: Page) -> None:
    desktop.keyboard.press("Control+k")
    expect(desktop.locator("#found")).to_be_visible()
    desktop.keyboard.type("vol")
    expect(desktop.get_by_role("option").first).to_contain_text("Volumes")
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_role("option").nth(1)).to_have_attribute("aria-selected", "true")
    desktop.keyboard.press("ArrowUp")
    desktop.keyboard.press("Escape")
    expect(desktop.locator("#found")).to_be_hidden()
    expect(desktop.locator("#search")).to_be_focused()
    desktop.keyboard.press("Enter")
    desktop.wait_for_url("**/volumes/")


def test_a_view_is_saved_and_found_again(desktop: Page, product: Product) -> None:
    desktop.goto(f"{product.url}/containers/?state=exited")
    desktop.locator(".saved-views summary").click()
    desktop.get_by_label("Name of this view").fill("the ended ones")
    desktop.get_by_label("Name of this view").press("Enter")
    expect(desktop.locator(".saved-view")).to_contain_text("the ended ones")
    desktop.goto(f"{product.url}/containers/")
    desktop.locator(".saved-views summary").click()
    desktop.locator(".saved-view a", has_text="the ended ones").click()
    desktop.wait_for_url("**/containers/?state=exited")
    desktop.locator(".saved-views summary").click()
    desktop.get_by_label("Remove the view the ended ones").click()
    expect(desktop.locator(".saved-view")).to_have_count(0)
