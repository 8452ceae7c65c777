"""Ending an asyncio server that lives in a thread of its own."""

import asyncio


async def close_server(server: asyncio.Server) -> None:
    """Stops listening and ends every other task of the running loop: the server's connections."""
    server.close()
    mine = asyncio.current_task()
    others = [task for task in asyncio.all_tasks() if task is not mine]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
