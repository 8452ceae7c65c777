"""The life of a web process, as the server tells it (ASGI's lifespan): it shows that it lives from start to stop."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async

from hosts.consumers.counts import counts
from hosts.inventory import processes


async def lifespan(scope: Any, receive: Any, send: Any) -> None:
    """An ASGI application for the scope "lifespan"."""
    beating: asyncio.Task[None] | None = None
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            beating = asyncio.create_task(_beat(), name="heartbeat")
            await send({"type": "lifespan.startup.complete"})
        elif message["type"] == "lifespan.shutdown":
            if beating:
                beating.cancel()
            await database_sync_to_async(processes.leave)("web")
            return await send({"type": "lifespan.shutdown.complete"})


async def _beat() -> None:
    """From the server's own loop: one that hangs shows no heartbeat."""
    while True:
        await counts.write()
        await asyncio.sleep(processes.EVERY_SECONDS)
