"""Axe on every page and everything that opens, and all of it by keyboard."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Error, Page, ViewportSize, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.engines.run import current
from tests.fake_engine import FakeEngine
from tests.fake_engine.managers import Says, manage
from tests.servers.browser import DESKTOP, PHONE, OpenPage
from tests.servers.product import Product
from tests.waiting import until

PLUGIN = {"Id": "a" * 64, "Name": "quay/on:1", "Enabled": True, "PluginReference": "registry.example/quay/on:1"}
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
    "/owners/container/local/looked-at/",
    "/logs/",
    "/logs/?target=local/looked-at",
    "/hosts/",
    "/hosts/local/",
    "/hosts/local/map/",
    "/hosts/local/remove/",
    "/hosts/add/",
    "/audit/forwards/",
    "/audit/terminals/",
    "/audit/forwards/add/",
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
    "/users/add/",
    "/users/invite/",
    "/users/second-factor/",
    "/account/sessions/",
    "/account/tokens/",
    "/account/tokens/add/",
    "/teams/",
    "/teams/add/",
    "/roles/",
    "/roles/add/",
    "/access/?right=containers.operate&host=local",
    "/account/password/change/",
    "/nothing/is/here/",
)
EACH_OF = ("swarms", "nodes", "services", "tasks", "stacks", "secrets", "configs", "images", "plugins", "backups")
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


THEMES = ("light", "dark")
FRAME = (".side", ".drawer", ".top", ".bottom")  # around every page
# Rules of less weight are left out before they run, not after, and styles are not fetched once more: no rule reads them.
CHECK = """([within, without, only]) => {
  const light = axe._audit.rules.filter((rule) => !["serious", "critical"].includes(rule.impact));
  return axe.run({include: within, exclude: without}, {resultTypes: ["violations"], preload: false,
    ...(only.length ? {runOnly: only} : {}),
    rules: Object.fromEntries(light.map((rule) => [rule.id, {enabled: false}]))});
}"""


def serious(page: Page, within: str = "html", without: Iterable[str] = (), only: Iterable[str] = ()) -> list[str]:
    """What axe finds once what opens or fades has come to rest: half-way colours are no colours."""
    page.evaluate(RESTED)
    if not page.evaluate("'axe' in globalThis"):
        page.evaluate(AXE)
    result = page.evaluate(CHECK, [[within], list(without), list(only)])
    return [
        f"{found['id']}: {[node['html'][:160] for node in found['nodes'][:3]]}"
        for found in result["violations"]
        if found["impact"] in {"serious", "critical"}
    ]


def turn(page: Page, viewport: ViewportSize, theme: Any) -> None:
    """The page as it is, in another width and theme. Not with less motion: then all colours of all elements have a
    (very short) transition, and axe may see them half-way."""
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=theme)


@pytest.fixture
def looked_at(product: Product, docker_engine: DockerEngine) -> Iterator[str]:
    docker_engine.docker("volume", "create", "looked-at")
    with running(docker_engine, product, "looked-at", "dermaga/web") as url:
        until(lambda: product.api("volumes?search=looked-at")["count"], "the volume is in the table")
        yield url
    docker_engine.docker("volume", "rm", "looked-at")


@pytest.fixture
def one_of_each(product: Product, looked_at: str, fake_engine: FakeEngine) -> Iterator[list[str]]:
    """A page of each of `EACH_OF`: those of a swarm that was recorded, a plugin, an image, a backup."""
    manage(fake_engine, "pilot")
    fake_engine.misbehave("/plugins", Says([PLUGIN]))
    product.api("hosts", "POST", name="pilot", url=fake_engine.url)
    product.api("destinations", "POST", name="shed", kind="folder", folder=str(current().folder / "backups"))
    product.api("volumes/local/looked-at/backup", "POST", destination="shed")
    try:
        yield [until(lambda noun=noun: first_of(product, noun), f"{noun} show") for noun in EACH_OF]
    finally:
        product.api("hosts/pilot", "DELETE")
        for backup in product.api("backups?volume=looked-at")["items"]:
            product.api("backups/remove", "POST", backups=[backup["id"]])
        until(lambda: not product.api("backups?volume=looked-at")["count"], "the backup is gone")
        product.api("destinations/shed", "DELETE")


def first_of(product: Product, noun: str) -> str:
    """Where the first one in a list leads to."""
    html = product.http.get(f"{product.url}/{noun}/").text
    found = re.search(rf'scope="row"[^>]*>\s*<a [^>]*href="(/{noun}/[^"?]+/)"', html)
    return found[1] if found else ""


def test_axe_finds_nothing_serious_on_any_page(
    desktop: Page, product: Product, one_of_each: list[str], page_errors: list[str]
) -> None:
    """A page is loaded once and shown in each theme and width; the frame around all of them is looked at on the first."""
    found = {}
    for number, path in enumerate([*PAGES, *one_of_each]):
        desktop.set_viewport_size(DESKTOP)
        desktop.emulate_media(color_scheme="light")
        desktop.goto(f"{product.url}{path}")
        found |= {f"{path} {how}": problems for how, problems in looks(desktop, FRAME if number else ()).items()}
    assert {where: problems for where, problems in found.items() if problems} == {}
    page_errors[:] = [error for error in page_errors if "/nothing/is/here/" not in error]


def looks(page: Page, without: Iterable[str] = ()) -> dict[str, list[str]]:
    """What is wrong with a page that is shown wide and light: so, dark, and on a phone."""
    found = {"in light": [*serious(page, without=without), *too_wide(page)]}
    page.emulate_media(color_scheme="dark")
    found["in dark"] = serious(page, without=without, only=["color-contrast"])  # a theme changes colours alone
    turn(page, PHONE, "light")
    return found | {"on a phone": [*serious(page, without=without), *too_wide(page)]}


def too_wide(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} px wider than the window"] if wide > 0 else []


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_in_what_opens(
    desktop: Page, product: Product, looked_at: str, viewport: ViewportSize
) -> None:
    """In what has opened alone: the page below it has its own test."""
    found = {}
    for name, (path, opener) in OPENERS.items():
        turn(desktop, viewport, "light")
        if desktop.url != f"{product.url}{path}" or not closed(desktop):
            desktop.goto(f"{product.url}{path}")
        if len(opener) == 1:
            desktop.keyboard.press(opener)
        else:
            desktop.locator(opener).first.click()
        for theme in THEMES:
            turn(desktop, viewport, theme)
            found[f"{name} in {theme}"] = serious_in_what_is_open(desktop)
    assert {where: problems for where, problems in found.items() if problems} == {}


def serious_in_what_is_open(page: Page) -> list[str]:
    """Live pages fetch a menu again: for a moment there is none, also after one was seen."""
    for _ in range(5):
        expect(page.locator(OPEN).first).to_be_visible()
        with suppress(Error):
            return serious(page, OPEN)
    return serious(page, OPEN)


def closed(page: Page) -> bool:
    """Whether Escape leaves nothing open, so that the page need not be loaded again."""
    page.keyboard.press("Escape")
    return not page.locator(OPEN).locator("visible=true").count()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_axe_finds_nothing_serious_in_a_log_that_is_searched(
    desktop: Page, product: Product, docker_engine: DockerEngine, viewport: ViewportSize
) -> None:
    """Colours, levels, records, hits, a chosen line."""
    found = {}
    turn(desktop, viewport, "light")
    with running(docker_engine, product, "noisy", "-e", "NOISE_SLEEP=1000", "dermaga/noise") as url:
        for address in (f"{url}logs/", f"{product.url}/logs/?target=local/noisy&host=local"):
            desktop.goto(address)
            expect(desktop.locator("log-view")).to_contain_text("json line 1")
            desktop.get_by_label("Search in this log").fill("json")
            desktop.keyboard.press("Enter")
            expect(desktop.locator(".log-found li").first).to_be_visible()
            desktop.get_by_label("Fields of this line").click()
            desktop.locator(".log-time").last.click()
            expect(desktop.locator(".log-chosen")).to_have_count(1)
            for theme in THEMES:
                turn(desktop, viewport, theme)
                found[f"{address} in {theme}"] = serious(desktop, without=FRAME)
            turn(desktop, viewport, "light")
    assert {where: problems for where, problems in found.items() if problems} == {}


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
