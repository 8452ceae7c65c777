"""Two hundred browsers with open live tables while 50 changes a second come: when each shows the final state.

The browsers are a process of their own (`python -m benchmarks.live_tables`, told on standard input what they are). Each
does what static/js/elements/live-region.js does with the two live regions of a page: hears changes, asks for its parts
over the socket, unpacks and shows them.
"""

import asyncio
import gzip
import json
import re
import subprocess
import sys
import time
from typing import Any

import requests
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.figures import Figure, percentile
from benchmarks.processes import cpu_seconds, family
from tests.engines.commands import wait_until
from tests.fake_engine.fleet import FakeFleet
from tests.servers.product import Product

BROWSERS, CONTAINERS, PEOPLE = 200, 100, 20
SECONDS, RATE = 20.0, 50.0
AFTER = 10.0  # seconds in which the last browser must have come to rest
# path, the region's element, seconds apart as it says
PAGES = (
    ("/containers/", "containers", 0.3),
    ("/containers/?state=running", "containers", 0.3),
    ("/hosts/host-000/", "host", 0.3),
    ("/", "overview", 2.0),
)
FRAME = ("/frame/", "frame", 3.0)
LEADING = 0.04
KINDS = {"container", "host"}
ROLES = ("admin", "deployer", "viewer")
LANGUAGES = ("en", "id")
# what a part says of states: rows with their words, and counts
STATES = re.compile(r'<tr id="(c\d+)"|class="(state[^"]*)"|(\d+) (?:running|stopped|berjalan|berhenti)')
LOG_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib import auth
from accounts.models import User
store = import_module(settings.SESSION_ENGINE).SessionStore
people = [User.objects.create_user(f"person-{{n}}", password="x", role={roles}[n % {n_roles}]) for n in range({people})]
for n in range({browsers}):
    session, person = store(), people[n % len(people)]
    session[auth.SESSION_KEY] = str(person.pk)
    session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[auth.HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    print("session", session.session_key)
"""


def run() -> list[Figure]:
    """On SQLite in one process."""
    with FakeFleet(1, CONTAINERS) as fleet, Product() as product:
        product.api("hosts", "POST", name="host-000", url=fleet.urls[0])
        wait_until(lambda: product.api("containers?limit=1")["count"] == CONTAINERS, "the rows", 60)
        script = LOG_IN.format(roles=ROLES, n_roles=len(ROLES), people=PEOPLE, browsers=BROWSERS)
        sessions = re.findall(r"session (\w+)", product.manage("shell", "-c", script))
        cookies = [f"sessionid={key}; django_language={LANGUAGES[n // 40 % 2]}" for n, key in enumerate(sessions)]
        return on(fleet, product, cookies)


def on(fleet: FakeFleet, product: Product, cookies: list[str]) -> list[Figure]:
    """One storm, with all browsers there."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.live_tables"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write(json.dumps({"port": product.port, "cookies": cookies}) + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "there":
            raise RuntimeError("the browsers have ended")
        pids = family(*(one.pid for one in product.processes.values()))
        before = cpu_seconds(pids)
        states = fleet.ask("storm", seconds=SECONDS, rate=RATE)
        last = time.time() - 1 / RATE  # a storm ends with a pause
        time.sleep(AFTER)
        spent = cpu_seconds(pids) - before
        answer, _ = process.communicate("over\n", timeout=60)
    finally:
        process.kill()
        process.wait()
    known = {row["name"]: row["state"] for row in product.api(f"containers?limit={CONTAINERS}")["items"]}
    if known != {name.partition("/")[2]: state for name, state in states.items()}:
        raise AssertionError("the product's tables are not what the engine says")
    seen = json.loads(answer)
    late = [max(0.0, moment - last) for moment in seen["right_since"]]
    return [
        Figure(f"{BROWSERS} browsers, {RATE:g} changes a second: the last one shows the final state after", round(max(late), 2), "s", 2, how="most"),
        Figure("the same, the median browser", round(percentile(late, 0.5), 2), "s"),
        Figure("the same, browsers that never show it", seen["wrong"], "", 0, how="once"),
        Figure("the same, messages to one browser for 100 changes", round(100 * seen["messages"] / BROWSERS / (SECONDS * RATE), 1), "", 100, how="mean"),
        Figure("the same, parts shown by one browser for 100 changes", round(100 * seen["parts"] / BROWSERS / (SECONDS * RATE), 1), "", 100, how="mean"),
        Figure("the same, parts by request instead", seen["refused"], "", 0, how="once"),
        Figure("the same, bytes of parts to one browser", round(seen["bytes"] / BROWSERS / 1000 / (SECONDS + AFTER), 1), "kB/s", how="mean"),
        Figure("the same, CPU of the server", round(100 * spent / (SECONDS + AFTER)), "%", how="mean"),
    ]  # fmt: skip


class Region:
    """One live region of a browser. `shown` is what it says of states, `since` when it began to say so."""

    read: dict[bytes, list[Any]] = {}  # a part that many get is read once: the browsers have one processor together

    def __init__(self, socket: ClientConnection, number: int, url: str, target: str, apart: float) -> None:
        self.socket, self.number, self.url, self.target, self.apart = socket, number, url, target, apart
        self.shown: list[Any] | None = None
        self.since = 0.0
        self.parts = self.bytes = self.refused = 0
        self.changed, self.answered = asyncio.Event(), asyncio.Event()
        self.changed.set()

    async def live(self) -> None:
        """Asks after changes, no more often than the page does."""
        last = 0.0
        while True:
            await self.changed.wait()
            await asyncio.sleep(max(LEADING, last + self.apart - time.monotonic()))
            self.changed.clear()
            self.answered.clear()
            last = time.monotonic()
            await self.socket.send(json.dumps({"t": "show", "id": self.number, "url": self.url, "target": self.target}))
            await self.answered.wait()

    def show(self, part: bytes) -> None:
        """Takes an answer."""
        self.parts += 1
        self.bytes += len(part)
        shown = self.read.get(part)
        if shown is None:
            shown = self.read[part] = STATES.findall(gzip.decompress(part).decode())
        if shown != self.shown:
            self.shown, self.since = shown, time.time()
        self.answered.set()


class Browser:
    """One page with its socket."""

    def __init__(self, port: int, cookie: str, page: tuple[str, str, float]) -> None:
        self.origin, self.cookie, self.page = f"http://127.0.0.1:{port}", cookie, page
        self.messages = 0
        self.regions: list[Region] = []

    async def live(self, door: asyncio.Semaphore) -> None:
        """Until cancelled."""
        async with door:  # a few at a time, as people come
            socket = await connect(
                self.origin.replace("http", "ws", 1) + "/ws/changes",
                additional_headers={"Cookie": self.cookie},
                origin=Origin(self.origin),
                proxy=None,
                open_timeout=60,
                compression=None,
            )
        self.regions = [Region(socket, n, *region) for n, region in enumerate((self.page, FRAME))]
        await asyncio.gather(self.hear(socket), *(region.live() for region in self.regions))

    async def hear(self, socket: ClientConnection) -> None:
        """Takes what the socket says."""
        async for message in socket:
            if isinstance(message, bytes):
                self.regions[int.from_bytes(message[:4])].show(message[4:])
                continue
            told = json.loads(message)
            if told["t"] == "part":
                self.regions[told["id"]].refused += 1
                self.regions[told["id"]].answered.set()
            elif told["t"] == "changes":
                self.messages += 1
                if any(item["kind"] in KINDS for item in told["items"]):
                    for region in self.regions:
                        region.changed.set()

    def right(self) -> list[Any]:
        """What the page says when it is loaded again."""
        headers = {"Cookie": self.cookie, "HX-Request": "true", "HX-Target": self.page[1], "X-Live": "1"}
        answer = requests.get(self.origin + self.page[0], headers=headers, timeout=30)
        answer.raise_for_status()
        return STATES.findall(answer.text)


async def browse(told: dict[str, Any]) -> None:
    """All browsers, until a line comes; then what they have seen."""
    browsers = [Browser(told["port"], cookie, PAGES[n % len(PAGES)]) for n, cookie in enumerate(told["cookies"])]
    door = asyncio.Semaphore(8)
    tasks = [asyncio.create_task(one.live(door)) for one in browsers]
    async with asyncio.timeout(120):
        while not all(one.regions and one.regions[0].shown for one in browsers):
            await asyncio.sleep(0.1)
    for one in browsers:
        one.messages = 0
        for region in one.regions:
            region.parts = region.bytes = 0
    print("there", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if ended := [task for task in tasks if task.done()]:
        ended[0].result()  # raises
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    wrong = sum(one.regions[0].shown != one.right() for one in browsers)
    regions = [region for one in browsers for region in one.regions]
    totals = {name: sum(getattr(region, name) for region in regions) for name in ("parts", "bytes", "refused")}
    totals["messages"] = sum(one.messages for one in browsers)
    print(json.dumps({"right_since": [one.regions[0].since for one in browsers], "wrong": wrong, **totals}))


if __name__ == "__main__":
    asyncio.run(browse(json.loads(sys.stdin.readline())))
