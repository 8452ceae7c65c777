"""Pulling an image from a slow registry, watching it."""

import re

from playwright.sync_api import Page, expect

from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_layered
from tests.engines.registry import Registry
from tests.servers.product import Product
from tests.waiting import until


def test_a_pull_shows_its_progress_and_ends(
    page: Page, product: Product, docker_engine: DockerEngine, registry: Registry, page_errors: list[str]
) -> None:
    image = make_layered(docker_engine, "dermaga/watched", layers=2, megabytes=2)
    reference = registry.push(docker_engine, image)
    docker_engine.docker("rmi", image)
    with registry.slow(300_000) as slow:
        page.goto(f"{product.url}/images/")
        page.get_by_role("link", name="Pull image…").click()
        page.get_by_label("Image", exact=True).fill("Not An Image")
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open] .errors")).to_contain_text("This is not an image's name")
        page_errors.clear()  # Chromium writes an error for the answer 422
        page.get_by_label("Image", exact=True).fill(reference.replace(registry.address, slow.address))
        page.locator("dialog[open]").get_by_role("button", name="Pull").click()
        page.wait_for_url(re.compile(r"/jobs/\d+/"))
        seen: set[int] = set()

        def bar() -> bool:
            seen.add(int(page.locator(".job-bar progress").evaluate("bar => bar.value")))
            return len(seen - {0, 100}) >= 3

        until(bar, "the bar moves", 30)
        expect(page.locator(".job-parts progress")).to_have_count(2)
        slow.bytes_per_second = 100_000_000
        expect(page.locator("h1")).to_contain_text("done", timeout=30000)
        assert page.locator(".job-bar progress").evaluate("bar => bar.value") == 100
    page.goto(f"{product.url}/images/?search=watched")
    expect(page.locator("tbody tr")).to_have_count(1)
    docker_engine.docker("rmi", "-f", docker_engine.docker("images", "-q", "*/dermaga/watched").split()[0])


def test_a_pull_is_cancelled_from_its_page(
    desktop: Page, product: Product, docker_engine: DockerEngine, registry: Registry
) -> None:
    image = make_layered(docker_engine, "dermaga/unwanted", layers=1, megabytes=2)
    reference = registry.push(docker_engine, image)
    docker_engine.docker("rmi", image)
    with registry.slow(50_000) as slow:
        started = product.api("images/local/pull", "POST", image=reference.replace(registry.address, slow.address))
        desktop.goto(f"{product.url}/jobs/{started['job']}/")
        desktop.get_by_role("button", name="Cancel").click()
        expect(desktop.locator("h1")).to_contain_text("cancelled", timeout=15000)
        expect(desktop.get_by_role("button", name="Start again")).to_be_visible()
