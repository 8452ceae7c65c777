"""What the docker command line does, until an open page shows it: a hundred changes of every kind, seen in Chromium."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, sync_playwright

from benchmarks.figures import Figure, percentile
from tests.engines.commands import wait_until
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.engines.registry import Registry
from tests.servers.browser import ARGUMENTS, CHROMIUM, DESKTOP, log_in
from tests.servers.product import Product

ROUNDS = 8  # of 13 changes
# whether a row has all of these words; gives the browser's clock when it has
SHOWN = """([words, gone]) => {
  const rows = [...document.querySelectorAll("main tbody tr")].map((row) => row.textContent.toLowerCase());
  const found = rows.some((row) => words.every((word) => row.includes(word)));
  return found !== gone ? Date.now() : 0;
}"""


@dataclass
class Change:
    """`do` is a docker command line; then the page at `path` shows a row with `words` (or, `gone`, none)."""

    name: str
    path: str
    do: Callable[[], object]
    words: list[str]
    gone: bool = False


def run() -> list[Figure]:
    """Each change once a round, in a page that was open before."""
    with DockerEngine("quay") as engine, Registry() as registry:
        make_images(engine)
        reference = registry.push(engine, "busybox", "moved:1")
        with Product(engine.url) as product, sync_playwright() as playwright:
            wait_until(lambda: product.api("hosts")["items"][0]["state"] == "online", "the host to be online")
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            context = browser.new_context(viewport=DESKTOP)
            pages: dict[str, Page] = {}
            delays: dict[str, list[float]] = {}
            for number in range(ROUNDS):
                for change in changes(engine, f"mover-{number}", reference):
                    if change.path not in pages:
                        pages[change.path] = context.new_page()
                        if len(pages) == 1:
                            log_in(pages[change.path], product.url)
                        pages[change.path].goto(f"{product.url}{change.path}")
                        time.sleep(1)
                    delays.setdefault(change.name, []).append(seen(pages[change.path], change))
            browser.close()
    everything = [delay for found in delays.values() for delay in found]
    slowest = max(delays, key=lambda name: percentile(delays[name], 0.5))
    return [
        Figure(f"{len(everything)} changes until a page shows them, p95", percentile(everything, 0.95), "ms", 1000, how="p95"),
        Figure("the same, median", percentile(everything, 0.5), "ms"),
        Figure("the same, slowest", max(everything), "ms", how="most"),
        Figure(f"the same, median of the slowest kind ({slowest})", percentile(delays[slowest], 0.5), "ms"),
    ]  # fmt: skip


def seen(page: Page, change: Change) -> float:
    """Milliseconds from the command's end until the page shows it; 0 when it did before."""
    page.bring_to_front()
    change.do()
    done = time.time() * 1000
    shown = page.wait_for_function(SHOWN, arg=[change.words, change.gone], polling="raf", timeout=20_000)
    return max(0.0, round(float(shown.json_value()) - done, 1))


def changes(engine: DockerEngine, name: str, reference: str) -> list[Change]:
    """A container's life, an image, a network and a volume; each change needs the one before."""
    docker, new = engine.docker, f"{name}-renamed"
    containers, images = "/containers/?search=mover", "/images/"
    return [
        Change("run", containers, lambda: docker("run", "-d", "--name", name, "dermaga/web"), [name, "starting"]),
        Change("health", containers, lambda: unhealthy(engine, name), [name, "unhealthy"]),
        Change("pause", containers, lambda: docker("pause", name), [name, "paused"]),
        Change("unpause", containers, lambda: docker("unpause", name), [name, "paused"], gone=True),
        Change("rename", containers, lambda: docker("rename", name, new), [new]),
        Change("kill", containers, lambda: docker("kill", new), [new, "exited"]),
        Change("rm", containers, lambda: docker("rm", new), [new], gone=True),
        Change("pull", images, lambda: docker("pull", reference), ["moved"]),
        Change("rmi", images, lambda: docker("rmi", reference), ["moved"], gone=True),
        Change("network create", "/networks/", lambda: docker("network", "create", name), [name]),
        Change("network rm", "/networks/", lambda: docker("network", "rm", name), [name], gone=True),
        Change("volume create", "/volumes/", lambda: docker("volume", "create", name), [name]),
        Change("volume rm", "/volumes/", lambda: docker("volume", "rm", name), [name], gone=True),
    ]


def unhealthy(engine: DockerEngine, name: str) -> None:
    """Makes its check fail; returns when the engine says so."""
    engine.docker("exec", name, "rm", "/healthy")
    wait_until(
        lambda: engine.docker("inspect", "-f", "{{.State.Health.Status}}", name).strip() == "unhealthy",
        "the engine to call it unhealthy",
        every=0.02,
    )
