"""What a person does with logs, in a real browser: one container's, and those of two hosts in one order of time."""

import json
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

from tests.browser.containers import running
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import import_busybox
from tests.servers.product import Product
from tests.waiting import until

ONE, TWO, TICKS = 3000, 600, 30
TICKING = f"i=1; while [ $i -le {TICKS} ]; do echo %s tick $i; sleep 0.1; i=$((i+1)); done"
# chapter one at once, three seconds of ticks, chapter two, then one line of each kind
STORY = f"""
i=1; while [ $i -le {ONE} ]; do echo chapter one, line $i; i=$((i+1)); done
{TICKING % "local"}
i=1; while [ $i -le {TWO} ]; do echo chapter two, line $i; i=$((i+1)); done
echo '{{"level":"error","msg":"order failed","order":4711,"customer":{{"name":"Siti"}}}}'
sleep 0.2  # the engine stamps its two streams apart, and not in order
echo WARN the answer is slow >&2
echo ERROR no answer >&2
sleep 0.2
echo the end
exec sleep 1000
"""
KINDS = 4  # lines behind chapter two
ERRORS = ("order failed", "ERROR no answer")
COUNTING = ("busybox", "sh", "-c", "n=0; while :; do n=$((n+1)); echo count $n; sleep 0.05; done")


@pytest.fixture(scope="module")
def wharf(product: Product) -> Iterator[DockerEngine]:
    """A second host, whose engine can be cut off."""
    with DockerEngine("wharf", tcp=True) as engine:
        import_busybox(engine)
        product.api("hosts", "POST", name="wharf", url=engine.url)
        yield engine
        product.api("hosts/wharf", "DELETE")


@pytest.fixture(scope="module")
def story(product: Product, docker_engine: DockerEngine, wharf: DockerEngine) -> Iterator[str]:
    """The address of a log on `local` whose middle part happened while `ticks` on `wharf` wrote, too."""
    wharf.docker("run", "-d", "--name", "ticks", "busybox", "sh", "-c", f"{TICKING % 'wharf'}; exec sleep 1000")
    with running(docker_engine, product, "story", "busybox", "sh", "-c", STORY) as url:
        until(lambda: product.api("containers?search=ticks&host=wharf")["count"] == 1, "ticks shows")
        until(lambda: "the end" in docker_engine.docker("logs", "--tail", "1", "story"), "the story ends")
        yield f"{url}logs/"


@pytest.fixture
def both(story: str, product: Product) -> str:
    """The address of both logs in one view."""
    return f"{product.url}/logs/?target=local/story&target=wharf/ticks"


def line(page: Page, words: str) -> Locator:
    """The row that ends with `words`."""
    return page.locator(".log-row", has_text=re.compile(re.escape(words) + r"\s*$"))


def rows(page: Page) -> list[str]:
    """The words of the rows that are drawn, in order."""
    texts: list[str] = page.locator(".log-row .log-text").all_inner_texts()
    return texts


def numbers(page: Page, what: str) -> list[int]:
    return [int(found[1]) for text in rows(page) if (found := re.search(rf"{what} (\d+)", text))]


def scroller(page: Page) -> Locator:
    return page.locator(".log-scroll")


def first_second(engine: DockerEngine) -> float:
    """When the story began, in whole seconds since 1970."""
    stamp = engine.docker("logs", "-t", "story").split(maxsplit=1)[0]
    return int(datetime.fromisoformat(stamp[:19] + "+00:00").timestamp())


def local_time(page: Page, seconds: float) -> str:
    """As a field for date and time wants it, in the browser's time zone."""
    value: str = page.evaluate(
        "ms => new Date(ms - new Date(ms).getTimezoneOffset() * 60000).toISOString().slice(0, 19)", seconds * 1000
    )
    return value


def test_a_log_is_followed_paused_and_resumed_without_a_jump(
    page: Page, product: Product, docker_engine: DockerEngine
) -> None:
    with running(docker_engine, product, "counts", *COUNTING) as url:
        page.goto(f"{url}logs/")
        follow = page.locator(".log-follow")
        expect(follow).to_have_text("Following")
        until(lambda: max(numbers(page, "count"), default=0) > 60, "enough lines to scroll")
        newest = max(numbers(page, "count"))
        until(lambda: max(numbers(page, "count")) > newest, "it follows")
        scroller(page).hover()
        page.mouse.wheel(0, -300)
        expect(follow).to_have_text(re.compile("Paused|new line"))
        seen = max(numbers(page, "count")) - 20
        kept = line(page, f"count {seen}")
        place = kept.bounding_box()
        expect(follow).to_have_text(re.compile(r"^[1-9]\d+ new lines$"))
        assert kept.bounding_box() == place, "lines that came moved what is read"
        follow.click()
        expect(follow).to_have_text("Following")
        until(lambda: min(numbers(page, "count")) > seen, "it shows the newest again")


def test_a_log_is_narrowed_to_levels_and_streams(desktop: Page, story: str, docker_engine: DockerEngine) -> None:
    desktop.goto(story)
    errors = desktop.get_by_role("button", name="Errors")
    expect(errors).to_contain_text("2")
    errors.click()
    until(lambda: len(rows(desktop)) == 2, "two errors show")
    assert all(words in text for words, text in zip(ERRORS, rows(desktop), strict=True))
    desktop.get_by_role("button", name="stderr").click()
    until(lambda: rows(desktop) == ["ERROR no answer"], "one of them is on stderr")
    expect(desktop).to_have_url(re.compile("level=error&stream=stderr"))
    desktop.reload()
    until(lambda: rows(desktop) == ["ERROR no answer"], "the address holds the filters")
    desktop.get_by_role("button", name="Errors").click()
    until(lambda: rows(desktop) == ["WARN the answer is slow", "ERROR no answer"], "all of stderr shows")


def test_logs_of_two_hosts_are_in_one_order_of_time(desktop: Page, both: str) -> None:
    desktop.goto(both)
    expect(desktop.locator("h1")).to_contain_text("2 containers")
    line(desktop, "the end").wait_for()
    desktop.get_by_label("Search in this log").fill("tick 15")
    desktop.keyboard.press("Enter")
    expect(desktop.locator("mark.hit-now")).to_be_visible()
    ticks = [text for text in rows(desktop) if " tick " in text]
    for host in ("local", "wharf"):
        own = [int(text.rpartition(" ")[2]) for text in ticks if text.startswith(host)]
        assert own == list(range(own[0], own[0] + len(own))) and len(own) > 5
    times = desktop.locator(".log-row .log-time").evaluate_all("all => all.map(one => one.title)")
    assert times == sorted(times)
    assert any(one.split()[0] != other.split()[0] for one, other in pairwise(ticks)), "the hosts' lines alternate"
    names = desktop.locator(".log-row", has_text=" tick ").locator(".log-name")
    assert set(names.all_inner_texts()) == {"story", "ticks"}


def test_whole_logs_are_searched_on_the_server(page: Page, both: str) -> None:
    page.goto(both)
    page.get_by_label("Search in this log").fill("(chapter one, line|wharf tick) 29$")
    page.get_by_role("button", name="Search by regular expression").click()
    page.keyboard.press("/")
    expect(page.get_by_label("Search in this log")).to_be_focused()
    page.keyboard.press("Enter")
    hits, found = page.locator(".log-hits"), page.get_by_role("region", name="Hits in the whole log")
    expect(hits).to_have_text("1 of 2")  # the newest first
    expect(page.locator("mark.hit-now")).to_have_text("wharf tick 29")
    expect(found).to_contain_text(f"2 hits, {ONE + TWO + 2 * TICKS + KINDS:,} lines searched")
    page.keyboard.press("Shift+Enter")
    expect(hits).to_have_text("2 of 2")
    expect(page.locator("mark.hit-now")).to_have_text("chapter one, line 29")
    expect(page.locator("mark.hit-now")).to_be_in_viewport()
    assert {28, 29, 30} <= set(numbers(page, "chapter one, line")), "what is around it shows, too"
    page.keyboard.press("Enter")
    expect(page.locator("mark.hit-now")).to_have_text("wharf tick 29")
    page.get_by_label("Search in this log").fill("(unfinished")
    expect(hits).to_contain_text("Not a regular expression")


def test_a_search_without_one_host_says_that_it_is_partial(desktop: Page, both: str, wharf: DockerEngine) -> None:
    desktop.goto(both)
    line(desktop, "the end").wait_for()
    wharf.cut("refuse")
    try:
        desktop.get_by_label("Search in this log").fill("tick 7")
        desktop.keyboard.press("Enter")
        found = desktop.get_by_role("region", name="Hits in the whole log")
        expect(found).to_contain_text("partial: wharf/ticks: ", timeout=20_000)
        expect(found).to_contain_text("1 hit, ")
        expect(found.get_by_role("listitem")).to_contain_text(["local tick 7"])
    finally:
        wharf.heal()


def test_a_time_is_gone_to_older_lines_come_by_scrolling_and_back(
    desktop: Page, story: str, docker_engine: DockerEngine
) -> None:
    desktop.goto(story)
    line(desktop, "the end").wait_for()
    oldest = line(desktop, "chapter one, line 1")
    scroller(desktop).hover()
    until(lambda: (desktop.mouse.wheel(0, -9000), oldest.count())[-1], "the beginning comes by scrolling")
    shown = numbers(desktop, "chapter one, line")
    assert shown == list(range(1, len(shown) + 1))
    desktop.locator(".log-follow").click()
    line(desktop, "the end").wait_for()

    desktop.get_by_role("button", name="Go to a time").click()
    desktop.get_by_label("Date and time").fill(local_time(desktop, first_second(docker_engine)))
    desktop.get_by_role("button", name="Go to this time").click()
    expect(oldest).to_be_in_viewport()
    expect(desktop.locator(".log-follow")).to_have_text("Back to now")
    expect(desktop).to_have_url(re.compile(r"\bat=20\d\d-"))
    desktop.reload()
    expect(oldest).to_be_in_viewport()
    desktop.get_by_role("button", name="Back to now").click()
    expect(line(desktop, "the end")).to_be_in_viewport()


def test_a_link_leads_somebody_else_to_the_line(desktop: Page, both: str, docker_engine: DockerEngine) -> None:
    start = datetime.fromtimestamp(first_second(docker_engine)).astimezone().isoformat().replace("+", "%2B")
    desktop.goto(f"{both}&at={start}")
    chosen = line(desktop, "chapter one, line 5")
    chosen.locator(".log-time").click()
    expect(desktop.locator(".toast")).to_contain_text("this line")
    expect(chosen).to_have_class(re.compile("log-chosen"))
    expect(desktop).to_have_url(re.compile(r"line=local"))
    other = desktop.context.new_page()
    other.goto(desktop.url)
    expect(other.locator(".log-chosen")).to_contain_text("chapter one, line 5")
    expect(other.locator(".log-chosen")).to_be_in_viewport()


def test_a_json_line_shows_its_fields(page: Page, story: str) -> None:
    page.goto(story)
    record = page.locator(".log-row", has_text="order failed")
    expect(record.locator(".log-text")).to_contain_text("ERROR order failed order=4711")
    record.get_by_label("Fields of this line").click()
    fields = record.locator(".log-fields")
    expect(fields.locator("dt")).to_have_text(["level", "msg", "order", "customer"])
    expect(fields.locator("dd")).to_have_text(["error", "order failed", "4711", '{"name":"Siti"}'])
    page.keyboard.press("j")
    expect(record.locator(".log-text")).to_contain_text('{"level":"error","msg":"order failed"')


@pytest.mark.parametrize("form", ["text", "ndjson"])
def test_a_range_is_downloaded(
    desktop: Page, story: str, docker_engine: DockerEngine, form: str, tmp_path: Path
) -> None:
    desktop.goto(story)
    begin = first_second(docker_engine) + 2  # chapter one is over, the ticks are not
    desktop.get_by_role("button", name="Download").click()
    desktop.get_by_label("From", exact=True).fill(local_time(desktop, begin))
    desktop.get_by_label("To", exact=True).fill(local_time(desktop, begin + 60))
    desktop.get_by_label("Format").select_option(form)
    with desktop.expect_download() as download:
        desktop.get_by_role("link", name="Download").click()
    download.value.save_as(tmp_path / "log")
    lines = (tmp_path / "log").read_text().splitlines()
    texts = [json.loads(each)["text"] for each in lines] if form == "ndjson" else [each[31:] for each in lines]
    ticks = [text for text in texts if text.startswith("local tick")]
    assert 5 < len(ticks) < TICKS and ticks[-1] == f"local tick {TICKS}"
    assert texts[len(ticks)] == "chapter two, line 1"
    assert texts[len(ticks) + TWO - 1] == f"chapter two, line {TWO}"
    assert len(texts) == len(ticks) + TWO + KINDS


MANY = 20_000
# scrolls from top to bottom, a frame each; the most rows that were drawn at once
SCROLL = """async () => {
  const scroller = document.querySelector(".log-scroll");
  let most = 0;
  for (let top = 0; top < scroller.scrollHeight; top += 10_000) {
    scroller.scrollTop = top;
    await new Promise(requestAnimationFrame);
    await new Promise(requestAnimationFrame);
    most = Math.max(most, document.querySelectorAll(".log-row").length);
  }
  return most;
}"""


def heap(session: CDPSession) -> float:
    """MiB of the page's scripts after a collection of garbage."""
    session.send("HeapProfiler.collectGarbage")
    metrics = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
    used: float = metrics["JSHeapUsedSize"]
    return used / 2**20


def test_a_long_log_draws_few_rows_and_takes_bounded_memory(
    desktop: Page, product: Product, docker_engine: DockerEngine
) -> None:
    """Frames are timed by a benchmark, log_view; here is what they come from."""
    writes = f'BEGIN {{ for (n = 1; n <= {MANY}; n++) print "GET /orders/" n " 200"; system("sleep 1000") }}'
    with running(docker_engine, product, "long", "busybox", "awk", writes) as url:
        desktop.goto(f"{url}logs/")
        session = desktop.context.new_cdp_session(desktop)
        session.send("Performance.enable")
        line(desktop, f"GET /orders/{MANY} 200").wait_for()
        empty = heap(session)
        scroller(desktop).hover()
        held = "document.querySelector('log-view').rows.length"
        until(lambda: (desktop.mouse.wheel(0, -20_000), desktop.evaluate(held) >= MANY)[-1], "all of it comes")
        assert desktop.evaluate(held) == MANY
        drawn = desktop.evaluate(SCROLL)
        assert 20 < drawn < 150
        once = heap(session)
        assert once - empty < MANY / 1000, "a line takes more than a KiB"
        desktop.evaluate(SCROLL)
        assert heap(session) - once < 2, "what was drawn is kept"
