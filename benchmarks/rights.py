"""What rights cost: the containers page of somebody with many grants against an administrator's, and a change that is
pushed to the browsers of twenty teams, each with a host of its own, against the same browsers with no such limits."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count, islice

import requests
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.figures import Figure, median, ratio
from tests.engines.commands import wait_until
from tests.fake_engine.fleet import FakeFleet
from tests.servers.product import Product

HOSTS, CONTAINERS = 100, 100
TEAMS, GRANTS = 5, 200
PAGE = "/containers/?state=running&search=app&sort=-created"
GETS, ROUNDS = 30, 3
CREWS, BROWSERS = 20, 200  # a host for each crew
CHANGES = 20  # a round
SECONDS = 10.0
GRANTED = """
from accounts.models import Grant, Membership, Team, User
from hosts.models import Host
hosts = list(Host.objects.order_by("name"))
user = User.objects.create_user("nils", password="quay-side-4711", role="member")
for n in range({teams}):
    team = Team.objects.create(name=f"team-{{n}}")
    Membership.objects.create(team=team, user=user)
    for host in [hosts[k % len(hosts)] for k in range(n * {each}, (n + 1) * {each})]:
        Grant.objects.create(team=team, role="deployer", host=host)
print("granted", Grant.objects.count(), len({{name for name, _ in user.standing.at}}))
"""
CREW = """
from importlib import import_module
from django.conf import settings
from django.contrib import auth
from accounts.models import Grant, Membership, Team, User
from hosts.models import Host
store = import_module(settings.SESSION_ENGINE).SessionStore
hosts = list(Host.objects.order_by("name"))
for n in range({crews}):
    team = Team.objects.create(name=f"crew-{{n}}")
    Grant.objects.create(team=team, role="viewer", host=hosts[n])
    for role in ("member", "viewer"):
        person = User.objects.create_user(f"{{role}}-{{n}}", password="x", role=role)
        if role == "member":
            Membership.objects.create(team=team, user=person)
        for _ in range({browsers} // {crews}):
            session = store()
            session[auth.SESSION_KEY] = str(person.pk)
            session[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
            session[auth.HASH_SESSION_KEY] = person.get_session_auth_hash()
            session.create()
            print("session", role, hosts[n].name, session.session_key)
"""


def run() -> list[Figure]:
    """Pages on SQLite and on PostgreSQL; pushes on SQLite."""
    figures = []
    with FakeFleet(HOSTS, CONTAINERS) as fleet:
        for database, mode in (("SQLite", "embedded"), ("PostgreSQL", "full")):
            with Product(mode=mode) as product:
                register(product, fleet)
                figures.append(pages(database, product))
    with FakeFleet(CREWS, 5) as fleet, Product() as product:
        register(product, fleet)
        found = re.findall(
            r"session (\w+) (\S+) (\w+)", product.manage("shell", "-c", CREW.format(crews=CREWS, browsers=BROWSERS))
        )
        figures += asyncio.run(pushes(fleet, product, found))
    return figures


def register(product: Product, fleet: FakeFleet) -> None:
    """Adds the fleet's hosts and waits for all of their rows."""
    for number, url in enumerate(fleet.urls):
        product.api("hosts", "POST", name=f"host-{number:03}", url=url)
    wanted = len(fleet.urls) * (CONTAINERS if len(fleet.urls) == HOSTS else 5)
    wait_until(lambda: product.api("containers?limit=1")["count"] == wanted, "all rows", 240, every=0.5)


def pages(database: str, product: Product) -> Figure:
    """The same page of the same rows, in turn."""
    said = product.manage("shell", "-c", GRANTED.format(teams=TEAMS, each=GRANTS // TEAMS))
    if f"granted {GRANTS} {HOSTS}" not in said:
        raise AssertionError(said)
    time.sleep(15)  # each container is inspected once
    member, everybodys = product.session("nils"), product.http
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(page_time(product, member))
        theirs.append(page_time(product, everybodys))
    name = f"the containers page with {GRANTS} grants of {TEAMS} teams, {HOSTS} x {CONTAINERS}, {database}"
    return ratio(name, ours, theirs, 1.5, "an administrator")


def page_time(product: Product, session: requests.Session) -> float:
    """Median milliseconds of the page."""
    found = []
    for _ in range(GETS):
        began = time.monotonic()
        answer = session.get(f"{product.url}{PAGE}", timeout=30)
        found.append(1000 * (time.monotonic() - began))
        if answer.status_code != requests.codes.ok:
            raise AssertionError(f"{PAGE}: {answer.status_code}")
    return median(found)


# ---------------------------------------------------------------- pushes
async def pushes(fleet: FakeFleet, product: Product, sessions: list[tuple[str, str, str]]) -> list[Figure]:
    """A change after the other, with the browsers of the crews, and with as many that see all hosts."""
    ours: list[float] = []
    theirs: list[float] = []
    strangers = heard = 0
    numbers = count()
    for _ in range(ROUNDS):
        for role, into in (("member", ours), ("viewer", theirs)):
            async with browsers(product, [one for one in sessions if one[0] == role]) as open_ones:
                delays = []
                for number in islice(numbers, CHANGES):
                    host = number % CREWS
                    took, who = await changed(fleet, host, number, open_ones, all_of_them=role == "viewer")
                    delays.append(took)
                    if role == "member":
                        heard += len(who)
                        strangers += sum(open_ones[one] != f"host-{host:03}" for one in who)
                into.append(median(delays))
    name = f"a change until the last of {BROWSERS} browsers of {CREWS} teams has heard of it that may"
    return [
        ratio(name, ours, theirs, 1.5, "the same without limits"),
        Figure("the same, in milliseconds", round(median(ours), 1), "ms", rounds=[round(one, 1) for one in ours]),
        Figure(
            f"the same, browsers that heard of another team's host, of {heard} that heard", strangers, "", 0, how="once"
        ),
    ]


@asynccontextmanager
async def browsers(
    product: Product, sessions: list[tuple[str, str, str]]
) -> AsyncIterator[dict[ClientConnection, str]]:
    """Open sockets of changes, with the host of each."""
    async with AsyncExitStack() as stack:
        found = {}
        for _role, host, key in sessions:
            socket = await stack.enter_async_context(
                connect(
                    f"ws://127.0.0.1:{product.port}/ws/changes",
                    additional_headers={"Cookie": f"sessionid={key}"},
                    origin=Origin(product.url),
                    proxy=None,
                )
            )
            await socket.recv()  # ready
            found[socket] = host
        yield found


async def changed(
    fleet: FakeFleet, host: int, number: int, open_ones: dict[ClientConnection, str], *, all_of_them: bool
) -> tuple[float, list[ClientConnection]]:
    """Milliseconds from a change of a container until the last that may hear of it has, and who heard within a moment
    after."""
    name = f"host-{host:03}"
    wanted = {socket for socket, own in open_ones.items() if all_of_them or own == name}
    heard: dict[ClientConnection, float] = {}
    enough = asyncio.Event()

    async def listen(socket: ClientConnection) -> None:
        while socket not in heard:
            message = json.loads(await socket.recv())
            if any(item["kind"] == "container" and item["host"] == name for item in message.get("items", ())):
                heard[socket] = time.monotonic()
                if wanted <= heard.keys():
                    enough.set()

    tasks = [asyncio.create_task(listen(socket)) for socket in open_ones]
    try:
        began = time.monotonic()
        state = "exited" if number // CREWS % 2 == 0 else "running"
        await asyncio.to_thread(fleet.ask, "change", host=host, container=number % 5, state=state)
        async with asyncio.timeout(SECONDS):
            await enough.wait()
        took = 1000 * (max(heard[socket] for socket in wanted) - began)
        await asyncio.sleep(0.1)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return took, list(heard)
