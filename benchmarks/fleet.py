"""A hundred hosts with ten thousand containers, some of them sick: cold start, memory, pages, and what the sick cost.

The engines are fake ones in a process of their own: real HTTP over TCP, realistic JSON.
"""

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress

import requests

from benchmarks.figures import Figure, median, percentile, ratio
from benchmarks.processes import Watch, cpu_seconds
from tests.engines.commands import TimedOut, wait_until
from tests.fake_engine.fleet import WAYS, FakeFleet
from tests.servers.product import Product

HOSTS, CONTAINERS = 100, 100
SICK = 20
PAGE = "/containers/?state=running&search=app&sort=-created"
GETS = 30
ROUNDS = 3
WATCHED = 30.0  # seconds over which refreshes are counted
SETTLED = 45.0  # seconds after the last row in which each container is inspected: then nothing happens but samples
SETTINGS = {"RESYNC_SECONDS": "10"}  # sixty would need minutes of counting


def run() -> list[Figure]:
    """On SQLite and on PostgreSQL; the sick hosts on PostgreSQL."""
    with FakeFleet(1, CONTAINERS) as one, FakeFleet(HOSTS, CONTAINERS) as many:
        figures = pages_on("SQLite", one, many)
        with ExitStack() as stack:
            small = stack.enter_context(Product(mode="full", settings=SETTINGS))
            big = stack.enter_context(Product(mode="full", settings=SETTINGS))
            figures += cold_start(big, many)
            register(small, one)
            wait_until(lambda: rows(small) == CONTAINERS, "the rows of one host", 60)
            figures += [pages("PostgreSQL", small, big)]
            figures += sick(big, many)
    return figures


def register(product: Product, fleet: FakeFleet) -> None:
    """Adds the fleet's hosts."""
    for number, url in enumerate(fleet.urls):
        product.api("hosts", "POST", name=f"host-{number:03}", url=url)


def rows(product: Product) -> int:
    """How many containers the product knows."""
    return int(product.api("containers?limit=1")["count"])


def cold_start(product: Product, fleet: FakeFleet) -> list[Figure]:
    """From the start of the watch process, with all hosts registered and no row there, to the last row."""
    product.kill("watch")
    register(product, fleet)
    began = time.monotonic()
    process = product.start_process("watch")
    with Watch({process.pid}) as watch:
        wait_until(lambda: rows(product) == HOSTS * CONTAINERS, "all rows", 180, every=0.25)
        took = time.monotonic() - began
        time.sleep(SETTLED)
    before, began = cpu_seconds({process.pid}), time.monotonic()
    time.sleep(WATCHED)
    idle = 100 * (cpu_seconds({process.pid}) - before) / (time.monotonic() - began)
    return [
        Figure(f"{HOSTS} x {CONTAINERS}: all rows after a cold start", round(took, 1), "s", 60, how="once"),
        Figure("the watcher's memory", round(watch.peak), "MiB", 300, how="most"),
        Figure("the watcher's CPU with nothing happening, lists every 10 s", round(idle, 1), "%", how="once"),
    ]


def pages_on(database: str, one: FakeFleet, many: FakeFleet) -> list[Figure]:
    """The containers page with one host and with a hundred, both products in the embedded form."""
    with Product() as small, Product() as big:
        register(small, one)
        register(big, many)
        wait_until(lambda: rows(small) == CONTAINERS and rows(big) == HOSTS * CONTAINERS, "all rows", 240, every=0.5)
        time.sleep(SETTLED)
        return [pages(database, small, big)]


def pages(database: str, small: Product, big: Product) -> Figure:
    """In turn, page by page."""
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(page_time(big))
        theirs.append(page_time(small))
    name = f"the containers page, {HOSTS} x {CONTAINERS}, {database}"
    return ratio(name, ours, theirs, 1.3, f"1 x {CONTAINERS}")


def page_time(product: Product) -> float:
    """Median milliseconds of the page."""
    found = []
    for _ in range(GETS):
        began = time.monotonic()
        answer = product.http.get(f"{product.url}{PAGE}", timeout=30)
        found.append(1000 * (time.monotonic() - began))
        if answer.status_code != requests.codes.ok:
            raise AssertionError(f"{PAGE}: {answer.status_code}")
    return median(found)


def sick(product: Product, fleet: FakeFleet) -> list[Figure]:
    """A fifth of the hosts falls ill in four ways, and heals."""
    healthy = range(SICK, HOSTS)
    before_page, before_period = page_time(product), periods(fleet, healthy)
    for host in range(SICK):
        fleet.ask("sicken", host=host, how=WAYS[host % len(WAYS)])
    named = until(lambda: sum(state not in {"online", "slow"} for state in states(product)[:SICK]) == SICK)
    ill_page, ill_period = page_time(product), periods(fleet, healthy)
    for host in range(SICK):
        fleet.ask("heal", host=host)
    back = until(lambda: all(state == "online" for state in states(product)))
    return [
        Figure(f"{SICK} sick hosts: every one is called so after", named, "s", 15, how="once"),
        Figure(f"{SICK} sick hosts: all are back after healing", back, "s", 15, how="once"),
        Figure("pages with the sick hosts", round(ill_page / before_page, 3), "x", 1.05, "without them", how="once"),
        Figure("refresh period of the healthy", round(ill_period / before_period, 3), "x", 1.1, "without them", how="once"),
    ]  # fmt: skip


def states(product: Product) -> list[str]:
    """Of all hosts, by name."""
    return [row["state"] for row in product.api("hosts?limit=500&sort=name")["items"]]


def until(true: Callable[[], object]) -> float:
    """Seconds until `true()` is; 60 when it is not by then, which is a figure too."""
    began = time.monotonic()
    with suppress(TimedOut):
        wait_until(true, "the states to be right", 60, every=0.2)
    return round(time.monotonic() - began, 1)


def periods(fleet: FakeFleet, hosts: range) -> float:
    """Median seconds between two lists of all containers of a host."""
    fleet.ask("forget")
    time.sleep(WATCHED)
    times = [fleet.ask("lists", host=host) for host in hosts]
    return percentile([b - a for found in times for a, b in zip(found, found[1:], strict=False)], 0.5)
