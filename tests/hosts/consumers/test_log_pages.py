"""The socket that gives parts of logs, and going on after a lost socket, on a real engine."""

import asyncio
from typing import Any

import pytest

from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import Socket, a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)
MANY = "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done"


async def ask(socket: Socket, **question: Any) -> dict[str, Any]:
    await socket.send(question)
    answers = [m for m in socket.messages if m.get("id") == question["id"]]
    while not answers:
        await socket.next()
        answers = [m for m in socket.messages if m.get("id") == question["id"]]
    return answers[0]


async def finished(engine: DockerEngine, name: str) -> None:
    await asyncio.to_thread(engine.docker, "wait", name)


async def test_parts_before_and_behind_a_line(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(MANY)
    await finished(docker_engine, name)
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs/pages") as socket:
        target = f"harbour/{name}"
        first = await ask(socket, id=1, target=target, after=["2020-01-01T00:00:00Z", 0], count=1000)
        assert first["t"] == "page" and first["more"] and first["found"]
        assert [line[2] for line in first["lines"]] == [f"line {n}" for n in range(1000)]
        stamp = first["lines"][-1][1]
        have = sum(line[1] == stamp for line in first["lines"])
        rest = await ask(socket, id=2, target=target, after=[stamp, have], count=5000)
        assert [line[2] for line in rest["lines"]] == [f"line {n}" for n in range(1000, 3000)]
        assert not rest["more"]
        back = await ask(socket, id=3, target=target, before=[rest["lines"][0][1], 1], count=50, behind=2000)
        assert back["lines"] == first["lines"][-50:]
        assert back["more"]


async def test_what_cannot_be_read_says_why_and_the_socket_stays(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("echo hello", "--log-driver", "none")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs/pages") as socket:
        place = ["2020-01-01T00:00:00Z", 0]
        for number, question, words in (
            (1, {"target": f"harbour/{name}", "after": place}, "cannot be read"),
            (2, {"target": "harbour/nobody", "after": place}, ""),
            (3, {"target": f"harbour/{name}", "after": ["noon", 0]}, "A place is written"),
            (4, {"target": f"harbour/{name}", "after": place, "count": 10**9}, "count"),
        ):
            answer = await ask(socket, id=number, **question)
            assert answer["t"] == "failed" and words in answer["reason"]


async def test_it_refuses_an_outsider() -> None:
    async with open_socket(None, "/ws/logs/pages") as socket:
        assert await socket.closed() == 4401


async def test_a_viewer_goes_on_where_it_was(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(MANY + "; while [ ! -e /go ]; do usleep 20000; done; echo more; sleep 1000")
    host = await mirror(docker_engine)
    user = await a_person("viewer")
    async with open_socket(user, "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: len(socket.texts) == 3000)
        (past,) = await socket.until(lambda: socket.of_kind("past"))
        assert past == {"t": "past", "target": 0, "whole": True}
        lines, target = socket.lines, socket.of_kind("targets")[0]["targets"][0]
    await asyncio.to_thread(docker_engine.docker, "exec", name, "touch", "/go")
    for index in (1234, 2999):
        stamp = lines[index][2]
        have = sum(line[2] == stamp for line in lines[: index + 1])
        async with open_socket(user, "/ws/logs", by="message") as socket:
            key = f"{host.name}/{target['id']}"
            await socket.send({"target": [key], "behind": {key: [stamp, have]}})
            await socket.until(lambda: "more" in socket.texts)
            assert socket.texts == [line[3] for line in lines[index + 1 :]] + ["more"]
            assert socket.of_kind("gap") == []


async def test_a_viewer_who_was_away_too_long_is_told_what_is_missing(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(f"yes {'x' * 100} | head -n 9000; sleep 1000", "--log-opt", "max-size=200k")
    host = await mirror(docker_engine)
    user = await a_person("viewer")
    async with open_socket(user, "/ws/logs", target=f"harbour/{name}", tail="1") as socket:
        await socket.until(lambda: socket.of_kind("past"))
        key = f"{host.name}/{socket.of_kind('targets')[0]['targets'][0]['id']}"
    async with open_socket(user, "/ws/logs", by="message") as socket:
        await socket.send({"target": [key], "behind": {key: ["2020-01-01T00:00:00Z", 1]}})
        await socket.until(lambda: socket.of_kind("past"))
        (gap,) = socket.of_kind("gap")
        assert gap["from"] == "2020-01-01T00:00:00.000000000Z"
        assert gap["to"] == socket.lines[0][2]


async def test_a_short_tail_is_not_the_whole_log(docker_engine: DockerEngine, run: Runner) -> None:
    short, cut = run("echo one; echo two; sleep 1000"), run(MANY + "; sleep 1000")
    await mirror(docker_engine)
    targets = [f"harbour/{short}", f"harbour/{cut}"]
    async with open_socket(await a_person("viewer"), "/ws/logs", target=targets, tail=100) as socket:
        await socket.until(lambda: len(socket.of_kind("past")) == 2)
        assert {m["target"]: m["whole"] for m in socket.of_kind("past")} == {0: True, 1: False}
