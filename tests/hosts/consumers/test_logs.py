"""The log socket, on a real engine."""

import asyncio
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.routing import URLRouter
from structlog.testing import capture_logs

from accounts.models import User
from hosts.consumers import hub as hub_module
from hosts.consumers.logs import LogsConsumer
from hosts.engine.targets import Target
from hosts.sockets import socket_urls
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.hosts.consumers.sockets import a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = "i=0; while [ $i -lt %d ]; do echo line $i; i=$((i+1)); done; "
# a line a tick of the loop, so that readers join in the middle of it
STEADY = "i=0; while [ $i -lt %d ]; do echo line $i; echo err $i >&2; i=$((i+1)); usleep 2000; done; sleep 1000"


def numbered(count: int) -> list[str]:
    return [f"line {number}" for number in range(count)]


async def test_the_last_lines_come_first_and_then_what_follows(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(COUNT % 100 + "while [ ! -e /go ]; do usleep 20000; done; echo more; sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}", tail=10) as socket:
        await socket.until(lambda: len(socket.texts) >= 10)
        assert socket.texts == numbered(100)[-10:]
        assert socket.of_kind("targets")[0]["targets"][0]["name"] == name
        await asyncio.to_thread(docker_engine.docker, "exec", name, "touch", "/go")
        await socket.until(lambda: len(socket.texts) > 10)
        assert socket.texts[10:] == ["more"]


async def test_once_it_is_live_every_line_is_shown(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(COUNT % 100 + "read go; seq 1 5000; sleep 1000", "-i")
    await mirror(docker_engine)
    user = await a_person()
    async with open_socket(user, "/ws/logs", target=f"harbour/{name}", tail=0) as socket:
        async with open_socket(user, "/ws/terminal", target=f"harbour/{name}", mode="attach") as keys:
            await socket.until(lambda: socket.state("live"))
            await keys.send(b"go\n")
            await socket.until(lambda: "5000" in socket.texts)
    assert socket.texts == [str(number) for number in range(1, 5001)]


async def test_stdout_and_stderr_are_told_apart_and_can_be_left_out(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("echo out; echo err >&2")
    await mirror(docker_engine)
    user, target = await a_person("viewer"), f"harbour/{name}"
    async with open_socket(user, "/ws/logs", target=target, follow=0) as socket:
        assert await socket.closed() == 1000
        assert {(line[1], line[3]) for line in socket.lines} == {(1, "out"), (2, "err")}
        assert socket.messages[-1] == {"t": "end"}
    async with open_socket(user, "/ws/logs", target=target, follow=0, stdout=0) as socket:
        await socket.closed()
        assert socket.texts == ["err"]


async def test_it_loses_and_repeats_nothing_whenever_a_viewer_comes(docker_engine: DockerEngine, run: Runner) -> None:
    """The last lines come when all have come, however long that took."""
    name = run(
        (STEADY % 600).replace(
            "usleep 2000", "usleep 2000; [ $i -ne 500 ] || while [ ! -e /go ]; do usleep 20000; done"
        )
    )
    await mirror(docker_engine)
    user = await a_person("viewer")
    delays = [0.0, 0.1, 0.35, 0.6, 0.6, 1.1]
    all_came = asyncio.Barrier(len(delays) + 3)

    async def view(delay: float, tail: str) -> list[str]:
        await asyncio.sleep(delay)
        async with open_socket(user, "/ws/logs", target=f"harbour/{name}", tail=tail) as socket:
            await socket.until(lambda: socket.state("live"))
            await all_came.wait()
            await socket.until(lambda: {"line 599", "err 599"} <= set(socket.texts))
            return socket.texts

    async def let_it_end() -> list[str]:
        await all_came.wait()
        await asyncio.to_thread(docker_engine.docker, "exec", name, "touch", "/go")
        return []

    views = [*(view(delay, "all") for delay in delays), view(0.5, "40"), view(0.5, "0")]
    *seen, _ = await asyncio.gather(*views, let_it_end())
    whole = docker_engine.docker("logs", name).splitlines()
    for texts in seen[: len(delays)]:
        assert [text for text in texts if text.startswith("line")] == numbered(600)
        assert [text for text in texts if text.startswith("err")] == [f"err {number}" for number in range(600)]
    for texts in seen[len(delays) :]:
        assert len(texts) == len(set(texts)) < len(whole) * 2
        outs = [text for text in texts if text.startswith("line")]
        assert outs == numbered(600)[-len(outs) :]


async def test_one_upstream_serves_all_and_ends_with_the_last(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(STEADY % 200)
    await mirror(docker_engine)
    user, hub = await a_person("viewer"), hub_module.current_hub()
    async with open_socket(user, "/ws/logs", target=f"harbour/{name}", tail="all") as first:
        async with open_socket(user, "/ws/logs", target=f"harbour/{name}", tail="all") as second:
            await first.until(lambda: "line 199" in first.texts)
            await second.until(lambda: "line 199" in second.texts)
            (feed,) = hub.feeds.values()
            assert len(feed.subscriptions) == 2
            assert feed.reconnects == 0
        assert len(hub.feeds) == 1
    async with asyncio.timeout(1):
        while hub.feeds:
            await asyncio.sleep(0.01)


async def test_a_long_line_arrives_whole(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo after")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}", follow=0) as socket:
        await socket.closed()
        assert [len(text) for text in socket.texts] == [1_000_000, 5]


async def test_a_terminals_log_and_bytes_that_are_no_text(docker_engine: DockerEngine, run: Runner) -> None:
    tty = run("echo hello; printf '50%%\\r100%%\\n'; printf '\\033[31mred\\033[0m\\n'", "-t")
    odd = run("printf 'a\\377b\\0c\\n'", "--log-driver", "local")
    await mirror(docker_engine)
    user = await a_person("viewer")
    async with open_socket(user, "/ws/logs", target=[f"harbour/{tty}", f"harbour/{odd}"], follow=0) as socket:
        assert await socket.closed() == 1000
        assert [line[3] for line in socket.lines if line[0] == 0] == ["hello", "50%\r100%", "\x1b[31mred\x1b[0m"]
        assert [line[3] for line in socket.lines if line[0] == 1] == ["a\ufffdb\0c"]


@pytest.mark.parametrize("follow", [0, 1])
async def test_an_unreadable_driver_is_said_at_once(docker_engine: DockerEngine, run: Runner, follow: int) -> None:
    name = run("sleep 1000", "--log-driver", "none")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}", follow=follow) as socket:
        state = await socket.until(lambda: socket.state("unreadable"))
        assert state["code"] == "log_driver_unreadable"
        assert "cannot be read" in state["reason"]


async def test_a_restart_is_said_and_the_log_goes_on(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("echo began; sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}") as socket:
        await socket.until(lambda: socket.texts == ["began"])
        await asyncio.to_thread(docker_engine.docker, "restart", "-t", "0", name)
        await socket.until(lambda: socket.state("restarted") and len(socket.texts) == 2)
        assert socket.texts == ["began", "began"]
        await asyncio.to_thread(docker_engine.docker, "kill", name)
        assert (await socket.until(lambda: socket.state("ended")))["exit_code"] == 137
        await asyncio.to_thread(docker_engine.docker, "start", name)
        await socket.until(lambda: len(socket.texts) == 3)


async def test_an_engine_that_is_lost_comes_back_without_loss(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("i=0; while :; do echo line $i; i=$((i+1)); usleep 5000; done")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: len(socket.texts) > 50)
        docker_engine.cut("refuse")
        try:
            assert (await socket.until(lambda: socket.state("lost")))["reason"]
        finally:
            docker_engine.heal()
        before = len(socket.texts)
        await socket.until(lambda: socket.state("resumed") and len(socket.texts) > before + 200)
        assert socket.texts == numbered(len(socket.texts))


async def test_a_cut_stream_is_taken_up_again_unnoticed(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("i=0; while :; do echo line $i; i=$((i+1)); usleep 3000; done")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        for cuts in range(1, 6):
            await socket.until(lambda cuts=cuts: len(socket.texts) > cuts * 60)
            (feed,) = hub_module.current_hub().feeds.values()
            await socket.until(lambda cuts=cuts, feed=feed: feed.reconnects == cuts - 1 and feed.ready.is_set())
            feed._stream.sock.shutdown(2)  # as a proxy does that ends what is idle
        await socket.until(lambda: feed.reconnects == 5 and len(socket.texts) > 600)
        assert socket.texts == numbered(len(socket.texts))


async def test_what_was_rotated_away_is_a_gap(docker_engine: DockerEngine, run: Runner) -> None:
    name = run(
        "i=0; while :; do while [ ! -e /go ]; do echo slow $i; i=$((i+1)); sleep 1; done; "
        "yes xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx | head -n 40000; rm /go; done",
        "--log-opt",
        "max-size=200k",
        "--log-opt",
        "max-file=2",
    )
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.texts)
        docker_engine.cut("refuse")
        try:
            await socket.until(lambda: socket.state("lost"))
            await asyncio.to_thread(
                docker_engine.docker, "exec", name, "sh", "-c", "touch /go; while [ -e /go ]; do usleep 9999; done"
            )
        finally:
            docker_engine.heal()
        (gap,) = await socket.until(lambda: socket.of_kind("gap"))
        assert gap["from"] < gap["to"]
        assert gap["reason"] == "rotated"


async def test_it_refuses_an_outsider(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(None, "/ws/logs", target=f"harbour/{name}") as socket:
        assert await socket.closed() == 4401
    user = await a_person("viewer")
    async with open_socket(user, "/ws/logs", target="harbour/nobody") as socket:
        assert await socket.closed() == 4404
    async with open_socket(user, "/ws/logs", target="nowhere/nobody") as socket:
        assert await socket.closed() == 4404
    for query in ({}, {"target": f"harbour/{name}", "tail": "many"}, {"target": f"harbour/{name}", "since": "noon"}):
        async with open_socket(user, "/ws/logs", **query) as socket:
            assert await socket.closed() == 4400


async def test_who_loses_the_account_loses_the_stream(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    monkeypatch.setattr("accounts.sockets.GuardedConsumer.check_every", 0.2)
    user = await a_person("viewer")
    async with open_socket(user, "/ws/logs", target=f"harbour/{name}") as socket:
        await socket.until(lambda: socket.state("live"))
        await database_sync_to_async(User.objects.filter(pk=user.pk).update)(is_active=False)
        assert await socket.closed() in {4401, 4403}


async def test_who_never_reads_is_sent_away(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = run("echo hello; sleep 1000")
    await mirror(docker_engine)

    async def send(self: LogsConsumer, text_data: str | None = None) -> None:
        await asyncio.Event().wait()  # as a browser's full window does

    monkeypatch.setattr(LogsConsumer, "send", send)
    monkeypatch.setattr(LogsConsumer, "check_every", 0.1)
    monkeypatch.setattr("hosts.consumers.base.STUCK_AT_MOST", 0.5)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}") as socket:
        assert await socket.closed() == 4408
    async with asyncio.timeout(1):
        while hub_module.current_hub().feeds:
            await asyncio.sleep(0.01)


async def test_a_container_that_is_removed_is_said(docker_engine: DockerEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", target=f"harbour/{name}") as socket:
        await socket.until(lambda: socket.state("live"))
        await asyncio.to_thread(docker_engine.docker, "rm", "-f", name)
        run.names.remove(name)
        await socket.until(lambda: (socket.state("ended") or {}).get("code") == "removed")


def test_a_target_without_a_version_asks_the_engine(docker_engine: DockerEngine) -> None:
    from hosts.engine.endpoint import Endpoint

    target: Any = asyncio.run(Target(Endpoint(docker_engine.url), "x").negotiated())
    assert target.version == "1.41"


async def test_a_host_and_a_project_show_what_joins_them(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hosts.consumers.logs.NEW_ONES_EVERY", 0.2)
    label = ("--label", "com.docker.compose.project=berth")
    first = run("echo from the first; sleep 1000", *label)
    await mirror(docker_engine)
    async with open_socket(await a_person("viewer"), "/ws/logs", host="harbour", project="berth") as socket:
        await socket.until(lambda: socket.texts == ["from the first"])
        second = await asyncio.to_thread(run, "echo from the second; sleep 1000", *label)
        run_by_itself = await asyncio.to_thread(run, "echo from outside; sleep 1000")
        await mirror(docker_engine)
        await socket.until(lambda: len(socket.texts) > 1)
        assert [target["name"] for target in socket.of_kind("targets")[-1]["targets"]] == [first, second]
        assert socket.lines[-1][0] == 1
        assert run_by_itself not in str(socket.messages)


async def test_the_first_message_may_name_the_choice(docker_engine: DockerEngine, run: Runner) -> None:
    names = [run(f"echo from {number}; sleep 1000") for number in range(2)]
    await mirror(docker_engine)
    user = await a_person("viewer")
    async with open_socket(user, "/ws/logs", by="message") as socket:
        await socket.send({"target": [f"harbour/{name}" for name in [*names, "lost"]], "tail": 5})
        await socket.until(lambda: set(socket.texts) == {"from 0", "from 1"})
        assert socket.of_kind("targets")[0]["unknown"] == ["harbour/lost"]
    for message, code in (({"target": ["harbour/lost"]}, 4404), ({"target": [], "tail": "x"}, 4400), ({}, 4404)):
        async with open_socket(user, "/ws/logs", by="message") as socket:
            await socket.send(message)
            assert await socket.closed() == code


@pytest.mark.parametrize("error", [OSError("gone"), RuntimeError("after the close")], ids=["gone", "closed"])
async def test_a_tab_that_is_closed_while_it_is_sent_to_is_no_failure(
    docker_engine: DockerEngine, run: Runner, error: Exception
) -> None:
    """A server says by an error that nobody is there any more, and only then that the socket has ended."""
    name = run(COUNT % 10 + "sleep 1000")
    await mirror(docker_engine)
    query = f"target=harbour/{name}".encode()
    scope = {"type": "websocket", "path": "/ws/logs", "query_string": query, "headers": [], "user": await a_person()}
    said: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    refused = asyncio.Event()

    async def send(message: dict[str, Any]) -> None:
        if '"lines"' in message.get("text", ""):
            refused.set()
            raise error

    with capture_logs() as logged:
        application: Any = URLRouter(socket_urls)
        serving = asyncio.create_task(application(scope, said.get, send))
        said.put_nowait({"type": "websocket.connect"})
        await asyncio.wait_for(refused.wait(), 20)
        said.put_nowait({"type": "websocket.disconnect", "code": 1006})
        await asyncio.wait_for(serving, 20)
    assert [entry for entry in logged if entry["log_level"] == "error"] == []
