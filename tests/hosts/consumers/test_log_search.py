"""The socket that searches whole logs, on a real engine."""

import asyncio

import pytest

from hosts.consumers import log_search as search_module
from hosts.models import Host
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)
MANY = "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done"


async def test_it_searches_several_logs_and_counts(docker_engine: DockerEngine, run: Runner) -> None:
    names = [run(MANY), run(MANY + "; echo ERROR line 7 >&2")]
    for name in names:
        await asyncio.to_thread(docker_engine.docker, "wait", name)
    await mirror(docker_engine)
    targets = [f"harbour/{name}" for name in names]
    user = await a_person("viewer")
    query = {"target": targets, "q": "line 1?7$", "regex": 1}
    async with open_socket(user, "/ws/logs/search", **query) as socket:
        assert await socket.closed() == 1000
    assert socket.of_kind("end") == [{"t": "end", "hits": 5, "lines": 4001, "failed": [], "stopped": ""}]
    hits = [(m["target"], *hit) for m in socket.of_kind("hits") for hit in m["hits"]]
    assert sorted((target, stream, text) for target, stream, _, _, text, _, _ in hits) == [
        (0, 1, "line 17"),
        (0, 1, "line 7"),
        (1, 1, "line 17"),
        (1, 1, "line 7"),
        (1, 2, "ERROR line 7"),
    ]
    assert [text[begin:end] for _, _, _, _, text, begin, end in hits if text.startswith("ERROR")] == ["line 7"]
    assert {m["target"]: m["hits"] for m in socket.of_kind("done")} == {0: 2, 1: 3}
    async with open_socket(user, "/ws/logs/search", by="message") as socket:
        await socket.send({"target": targets, "q": "LINE 7", "level": ["error"], "stream": "stderr"})
        await socket.closed()
        assert socket.of_kind("end")[0]["hits"] == 1


async def test_a_host_that_is_down_makes_it_partial(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(MANY)
    await asyncio.to_thread(docker_engine.docker, "wait", name)
    await mirror(docker_engine)
    await mirror(docker_engine, "sunk")
    await Host.objects.filter(name="sunk").aupdate(url="tcp://127.0.0.1:9")
    query = {"target": [f"sunk/{name}", f"harbour/{name}"], "q": "line 1999"}
    async with open_socket(await a_person("viewer"), "/ws/logs/search", **query) as socket:
        await socket.closed()
    (end,) = socket.of_kind("end")
    assert (end["hits"], end["failed"]) == (1, [0])
    (failed,) = socket.of_kind("failed")
    assert failed["target"] == 0 and failed["code"] and failed["reason"]


async def test_only_so_many_hits_are_sent_and_all_are_counted(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "HITS_AT_MOST", 100)
    name = run(MANY)
    await asyncio.to_thread(docker_engine.docker, "wait", name)
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs/search", target=f"harbour/{name}", q="line") as socket:
        await socket.closed()
    assert socket.of_kind("end")[0]["hits"] == 2000
    assert sum(len(m["hits"]) for m in socket.of_kind("hits")) == 100


async def test_a_bound_ends_it_and_is_said(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search_module, "BYTES_AT_MOST", 1000)
    name = run(MANY)
    await asyncio.to_thread(docker_engine.docker, "wait", name)
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs/search", target=f"harbour/{name}", q="line 0") as socket:
        await socket.closed()
    assert socket.of_kind("end")[0]["stopped"] == "bytes"


async def test_one_person_has_two_at_once(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting = asyncio.Event()

    async def stuck(self: object) -> str:
        await waiting.wait()
        return ""

    monkeypatch.setattr(search_module.LogSearchConsumer, "_all", stuck)
    name = run("echo hello")
    await mirror(docker_engine)
    user, target = await a_person("viewer"), f"harbour/{name}"
    async with open_socket(user, "/ws/logs/search", target=target, q="x") as first:
        async with open_socket(user, "/ws/logs/search", target=target, q="x") as second:
            await first.until(lambda: first.messages)
            await second.until(lambda: second.messages)
            async with open_socket(user, "/ws/logs/search", target=target, q="x") as third:
                assert await third.closed() == 4429
            async with open_socket(await a_person("deployer"), "/ws/logs/search", target=target, q="x") as other:
                await other.until(lambda: other.messages)
                waiting.set()
                assert [await each.closed() for each in (first, second, other)] == [1000] * 3
    async with open_socket(user, "/ws/logs/search", target=target, q="x") as again:
        assert await again.closed() == 1000


async def test_it_refuses_who_may_not_and_what_is_no_search(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("echo hello")
    await mirror(docker_engine)
    async with open_socket(None, "/ws/logs/search", target=f"harbour/{name}", q="x") as socket:
        assert await socket.closed() == 4401
    user = await a_person("viewer")
    for query, code in (
        ({"target": f"harbour/{name}", "q": "(", "regex": 1}, 4400),
        ({"target": f"harbour/{name}", "level": "loud"}, 4400),
        ({"target": f"harbour/{name}", "since": "noon"}, 4400),
        ({"target": "harbour/nobody", "q": "x"}, 4404),
        ({"q": "x"}, 4404),
    ):
        async with open_socket(user, "/ws/logs/search", **query) as socket:
            assert await socket.closed() == code
