"""A TCP proxy before an engine that cuts what passes through it, as proxies, firewalls and laptops do."""

import asyncio
import random
import socket
import struct
import threading
from contextlib import suppress
from typing import Literal

from tests.servers.closing import close_server

Kind = Literal["end", "reset", "silence"]
PIECE = 64 * 1024


class Passage:
    """One connection through the proxy."""

    def __init__(self, client: asyncio.StreamWriter, engine: asyncio.StreamWriter) -> None:
        self.client = client
        self.engine = engine
        self.speaks = asyncio.Event()  # cleared for good by a silence
        self.speaks.set()

    def cut(self, kind: Kind) -> None:
        """A clean end, a reset, or nothing more in either direction while both sides stay open."""
        if kind == "silence":
            self.speaks.clear()
            return
        if kind == "reset":
            sock = self.client.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.transport.abort()
        self.client.close()
        self.engine.close()


class CuttingProxy:
    """`with CuttingProxy(engine.address, 2375) as proxy`: listens at `proxy.url`. `cuts` counts connections that were cut.

    Only connections that follow something (a log, events) are cut: they are the ones that live.
    """

    def __init__(self, host: str, port: int) -> None:
        self.cuts = {"end": 0, "reset": 0, "silence": 0}
        self.url = ""
        self._target = (host, port)
        self._passages: dict[Passage, bytes] = {}
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutting-proxy", daemon=True)

    def __enter__(self) -> "CuttingProxy":
        self._thread.start()
        self._server = self._call(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, coroutine: object) -> asyncio.Server:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)  # type: ignore[arg-type]

    async def _end(self) -> None:
        for passage in list(self._passages):
            passage.cut("reset")
        await close_server(self._server)

    def following(self, what: str = "follow=1") -> int:
        """How many connections follow a log now, and are not silent."""
        return sum(what.encode() in head and passage.speaks.is_set() for passage, head in list(self._passages.items()))

    def cut(self, kind: Kind, what: str = "follow=1", *, one: bool = False) -> int:
        """Cuts the connections whose request has `what` in its first line, or `one` of them; gives how many."""

        async def cut() -> int:
            found = [passage for passage, head in self._passages.items() if what.encode() in head]
            found = [passage for passage in found if passage.speaks.is_set()]
            for passage in random.sample(found, min(1, len(found))) if one else found:
                passage.cut(kind)
                self.cuts[kind] += 1
            return min(1, len(found)) if one else len(found)

        return asyncio.run_coroutine_threadsafe(cut(), self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        passage = Passage(writer, forth)
        with suppress(asyncio.CancelledError):
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass(passage, reader, forth, first=True))
                    tasks.create_task(self._pass(passage, back, writer))
            except* OSError:
                pass  # one side has left, or was cut
        self._passages.pop(passage, None)
        forth.close()
        writer.close()

    async def _pass(
        self, passage: Passage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first: bool = False
    ) -> None:
        while piece := await reader.read(PIECE):
            if first:
                self._passages[passage], first = piece.split(b"\r\n", 1)[0], False
            if not passage.speaks.is_set():
                continue  # swallowed
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof() and passage.speaks.is_set():
            with suppress(OSError):
                writer.write_eof()
