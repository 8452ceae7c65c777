"""What a person does with containers, in a real browser, on desktop and phone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

COUNTING = ("busybox", "sh", "-c", "n=0; while :; do n=$((n+1)); echo line $n of the log; sleep 0.2; done")
ENDING = ("busybox", "sh", "-c", "trap 'exit 0' TERM; while :; do sleep 0.1; done")


def test_a_change_on_the_host_shows_without_a_reload(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    page.goto(f"{product.url}/containers/?search=arrives")
    docker_engine.docker("run", "-d", "--name", "arrives", "busybox", "sleep", "1000")
    row = page.locator("tr", has_text="arrives")
    expect(row).to_contain_text("running", timeout=15000)
    docker_engine.docker("kill", "arrives")
    expect(row).to_contain_text("exited", timeout=15000)
    docker_engine.docker("rm", "arrives")
    expect(page.locator("tr", has_text="arrives")).to_have_count(0, timeout=15000)


def test_a_change_while_a_page_loads_is_not_missed(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    """The page is rendered, the container ends, and only then the page's socket opens."""
    with running(docker_engine, product, "ends-early", *ENDING) as url:
        desktop.route("**/js/start*.js", lambda route: (kill_once(docker_engine, product), route.continue_())[-1])
        desktop.goto(url)
        expect(desktop.locator("h1")).to_contain_text("exited (137)", timeout=15000)


def kill_once(engine: DockerEngine, product: Product) -> None:
    engine.docker("kill", "ends-early")
    until(lambda: product.api("containers?search=ends-early&state=exited")["count"] == 1, "the tables know it")


def test_a_container_is_stopped_from_its_page(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "to-stop", *ENDING) as url:
        page.goto(url)
        page.locator("#container-acts > form button", has_text="Stop").click()
        page.locator("confirm-dialog button[data-answer=yes]").click()
        expect(page.locator(".toast")).to_contain_text("to-stop")  # stopped, or, after a second, goes on as a job
        expect(page.locator("h1")).to_contain_text("exited (0)", timeout=15000)
        expect(page.locator("#container-acts")).to_contain_text("Start")


def test_a_name_is_changed_in_a_dialog_that_keeps_a_wrong_one(
    page: Page, product: Product, docker_engine: DockerEngine, page_errors: list[str]
) -> None:
    with running(docker_engine, product, "to-rename") as url:
        page.goto(url)
        page.locator("#container-acts summary").click()
        page.get_by_role("link", name="Rename…").click()
        field = page.get_by_label("New name")
        expect(field).to_be_focused()
        field.fill("not/a name")
        page.keyboard.press("Enter")
        expect(page.locator("dialog[open] .errors")).to_contain_text("A container's name has 2 to 255")
        expect(field).to_have_value("not/a name")
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
        expect(page.locator("#container-acts summary")).to_be_focused()
        expect(page.locator("h1")).to_contain_text("to-rename")
    page_errors.clear()  # Chromium writes an error for the answer 422


def test_chosen_containers_are_stopped_together(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with (
        running(docker_engine, product, "pair-one", *ENDING),
        running(docker_engine, product, "pair-two", *ENDING),
    ):
        page.goto(f"{product.url}/containers/?search=pair-")
        for name in ("pair-one", "pair-two"):
            page.get_by_label(f"Choose {name}").check()
        expect(page.locator(".chosen-bar")).to_contain_text("2 chosen")
        page.locator(".chosen-bar").get_by_role("button", name="Stop").click()
        dialog = page.locator("confirm-dialog dialog")
        expect(dialog).to_contain_text("pair-two (local)")
        dialog.get_by_role("button", name="Stop 2 containers").click()
        page.wait_for_url(re.compile(r"/jobs/\d+/"))
        expect(page.locator("h1")).to_contain_text("done", timeout=20000)
        expect(page.locator(".job-parts")).to_contain_text("local/pair-one")


def test_filters_and_search_change_the_list_in_place(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with (
        running(docker_engine, product, "sought-api", "--label", "com.docker.compose.project=sought", "busybox", "top"),
        running(docker_engine, product, "sought-db", "--label", "com.docker.compose.project=sought", "busybox", "top"),
    ):
        page.goto(f"{product.url}/containers/")
        page.evaluate("window.sameDocument = true")
        page.keyboard.press("/")
        page.keyboard.type("sought")
        expect(page.locator("tbody tr")).to_have_count(2)
        expect(page.locator("[data-words=list-count]").first).to_contain_text("2 of ")
        page.keyboard.type("-db")
        expect(page.locator("tbody tr")).to_have_count(1)
        expect(page.locator("#filter-search")).to_be_focused()
        assert page.url.endswith("?search=sought-db")
        page.fill("#filter-search", "")
        page.locator("#facet-project summary").click()
        page.locator("#facet-project a", has_text="sought").click()
        expect(page.locator("#facet-project")).to_contain_text("Project: sought")
        expect(page.locator("tbody tr")).to_have_count(2)
        page.keyboard.press("Escape")
        page.get_by_role("link", name="Remove the filter Project").click()
        expect(page).not_to_have_url(re.compile("project"))
        page.go_back()
        expect(page.locator("tbody tr")).to_have_count(2)
        assert page.evaluate("window.sameDocument") is True


def test_a_group_stays_folded_through_changes(desktop: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "in-group", "--label", "com.docker.compose.project=folds", *ENDING):
        desktop.goto(f"{product.url}/containers/?group=project&project=folds")
        head = desktop.get_by_role("button", name="folds")
        head.click()
        row = desktop.locator("tr", has_text="in-group")
        expect(row).to_be_hidden()
        docker_engine.docker("kill", "in-group")
        expect(row).to_contain_text("exited (137)", timeout=15000)
        expect(row).to_be_hidden()
        expect(head).to_have_attribute("aria-expanded", "false")


def test_a_log_is_followed_and_searched(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "talks", *COUNTING) as url:
        page.goto(f"{url}logs/")
        view = page.locator("log-view")
        expect(view).to_contain_text("line 3 of the log", timeout=10000)
        expect(view).to_contain_text("line 12 of the log", timeout=10000)
        docker_engine.docker("kill", "talks")  # from now on the hits stay as many
        expect(page.locator("h1")).to_contain_text("exited", timeout=15000)
        page.keyboard.press("/")
        page.keyboard.type("line 1")
        hits = page.locator(".log-hits")
        expect(hits).to_have_text(re.compile(r"^([4-9]|\d\d+) hits$"), timeout=10000)  # 1, 10, 11, 12 at least
        page.keyboard.press("Enter")
        expect(hits).to_have_text(re.compile(r"^\d+ of \d+$"))
        expect(page.locator("mark.hit-now")).to_have_text("line 1")
        place = hits.inner_text()
        page.keyboard.press("Enter")
        expect(hits).not_to_have_text(place)
        page.keyboard.press("Shift+Enter")
        expect(hits).to_have_text(place)


def test_a_command_is_typed_in_the_terminal(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "typed") as url:
        page.goto(f"{url}terminal/")
        page.locator("terminal-view button.primary").first.click()
        expect(page.locator("terminal-view .xterm-rows")).to_contain_text("#", timeout=10000)
        page.keyboard.type("echo answer-$((40+2))\n")
        expect(page.locator("terminal-view .xterm-rows")).to_contain_text("answer-42", timeout=10000)


def test_an_inspect_answer_is_searched(page: Page, product: Product, docker_engine: DockerEngine) -> None:
    with running(docker_engine, product, "inspected") as url:
        page.goto(f"{url}inspect/")
        field = page.locator("json-tree input[type=search]")
        field.fill("restartpolicy")
        expect(page.locator(".json-now > summary")).to_contain_text("RestartPolicy")
        expect(page.locator(".json-now")).to_be_in_viewport()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("port", ["18080:8080"])
def test_a_published_port_is_a_link(desktop: Page, product: Product, docker_engine: DockerEngine, port: str) -> None:
    with running(docker_engine, product, "published", "-p", port, "-p", "18081:53/udp", "dermaga/web") as url:
        desktop.goto(url)
        link = desktop.get_by_role("link", name="0.0.0.0:18080")
        expect(link).to_have_attribute("href", f"http://{docker_engine.address}:18080")
        expect(desktop.get_by_role("link", name="18081")).to_have_count(0)
        with desktop.context.expect_page() as opened:
            link.click()
        expect(opened.value.locator("body")).to_contain_text("hello")
