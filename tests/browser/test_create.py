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


def test_rows_are_written_by_keyboard_and_secrets_show_when_asked(page: Page, product: Product) -> None:
    page.goto(f"{product.url}/containers/create/")
    page.get_by_text("Environment and labels").click()
    rows = page.get_by_role("group", name="Variable", exact=True)
    rows.first.get_by_label("Name", exact=True).press_sequentially("DB_PASSWORD")
    value = rows.first.get_by_label("Value", exact=True)
    value.fill("hunter2")
    expect(value).to_have_css("-webkit-text-security", "disc")
    rows.first.get_by_role("checkbox", name="Show the value").press("Space")
    expect(value).to_have_css("-webkit-text-security", "none")
    rows.first.get_by_label("Name", exact=True).press("Enter")
    expect(rows).to_have_count(2)
    expect(rows.last.get_by_label("Name", exact=True)).to_be_focused()
    page.keyboard.type("TZ")
    page.keyboard.press("Tab")
    page.keyboard.type("UTC")
    page.get_by_role("button", name="Add (Variable)").click()
    expect(rows).to_have_count(3)
    rows.last.get_by_role("button", name="Remove").click()
    expect(rows).to_have_count(2)
    with page.expect_response("**/containers/create/"):
        page.get_by_label("from a .env file").set_input_files(
            {"name": ".env", "mimeType": "text/plain", "buffer": b"# of a file\nTZ=Asia/Jakarta\nMORE='a b'\n"}
        )
    expect(rows).to_have_count(3)
    expect(rows.nth(1).get_by_label("Value", exact=True)).to_have_value("Asia/Jakarta")
    page.get_by_role("button", name="Write it as text (Environment)").click()
    text = page.get_by_label("Environment", exact=True)
    expect(text).to_have_value("DB_PASSWORD=hunter2\nTZ=Asia/Jakarta\nMORE=a b")
