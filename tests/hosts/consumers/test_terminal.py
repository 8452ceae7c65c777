"""The terminal socket, on a real engine."""

import asyncio
import hashlib
from typing import Any

import pytest
from channels.db import database_sync_to_async

from accounts.models import AuditEntry, User
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import Socket, a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)


async def ready(socket: Socket) -> dict[str, Any]:
    return (await socket.until(lambda: socket.of_kind("ready")))[0]


async def gone(engine: DockerEngine, name: str, words: str) -> None:
    """Until no process of the container has `words` in its command."""
    async with asyncio.timeout(10):
        while words in await asyncio.to_thread(engine.docker, "top", name, "-eo", "pid,args"):
            await asyncio.sleep(0.1)


@database_sync_to_async
def audited() -> list[tuple[str, str, dict[str, Any]]]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", "target", "detail"))


async def test_a_shell_answers_resizes_and_says_its_exit_code(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    query = {"target": f"harbour/{name}", "cols": 111, "rows": 33}
    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        assert await ready(socket) == {"t": "ready", "mode": "exec", "tty": True, "recorded": False}
        await socket.send(b"stty size; echo $((40+2))\n")
        await socket.until(lambda: b"42\r\n" in socket.output)
        assert b"33 111\r\n" in socket.output
        await socket.send({"t": "resize", "cols": 77, "rows": 22})
        async with asyncio.timeout(10):
            while b"22 77\r\n" not in socket.output:
                await socket.send(b"stty size\n")
                await socket.next()
        await socket.send(b"exit 7\n")
        assert await socket.closed() == 1000
        assert socket.of_kind("exit") == [{"t": "exit", "code": 7}]
        assert b"\x1e" not in socket.output


async def test_the_last_of_many_sizes_counts(docker_engine: DockerEngine, run: Runner) -> None:
    """Also one that comes while the engine is being told the one before."""
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}") as socket:
        await ready(socket)
        for step in range(12):
            rows = 30 + step
            await socket.send({"t": "resize", "cols": 200, "rows": 10})
            await asyncio.sleep(step / 2000)
            await socket.send({"t": "resize", "cols": 77, "rows": rows})
            async with asyncio.timeout(10):
                while b"%d 77\r\n" % rows not in socket.output:
                    await socket.send(b"stty size\n")
                    await socket.next()


async def test_a_paste_of_a_megabyte_arrives_whole(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    paste = b"0123456789abcde\n" * 65536
    command = "sh -c 'stty raw -echo; echo go; head -c 1048576 | md5sum'"
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", cmd=command) as socket:
        await socket.until(lambda: b"go" in socket.output)
        for start in range(0, len(paste), 100_000):
            await socket.send(paste[start : start + 100_000])
        await socket.closed()
    assert hashlib.md5(paste).hexdigest().encode() in socket.output


@pytest.mark.parametrize(
    ("command", "keys", "words"),
    [
        ("", b"sleep 4711\n", "sleep 4711"),
        ("sleep 4712", b"", "sleep 4712"),
        ("vi /tmp/quay", b"ihello", "vi /tmp/quay"),
        ("sh -c 'trap \"\" HUP; sleep 4713; sleep 4714'", b"", "sleep 471"),
    ],
)
async def test_closing_the_socket_ends_the_process(
    docker_engine: DockerEngine, run: Runner, command: str, keys: bytes, words: str
) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", cmd=command) as socket:
        await ready(socket)
        await socket.send(keys)
        async with asyncio.timeout(10):
            while words not in await asyncio.to_thread(docker_engine.docker, "top", name, "-eo", "pid,args"):
                await asyncio.sleep(0.05)
    await gone(docker_engine, name, words)


async def test_opening_and_closing_are_audited(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    query = {"target": f"harbour/{name}", "cmd": "sh -c 'exit 3'", "user": "nobody"}
    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        await socket.closed()
    async with asyncio.timeout(5):
        while len(entries := await audited()) < 2:
            await asyncio.sleep(0.05)
    assert [(action, target) for action, target, _ in entries] == [("terminal.open", name), ("terminal.close", name)]
    assert entries[0][2] == {"mode": "exec", "command": "sh -c 'exit 3'", "user": "nobody"}
    assert entries[1][2]["exit_code"] == 3


@pytest.mark.parametrize("option", ["-it", "-i"])
async def test_attaching_to_the_first_process(docker_engine: DockerEngine, run: Runner, option: str) -> None:
    name = run("while read line; do echo got $line; [ $line = q ] && exit 5; done", option)
    await mirror(docker_engine)
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", mode="attach") as socket:
        assert (await ready(socket))["tty"] is (option == "-it")
        await socket.send(b"hello\n")
        await socket.until(lambda: b"got hello" in socket.output)
        await socket.send(b"q\n")
        await socket.closed()
        assert socket.of_kind("exit") == [{"t": "exit", "code": 5}]


async def test_leaving_the_first_process_leaves_it_running(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("while read line; do echo got $line; stty size; done", "-it")
    await mirror(docker_engine)
    user = await a_person()
    query = {"target": f"harbour/{name}", "mode": "attach", "cols": "61", "rows": "17"}
    for word in ("first", "second"):
        async with open_socket(user, "/ws/terminal", **query) as socket:
            await ready(socket)
            await socket.send(f"{word}\n".encode())
            await socket.until(lambda word=word: f"got {word}\r\n17 61".encode() in socket.output)
    assert docker_engine.docker("inspect", "-f", "{{.State.Running}}", name).strip() == "true"


async def test_a_command_that_cannot_be_started_says_why(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    user = await a_person()
    async with open_socket(user, "/ws/terminal", target=f"harbour/{name}", cmd="no-such-command") as socket:
        await socket.closed()
        assert b"not found" in socket.output
        assert socket.of_kind("exit") == [{"t": "exit", "code": 127}]
    await asyncio.to_thread(docker_engine.docker, "kill", name)
    async with open_socket(user, "/ws/terminal", target=f"harbour/{name}") as socket:
        await socket.closed()
        assert socket.of_kind("error")[0]["code"] == "conflict"


async def test_it_refuses_who_may_not(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(None, "/ws/terminal", target=f"harbour/{name}") as socket:
        assert await socket.closed() == 4401
    async with open_socket(await a_person("viewer"), "/ws/terminal", target=f"harbour/{name}") as socket:
        assert await socket.closed() == 4403
    async with open_socket(await a_person(), "/ws/terminal", target="harbour/nobody") as socket:
        assert await socket.closed() == 4404


async def test_it_ends_when_the_user_loses_the_right(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.2)
    user = await a_person()
    async with open_socket(user, "/ws/terminal", target=f"harbour/{name}", cmd="sleep 4715") as socket:
        await ready(socket)
        await database_sync_to_async(User.objects.filter(pk=user.pk).update)(role="viewer")
        assert await socket.closed() == 4403
    await gone(docker_engine, name, "sleep 4715")
