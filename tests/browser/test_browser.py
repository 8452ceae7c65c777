"""What a person does, in a real browser, on desktop and phone."""

from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"


def run(engine: DockerEngine, product: Product, name: str, *command: str) -> None:
    """Starts a container and waits until the tables know its detail."""
    engine.docker("rm", "-f", name) if name in engine.docker("ps", "-a", "--format", "{{.Names}}").split() else None
    engine.docker("run", "-d", "--name", name, "busybox", *command)
    until(lambda: product.api(f"containers?search={name}&state=running")["count"] == 1, f"{name} shows")


def test_a_change_on_the_host_shows_without_a_reload(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    page.goto(f"{product.url}/containers/?search=arrives")
    docker_engine.docker("run", "-d", "--name", "arrives", "busybox", "sleep", "1000")
    row = page.locator("tr", has_text="arrives")
    expect(row).to_contain_text("running", timeout=15000)
    docker_engine.docker("kill", "arrives")
    expect(row).to_contain_text("exited", timeout=15000)
    docker_engine.docker("rm", "arrives")
    expect(page.locator("tr", has_text="arrives")).to_have_count(0, timeout=15000)


def test_a_container_is_stopped_from_its_page(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    run(docker_engine, product, "to-stop", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")
    page.goto(f"{product.url}/containers/local/to-stop/")
    page.locator("#container-acts > form button", has_text="Stop").click()
    page.locator("confirm-dialog button[data-answer=yes]").click()
    expect(page.locator("h1")).to_contain_text("exited (0)", timeout=15000)
    docker_engine.docker("rm", "to-stop")


def test_a_log_is_followed_and_searched(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    run(
        docker_engine,
        product,
        "talks",
        "sh",
        "-c",
        "n=0; while :; do n=$((n+1)); echo line $n of the log; sleep 0.2; done",
    )
    page.goto(f"{product.url}/containers/local/talks/logs/")
    view = page.locator("log-view")
    expect(view).to_contain_text("line 3 of the log", timeout=10000)
    expect(view).to_contain_text("line 12 of the log", timeout=10000)
    docker_engine.docker("rm", "-f", "talks")


def test_a_command_is_typed_in_the_terminal(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    run(docker_engine, product, "typed", "sleep", "1000")
    page.goto(f"{product.url}/containers/local/typed/terminal/")
    page.locator("terminal-view form button[type=submit], terminal-view button.primary").first.click()
    expect(page.locator("terminal-view .xterm-rows")).to_contain_text("#", timeout=10000)
    page.keyboard.type("echo answer-$((40+2))\n")
    expect(page.locator("terminal-view .xterm-rows")).to_contain_text("answer-42", timeout=10000)
    docker_engine.docker("rm", "-f", "typed")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_on_any_page(
    page: Page, product: Product, docker_engine: DockerEngine, theme: Literal["light", "dark"]
) -> None:
    run(docker_engine, product, "looked-at", "sleep", "1000")
    page.emulate_media(color_scheme=theme)
    container = "/containers/local/looked-at/"
    found = {}
    for path in (
        "/",
        "/containers/",
        container,
        f"{container}inspect/",
        "/hosts/",
        "/hosts/local/",
        "/hosts/add/",
        "/images/",
        "/networks/",
        "/volumes/",
        "/events/",
        "/jobs/",
        "/users/",
        "/users/add/",
    ):
        page.goto(f"{product.url}{path}")
        page.evaluate(AXE.read_text())
        result = page.evaluate("axe.run()")
        serious = [
            f"{v['id']}: {v['nodes'][0]['html'][:160]}"
            for v in result["violations"]
            if v["impact"] in {"serious", "critical"}
        ]
        if serious:
            found[path] = serious
    docker_engine.docker("rm", "-f", "looked-at")
    assert found == {}
