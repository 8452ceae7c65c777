"""The stats history: how long charts of 50 containers over 30 days take, on both databases, and how much room a year takes."""

import time
from typing import Any

from benchmarks.figures import Figure, median
from benchmarks.processes import cpu_seconds, family
from tests.servers.product import Product

CONTAINERS, DAYS = 50, 30
GETS = 9
# Runs inside the product: a host whose 50 containers were sampled for a year, values at random (they do not compress).
FILL = f"""
import random, time
from django.db import connection
from hosts.inventory import history
from hosts.models import Container, Host, Series, StatsRound
from hosts.models.grid import METRICS, Grid, floor, pack_round
from hosts.models.stats import DAYS, MINUTES, QUARTERS
from django.utils import timezone
now, dice = int(time.time()), random.Random(4)
closed = floor(now - 600, 3600)
host = Host.objects.create(name="past", url="unix:///nowhere.sock", kind="unix", enabled=False, rolled_up=closed)
def tables():
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relname LIKE 'hosts_stats%%' AND relkind = 'r'")
        else:
            cursor.execute("SELECT sum(pgsize) FROM dbstat WHERE name LIKE '%%hosts_stats%%'")
        return int(cursor.fetchone()[0] or 0)
def point():
    return [dice.random() * 400, dice.random() * 2**30, *(dice.random() * 1e6 for _ in METRICS[2:])]
before, series = tables(), []
for number in range({CONTAINERS}):
    name = f"app-{{number:02}}"
    row = Series.objects.create(host=host, key=name, name=name, sampled=timezone.now(), cpu=1, memory=1, memory_limit=1, spark=b"")
    Container.objects.create(host=host, engine_id=f"{{number:064x}}", name=name, state="running", series=row, seen=timezone.now())
    series.append(row.pk)
for tier, days in ((MINUTES, 14), (QUARTERS, 366), (DAYS, 366)):
    for start in range(floor(closed - days * 86400, tier.span), closed, tier.span):
        grid = Grid(start, tier.step, tier.points)
        for place in range(tier.points):
            if start + place * tier.step < closed:
                for _ in range(2):
                    grid.add(start + place * tier.step, point())
        grid.close()
        history._store(tier, {{pk: grid for pk in series}})
rounds = [StatsRound(host=host, time=at, data=pack_round({{pk: point() for pk in series}})) for at in range(now - 86400, now, 30)]
StatsRound.objects.bulk_create(rounds, batch_size=200)
print((tables() - before) / {CONTAINERS})
"""


def run() -> list[Figure]:
    """On SQLite and on PostgreSQL."""
    figures = []
    for database, mode in (("SQLite", "embedded"), ("PostgreSQL", "full")):
        with Product(mode=mode) as product:  # type: ignore[arg-type]
            room = float(product.manage("shell", "--no-imports", "-c", FILL).splitlines()[-1])
            figures += [
                Figure(f"a year of a container, {database}", round(room / 1e6, 2), "MB", 10, how="worst values")
            ]
            figures += charts(database, product)
    return figures


def charts(database: str, product: Product) -> list[Figure]:
    """The answers that charts are drawn from."""
    now = int(time.time())
    targets = [f"past/app-{number:02}" for number in range(CONTAINERS)]
    month = {"from": now - DAYS * 86400, "to": now, "points": 300}
    every = {"target": targets, **month}
    one = {"from": now - DAYS * 86400, "to": now, "points": 720}
    year = {"from": now - 365 * 86400, "to": now, "points": 720}
    asked = [
        (f"{CONTAINERS} containers over {DAYS} days, CPU", "stats", every | {"metric": "cpu"}, 500),
        (
            f"{CONTAINERS} containers over {DAYS} days, CPU and memory",
            "stats",
            every | {"metric": ["cpu", "memory"]},
            None,
        ),
        (f"{CONTAINERS} containers over a day, CPU", "stats", every | {"from": now - 86400, "metric": "cpu"}, None),
        (f"one container over {DAYS} days, all metrics", "containers/past/app-07/stats", one, None),
        ("one container over a year, all metrics", "containers/past/app-07/stats", year, None),
        ("one container over an hour, all metrics", "containers/past/app-07/stats", {}, None),
    ]
    figures = []
    server = family(product.processes["web" if product.full else "up"].pid)
    for name, path, query, most in asked:
        before = cpu_seconds(server)
        figures.append(Figure(f"{name}, {database}", median(took(product, path, query)), "ms", most))
        if most:
            cpu = round(1000 * (cpu_seconds(server) - before) / GETS)
            figures.append(Figure(f"{name}, {database}: our server's CPU", cpu, "ms", how="mean"))
    return figures


def took(product: Product, path: str, query: dict[str, Any]) -> list[float]:
    """Milliseconds of each of some requests."""
    found = []
    for _ in range(GETS):
        began = time.monotonic()
        answer = product.http.get(f"{product.url}/api/v1/{path}", params=query, timeout=60)
        found.append(round(1000 * (time.monotonic() - began), 1))
        if answer.status_code != 200 or not (answer.json().get("time") or answer.json()["items"][0]["time"]):
            raise AssertionError(f"{path}: {answer.status_code} {answer.text[:200]}")
    return found
