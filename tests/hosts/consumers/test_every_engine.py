"""The sockets on every kind of engine and every way to it that differs from plain TCP to the machine's own Docker."""

import asyncio
import hashlib
import re
from itertools import pairwise

import pytest

from common.connections import hang_up
from hosts.consumers.hub import current_hub
from tests.engines.runner import Runner
from tests.engines.ways import AnyEngine
from tests.hosts.consumers.sockets import Socket, a_person, mirror, open_socket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["tls", "ssh", "podman", "newer"])
def engine(request: pytest.FixtureRequest) -> AnyEngine:
    """One engine after the other."""
    found: AnyEngine = request.getfixturevalue(f"{request.param}_engine")
    return found


async def docker(engine: AnyEngine, *args: str) -> str:
    return await asyncio.to_thread(engine.docker, *args)


ODD = (
    "echo out; echo err >&2; printf 'a\\0b\\n'; printf '10%%\\r100%%\\n'; "
    "head -c 1000000 /dev/zero | tr '\\0' x; echo; printf 'no end'; "
    "while [ ! -e /go ]; do usleep 20000; done; echo; "
)
STEADY = (
    "i=0; while [ ! -e /stop ]; do echo line $i; echo err $i >&2; i=$((i+1)); usleep 2000; done; "
    "echo end; echo end >&2; sleep 1000"
)


async def test_a_log_with_all_that_is_odd_and_what_follows(engine: AnyEngine, run: Runner) -> None:
    name = run(ODD + "sleep 1000")
    await mirror(engine)
    async with asyncio.timeout(30):  # a line that is still being written for seconds is shown in pieces
        while (await docker(engine, "logs", name)).count("x") < 1_000_000:
            await asyncio.sleep(0.1)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live") and len(socket.texts) >= 5)
        await docker(engine, "exec", name, "touch", "/go")
        await socket.until(lambda: len(socket.texts) >= 6)
    assert [line[3] for line in socket.lines if line[1] == 2] == ["err"]
    outs = [line[3] for line in socket.lines if line[1] == 1]
    assert outs[:3] == ["out", "a\0b", "10%\r100%"]
    assert outs[3] == "x" * 1_000_000
    assert outs[4:] == ["no end"]
    stamps = [line[2] for line in socket.lines]
    assert all(len(stamp) == 30 and stamp.endswith("Z") for stamp in stamps)


async def test_a_terminal_s_log(engine: AnyEngine, run: Runner) -> None:
    name = run("echo hello; printf '50%%\\r100%%\\n'; printf '\\033[31mred\\033[0m\\n'; sleep 1000", "-t")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: len(socket.texts) >= 3)
    assert socket.texts == ["hello", "50%\r100%", "\x1b[31mred\x1b[0m"]


async def test_nothing_is_lost_or_repeated_whenever_a_viewer_comes(engine: AnyEngine, run: Runner) -> None:
    name = run(STEADY)
    await mirror(engine)
    user, target = await a_person(), f"harbour/{name}"

    async def view(tail: str, follows: asyncio.Event, leads: asyncio.Event) -> list[str]:
        """What a viewer sees who comes when the one before has seen some lines of the middle."""
        await follows.wait()
        async with open_socket(user, "/ws/logs", target=target, tail=tail) as socket:
            await socket.until(lambda: socket.state("live"), 60)  # Podman reads the whole log for each of them
            lines = len(socket.texts)
            await socket.until(lambda: len(socket.texts) > lines + 50, 60)
            leads.set()
            # a follower of Podman's may fall silent while the log grows: that is noticed after 20 seconds
            await socket.until(lambda: socket.texts.count("end") == 2, 60)
            return socket.texts

    tails = ["all", "30", "all", "0", "1000000"]
    turns = [asyncio.Event() for _ in range(len(tails) + 1)]
    async with asyncio.TaskGroup() as group:
        views = [group.create_task(view(tail, *pair)) for tail, pair in zip(tails, pairwise(turns), strict=True)]
        turns[0].set()
        await turns[-1].wait()
        await docker(engine, "exec", name, "touch", "/stop")
    for tail, texts in zip(tails, [view.result() for view in views], strict=True):
        for word in ("line", "err"):
            found = [int(text.split()[1]) for text in texts if text.startswith(word)]
            assert found == list(range(found[0], found[-1] + 1))
            assert found[0] == 0 or tail in {"30", "0"}


async def test_a_cut_stream_is_taken_up_again_unnoticed(engine: AnyEngine, run: Runner) -> None:
    name = run("i=0; while :; do echo line $i; i=$((i+1)); usleep 3000; done")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live") and len(socket.texts) > 50)
        (feed,) = current_hub().feeds.values()
        assert feed._stream is not None
        hang_up(feed._stream.sock)  # as a proxy does that ends what is idle
        before = len(socket.texts)
        await socket.until(lambda: feed.reconnects == 1 and feed.ready.is_set() and len(socket.texts) > before + 300)
    assert socket.texts == [f"line {number}" for number in range(len(socket.texts))]
    assert not socket.of_kind("gap")


async def test_a_container_that_ends_starts_and_goes(engine: AnyEngine, run: Runner) -> None:
    name = run("echo began; sleep 1000")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.texts == ["began"] and socket.state("live"))
        await docker(engine, "kill", name)
        assert (await socket.until(lambda: socket.state("ended")))["exit_code"] == 137
        await docker(engine, "start", name)
        await socket.until(lambda: socket.state("restarted") and len(socket.texts) == 2)
        await docker(engine, "restart", "-t", "0", name)
        await socket.until(lambda: len(socket.texts) == 3)
        await docker(engine, "rm", "-f", name)
        run.names.remove(name)
        await socket.until(lambda: (socket.state("ended") or {}).get("code") == "removed")
    assert socket.texts == ["began"] * 3


async def test_stats_come_and_end_with_the_container(engine: AnyEngine, run: Runner) -> None:
    name = run("dd if=/dev/zero of=/dev/shm/m bs=1M count=20 2>/dev/null; while :; do i=$((i+1)); done")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/stats", target=f"harbour/{name}") as socket:
        await socket.until(lambda: socket.of_kind("stats"))
        place, when, cpu, used, limit, _rx, _tx, _read, _written, pids = socket.of_kind("stats")[-1]["samples"][-1]
        assert place == 0 and when > 1_700_000_000_000
        assert cpu > 5
        assert 20 * 2**20 < used < 200 * 2**20 < limit
        assert pids >= 1
        await docker(engine, "kill", name)
        await socket.until(lambda: socket.state("ended"))


async def ready(socket: Socket) -> None:
    await socket.until(lambda: socket.of_kind("ready"))


async def test_a_shell_knows_its_size_and_says_its_exit_code(engine: AnyEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(engine)
    query = {"target": f"harbour/{name}", "cols": 111, "rows": 33}
    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        await ready(socket)
        async with asyncio.timeout(10):
            while b"33 111\r\n" not in socket.output:
                await socket.send(b"stty size\n")
                await socket.next()
        await socket.send({"t": "resize", "cols": 77, "rows": 22})
        async with asyncio.timeout(10):
            while b"22 77\r\n" not in socket.output:
                await socket.send(b"stty size\n")
                await socket.next()
        await socket.send(b"exit 7\n")
        assert await socket.closed() == 1000
        assert socket.of_kind("exit") == [{"t": "exit", "code": 7}]


async def test_a_full_screen_program_is_drawn_again_at_the_new_size(engine: AnyEngine, run: Runner) -> None:
    name = run("seq 1001 1300 > /numbers; sleep 1000")
    await mirror(engine)
    query = {"target": f"harbour/{name}", "cmd": "vi /numbers", "cols": 80, "rows": 20}

    def drawn() -> int:
        """The row of the status line, which vi draws at the bottom of the screen."""
        found = re.findall(rb"\x1b\[(\d+);1H\x1b\[K- /numbers", socket.output)
        return int(found[-1]) if found else 0

    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        await socket.until(drawn)
        if b"\x1b[6n" in socket.output:  # vi began before the size was told, and asks as it would ask a browser
            await socket.send(b"\x1b[20;80R")
        await socket.send({"t": "resize", "cols": 100, "rows": 45})
        await socket.until(lambda: drawn() == 45)
        assert b"1044" in socket.output and b"1045" not in socket.output
        await socket.send({"t": "resize", "cols": 40, "rows": 10})
        await socket.until(lambda: drawn() == 10)
        await socket.send(b":q!\r")
        await socket.closed()
        assert socket.of_kind("exit") == [{"t": "exit", "code": 0}]


@pytest.mark.parametrize(("user", "says"), [("nobody", "nobody 65534"), ("65534:0", "nobody 0"), ("", "root 0")])
async def test_a_command_runs_as_the_user_who_was_chosen(engine: AnyEngine, run: Runner, user: str, says: str) -> None:
    name = run("sleep 1000")
    await mirror(engine)
    query = {"target": f"harbour/{name}", "cmd": "sh -c 'echo $(id -un) $(id -g)'", "user": user}
    async with open_socket(await a_person(), "/ws/terminal", **query) as socket:
        await socket.closed()
        assert socket.output.decode().split("\r\n")[0] == says
        assert socket.of_kind("exit") == [{"t": "exit", "code": 0}]


async def test_a_paste_of_a_megabyte_arrives_whole(engine: AnyEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(engine)
    paste = b"0123456789abcde\n" * 65536
    command = "sh -c 'stty raw -echo; echo go; head -c 1048576 | sha256sum'"
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", cmd=command) as socket:
        await socket.until(lambda: b"go" in socket.output)
        for start in range(0, len(paste), 100_000):
            await socket.send(paste[start : start + 100_000])
        await socket.closed()
    assert hashlib.sha256(paste).hexdigest().encode() in socket.output


async def test_closing_the_socket_ends_the_process(engine: AnyEngine, run: Runner) -> None:
    name = run("sleep 1000")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", cmd="sleep 4711") as socket:
        await ready(socket)
        assert "sleep 4711" in await docker(engine, "exec", name, "ps")
    async with asyncio.timeout(10):
        while "sleep 4711" in await docker(engine, "exec", name, "ps"):
            await asyncio.sleep(0.1)


@pytest.mark.parametrize("option", ["-it", "-i"])
async def test_attaching_to_the_first_process(engine: AnyEngine, run: Runner, option: str) -> None:
    name = run("while read line; do echo got $line; [ $line = q ] && exit 5; done", option)
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/terminal", target=f"harbour/{name}", mode="attach") as socket:
        await ready(socket)
        await socket.send(b"hello\n")
        await socket.until(lambda: b"got hello" in socket.output)
        await socket.send(b"q\n")
        await socket.closed()
        assert socket.of_kind("exit") == [{"t": "exit", "code": 5}]


async def test_a_log_that_is_silent_so_far(engine: AnyEngine, run: Runner) -> None:
    name = run("while [ ! -e /go ]; do usleep 20000; done; echo at last; sleep 1000")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", tail="all") as socket:
        await socket.until(lambda: socket.state("live"), 5)
        await docker(engine, "exec", name, "touch", "/go")
        await socket.until(lambda: socket.texts == ["at last"])
        assert not socket.state("lost")


@pytest.mark.parametrize("follow", [0, 1])
async def test_a_driver_that_cannot_be_read_is_said_at_once(engine: AnyEngine, run: Runner, follow: int) -> None:
    name = run("sleep 1000", "--log-driver", "none")
    await mirror(engine)
    async with open_socket(await a_person(), "/ws/logs", target=f"harbour/{name}", follow=follow) as socket:
        state = await socket.until(lambda: socket.state("unreadable"), 5)
        assert state["code"] == "log_driver_unreadable"
