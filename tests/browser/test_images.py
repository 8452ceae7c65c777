"""Pulling an image from a slow registry, watching it."""

import re
from pathlib import Path

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

        until(bar, "the bar moves")
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


# as a browser brings it: no file manager is there to drag from
DROP = """(form) => {
  const file = (name, text) => ({ name, isFile: true, file: (done) => done(new File([text], name)) });
  const folder = (name, inside) => ({ name, createReader: () => {
    const left = [inside, []];
    return { readEntries: (done) => done(left.shift()) };
  } });
  const root = folder("ship", [file("Dockerfile", "FROM busybox\\nCOPY . /ship\\n"), file(".dockerignore", "*.key\\n"),
    file("secret.key", "no"), folder("deck", [file("cargo", "tea")])]);
  const event = new Event("drop", { bubbles: true, cancelable: true });
  event.dataTransfer = { types: ["Files"], items: [{ webkitGetAsEntry: () => root }] };
  form.dispatchEvent(event);
}"""


def test_a_folder_is_dropped_on_the_form_or_picked_and_built(
    desktop: Page, product: Product, docker_engine: DockerEngine, tmp_path: Path, page_errors: list[str]
) -> None:
    for name, content in {"Dockerfile": "FROM busybox\nCOPY hold /hold\n", "hold/rum": "dark"}.items():
        (tmp_path / "boat" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "boat" / name).write_text(content)
    for way, words, read, told in (
        ("drop", "ship: 4 files", "cat /ship/deck/cargo; ls /ship", "teaDockerfiledeck"),
        ("pick", "boat: 2 files", "cat /hold/rum", "dark"),
    ):
        desktop.goto(f"{product.url}/images/build/")
        desktop.get_by_label("Name of the image").fill("quay/folder:1")
        if way == "drop":
            desktop.locator(".build-form").evaluate(DROP)
        else:
            desktop.locator("input[webkitdirectory]").set_input_files(tmp_path / "boat")
        expect(desktop.locator("folder-pick [role=status]")).to_contain_text(words)
        expect(desktop.get_by_label("a folder, or a tar")).to_be_checked()
        desktop.get_by_role("button", name="Build").click()
        desktop.wait_for_url(re.compile(r"/jobs/\d+/"))
        expect(desktop.locator("h1")).to_contain_text("done", timeout=30000)
        inside = docker_engine.docker("run", "--rm", "quay/folder:1", "sh", "-c", read)
        assert "".join(inside.split()) == told  # without what .dockerignore names
    docker_engine.docker("rmi", "quay/folder:1")
    assert page_errors == []
