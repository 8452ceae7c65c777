"""Engines that repeat lines, as Docker 20.10 does around the rotation of a log: the view shows each once."""

import asyncio
import time

import pytest
from channels.db import database_sync_to_async

from hosts.consumers.hub import current_hub
from hosts.engine import parse
from hosts.inventory import apply
from hosts.models import Host
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.fake_engine import FakeEngine, Repeat
from tests.hosts.consumers.sockets import a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def mirror_fake(engine: FakeEngine) -> None:
    host = Host.objects.create(name="harbour", kind="tcp", url=engine.url, state="online", api_version="1.41")
    apply.apply_rows(host, "container", [parse.container_row(each.row()) for each in engine.containers])


@pytest.mark.parametrize("count", [1, 7])
async def test_lines_that_an_engine_repeats_are_shown_once(fake_engine: FakeEngine, count: int) -> None:
    await mirror_fake(fake_engine)
    container = fake_engine.containers[0]
    fake_engine.misbehave("/containers/*/logs", behaviour := Repeat(count))
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{container.name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live"))
        written = list[str]()
        for number in range(45):
            text = f"line {number}"
            fake_engine.say(container, text)
            written.append(text)
            if number % 7 == 0:  # a line that is written three times at one moment
                container.lines += [container.lines[-1]] * 2
                written += [text] * 2
            total = len(written)
            await socket.until(lambda total=total: len(socket.texts) >= total)
    assert socket.texts == written
    assert behaviour.repeated >= 4


async def test_an_engine_that_repeats_all_the_time_is_not_asked_all_the_time(fake_engine: FakeEngine) -> None:
    await mirror_fake(fake_engine)
    container = fake_engine.containers[0]
    fake_engine.misbehave("/containers/*/logs", Repeat(1, every=1))
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{container.name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live"))
        asked, until = len(fake_engine.requests), time.monotonic() + 1
        while time.monotonic() < until:
            fake_engine.say(container, f"{time.monotonic()}")
            await asyncio.sleep(0.01)
        await socket.until(lambda: len(socket.texts) == len(container.lines))
        assert socket.texts == [text.decode().strip() for _, _, text in container.lines]
        assert len(fake_engine.requests) - asked < 40


async def test_a_log_that_is_rotated_is_shown_once(docker_engine: DockerEngine, run: Runner) -> None:
    small = ("--log-opt", "max-size=10k", "--log-opt", "max-file=9")
    name = run("i=0; while [ $i -lt 1500 ]; do echo line $i; i=$((i+1)); usleep 1000; done; sleep 1000", *small)
    await mirror(docker_engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live"))
        (feed,) = current_hub().feeds.values()
        await socket.until(lambda: "line 1499" in socket.texts)
    first = int(socket.texts[0].split()[1])
    assert socket.texts == [f"line {number}" for number in range(first, 1500)]
    assert feed.reconnects == 0
    assert not socket.of_kind("gap")
