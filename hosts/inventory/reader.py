"""Reads an engine's event stream for the watcher."""

from collections.abc import AsyncIterator
from typing import Any

import orjson

EVENT_AT_MOST = 1024 * 1024


async def lines(stream: Any) -> AsyncIterator[Any]:
    """The JSON objects of an event stream, one a line; a line that is no JSON is left out."""
    rest = b""
    while block := await stream.read():
        *whole, rest = (rest + block).split(b"\n")
        if len(rest) > EVENT_AT_MOST:
            rest = b""
        for line in whole:
            if line.strip():
                try:
                    yield orjson.loads(line)
                except orjson.JSONDecodeError:
                    continue
