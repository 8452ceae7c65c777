"""Charts of the past: which time they show, by buttons and by zoom, and that the address holds it."""

import re
import time
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.servers.product import Product
from tests.waiting import until

HOURS = 3
# rounds of samples as the watcher hands them over, one a minute
FILL = f"""
import time
from hosts.inventory import history
from hosts.models import Container, Host
from tests.stats import rates
container = Container.objects.select_related("host").get(name="charted")
now = int(time.time())
history.roll_up(now, 60)  # as each hour; what comes for hours that are over is not looked for again
for at in range(now - {HOURS} * 3600, now - 60, 60):
    history.record(container.host, at, [history.Taken(container, rates(float(at // 60 % 50), memory=2**20))], 60)
Host.objects.filter(pk=container.host_id).update(rolled_up=0)
"""


@pytest.fixture(scope="module")
def charted(product: Product, docker_engine: DockerEngine) -> Iterator[str]:
    with running(docker_engine, product, "charted") as url:
        product.manage("shell", "--no-imports", "-c", FILL)
        yield f"{url}stats/"


def span(page: Page) -> float:
    """Seconds between `from` and `to` in the address."""
    query = parse_qs(urlsplit(page.url).query)
    return float(query["to"][0]) - float(query["from"][0])


def test_the_time_of_charts_is_chosen_zoomed_and_held_by_the_address(page: Page, charted: str) -> None:
    page.goto(charted)
    words, cpu = page.locator(".stats-span"), page.locator(".stats-now dd").first
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="24 hours").click()
    expect(page).to_have_url(re.compile(r"\?range=24h$"))
    expect(cpu).to_contain_text("max 49")  # the sampled values are 0 to 49
    whole = words.inner_text()
    page.reload()
    expect(page.get_by_role("button", name="24 hours")).to_have_attribute("aria-pressed", "true")
    expect(cpu).to_contain_text("max 49")

    page.get_by_role("button", name="Zoom in").click()
    expect(words).not_to_have_text(whole)
    assert span(page) == pytest.approx(12 * 3600, abs=2)
    expect(page.get_by_role("button", name="24 hours")).to_have_attribute("aria-pressed", "false")

    page.goto(f"{charted}?from={time.time() - HOURS * 3600:.0f}&to={time.time():.0f}")
    expect(cpu).to_contain_text("max 49")
    plot = page.locator(".u-over").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 60, steps=4)
    page.mouse.up()
    until(lambda: (page.wait_for_timeout(20), span(page) < HOURS * 3600)[-1], "the drag zooms")
    assert span(page) == pytest.approx(HOURS * 3600 / 4, rel=0.05)
    dragged = page.url
    page.get_by_role("button", name="Later").click()
    expect(page).not_to_have_url(dragged)
    assert span(page) == pytest.approx(HOURS * 3600 / 4, rel=0.05)

    page.get_by_role("button", name="Live").click()
    expect(page).to_have_url(re.compile(r"\?range=live$"))
    expect(words).to_contain_text("live")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_time_without_samples_says_so(page: Page, charted: str) -> None:
    page.goto(f"{charted}?from=1000000000&to=1000003600")
    expect(page.locator("stats-chart [role=status]")).to_contain_text("Nothing was sampled in this time.")
    page.goto(f"{charted}?from=soon&to=<b>later</b>&range=forever")  # means nothing: the usual time
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "true")
