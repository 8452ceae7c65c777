"""Operations on an engine that is watched through a proxy which cuts again and again, and what the tables say after."""

import json
import random
import sqlite3
import threading
import time
from contextlib import closing

from tests.engines.commands import wait_until
from tests.engines.cutting import CuttingProxy
from tests.engines.docker_engine import DockerEngine
from tests.engines.operations import Operations, Truth, truth
from tests.servers.product import Product

HOST = "cut-off"
CUTS_AT_LEAST = 5
APART = (0.1, 1.5)  # seconds between two cuts


def tables(product: Product) -> Truth:
    """The rows of HOST in the product's SQLite file, as `truth` says them."""
    with closing(sqlite3.connect(f"file:{product.folder}/data/dermaga.sqlite3?mode=ro", uri=True)) as database:

        def rows(columns: str, noun: str) -> list[tuple[str, ...]]:
            where = "WHERE host_id = (SELECT id FROM hosts_host WHERE name = ?)"
            return database.execute(f"SELECT {columns} FROM hosts_{noun} {where}", [HOST]).fetchall()

        return {
            "container": set(rows("engine_id, name, state", "container")),
            "image": {(key, tag) for key, tags in rows("engine_id, tags", "image") for tag in json.loads(tags) or [""]},
            "network": set(rows("engine_id, name", "network")),
            "volume": set(rows("name", "volume")),
        }


def difference(product: Product, engine: DockerEngine) -> dict[str, list[tuple[str, ...]]]:
    """What only one of both says, by noun."""
    ours, theirs = tables(product), truth(engine)
    return {noun: sorted(ours[noun] ^ theirs[noun]) for noun in ours if ours[noun] ^ theirs[noun]}


def seconds_to_truth(product: Product, engine: DockerEngine, operations: int, seed: int) -> tuple[float, int]:
    """Does so many operations while the connections are cut; gives the seconds from the last reconnect until the tables
    say what the command line says, and how many cuts there were. Raises TimedOut with the difference after 20 s."""
    over, chance, cuts = threading.Event(), random.Random(seed), 0

    def cut_again() -> None:
        nonlocal cuts
        while not over.wait(chance.uniform(*APART)):
            proxy.cut("end" if chance.random() < 0.5 else "reset", "")
            cuts += 1

    with CuttingProxy(engine.address, 2375) as proxy, Operations(engine, seed) as work:
        product.api("hosts", "POST", name=HOST, url=proxy.url)
        wait_until(
            lambda: not difference(product, engine),
            "the tables before anything is cut",
            20,
            every=0.3,
            explain=lambda: f"{difference(product, engine)} {product.api(f'hosts/{HOST}')['reason']}",
        )
        cutter = threading.Thread(target=cut_again, daemon=True)
        cutter.start()
        try:
            done = 0
            while done < operations or cuts < CUTS_AT_LEAST:  # a quick machine is through before it was cut often
                work.step()
                done += 1
        finally:
            over.set()
            cutter.join()
        proxy.cut("reset", "")
        cuts += 1
        wait_until(lambda: proxy.asked("/events?"), "the watcher to be back", 20)
        wait_until(
            lambda: not difference(product, engine),
            "the tables to say what the command line says",
            20,
            explain=lambda: str(difference(product, engine)),
        )
        took = time.monotonic() - proxy.asked("/events?")
        product.api(f"hosts/{HOST}", "DELETE")
    return took, cuts
