"""Logs that are silent: a host that vanishes, and a proxy that stalls, send no end."""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any

from hosts.consumers.feeds import Feed
from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.streams import ping

PING_EVERY = 15.0  # seconds of silence after which an engine is asked whether it is still there
PING_DEADLINE = 5.0
CHECK_AT_MOST = 120.0  # seconds between two looks whether a silent log has grown; they double up to here
CHECKS_AT_ONCE = 4


async def watch_over(feeds: Mapping[Any, Feed]) -> None:
    """Cuts the feeds of engines that do not answer, and those that miss lines which the log has. Until cancelled."""
    while True:
        await asyncio.sleep(PING_EVERY / 3)
        await _ask_engines(tuple(feeds.values()))
        await _check_logs(tuple(feeds.values()))


async def _ask_engines(feeds: Iterable[Feed]) -> None:
    silent: dict[Endpoint, list[Feed]] = {}
    heard: set[Endpoint] = set()
    for feed in feeds:
        if time.monotonic() - feed.heard < PING_EVERY:
            heard.add(feed.target.endpoint)
        elif feed.ready.is_set():
            silent.setdefault(feed.target.endpoint, []).append(feed)
    asked = [endpoint for endpoint in silent if endpoint not in heard]
    answers = await asyncio.gather(*(ping(e, PING_DEADLINE) for e in asked), return_exceptions=True)
    for endpoint, answer in zip(asked, answers, strict=True):
        for feed in silent[endpoint]:
            if isinstance(answer, EngineError):
                feed.cut(answer)
            else:
                feed.heard = time.monotonic()


async def _check_logs(feeds: Iterable[Feed]) -> None:
    gate = asyncio.Semaphore(CHECKS_AT_ONCE)

    async def check(feed: Feed) -> None:
        async with gate:
            await feed.check(PING_DEADLINE)

    await asyncio.gather(*(check(feed) for feed in feeds if _is_due(feed)))


def _is_due(feed: Feed) -> bool:
    wait = max(PING_EVERY, min(CHECK_AT_MOST, feed.checked - feed.read))
    return feed.ready.is_set() and time.monotonic() - max(feed.checked, feed.read) >= wait
