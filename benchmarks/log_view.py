"""The log view in Chromium: frames while 200,000 lines are scrolled, and the tab's memory after an hour's lines."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from benchmarks.figures import Figure, median
from benchmarks.writers import Writers
from tests.engines.commands import wait_until
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.servers.browser import ARGUMENTS, CHROMIUM, DESKTOP, log_in
from tests.servers.product import Product

LINES = 200_000
OLDER = 20_000  # lines that are read by scrolling up
FRAME_MS = 50.0
ROUNDS = 3
RATE, HOUR = 3000, 360_000  # an hour of 100 lines/s, thirty times as fast
FULL = 60_000  # lines after which the view has begun to drop the oldest
# text, records, errors, long lines, colours
WRITE = (
    r'BEGIN { for (n = 1; n <= %d; n++) { if (n %% 10 == 0) printf "{\"level\":\"info\",\"msg\":\"request %%d\",'
    r'\"path\":\"/orders/%%d\",\"ms\":%%d,\"user\":{\"id\":%%d}}\n", n, n, n %% 97, n;'
    r' else if (n %% 50 == 1) printf "ERROR no answer from upstream for request %%d\n", n;'
    r' else if (n %% 7 == 0) printf "\033[32mINFO\033[0m request %%d %%0200d\n", n, n;'
    r' else printf "10.0.0.%%d - GET /orders/%%d HTTP/1.1 200 %%d\n", n %% 250, n, n * 7 } }'
)
WATCH = """() => {
  const seen = { frames: [], tasks: [], over: false };
  const hear = (list) => list.getEntries().forEach((one) => seen.tasks.push(one.duration));
  new PerformanceObserver(hear).observe({ type: "longtask" });
  let last = 0;
  const frame = (now) => {
    if (last) seen.frames.push(now - last);
    last = now;
    if (!seen.over) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.seen = seen;
}"""
FOUND = "() => { seen.over = true; return [seen.frames, seen.tasks]; }"
# the page's own element, asked for the whole log at once where the page asks for a thousand lines
WHOLE = f"""() => {{
  const view = document.querySelector("log-view").cloneNode();
  view.setAttribute("tail", "{LINES}");
  document.querySelector("log-view").replaceWith(view);
}}"""
HELD = "document.querySelector('log-view').rows.length"
CAME = "document.querySelector('log-view').rows.length + document.querySelector('log-view').store.dropped"
JUMPS = """async () => {
  const scroller = document.querySelector(".log-scroll");
  for (let step = 0; step <= 600; step += 1) {
    scroller.scrollTop = (scroller.scrollHeight * step) / 600;
    await new Promise(requestAnimationFrame);
  }
}"""
LEFT = """() => {
  const { scrollTop, scrollHeight, clientHeight } = document.querySelector(".log-scroll");
  return scrollHeight - clientHeight - scrollTop;
}"""


def run() -> list[Figure]:
    """Scrolling, reading older lines, an hour's lines."""
    with DockerEngine("quay") as engine:
        make_images(engine)
        engine.docker("run", "--name", "book", "busybox", "awk", WRITE % LINES)
        with Product(engine.url) as product, opened() as browser:
            wait_until(lambda: product.api("containers?search=book")["count"] == 1, "the container")
            figures = scrolling(browser, product) + reading_older(browser, product)
            with Writers(engine, 1, RATE) as writers:
                wait_until(lambda: product.api("containers?search=writer-0&state=running")["count"] == 1, "the writer")
                figures += an_hour(browser, product, writers)
    return figures


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def log_page(browser: Browser, product: Product, name: str) -> Page:
    """The log of a container, once lines show."""
    page = browser.new_context(viewport=DESKTOP).new_page()
    log_in(page, product.url)
    page.goto(f"{product.url}/containers/local/{name}/logs/")
    page.locator(".log-row").first.wait_for()
    return page


# ---------------------------------------------------------------- frames
def watched(page: Page, act: Callable[[], None]) -> tuple[list[float], list[float]]:
    """Milliseconds of each frame, and of each task of more than 50 ms, while `act` goes on."""
    page.evaluate(WATCH)
    act()
    frames, tasks = page.evaluate(FOUND)
    if len(frames) < 100:
        raise AssertionError(f"only {len(frames)} frames were drawn")
    return frames, tasks


def frame_figures(name: str, rounds: list[tuple[list[float], list[float]]]) -> list[Figure]:
    """Of the median round; the others stand beside it."""
    over = [float(sum(frame > FRAME_MS for frame in frames)) for frames, _ in rounds]
    longest = [round(max(frames), 1) for frames, _ in rounds]
    tasks = [float(len(tasks)) for _, tasks in rounds]
    count = round(median(len(frames) for frames, _ in rounds))
    return [
        Figure(f"{name}, frames over {FRAME_MS:g} ms of {count}", median(over), "", 0, rounds=over),
        Figure(f"{name}, longest frame", median(longest), "ms", FRAME_MS, rounds=longest),
        Figure(f"{name}, tasks over 50 ms", median(tasks), "", 0, rounds=tasks),
    ]


def scrolling(browser: Browser, product: Product) -> list[Figure]:
    """From the first of 200,000 lines to the last: by wheel, and in far jumps."""
    page = log_page(browser, product, "book")
    page.evaluate(WHOLE)
    wait_until(lambda: page.evaluate(HELD) >= LINES, "all lines in the view", 60)
    figures = []
    for name, act in (("wheel", by_wheel), ("jumps", by_jumps)):
        rounds = [watched(page, lambda act=act: from_the_top(page, act)) for _ in range(ROUNDS)]  # type: ignore[misc]
        figures += frame_figures(f"{LINES:,} lines scrolled by {name}", rounds)
    page.context.close()
    return figures


def from_the_top(page: Page, act: Callable[[Page], None]) -> None:
    page.evaluate("document.querySelector('.log-scroll').scrollTop = 0")
    act(page)


def by_wheel(page: Page) -> None:
    page.locator(".log-scroll").hover()
    until(page, lambda: page.mouse.wheel(0, 9000))


def by_jumps(page: Page) -> None:
    """As a dragged scrollbar does it: a far jump in each frame. Headless Chromium has no scrollbar to take hold of."""
    page.evaluate(JUMPS)
    until(page, lambda: None, tries=1)


def until(page: Page, act: Callable[[], None], tries: int = 2000) -> None:
    """`act` until the end is reached; raises AssertionError when it is not."""
    for _ in range(tries):
        act()
        if page.evaluate(LEFT) < 2:
            return
    raise AssertionError(f"{page.evaluate(LEFT)} px are left")


def reading_older(browser: Browser, product: Product) -> list[Figure]:
    """Up from the newest lines, while older ones come."""
    page = log_page(browser, product, "book")
    page.locator(".log-scroll").hover()

    def up() -> None:
        end = time.monotonic() + 120
        while page.evaluate(HELD) < OLDER:
            assert time.monotonic() < end, "older lines stopped coming"
            page.mouse.wheel(0, -3000)

    found = watched(page, up)
    page.context.close()
    return frame_figures(f"{OLDER:,} older lines read by scrolling up", [found])


# ---------------------------------------------------------------- memory
def an_hour(browser: Browser, product: Product, writers: Writers) -> list[Figure]:
    """The heap after garbage was collected: when the view is full, after half of an hour's lines, and after all."""
    page = log_page(browser, product, writers.names[0])
    session = page.context.new_cdp_session(page)
    empty = memory(session)
    found = []
    began = time.monotonic()
    for lines in (FULL, FULL + HOUR // 2, FULL + HOUR):
        wait_until(lambda lines=lines: page.evaluate(CAME) >= lines, f"{lines} lines", 240, every=0.5)  # type: ignore[misc]
        found.append(memory(session))
    seconds = time.monotonic() - began
    page.context.close()
    name = f"{HOUR:,} lines at {RATE:,}/s"
    (full, nodes), _, (end, end_nodes) = found
    return [
        Figure(f"{name}, heap at the end", round(end / full, 3), "x", 1.1, "with the view full", how="once"),
        Figure(f"{name}, elements at the end", round(end_nodes / nodes, 3), "x", 1.1, "with the view full", how="once"),
        *(
            Figure(f"{name}, heap {when}", round(heap / 2**20, 1), "MiB", how="once")
            for when, (heap, _) in zip(("empty", "full", "at half", "at the end"), [empty, *found], strict=True)
        ),
        Figure(f"{name}, seconds that it took", round(seconds, 1), "s", how="once"),
    ]


def memory(session: CDPSession) -> tuple[float, float]:
    """(bytes of the script's heap, nodes of the document) after a collection of garbage."""
    session.send("Performance.enable")
    session.send("HeapProfiler.collectGarbage")
    metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    values = {metric["name"]: metric["value"] for metric in metrics}
    return values["JSHeapUsedSize"], values["Nodes"]
