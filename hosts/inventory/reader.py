"""Reads JSON from an engine for the watcher: total deadlines, bounded answers, nothing that blocks the loop."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import NotAnEngine, TimedOut
from hosts.engine.streams import open_stream

ANSWER_AT_MOST = 128 * 1024 * 1024  # bytes; 10,000 containers with long labels are about 40 MB
EVENT_AT_MOST = 1024 * 1024


async def get_json(
    endpoint: Endpoint, path: str, params: dict[str, str] | None = None, *, version: str, deadline: float
) -> Any:
    """The decoded answer of a GET within `deadline` seconds in all; raises EngineError."""
    try:
        async with asyncio.timeout(deadline):
            stream = await open_stream(endpoint, path, params, api_version=version, head_timeout=deadline)
            try:
                body = bytearray()
                while block := await stream.read():
                    body += block
                    if len(body) > ANSWER_AT_MOST:
                        raise NotAnEngine(f"{path} answered more than 128 MiB", where=endpoint.address)
            finally:
                stream.close()
    except TimeoutError as error:
        raise TimedOut(f"no answer within {deadline:g} s", where=endpoint.address, seconds=deadline) from error
    try:
        return orjson.loads(bytes(body))
    except orjson.JSONDecodeError as error:
        raise NotAnEngine(f"{path} did not answer JSON", where=endpoint.address) from error


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
