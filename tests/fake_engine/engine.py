"""The fake engine: a server in a thread of its own, on a unix socket or on TCP, with what it has and how it behaves."""

import asyncio
import itertools
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from tests.engines.run import current
from tests.fake_engine import answers
from tests.fake_engine.behaviours import Behaviour, Hang
from tests.fake_engine.things import FakeContainer, image, network, volume
from tests.fake_engine.wire import Connection, Request
from tests.servers.closing import close_server

EVENTS_KEPT = 256  # as many as a real one keeps
NUMBERS = itertools.count(1)  # of sockets


class FakeEngine:
    """Answers like Docker, over a unix socket or with `tcp` on the loopback.

    `containers` is how many, or which. `api_version="1.30"` makes it too old. `misbehave` sets what a path does wrong.
    `requests` are those that came, the newest last. Start and stop it with `with`.
    """

    def __init__(
        self,
        containers: int | Sequence[FakeContainer] = 2,
        *,
        tcp: bool = False,
        name: str = "fake",
        version: str = "27.5.1",
        api_version: str = "1.47",
        min_api_version: str = "",
    ) -> None:
        if isinstance(containers, int):
            containers = [FakeContainer(f"web-{n + 1}") for n in range(containers)]
        self.containers = list(containers)
        self.images = [
            image(reference) for reference in sorted({c.image for c in self.containers} | {"busybox:latest"})
        ]
        self.networks = [network("bridge"), network("host", "host"), network("none", "null")]
        self.volumes = [volume("data")]
        self.name, self.version = name, version
        self.api_version = api_version
        self.min_api_version = min_api_version or min("1.24", api_version, key=answers.number)
        self.stats_every = 1.0  # seconds between two samples
        self.next_one: dict[str, Any] = {}  # attributes of containers that are created
        self.pull_every = 0.01  # seconds between two messages of a pull
        self.mute = False  # what happens is not told: engines drop events of who reads them slowly
        self.ticks = 0
        self.requests: list[Request] = []
        self.asked: list[tuple[float, str, bool]] = []  # when (seconds since 1970), path, whether without a filter
        self.connections = 0  # ever made
        self.open: set[Connection] = set()
        self._tcp = tcp
        self._behaviours: dict[str, tuple[Behaviour, float]] = {}
        self._past: deque[dict[str, Any]] = deque(maxlen=EVENTS_KEPT)
        self._listeners: set[asyncio.Queue[dict[str, Any]]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="fake-engine", daemon=True)
        self._fillers: list[socket.socket] = []
        self.url = ""

    # ------------------------------------------------------------ its life
    def __enter__(self) -> "FakeEngine":
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(close_server(self._server))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
        if not self._tcp:
            Path(self.url.removeprefix("unix://")).unlink(missing_ok=True)

    def _call(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self, port: int = 0) -> None:
        if self._tcp:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
            self.url = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        else:
            path = str(current().folder / f"fake-{next(NUMBERS)}.sock")
            self._server = await asyncio.start_unix_server(self._serve, path)
            self.url = f"unix://{path}"

    # ------------------------------------------------------------ misbehaving
    def misbehave(self, path: str, behaviour: Behaviour, times: float = float("inf")) -> None:
        """From now on requests for `path` meet `behaviour`; the next `times` of them, if given.

        `path` is without API version and may have `*`: "/containers/*/logs", "*" for everything. Streams that are open
        already go on: `cut_streams` ends them.
        """
        self._behaviours[path] = (behaviour, times)

    def behave(self, path: str = "") -> None:
        """Normal answers again, for this path or for all."""
        if path:
            self._behaviours.pop(path, None)
        else:
            self._behaviours.clear()

    def cut_streams(self) -> None:
        """Resets every open connection, as a proxy that restarts does."""

        def reset_all() -> None:
            for connection in list(self.open):
                connection.reset()

        self._loop.call_soon_threadsafe(reset_all)

    # ------------------------------------------------------------ cut off
    def refuse(self) -> None:
        """Listens no more and resets what is open (TCP only); `listen_again` heals it."""
        self._loop.call_soon_threadsafe(self._server.close)
        self.cut_streams()

    def drop(self) -> None:
        """Vanishes without a word (TCP only): new connections get no answer at all, open ones fall silent.

        A listener with a full queue drops what arrives, as a network that loses every packet does.
        """
        self._call(self._fall_silent())

    async def _fall_silent(self) -> None:
        self.behave()
        self.misbehave("*", Hang())
        self._server.close()
        full = socket.socket()
        full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        full.bind(("127.0.0.1", self.port))
        full.listen(0)
        self._fillers = [full]
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def listen_again(self) -> None:
        """Heals `refuse`, `drop` and every misbehaviour."""
        self.behave()
        for sock in self._fillers:
            sock.close()
        self._fillers = []
        self.cut_streams()
        if not self._server.is_serving():
            self._call(self._listen(self.port))

    @property
    def port(self) -> int:
        """The TCP port that it has had since it began."""
        return int(self.url.rpartition(":")[2])

    def _behaviour(self, fits: Callable[[str, Behaviour], bool]) -> Behaviour | None:
        for pattern, (behaviour, times) in list(self._behaviours.items()):
            if fits(pattern, behaviour):
                if times <= 1:
                    self.behave(pattern)
                else:
                    self._behaviours[pattern] = (behaviour, times - 1)
                return behaviour
        return None

    # ------------------------------------------------------------ what it has
    def container(self, ref: str) -> FakeContainer:
        """By name, id or unique id prefix; raises Refused(404) as the engine answers."""
        for container in self.containers:
            if ref.lstrip("/") == container.name or container.id.startswith(ref):
                return container
        raise answers.Refused(404, f"No such container: {ref}")

    def add(self, container: FakeContainer) -> FakeContainer:
        """Somebody has made a container; the engine says so."""
        self.containers.append(container)
        for action in ("create", *(["start"] if container.state == "running" else [])):
            self.emit("container", action, container.id, name=container.name, image=container.image)
        return container

    def remove(self, container: FakeContainer) -> None:
        """Somebody has removed a container; the engine says so."""
        self.containers.remove(container)
        self.emit("container", "destroy", container.id, name=container.name)

    def add_image(self, name: str) -> None:
        """An image has been pulled; the engine says so."""
        if all(name not in row["RepoTags"] for row in self.images):
            self.images.append(image(name))
        self.emit("image", "pull", name, name=name.rpartition(":")[0])

    def say(self, container: FakeContainer, text: str | bytes, stream: int = 1) -> None:
        """The container writes a line: stream 1 is standard output, 2 standard error."""
        line = text.encode() if isinstance(text, str) else text
        container.lines.append((stream, time.time(), line + b"\n"))

    # ------------------------------------------------------------ events
    def emit(self, kind: str, action: str, actor: str, **attributes: str) -> None:
        """Sends an event to all who listen, and keeps it for those who ask with `since`; drops it while `mute`."""
        if self.mute:
            return
        now = time.time()
        event = {
            "Type": kind,
            "Action": action,
            "Actor": {"ID": actor, "Attributes": attributes},
            "scope": "local",
            "time": int(now),
            "timeNano": int(now * 1e9),
        }
        self._past.append(event)

        def tell_all() -> None:
            for queue in self._listeners:
                queue.put_nowait(event)

        self._loop.call_soon_threadsafe(tell_all)

    @property
    def listeners(self) -> int:
        """How many clients follow the events now."""
        return len(self._listeners)

    @contextmanager
    def listening(self, since: float) -> Iterator["asyncio.Queue[dict[str, Any]]"]:
        """A queue of events for one client, with the kept ones from `since` (seconds; 0: none)."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        for event in self._past if since else ():
            if event["timeNano"] / 1e9 >= since:
                queue.put_nowait(event)
        self._listeners.add(queue)
        try:
            yield queue
        finally:
            self._listeners.discard(queue)

    # ------------------------------------------------------------ serving
    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        self.connections += 1
        self.open.add(connection)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            if behaviour := self._behaviour(lambda pattern, found: found.at_once):
                await behaviour(None, connection, self._nothing)
            else:
                await self._answer_all(reader, writer)
        self.open.discard(connection)
        writer.close()

    async def _answer_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # a connection object for each request: what a behaviour does to it holds for one answer
        while request := await (connection := Connection(reader, writer)).read_request():
            self.requests.append(request)
            self.asked.append((time.time(), request.path, not request.query.get("filters")))
            behaviour = self._behaviour(partial(self._fits, request.path))

            async def normal(to: Connection, asked: Request = request) -> None:
                await answers.answer(self, asked, to)

            if behaviour:
                await behaviour(request, connection, normal)
            else:
                await normal(connection)
            if writer.is_closing():
                return

    @staticmethod
    def _fits(path: str, pattern: str, behaviour: Behaviour) -> bool:
        return fnmatchcase(path, pattern)

    async def _nothing(self, connection: Connection) -> None:
        return None
