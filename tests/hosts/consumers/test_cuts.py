"""Whatever cuts a log on its way, the view has every line once when it is over."""

import asyncio
import random
from collections.abc import Iterator
from typing import Literal

import pytest
from channels.db import database_sync_to_async

from hosts.consumers.hub import current_hub
from hosts.models import Host
from tests.engines.cutting import CuttingProxy
from tests.engines.docker_engine import DockerEngine
from tests.engines.images import make_images
from tests.engines.runner import Runner
from tests.engines.ways import AnyEngine
from tests.hosts.consumers.sockets import a_person, mirror, open_socket
from tests.servers.log_client import LogClient
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.django_db(transaction=True)
# every container writes until it is told to stop; one that starts again goes on
TALK = "while [ ! -e /stop ]; do i=$((i+1)); echo out $i; echo err $i >&2; usleep 3000; done; echo end; sleep 1000"


@pytest.fixture(params=["docker", "podman"])
def engine(request: pytest.FixtureRequest) -> AnyEngine:
    found: AnyEngine = request.getfixturevalue(f"{request.param}_engine")
    return found


@pytest.fixture
def proxy(engine: AnyEngine) -> Iterator[CuttingProxy]:
    with CuttingProxy(engine.address, 2375) as proxy:
        yield proxy


async def mirror_through(proxy: CuttingProxy, engine: AnyEngine) -> None:
    await mirror(engine)
    await database_sync_to_async(Host.objects.update)(url=proxy.url)


def logged(engine: AnyEngine, name: str) -> list[str]:
    """The log's texts as the engine has them now, stdout and stderr in its order."""
    container = next(c for c in engine.api().containers.list(all=True) if c.name == name)
    return container.logs().decode().splitlines()


async def test_every_kind_of_cut_costs_and_repeats_no_line(
    engine: AnyEngine, run: Runner, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hosts.consumers.silence.PING_EVERY", 0.6)
    monkeypatch.setattr("hosts.consumers.feeds.ON_ITS_WAY", 0.5)
    name = run(TALK)
    await mirror_through(proxy, engine)
    kinds: list[Literal["end", "reset", "silence"]] = ["end", "reset", "silence"] * 4
    random.shuffle(kinds)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live"))
        (feed,) = current_hub().feeds.values()
        for number, kind in enumerate(kinds, 1):
            lines = len(socket.texts)
            await socket.until(lambda lines=lines: len(socket.texts) > lines + 20 and proxy.following() == 1)
            assert await asyncio.to_thread(proxy.cut, kind) == 1
            await socket.until(lambda number=number: feed.reconnects >= number and feed.ready.is_set())
        await asyncio.to_thread(engine.docker, "exec", name, "touch", "/stop")
        await socket.until(lambda: "end" in socket.texts)
    assert socket.texts == await asyncio.to_thread(logged, engine, name)
    assert not socket.of_kind("gap")
    assert sum(proxy.cuts.values()) == 12


async def test_a_start_is_seen_though_the_events_fell_silent(
    engine: AnyEngine, run: Runner, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hosts.engine.targets.LOOK_EVERY", 0.3)
    name = run("echo began")
    await mirror_through(proxy, engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.state("ended"))
        async with asyncio.timeout(10):
            while not await asyncio.to_thread(proxy.cut, "silence", "/events"):
                await asyncio.sleep(0.02)
        await asyncio.to_thread(engine.docker, "start", name)
        await socket.until(lambda: socket.texts == ["began", "began"])


def test_restarts_of_container_engine_and_product_cost_and_repeat_no_line() -> None:
    with DockerEngine("wreck", tcp=True) as engine, CuttingProxy(engine.address, 2375) as proxy:
        make_images(engine)
        engine.docker("run", "-d", "--name", "talker", "--restart", "always", "busybox", "sh", "-c", TALK)
        with Product(proxy.url) as product:
            until(lambda: product.api("containers?search=talker&state=running")["count"] == 1, "it shows")
            target = f"local/{product.api('containers?search=talker')['items'][0]['id']}"
            with LogClient(product, [target]) as client:
                lines = client.lines[target]

                def goes_on(what: str) -> None:
                    before = len(lines)
                    until(lambda: len(lines) > before + 100, f"lines after {what}")

                goes_on("the start")
                engine.docker("restart", "-t", "0", "talker")
                goes_on("a restart of the container")
                client.sleep()
                before = len(logged(engine, "talker"))
                until(lambda: len(logged(engine, "talker")) > before + 100, "lines while it sleeps")
                client.wake()
                goes_on("a sleep")
                product.kill("up")
                product.start()
                goes_on("a killed web process")
                engine.restart()
                goes_on("a restart of the engine")
                engine.docker("exec", "talker", "touch", "/stop")
                until(lambda: lines[-1][2] == "end", "the end")
                assert client.opened >= 3
        assert [text for _, _, text in lines] == logged(engine, "talker")
        assert not client.notes["gap"] and not client.notes["skipped"]
