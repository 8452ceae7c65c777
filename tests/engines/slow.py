"""A TCP proxy that passes on only so many bytes a second, so that a pull can be watched and cancelled."""

import asyncio
import time
from contextlib import suppress

from tests.engines.proxy import Proxy

PIECE = 16 * 1024


class SlowProxy(Proxy):
    """Listens on a port of `host` and passes connections on to `port` of the same host, or of `to`. What comes back is slow, all connections together;
    with `sent`, what goes there, too.

    `bytes_per_second` may be changed while it runs; 0 holds everything back.
    """

    def __init__(self, host: str, port: int, bytes_per_second: int, to: str = "", *, sent: bool = False) -> None:
        super().__init__(host)
        self.to = to or host
        self.bytes_per_second = bytes_per_second
        self.passed = 0  # bytes that went slowly
        self._sent = sent
        self._target = port
        self._turn = asyncio.Lock()
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Ends the connections that there are, without a word; new ones are taken."""

        async def abort() -> None:
            for writer in list(self._writers):
                writer.transport.abort()

        self.call(abort())

    def is_still(self, seconds: float = 0.7) -> bool:
        """Whether nothing is asked for any more: at full speed nothing comes back for a while."""
        before, self.bytes_per_second = self.passed, 1_000_000_000
        time.sleep(seconds)
        return self.passed == before

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            back, forth = await asyncio.open_connection(self.to, self._target)
            self._writers |= {writer, forth}
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._pass(reader, forth, slowly=self._sent))
                    tasks.create_task(self._pass(back, writer, slowly=True))
            except* OSError:
                pass  # one side has left: the other one is told by the close
            finally:
                self._writers -= {writer, forth}
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
