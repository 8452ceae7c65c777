"""Two watch processes share the hosts; when one is killed the other has all of its hosts soon, and none has two."""

import json
import threading
import time
from collections.abc import Iterator

import pytest

from tests.engines.commands import wait_until
from tests.fake_engine.fleet import FakeFleet
from tests.servers.product import Product

HOSTS, CONTAINERS = 6, 4
LEASE = 12  # seconds, as in hosts.inventory.leases


@pytest.fixture
def fleet() -> Iterator[FakeFleet]:
    with FakeFleet(HOSTS, CONTAINERS) as fleet:
        yield fleet


@pytest.fixture
def product(fleet: FakeFleet) -> Iterator[Product]:
    with Product(mode="full", settings={"RESYNC_SECONDS": "5"}) as product:
        for number, url in enumerate(fleet.urls):
            product.api("hosts", "POST", name=f"host-{number}", url=url)
        yield product


class Listeners:
    """Follows how many clients hear the events of each engine; `longest` is the longest time that one had two."""

    def __init__(self, fleet: FakeFleet) -> None:
        self.fleet = fleet
        self.now: list[int] = []
        self.longest = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> "Listeners":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        since: dict[int, float] = {}
        while not self._over.wait(0.1):
            self.now = self.fleet.ask("listeners")
            for host, heard in enumerate(self.now):
                began = since.setdefault(host, time.monotonic()) if heard > 1 else since.pop(host, time.monotonic())
                self.longest = max(self.longest, time.monotonic() - began)


def owners(product: Product) -> dict[str, int]:
    """How many hosts each watch process has the lease of."""
    code = (
        "import json; from collections import Counter; from hosts.models import Host;"
        "print(json.dumps(Counter(Host.objects.values_list('lease_owner', flat=True))))"
    )
    return dict(json.loads(product.manage("shell", "--no-imports", "-c", code).splitlines()[-1]))


def test_a_killed_watcher_s_hosts_move_to_the_other_and_none_is_watched_twice(
    product: Product, fleet: FakeFleet
) -> None:
    with Listeners(fleet) as listeners:
        wait_until(lambda: listeners.now == [1] * HOSTS, "one watcher to hear every host", 20)
        product.start_process("watch-2", product._commands()["watch"])
        wait_until(lambda: sorted(owners(product).values()) == [3, 3], "the hosts to be shared out", 20, every=0.5)
        wait_until(lambda: listeners.now == [1] * HOSTS, "each host to be heard by one", 10)

        product.kill("watch")
        killed = time.monotonic()
        wait_until(lambda: sum(listeners.now) < HOSTS, "its hosts to be heard by nobody", 5, every=0.05)
        wait_until(lambda: listeners.now == [1] * HOSTS, "the other one to hear all", 15)
        assert time.monotonic() - killed < 15
        wait_until(lambda: list(owners(product).values()) == [HOSTS], "all leases to be the other's", 5, every=0.5)
    assert listeners.longest < LEASE
    for host in range(HOSTS):
        fleet.ask("change", host=host, container=0, state="paused")
    wait_until(
        lambda: product.api("containers?limit=1&state=paused")["count"] == HOSTS, "each host's change in the tables", 5
    )
