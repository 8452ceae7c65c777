"""Questions one after the other over one connection."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from hosts.engine.answers import NotFound
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import NotAnEngine, TimedOut
from hosts.engine.kept import KeptConnection
from tests.fake_engine import FakeEngine
from tests.fake_engine.behaviours import Hang, Raw

LAST = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n[]"


@pytest.fixture
async def kept(fake_engine: FakeEngine) -> AsyncIterator[KeptConnection]:
    connection = KeptConnection(Endpoint(fake_engine.url), "1.41")
    yield connection
    connection.close()


async def test_one_connection_carries_many_questions(kept: KeptConnection, fake_engine: FakeEngine) -> None:
    answers = [await kept.fetch("/containers/json", {"all": "1"}) for _ in range(5)]
    assert [len(answer) for answer in answers] == [len(fake_engine.containers)] * 5
    assert fake_engine.connections == 1


async def test_it_connects_again_when_the_engine_has_hung_up(kept: KeptConnection, fake_engine: FakeEngine) -> None:
    await kept.fetch("/version")
    fake_engine.cut_streams()
    async with asyncio.timeout(5):
        while fake_engine.open:
            await asyncio.sleep(0.01)
    assert await kept.fetch("/version")
    assert fake_engine.connections == 2


async def test_it_asks_nothing_more_where_the_engine_said_that_it_closes(
    kept: KeptConnection, fake_engine: FakeEngine
) -> None:
    fake_engine.misbehave("/version", Raw(LAST))
    assert [await kept.fetch("/version"), await kept.fetch("/version")] == [[], []]
    assert fake_engine.connections == 2


async def test_an_error_ends_the_connection_and_not_the_questions(
    kept: KeptConnection, fake_engine: FakeEngine
) -> None:
    with pytest.raises(NotFound):
        await kept.fetch("/containers/nobody/json")
    fake_engine.misbehave("/version", Hang())
    with pytest.raises(TimedOut):
        await kept.fetch("/version", timeout=0.2)
    fake_engine.misbehave("/version", Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops"))
    with pytest.raises(NotAnEngine):
        await kept.fetch("/version")
    fake_engine.behave()
    assert await kept.fetch("/version")
