"""A TCP proxy before an engine that cuts what passes through it, as proxies, firewalls and laptops do."""

import asyncio
import random
import socket
import struct
import time
from contextlib import suppress
from typing import Literal

from tests.engines.proxy import Proxy

Kind = Literal["end", "reset", "silence"]
PIECE = 64 * 1024


class Passage:
    """One connection through the proxy. `speaks` until it is cut."""

    def __init__(self, client: asyncio.StreamWriter, engine: asyncio.StreamWriter) -> None:
        self.client = client
        self.engine = engine
        self.speaks = True
        self.head = b""  # the first line of its request
        self.asked = 0.0  # when that came, monotonic seconds

    def cut(self, kind: Kind) -> None:
        """A clean end, a reset, or nothing more in either direction while both sides stay open."""
        self.speaks = False
        if kind == "silence":
            return
        if kind == "reset":
            sock = self.client.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.client.transport.abort()
        self.client.close()
        self.engine.close()


class CuttingProxy(Proxy):
    """`with CuttingProxy(engine.address, 2375) as proxy`: listens at `proxy.url`. `cuts` counts connections that were cut.

    Connections are named by `what` the first line of their request has in it: unless told otherwise those that follow a
    log are meant, for they are the ones that live.
    """

    def __init__(self, host: str, port: int) -> None:
        super().__init__("127.0.0.1")
        self.cuts = {"end": 0, "reset": 0, "silence": 0}
        self._target = (host, port)
        self._passages: set[Passage] = set()

    @property
    def url(self) -> str:
        """As the address of a host."""
        return f"tcp://{self.address}"

    async def end(self) -> None:
        """Ends all connections, also silent ones."""
        for passage in list(self._passages):
            passage.cut("reset")
        await super().end()

    def _speaking(self, what: str) -> list[Passage]:
        return [one for one in list(self._passages) if one.speaks and what.encode() in one.head]

    def following(self, what: str = "follow=1") -> int:
        """How many connections follow a log now, and are not silent."""
        return len(self._speaking(what))

    def asked(self, what: str) -> float:
        """When (monotonic seconds) the newest of such connections that are open was asked for; 0 while none is."""
        return max((passage.asked for passage in self._speaking(what)), default=0.0)

    def cut(self, kind: Kind, what: str = "follow=1", *, one: bool = False) -> int:
        """Cuts these connections ("" for all), or `one` of them; gives how many."""

        async def cut() -> int:
            found = self._speaking(what)
            if one:
                found = random.sample(found, min(1, len(found)))
            for passage in found:
                passage.cut(kind)
            self.cuts[kind] += len(found)
            return len(found)

        return self.call(cut())

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back, forth = await asyncio.open_connection(*self._target)
        except OSError:
            writer.transport.abort()
            return
        passage = Passage(writer, forth)
        self._passages.add(passage)
        with suppress(asyncio.CancelledError):
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass(passage, reader, forth, first=True))
                    tasks.create_task(self._pass(passage, back, writer))
            except* OSError:
                pass  # one side has left, or was cut
        self._passages.discard(passage)
        forth.close()
        writer.close()

    async def _pass(
        self, passage: Passage, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, first: bool = False
    ) -> None:
        while piece := await reader.read(PIECE):
            if first:
                passage.head, passage.asked, first = piece.split(b"\r\n", 1)[0], time.monotonic(), False
            if not passage.speaks:
                continue  # swallowed
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof() and passage.speaks:
            with suppress(OSError):
                writer.write_eof()
