"""What a person does with the files of a container, in a real browser."""

import hashlib
import os
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product

# a drop as a browser makes it, with the entries of a folder: no file manager is there to drag from
DROP = """(card) => {
  const file = (name, text) => ({ name, isFile: true, file: (done) => done(new File([text], name)) });
  const folder = (name, inside) => ({ name, createReader: () => {
    const left = [inside, []];
    return { readEntries: (done) => done(left.shift()) };
  } });
  const root = folder("dropped", [file("one <b>.txt", "first"), folder("deeper", [file("two", "second")])]);
  const event = new Event("drop", { bubbles: true, cancelable: true });
  event.dataTransfer = { types: ["Files"], items: [{ webkitGetAsEntry: () => root }] };
  card.dispatchEvent(event);
}"""


def a_folder(place: Path) -> dict[str, str]:
    """A folder on this machine: path in it -> hash."""
    files = {"site/index.html": b"<p>hello", "site/img/logo.bin": os.urandom(300_000), "site/empty": b""}
    for name, content in files.items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
    return {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}


def test_a_folder_is_sent_and_a_text_is_edited(
    page: Page, product: Product, docker_engine: DockerEngine, tmp_path: Path, page_errors: list[str]
) -> None:
    hashes = a_folder(tmp_path)
    with running(docker_engine, product, "has-files") as url:
        page.goto(f"{url}files/?path=/root")
        expect(page.get_by_role("heading", name="An empty folder")).to_be_visible()
        page.locator("input[webkitdirectory]").set_input_files(tmp_path / "site")
        page.wait_for_url("**/jobs/*/")
        expect(page.get_by_text("done", exact=True).first).to_be_visible(timeout=15000)
        found = docker_engine.docker("exec", "has-files", "sh", "-c", "cd /root && find site -type f | xargs sha256sum")
        assert {line.split()[1]: line.split()[0] for line in found.splitlines()} == hashes
        page.goto(f"{url}files/?path=/root")
        page.get_by_role("link", name="site", exact=True).click()
        page.get_by_role("link", name="index.html", exact=True).click()
        text = page.get_by_role("textbox", name="Text")
        expect(text).to_have_value("<p>hello")
        text.fill("<p>hello\n\nworld\n")
        page.get_by_role("button", name="Store").click()
        expect(page.locator(".toast")).to_contain_text("Stored /root/site/index.html")
        assert docker_engine.docker("exec", "has-files", "cat", "/root/site/index.html") == "<p>hello\n\nworld\n"
        page.get_by_role("link", name="Delete").click()
        page.locator("#dialog-place dialog button.danger").click()
        expect(page.locator(".toast")).to_contain_text("Deleted /root/site/index.html")
        expect(page.get_by_role("link", name="index.html")).to_have_count(0)
    assert page_errors == []


def test_what_is_dropped_is_sent_with_its_folders(
    desktop: Page, product: Product, docker_engine: DockerEngine, page_errors: list[Any]
) -> None:
    with running(docker_engine, product, "has-files") as url:
        desktop.goto(f"{url}files/?path=/root")
        expect(desktop.get_by_text("or drop files and folders here")).to_be_visible()
        desktop.locator("section.card").evaluate(DROP)
        desktop.wait_for_url("**/jobs/*/")
        expect(desktop.get_by_text("done", exact=True).first).to_be_visible(timeout=15000)
        read = "cat '/root/dropped/one <b>.txt' /root/dropped/deeper/two"
        assert docker_engine.docker("exec", "has-files", "sh", "-c", read) == "firstsecond"
    assert page_errors == []
