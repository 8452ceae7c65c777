"""Many hosts, some of them sick: each sick one says what is wrong, the healthy ones notice nothing, all come back."""

from collections.abc import Iterator

import pytest

from tests.engines.commands import wait_until
from tests.fake_engine.fleet import WAYS, FakeFleet
from tests.servers.product import Product

HOSTS, CONTAINERS = 8, 6
SAID = {"hang": "unreachable", "drip": "unreachable", "refuse": "refused", "drop": "unreachable"}


@pytest.fixture(scope="module")
def fleet() -> Iterator[FakeFleet]:
    with FakeFleet(HOSTS, CONTAINERS) as fleet:
        yield fleet


@pytest.fixture(scope="module")
def product(fleet: FakeFleet) -> Iterator[Product]:
    with Product(settings={"RESYNC_SECONDS": "5"}) as product:
        for number, url in enumerate(fleet.urls):
            product.api("hosts", "POST", name=f"host-{number}", url=url)
        wait_until(lambda: count(product) == HOSTS * CONTAINERS, "the rows of all hosts", 30)
        yield product


def count(product: Product, query: str = "") -> int:
    return int(product.api(f"containers?limit=1&{query}")["count"])


def states(product: Product) -> dict[str, tuple[str, str]]:
    rows = product.api("hosts?limit=200")["items"]
    return {row["name"]: (row["state"], row["reason"]) for row in rows}


def test_sick_hosts_are_named_keep_their_rows_and_hurt_nobody_else(product: Product, fleet: FakeFleet) -> None:
    fleet.ask("forget")
    for number, how in enumerate(WAYS):
        fleet.ask("sicken", host=number, how=how)
    sick = {f"host-{number}": SAID[how] for number, how in enumerate(WAYS)}
    wait_until(
        lambda: all(states(product)[name][0] == state for name, state in sick.items()),
        "the sick hosts to say what is wrong",
        15,
        explain=lambda: str(states(product)),
    )
    assert all(states(product)[name][1] for name in sick)
    assert "refused" in states(product)["host-2"][1]
    assert all(states(product)[f"host-{n}"][0] == "online" for n in range(len(WAYS), HOSTS))
    assert count(product) == HOSTS * CONTAINERS
    fleet.ask("change", host=7, container=0, state="exited")
    wait_until(lambda: count(product, "host=host-7&state=exited") == 1, "a healthy host's change", 3)
    wait_until(lambda: len(fleet.ask("lists", host=6)) >= 2, "a healthy host to be listed again and again", 15)

    for number in range(len(WAYS)):
        fleet.ask("heal", host=number)
    wait_until(
        lambda: all(state == "online" for state, _ in states(product).values()),
        "all hosts to be back",
        15,
        explain=lambda: str(states(product)),
    )
    fleet.ask("change", host=0, container=1, state="exited")
    wait_until(lambda: count(product, "host=host-0&state=exited") == 1, "a healed host's change", 3)


def reconnects(product: Product) -> dict[str, int]:
    return {row["host"]: row["reconnects"] for row in product.api("diagnostics")["hosts"]}


def test_a_storm_of_changes_and_cuts_ends_in_the_truth(product: Product, fleet: FakeFleet) -> None:
    before = reconnects(product)
    for _ in range(3):
        touched = fleet.ask("storm", seconds=1.5, rate=60)
        fleet.ask("cut_events")
    touched = fleet.ask("storm", seconds=1.5, rate=60)

    def shown() -> dict[str, str]:
        rows = product.api("containers?limit=500")["items"]
        return {f"{row['host'].removeprefix('host-')}/{row['name']}": row["state"] for row in rows}

    wait_until(
        lambda: touched.items() <= shown().items(),
        "the tables to say what the engines say",
        10,
        explain=lambda: str(touched.items() - shown().items()),
    )
    wait_until(
        lambda: all(n > before[name] for name, n in reconnects(product).items()),
        "every host to count that it was connected again",
        10,
        explain=lambda: f"{before} -> {reconnects(product)}",
    )
