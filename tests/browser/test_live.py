"""How open pages stay true: parts over the socket, requests where a browser cannot take them."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, WebSocketRoute, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.browser import OpenPage
from tests.servers.product import Product

REMEMBER = "globalThis.came = new Set(); addEventListener('dermaga:morphed', (event) => came.add(event.target.id))"
ALL_CAME = """() => {
  const regions = [...document.querySelectorAll("live-region")].filter((one) => one.getAttribute("kinds"));
  return regions.length > 0 && regions.every((one) => came.has(one.id));
}"""
PAGES = ("", "containers/", "containers/?group=host", "hosts/", "hosts/local/", "images/", "networks/", "volumes/",
         "events/", "jobs/", "diagnostics/")  # fmt: skip


def asked_by_request(page: Page) -> list[str]:
    """Addresses of live parts that the page asks for by requests, from now on."""
    found: list[str] = []

    def note(request: Request) -> None:
        if "x-live" in request.headers:
            found.append(request.url)

    page.on("request", note)
    return found


def test_every_live_part_comes_over_the_socket(
    open_page: OpenPage, logged_in: Any, product: Product, docker_engine: DockerEngine
) -> None:
    """Many tabs at once: a part may be some seconds away."""
    asked = []
    with running(docker_engine, product, "parted") as url:
        tabs = []
        for address in (*(f"{product.url}/{page}" for page in PAGES), url, f"{url}logs/", f"{url}terminal/"):
            tab = open_page(storage_state=logged_in)
            tab.add_init_script(REMEMBER)
            asked.append(asked_by_request(tab))
            tab.goto(address)
            tabs.append(tab)
        for tab in tabs:
            tab.wait_for_function(ALL_CAME)
    assert [addresses for addresses in asked if addresses] == []


def refuse_parts(socket: WebSocketRoute) -> None:
    """Instead of each part comes word that there is none."""

    def pass_on(message: str | bytes) -> None:
        if isinstance(message, bytes):
            message = json.dumps({"t": "part", "id": int.from_bytes(message[:4]), "status": 500})
        socket.send(message)

    socket.connect_to_server().on_message(pass_on)


@pytest.mark.parametrize("way", ["no unpacking", "no answer"])
def test_a_page_that_gets_no_part_over_the_socket_asks_by_requests(
    desktop: Page, product: Product, docker_engine: DockerEngine, way: str
) -> None:
    if way == "no unpacking":
        desktop.add_init_script("delete globalThis.DecompressionStream")
    else:
        desktop.route_web_socket("**/ws/changes", refuse_parts)
    asked = asked_by_request(desktop)
    desktop.goto(f"{product.url}/containers/?search=falls-back")
    with running(docker_engine, product, "falls-back"):
        expect(desktop.locator("tr", has_text="falls-back")).to_contain_text("running", timeout=15000)
    assert asked


def test_a_page_of_what_was_removed_says_so_once(desktop: Page, product: Product, docker_engine: DockerEngine) -> None:
    """And asks no more: an error on the console would fail this test too."""
    with running(docker_engine, product, "soon-gone") as url:
        desktop.goto(url)
        docker_engine.docker("rm", "-f", "soon-gone")
        expect(desktop.locator(".toast")).to_have_count(1)
        expect(desktop.locator(".toast")).to_contain_text("What this page shows is gone.")
        docker_engine.docker("run", "-d", "--name", "soon-gone", "busybox", "sleep", "1000")


def test_a_page_of_a_name_follows_the_container_that_is_made_anew_in_every_part(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    with running(docker_engine, product, "made-anew") as url:
        for tab in ("", "logs/"):
            desktop.goto(f"{url}{tab}")
            expect(desktop.locator("#head h1")).to_contain_text("running")
            docker_engine.docker("rm", "-f", "made-anew")
            new = docker_engine.docker("run", "-d", "--name", "made-anew", "busybox", "sleep", "1000").strip()
            acts = desktop.locator(f"#container-acts form[action*='{new[:12]}']")
            expect(acts.first).to_be_attached(timeout=20000)
            expect(desktop.locator(f".tabs a[href*='{new[:12]}']").first).to_be_visible()
            assert desktop.url == f"{url}{tab}"
        expect(desktop.locator(f"log-view[targets*='{new}']")).to_be_attached()
        desktop.goto(url)
        expect(desktop.locator("#container-live")).to_contain_text(new[:12])
