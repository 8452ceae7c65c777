"""What comes from a blocking iterator, sent by the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress


async def from_thread(first: bytes, blocks: Iterator[bytes], end: Callable[[], None]) -> AsyncGenerator[bytes]:
    """`first` and what `blocks` gives, by a thread of its own: a slow source holds nobody else up. `end` (from any
    thread) makes the source stop when nobody reads any more; then the iterator is closed."""
    thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="download")
    loop = asyncio.get_running_loop()
    try:
        yield first
        while block := await loop.run_in_executor(thread, next, blocks, b""):
            yield block
    finally:
        end()
        with suppress(RuntimeError):
            thread.submit(_close, blocks)
        thread.shutdown(wait=False)


def _close(blocks: Iterator[bytes]) -> None:
    close = getattr(blocks, "close", None)
    if close is not None:
        with suppress(Exception):  # a source that was ended complains
            close()
