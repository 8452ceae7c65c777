"""Who does not read delays nobody, costs a bounded amount of memory, and is told exactly what was left out."""

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection

from hosts.consumers import feeds, hub
from hosts.consumers.viewers import Viewer
from hosts.engine import logs
from hosts.engine.endpoint import Endpoint
from hosts.engine.logs import LogQuery
from hosts.engine.targets import Target
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.servers.product import Product
from tests.waiting import until

pytestmark = pytest.mark.core
COUNT, AT_ONCE = 250_000, 5_000
# A line of 80 bytes is over 130 as it crosses the socket: ten times what may wait for a browser. It comes in pieces of
# a third of that, each when those who read have read the one before: on a busy machine they too would be late otherwise.
FLOOD = f"""for n in $(seq 1 {AT_ONCE} {COUNT}); do
while [ ! -e /steps/$n ]; do usleep 5000; done
seq $n $((n + {AT_ONCE} - 1)) | sed 's/$/ {"x" * 72}/'; done
sleep 1000"""
MEMORY = 60_000_000


def small_window(product: Product) -> socket.socket:
    """A connected socket that takes little when it is not read."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32 * 1024)
    sock.connect(("127.0.0.1", product.port))
    return sock


class View:
    """What a viewer was shown: numbers of lines in order, and how many were skipped in between."""

    def __init__(self, connection: ClientConnection, piece_read: Callable[[int], object] = lambda _: None) -> None:
        self._connection = connection
        self._piece_read = piece_read  # is told the number of the line that comes next
        self.next = 1  # the number of the line that must come
        self.shown = 0
        self.skipped = 0

    def live(self) -> "View":
        while json.loads(self._connection.recv(20)).get("state") != "live":
            pass
        return self

    def read(self) -> None:
        """Until the last line, shown or skipped. Raises AssertionError for one that is missing or comes twice."""
        while self.next <= COUNT:
            message = json.loads(self._connection.recv(30))
            if message["t"] == "skipped":
                assert message["count"] > 0
                self.next += message["count"]
                self.skipped += message["count"]
            for _, _, _, text in message.get("lines", []):
                assert int(text.split(" ")[0]) == self.next
                self.next += 1
                self.shown += 1
                if self.next % AT_ONCE == 1:
                    self._piece_read(self.next)


def memory(product: Product) -> int:
    """The most that the process which serves the sockets has used so far, in bytes."""
    process = product.processes["web" if product.full else "up"]
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


class Steps:
    """Lets a container that has the folder as /steps write its next piece of lines once all readers have read one."""

    def __init__(self, folder: Path, readers: int) -> None:
        self._folder = folder
        self._read = threading.Barrier(readers, timeout=60)

    def let(self, first: int) -> None:
        """It writes the piece that begins with this number."""
        (self._folder / str(first)).touch()

    def piece_read(self, following: int) -> None:
        """Said by each reader; the last one to say it lets the next piece come."""
        if self._read.wait() == 0:
            self.let(following)


@pytest.fixture
def flood(product: Product, run: Runner, tmp_path: Path) -> Iterator[str]:
    """A container that writes its lines in pieces, as Steps of `tmp_path` lets it."""
    name = run(FLOOD, "-v", f"{tmp_path}:/steps")
    until(lambda: product.api(f"containers?search={name}&state=running")["count"] == 1, "it shows")
    yield name


def test_a_viewer_that_stops_reading_is_told_how_much_it_missed(product: Product, flood: str, tmp_path: Path) -> None:
    steps = Steps(tmp_path, 2)
    path, printed = f"/ws/logs?target=local/{flood}&tail=0", len(product.output)
    with (
        product.socket(path, max_size=None) as first,
        product.socket(path, max_size=None) as second,
        product.socket(path, max_size=None, max_queue=1, sock=small_window(product)) as third,
    ):
        readers = [View(socket, steps.piece_read).live() for socket in (first, second)]
        slow = View(third).live()
        before = memory(product)
        steps.let(1)
        threads = [threading.Thread(target=reader.read) for reader in readers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        assert [(reader.shown, reader.skipped) for reader in readers] == [(COUNT, 0)] * 2
        slow.read()
        assert slow.shown + slow.skipped == COUNT
        assert slow.skipped > COUNT // 4
        assert memory(product) - before < MEMORY
    assert "stream failed" not in product.output[printed:]


def test_a_socket_is_not_compressed_however_the_browser_asks(product: Product, flood: str) -> None:
    """Compressed, megabytes of lines fit into the kernel's buffers: nothing would be skipped, and each costs CPU."""
    with product.socket(f"/ws/logs?target=local/{flood}&tail=0", compression="deflate") as socket:
        assert socket.request is not None and "permessage-deflate" in socket.request.headers["Sec-WebSocket-Extensions"]
        assert socket.response is not None and "Sec-WebSocket-Extensions" not in socket.response.headers


@pytest.mark.django_db(transaction=True)
async def test_what_is_rotated_away_before_a_slow_viewer_reads_it_is_a_gap(
    docker_engine: DockerEngine, run: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still reads the past when more comes than may wait for it, and that is gone when it asks again."""
    monkeypatch.setattr(feeds, "PENDING_AT_MOST", 50_000)
    monkeypatch.setattr(logs, "BURST", 50_000)  # so that the past does not come in one
    lines = "seq %d %d | sed 's/$/ xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx/'; "
    script = lines % (1, 4000) + "while [ ! -e /go ]; do usleep 20000; done; " + lines % (4001, 60_000)
    name = run(script + "sleep 1000", "--log-opt", "max-size=600k", "--log-opt", "max-file=2")
    messages: list[dict[str, Any]] = []
    reads = asyncio.Event()

    async def send(text: str) -> None:
        messages.append(json.loads(text))
        await reads.wait()

    def shown() -> list[int]:
        return [int(line[3].split(" ")[0]) for message in messages for line in message.get("lines", [])]

    async def written(number: int) -> None:
        while not (await asyncio.to_thread(docker_engine.docker, "logs", "--tail", "1", name)).startswith(f"{number} "):
            await asyncio.sleep(0.05)

    await written(4000)
    viewer = Viewer(send, 1000)
    identity = docker_engine.docker("inspect", "-f", "{{.Id}}", name).strip()
    work = [
        asyncio.create_task(viewer.run()),
        asyncio.create_task(
            hub.current_hub().watch(viewer, 0, Target(Endpoint(docker_engine.url), identity), LogQuery())
        ),
    ]
    try:
        async with asyncio.timeout(30):
            while not messages:
                await asyncio.sleep(0.02)
            await asyncio.to_thread(docker_engine.docker, "exec", name, "touch", "/go")
            # only then: a reader that meets rotations is shown parts twice by Docker 20.10 itself
            await written(60_000)
            reads.set()
            while shown()[-1:] != [60_000]:
                await asyncio.sleep(0.02)
    finally:
        for task in work:
            task.cancel()
    numbers = shown()
    assert numbers == sorted(set(numbers))
    holes = [(before, after) for before, after in zip(numbers, numbers[1:], strict=False) if after != before + 1]
    gaps = [message for message in messages if message["t"] == "gap"]
    assert len(holes) == len(gaps) == 1
    assert gaps[0]["from"] < gaps[0]["to"]
