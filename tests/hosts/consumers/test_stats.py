"""The stats socket, on a real engine."""

import asyncio
import json
import re

import pytest

from hosts.consumers import stats as stats_module
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)
UNITS = {"B": 1, "kB": 1000, "MB": 10**6, "GB": 10**9, "KiB": 1024, "MiB": 2**20, "GiB": 2**30}


def in_bytes(text: str) -> float:
    """What `docker stats` prints (1.5MiB) as bytes."""
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]+)", text.strip()).groups()
    return float(number) * UNITS[unit]


async def test_the_numbers_are_those_of_docker_stats(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("dd if=/dev/zero of=/dev/shm/m bs=1M count=20 2>/dev/null; sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/stats", target=f"harbour/{name}") as socket:
        await socket.until(lambda: socket.of_kind("stats"))
        target, when, cpu, used, limit, rx, tx, _read, _written, pids = socket.of_kind("stats")[-1]["samples"][-1]
        theirs = await asyncio.to_thread(docker_engine.docker, "stats", "--no-stream", "--format", "{{json .}}", name)
    said = json.loads(theirs)
    assert target == 0
    assert when > 1_700_000_000_000
    assert abs(cpu - float(said["CPUPerc"].rstrip("%"))) < 2
    assert used == pytest.approx(in_bytes(said["MemUsage"].split("/")[0]), rel=0.05)
    assert used > 20 * 2**20
    assert limit == pytest.approx(in_bytes(said["MemUsage"].split("/")[1]), rel=0.01)
    assert (rx, tx) == pytest.approx(tuple(in_bytes(part) for part in said["NetIO"].split("/")), rel=0.2, abs=400)
    assert pids == int(said["PIDs"])


async def test_two_viewers_share_a_stream_that_ends_with_the_last(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    user, hub = await a_person("viewer"), stats_module.current_stats_hub()
    async with open_socket(user, "/ws/stats", target=f"harbour/{name}") as first:
        async with open_socket(user, "/ws/stats", target=f"harbour/{name}") as second:
            await first.until(lambda: first.of_kind("stats"))
            await second.until(lambda: second.of_kind("stats"))
            assert len(hub.feeds) == 1
    async with asyncio.timeout(1):
        while hub.feeds:
            await asyncio.sleep(0.01)


async def test_a_stopped_container_says_so_and_goes_on_when_started(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/stats", target=f"harbour/{name}") as socket:
        await socket.until(lambda: socket.of_kind("stats"))
        await asyncio.to_thread(docker_engine.docker, "kill", name)
        await socket.until(lambda: socket.state("ended"))
        before = len(socket.of_kind("stats"))
        await asyncio.to_thread(docker_engine.docker, "start", name)
        await socket.until(lambda: len(socket.of_kind("stats")) > before)


async def test_a_host_shows_all_that_run_on_it(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stats_module, "NEW_ONES_EVERY", 0.2)
    first = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/stats", host="harbour") as socket:
        await socket.until(lambda: socket.of_kind("stats"))
        assert first in {target["name"] for target in socket.of_kind("targets")[0]["targets"]}
        second = await asyncio.to_thread(run, "sleep 1000")
        await mirror(docker_engine)
        await socket.until(lambda: len(socket.of_kind("targets")) > 1)
        names = [target["name"] for target in socket.of_kind("targets")[-1]["targets"]]
        place = names.index(second)
        await socket.until(lambda: any(s[0] == place for m in socket.of_kind("stats") for s in m["samples"]))


async def test_it_refuses_an_outsider(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(None, "/ws/stats", target=f"harbour/{name}") as socket:
        assert await socket.closed() == 4401
    user = await a_person("viewer")
    async with open_socket(user, "/ws/stats", host="nowhere") as socket:
        assert await socket.closed() == 4404
    async with open_socket(user, "/ws/stats") as socket:
        assert await socket.closed() == 4400
