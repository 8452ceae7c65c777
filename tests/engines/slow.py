"""A TCP proxy that passes on only so many bytes a second, so that a pull can be watched and cancelled."""

import asyncio
import threading
import time
from contextlib import suppress

from tests.servers.closing import close_server

PIECE = 16 * 1024


class SlowProxy:
    """Listens on a port of `host` and passes connections on to `port`. What comes back is slow, all connections together.

    `bytes_per_second` may be changed while it runs; 0 holds everything back.
    """

    def __init__(self, host: str, port: int, bytes_per_second: int) -> None:
        self.host = host
        self.bytes_per_second = bytes_per_second
        self.address = ""
        self.passed = 0  # bytes that came back
        self._target = port
        self._loop = asyncio.new_event_loop()
        self._turn = asyncio.Lock()
        self._thread = threading.Thread(target=self._loop.run_forever, name="slow-proxy", daemon=True)

    def __enter__(self) -> "SlowProxy":
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, self.host, 0), self._loop
        ).result(10)
        self.address = f"{self.host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(close_server(self._server), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def is_still(self, seconds: float = 0.7) -> bool:
        """Whether nothing is asked for any more: at full speed nothing comes back for a while."""
        before, self.bytes_per_second = self.passed, 1_000_000_000
        time.sleep(seconds)
        return self.passed == before

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            back, forth = await asyncio.open_connection(self.host, self._target)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass(reader, forth, slowly=False))
                    tasks.create_task(self._pass(back, writer, slowly=True))
            except* OSError:
                pass  # one side has left: the other one is told by the close
            finally:
                forth.close()
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, slowly: bool) -> None:
        while piece := await reader.read(PIECE):
            if slowly:
                await self._wait_for_turn(len(piece))
                self.passed += len(piece)
            writer.write(piece)
            await writer.drain()
        if writer.can_write_eof():
            with suppress(OSError):
                writer.write_eof()

    async def _wait_for_turn(self, size: int) -> None:
        async with self._turn:
            while not self.bytes_per_second:
                await asyncio.sleep(0.05)
            await asyncio.sleep(size / self.bytes_per_second)
