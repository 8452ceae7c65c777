"""The form that creates containers, by keyboard."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.engines.docker_engine import DockerEngine
from tests.engines.registry import Registry
from tests.servers.product import Product


@pytest.fixture
def app(product: Product, docker_engine: DockerEngine, registry: Registry) -> Iterator[str]:
    """An image's name whose registry is stored, and has two tags of it."""
    names = [registry.push(docker_engine, "busybox", f"typed/app:{tag}") for tag in ("1.0", "2.0")]
    body: dict[str, Any] = {"name": "typed", "address": registry.address, "plain_http": True}
    product.api("registries", "POST", **body)
    yield names[0].rpartition(":")[0]
    product.api("registries/typed", "DELETE")


def test_an_images_tags_are_offered_and_taken_by_keyboard(page: Page, product: Product, app: str) -> None:
    page.goto(f"{product.url}/containers/create/")
    field = page.get_by_role("combobox", name="Image", exact=True)
    field.press_sequentially("busyb")
    expect(page.get_by_role("option", name="busybox:latest", exact=True)).to_be_visible()
    field.fill(app)
    tags = page.get_by_role("option").filter(has_text=f"{app}:")
    expect(tags).to_have_count(2, timeout=15000)
    field.press("ArrowUp")
    expect(tags.last).to_have_attribute("aria-selected", "true")
    last = tags.last.inner_text()
    field.press("Enter")
    expect(field).to_have_value(last)
    expect(field).to_have_attribute("aria-expanded", "false")
    field.press("ArrowDown")
    expect(page.locator("#image-options")).to_be_visible()
    field.press("Escape")
    expect(page.locator("#image-options")).to_be_hidden()
