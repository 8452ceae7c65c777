"""A log view without lines says why."""

from playwright.sync_api import Page, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product


def test_a_log_view_says_what_hides_the_lines_and_lets_them_out(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    script = "echo first; echo second; exec sleep 1000"
    with running(docker_engine, product, "quay-hidden", "busybox", "sh", "-c", script) as url:
        desktop.goto(f"{url}logs/")
        expect(desktop.locator(".log-row", has_text="second")).to_be_visible()
        expect(desktop.locator(".log-blank")).to_be_hidden()
        desktop.locator("log-view").get_by_role("button", name="stderr").click()
        expect(desktop.locator(".log-blank")).to_contain_text("The filter hides all 2 lines.")
        desktop.get_by_role("button", name="Clear the filter").click()
        expect(desktop.locator(".log-row", has_text="second")).to_be_visible()
        expect(desktop.locator(".log-blank")).to_be_hidden()
        desktop.goto(product.url)


def test_a_log_view_says_that_nothing_was_written_or_cannot_be_read(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    with running(docker_engine, product, "quay-mute") as url:
        desktop.goto(f"{url}logs/")
        expect(desktop.locator(".log-blank")).to_contain_text("Nothing was written yet.")
        desktop.goto(product.url)  # the page would ask for a container that is removed
    driver = ("--log-driver", "none", "busybox", "sleep", "1000")
    with running(docker_engine, product, "quay-dark", *driver) as url:
        desktop.goto(f"{url}logs/")
        expect(desktop.locator(".log-row", has_text="unreadable")).to_be_visible()
        expect(desktop.locator(".log-blank")).to_be_hidden()
        desktop.goto(product.url)


def test_a_log_view_of_a_host_without_containers_says_so(desktop: Page, product: Product) -> None:
    product.api("hosts", "POST", name="quay-empty", url="unix:///nowhere/docker.sock")
    try:
        desktop.goto(f"{product.url}/logs/?host=quay-empty")
        expect(desktop.locator(".log-blank")).to_contain_text("No container belongs to this choice yet.")
        desktop.goto(product.url)
    finally:
        product.api("hosts/quay-empty", "DELETE")
