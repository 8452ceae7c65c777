"""What a web process counts of its streams, on a real engine."""

import asyncio
from collections import Counter

import pytest
from channels.db import database_sync_to_async

from hosts.consumers import counts as counts_module
from hosts.consumers.counts import counts
from hosts.inventory.processes import OWNER
from hosts.models import Process
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def reported() -> dict[str, object]:
    row = Process.objects.filter(owner=OWNER, role="web").first()
    return row.counts if row else {}


async def until_reported(**wanted: object) -> dict[str, object]:
    async with asyncio.timeout(10):
        while True:
            row = await reported()
            if all(row.get(name) == value for name, value in wanted.items()):
                return row
            await asyncio.sleep(0.02)


async def test_open_streams_are_reported_and_rest_is_silent(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counts_module, "EVERY_SECONDS", 0.05)
    for since_the_start in ("reconnects", "skipped_lines", "skipped_samples"):  # by tests before this one
        monkeypatch.setattr(counts, since_the_start, Counter())
    name = run("sleep 1000")
    await mirror(docker_engine)
    user, before = await a_person("viewer"), counts.opened["stats"]
    target = f"harbour/{name}"
    async with open_socket(user, "/ws/stats", target=target), open_socket(user, "/ws/logs", target=target):
        async with open_socket(user, "/ws/stats", target=target) as second:
            await second.until(lambda: second.of_kind("stats"))
            row = await until_reported(sockets={"stats": 2, "logs": 1}, upstreams={"stats": 1, "logs": 1})
            assert row["opened"]["stats"] == before + 2  # type: ignore[index]
            assert row["hosts"] == {"harbour": {"viewers": 3, "stats": 1, "logs": 1}}
        await until_reported(sockets={"stats": 1, "logs": 1})
    await until_reported(sockets={}, upstreams={}, hosts={})
    async with asyncio.timeout(5):
        while counts._reporting and not counts._reporting.done():
            await asyncio.sleep(0.02)
