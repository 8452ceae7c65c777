"""Axe on every page and everything that opens, and all of it by keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.browser import DESKTOP, PHONE, OpenPage
from tests.servers.product import Product
from tests.waiting import until

AXE = (Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js").read_text()
PAGES = (
    "/",
    "/containers/",
    "/containers/?group=project",
    "/containers/?search=nothing-has-this-name",
    *(f"/containers/local/looked-at/{tab}" for tab in ("", "logs/", "stats/", "terminal/", "processes/", "changes/")),
    "/containers/create/",
    "/containers/local/looked-at/inspect/",
    "/containers/local/looked-at/files/?path=/etc",
    "/containers/local/looked-at/files/file/?path=/etc/passwd",
    "/containers/local/looked-at/files/ask/chmod/?path=/etc/passwd",
    "/containers/local/looked-at/ask/remove/",
    "/containers/local/looked-at/update/",
    "/containers/local/looked-at/recreate/",
    "/logs/",
    "/logs/?target=local/looked-at",
    "/hosts/",
    "/hosts/local/",
    "/hosts/local/map/",
    "/hosts/local/remove/",
    "/hosts/add/",
    "/account/2fa/",
    "/account/reauthenticate/",
    "/images/",
    "/images/pull/",
    "/images/build/",
    "/plugins/",
    "/plugins/create/",
    "/registries/",
    "/registries/docker-hub/",
    "/networks/",
    "/networks/local/bridge/",
    "/networks/create/",
    "/disk/",
    "/disk/prune/?images=all&volumes=all",
    "/volumes/",
    "/volumes/prune/?everything=1",
    "/volumes/local/looked-at/copy/",
    "/backups/",
    "/backups/destinations/",
    "/backups/destinations/add/",
    "/volumes/restore/",
    "/swarms/",
    "/swarms/init/",
    "/swarms/join/",
    "/nodes/",
    "/services/",
    "/services/create/",
    "/tasks/",
    "/stacks/",
    "/secrets/",
    "/secrets/create/",
    "/configs/",
    "/events/",
    "/jobs/",
    "/jobs/schedules/",
    "/diagnostics/",
    "/users/",
    "/audit/",
    "/users/add/",
    "/account/password/change/",
    "/nothing/is/here/",
)
# what opens: the page, and what is pressed there
OPENERS = {
    "keys": ("/", "?"),
    "found by Ctrl K": ("/", "#search"),
    "account menu": ("/", ".top summary"),
    "columns": ("/containers/", ".acts summary"),
    "filter": ("/containers/", "#facet-state summary"),
    "saved views": ("/images/", ".saved-views summary"),
    "chosen": ("/containers/?search=looked-at", "td.pick input"),
    "more acts": ("/containers/local/looked-at/", "#container-acts summary"),
    "confirmation": ("/containers/local/looked-at/", "#container-acts > form button"),
    "pull": ("/images/", ".acts .primary"),
    "time of a log": ("/containers/local/looked-at/logs/", "[title='Go to a time']"),
    "look of a log": ("/containers/local/looked-at/logs/", "[title='How rows look']"),
    "download of a log": ("/containers/local/looked-at/logs/", "[title='Download']"),
    "choice of logs": ("/logs/", "[data-adder] summary"),
}
OPEN = "dialog[open], #found:not([hidden]), details[open] .menu-list:not([aria-busy]), .chosen-bar:not([hidden]), [popover]:popover-open"


# in what is folded away an animation stands still and never ends
RESTED = """() => Promise.race([
  Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity && one.effect.target.checkVisibility())
    .map((one) => one.finished)),
  new Promise((done) => setTimeout(done, 2000)),
])"""


def serious(page: Page, *rules: str) -> list[str]:
    """What axe finds on the page as it is once what opens or fades has come to rest: half-way colours are no colours.
    All of axe's rules, unless some are named."""
    page.evaluate(RESTED)
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE)
    # passed rules are told about with all their elements, which nobody reads
    choice = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    result = page.evaluate("(choice) => axe.run(choice)", choice)
    return [
        f"{found['id']}: {[node['html'][:160] for node in found['nodes'][:3]]}"
        for found in result["violations"]
        if found["impact"] in {"serious", "critical"}
    ]


@pytest.fixture
def looked_at(product: Product, docker_engine: DockerEngine) -> Iterator[str]:
    docker_engine.docker("volume", "create", "looked-at")
    with running(docker_engine, product, "looked-at", "dermaga/web") as url:
        until(lambda: product.api("volumes?search=looked-at")["count"], "the volume is in the table")
        yield url
    docker_engine.docker("volume", "rm", "looked-at")


def test_axe_finds_nothing_serious_on_any_page(
    desktop: Page, product: Product, looked_at: str, page_errors: list[str]
) -> None:
    """A page is loaded once and shown in each theme and width."""
    found = {}
    for path in PAGES:
        desktop.set_viewport_size(DESKTOP)
        desktop.emulate_media(color_scheme="light")
        desktop.goto(f"{product.url}{path}")
        found[f"{path} in light"] = [*serious(desktop), *too_wide(desktop)]
        desktop.emulate_media(color_scheme="dark")
        found[f"{path} in dark"] = serious(desktop, "color-contrast")  # a theme changes colours alone
        desktop.emulate_media(color_scheme="light")
        desktop.set_viewport_size(PHONE)
        found[f"{path} on a phone"] = [*serious(desktop), *too_wide(desktop)]
    assert {where: problems for where, problems in found.items() if problems} == {}
    page_errors[:] = [error for error in page_errors if "/nothing/is/here/" not in error]


def too_wide(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} px wider than the window"] if wide > 0 else []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_in_what_opens(
    desktop: Page, product: Product, looked_at: str, viewport: ViewportSize
) -> None:
    desktop.set_viewport_size(viewport)
    found = {}
    for name, (path, opener) in OPENERS.items():
        desktop.emulate_media(color_scheme="light")
        desktop.goto(f"{product.url}{path}")
        if len(opener) == 1:
            desktop.keyboard.press(opener)
        else:
            desktop.locator(opener).first.click()
        expect(desktop.locator(OPEN).first).to_be_visible()
        found[f"{name} in light"] = serious(desktop)
        desktop.emulate_media(color_scheme="dark")
        found[f"{name} in dark"] = serious(desktop, "color-contrast")
    assert {where: problems for where, problems in found.items() if problems} == {}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_in_a_log_that_is_searched(
    open_page: OpenPage, logged_in: Any, product: Product, docker_engine: DockerEngine, viewport: Any, theme: str
) -> None:
    """Colours, levels, records, hits, a chosen line."""
    found = {}
    page = open_page(viewport=viewport, color_scheme=theme, storage_state=logged_in)
    with running(docker_engine, product, "noisy", "-e", "NOISE_SLEEP=1000", "dermaga/noise") as url:
        for address in (f"{url}logs/", f"{product.url}/logs/?target=local/noisy&host=local"):
            page.goto(address)
            expect(page.locator("log-view")).to_contain_text("json line 1")
            page.get_by_label("Search in this log").fill("json")
            page.keyboard.press("Enter")
            expect(page.locator(".log-found li").first).to_be_visible()
            page.get_by_label("Fields of this line").click()
            page.locator(".log-time").last.click()
            expect(page.locator(".log-chosen")).to_have_count(1)
            if problems := serious(page):
                found[address] = problems
    assert found == {}


def test_axe_finds_nothing_serious_on_the_way_in(open_page: OpenPage, product: Product) -> None:
    page = open_page()
    page.goto(f"{product.url}/account/login/")
    assert serious(page) == []


# ---------------------------------------------------------------- keyboard
def test_keys_open_help_focus_the_search_and_go_places(desktop: Page, product: Product) -> None:
    desktop.keyboard.press("?")
    expect(desktop.locator("#shortcuts")).to_be_visible()
    desktop.keyboard.press("Escape")
    expect(desktop.locator("#shortcuts")).to_be_hidden()
    desktop.keyboard.press("g")
    desktop.keyboard.press("c")
    desktop.wait_for_url("**/containers/")
    desktop.keyboard.press("/")
    expect(desktop.locator("#filter-search")).to_be_focused()
    desktop.keyboard.type("?")  # in a field it is a letter
    expect(desktop.locator("#shortcuts")).to_be_hidden()
    desktop.keyboard.press("Control+k")
    expect(desktop.locator("#search")).to_be_focused()
    for key, place in (
        ("h", "hosts"),
        ("i", "images"),
        ("n", "networks"),
        ("v", "volumes"),
        ("j", "jobs"),
        ("e", "events"),
    ):
        desktop.keyboard.press("Escape")
        desktop.evaluate("document.activeElement.blur()")
        desktop.keyboard.press("g")
        desktop.keyboard.press(key)
        desktop.wait_for_url(f"**/{place}/")


def test_a_menu_is_opened_walked_and_closed_by_keyboard(desktop: Page, looked_at: str) -> None:
    desktop.goto(looked_at)
    menu = desktop.locator("#container-acts summary")
    menu.focus()
    desktop.keyboard.press("Enter")
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_role("button", name="Pause")).to_be_focused()
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_role("link", name="Stop within a time…")).to_be_focused()
    desktop.keyboard.press("Escape")
    expect(menu).to_be_focused()
    expect(desktop.locator("#container-acts .menu-list")).to_be_hidden()


def test_rows_are_chosen_by_keyboard_and_let_go_by_escape(desktop: Page, product: Product, looked_at: str) -> None:
    desktop.goto(f"{product.url}/containers/?search=looked-at")
    desktop.get_by_role("link", name="looked-at", exact=True).focus()
    desktop.keyboard.press("x")
    expect(desktop.locator(".chosen-bar")).to_contain_text("1 chosen")
    desktop.get_by_label("Choose looked-at").focus()
    desktop.keyboard.press("Enter")  # must not press the form's first button
    expect(desktop.locator(".chosen-bar")).to_be_visible()
    expect(desktop.locator("confirm-dialog dialog")).to_be_hidden()
    desktop.keyboard.press("Escape")
    expect(desktop.locator(".chosen-bar")).to_be_hidden()


@pytest.mark.parametrize("path", ["/", "/containers/", "/hosts/add/", "/images/", "/jobs/"])
def test_tab_reaches_everything_and_shows_where_it_is(
    desktop: Page, product: Product, looked_at: str, path: str
) -> None:
    desktop.goto(f"{product.url}{path}")
    wanted = desktop.evaluate(
        """() => [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
        .filter(e => !e.disabled && e.type !== 'hidden' && e.type !== 'radio' && e.checkVisibility({visibilityProperty: true})
            && !e.closest('dialog, [popover], details:not([open]) > :not(summary)')).length"""
    )
    reached, unseen = 0, []
    for _ in range(wanted + 20):
        desktop.keyboard.press("Tab")
        here = desktop.evaluate(
            """() => { const e = document.activeElement; if (!e || e === document.body) return null;
            const style = getComputedStyle(e), around = getComputedStyle(e.closest('.chip') ?? e);
            const seen = [style, around].some(s => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) > 0);
            const first = !e.dataset.tabbed; e.dataset.tabbed = 1; return [first, seen, e.outerHTML.slice(0, 120)]; }"""
        )
        if here is None:
            continue
        first, seen, html = here
        if not first:
            break
        reached += 1
        if not seen:
            unseen.append(html)
    assert unseen == []
    assert reached >= wanted
