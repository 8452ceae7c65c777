"""A TCP proxy with an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any, Self, TypeVar

from tests.servers.closing import close_server

T = TypeVar("T")


class Proxy:
    """`with Proxy(host) as proxy`: listens at `address`, a free port of `host`, and serves each connection by `serve`."""

    def __init__(self, host: str) -> None:
        self.host = host
        self.address = ""
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=type(self).__name__, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = self.call(asyncio.start_server(self.serve, self.host, 0))
        self.address = f"{self.host}:{self._server.sockets[0].getsockname()[1]}"
        return self

    def __exit__(self, *_: object) -> None:
        self.call(self.end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def call(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """What a coroutine gives in the proxy's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def end(self) -> None:
        """Ends all connections."""
        await close_server(self._server)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        raise NotImplementedError
