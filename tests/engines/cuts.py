"""A TCP proxy in front of an engine that cuts all connections when it is told to."""

import asyncio
import socket
import struct
import threading
import time
from contextlib import suppress
from typing import Self

from tests.servers.closing import close_server

PIECE = 64 * 1024


class CutProxy:
    """Listens on the loopback and passes connections on to `host`:`port`."""

    def __init__(self, host: str, port: int) -> None:
        self.url = ""
        self.cuts = 0
        self.followed_at = (
            0.0  # when (monotonic seconds) the event stream that is open now was asked for; 0 while none is
        )
        self._target = (host, port)
        self._open: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cut-proxy", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(10)
        self.url = f"tcp://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(close_server(self._server), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def cut(self, *, politely: bool) -> None:
        """Ends every connection: by a close, as after an idle timeout, or by a reset."""
        self.cuts += 1
        self._loop.call_soon_threadsafe(self._cut, politely)

    def _cut(self, politely: bool) -> None:
        self.followed_at = 0.0
        for writer in list(self._open):
            if politely:
                writer.close()
            else:
                sock = writer.get_extra_info("socket")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            back, forth = await asyncio.open_connection(*self._target)
            self._open |= {writer, forth}
            asked = 0.0
            try:
                first = await reader.read(PIECE)
                if b"/events?" in first:
                    self.followed_at = asked = time.monotonic()
                forth.write(first)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass(reader, forth))
                    tasks.create_task(self._pass(back, writer))
            except* OSError:
                pass  # one side has left, or was cut: the other one is told by the close
            finally:
                self._open -= {writer, forth}
                forth.close()
                if asked and self.followed_at == asked:
                    self.followed_at = 0.0
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(PIECE):
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()
