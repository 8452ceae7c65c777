"""A viewer's queue: bounded, in order, and exact about what did not fit."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from hosts.consumers import viewers
from hosts.consumers.feeds import Subscription
from hosts.consumers.viewers import Batch, Viewer
from hosts.engine.cursors import Cursor
from hosts.engine.frames import Line
from hosts.engine.logs import LogQuery


class Browser:
    """What arrived; `reads` says whether it takes what comes."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.reads = asyncio.Event()

    async def send(self, text: str) -> None:
        await self.reads.wait()
        self.messages.append(json.loads(text))

    def numbers(self) -> list[int]:
        """The number of each line, and -1 for each one skipped, in the order in which they were told."""
        found: list[int] = []
        for message in self.messages:
            found += [-1] * message.get("count", 0)
            found += [int(text) for _, _, _, text in message.get("lines", [])]
        return found


@asynccontextmanager
async def viewing(queue_at_most: int = 10_000) -> AsyncIterator[tuple[Browser, Viewer]]:
    browser = Browser()
    viewer = Viewer(browser.send, queue_at_most)
    task = asyncio.create_task(viewer.run())
    try:
        yield browser, viewer
    finally:
        task.cancel()


def offer(viewer: Viewer, first: int, count: int = 1, place: int = 0) -> None:
    lines: list[Line] = [
        (place, 1, f"2026-11-24T06:38:36.{number:09d}Z", str(number)) for number in range(first, first + count)
    ]
    text, lines = Batch([(0, *line[1:]) for line in lines], 100).seen(place, True, True)
    viewer.offer(text, lines)
    viewer.flush()


async def sent(viewer: Viewer) -> None:
    async with asyncio.timeout(5):
        await viewer.drained()
        while viewer._queue:
            await asyncio.sleep(0)


async def test_what_does_not_fit_is_counted_in_its_place() -> None:
    async with viewing() as (browser, viewer):
        for first in range(0, 2000, 10):
            offer(viewer, first, 10)
        assert viewer._size < 11_000
        browser.reads.set()
        await sent(viewer)
        offer(viewer, 2000, 10)
        await sent(viewer)
    numbers = browser.numbers()
    assert len(numbers) == 2010
    assert all(number in {-1, place} for place, number in enumerate(numbers))
    assert numbers[-10:] == list(range(2000, 2010))
    assert numbers.count(-1) == viewer.skipped_total > 1000


async def test_what_was_skipped_is_said_without_a_further_line() -> None:
    async with viewing() as (browser, viewer):
        for first in range(0, 1000, 10):
            offer(viewer, first, 10)
        browser.reads.set()
        await sent(viewer)
    assert len(browser.numbers()) == 1000
    (skipped,) = [message for message in browser.messages if message["t"] == "skipped"]
    assert skipped["from"] < skipped["to"]


@pytest.mark.parametrize("waiting", [4990, 4999, 5000, 5001])
async def test_no_count_is_lost_however_many_messages_wait(waiting: int) -> None:
    async with viewing(2 * 1024 * 1024) as (browser, viewer):
        for number in range(waiting):
            viewer.tell({"t": "state", "n": number})
        for number in range(20):
            offer(viewer, number)
        assert len(viewer._queue) <= max(waiting, viewers.MESSAGES_AT_MOST)
        browser.reads.set()
        await sent(viewer)
    assert len(browser.numbers()) == 20


async def test_targets_are_counted_apart() -> None:
    async with viewing(500) as (browser, viewer):
        for number in range(0, 100, 10):
            offer(viewer, number, 10, place=number % 20 // 10)
        browser.reads.set()
        await sent(viewer)
    skipped = {message["target"]: message["count"] for message in browser.messages if message["t"] == "skipped"}
    shown = [line for message in browser.messages for line in message.get("lines", [])]
    for place in (0, 1):
        assert skipped[place] + sum(line[0] == place for line in shown) == 50


async def test_a_gap_is_said_of_what_the_past_that_was_read_lacks_too() -> None:
    """The feed may be behind a viewer's past, and finds later that lines were rotated away which that spans already."""
    past = Cursor()
    past.add([(0, 1, f"2026-11-24T06:38:{second}.000000001Z", "") for second in (10, 30)], 100)
    async with viewing() as (browser, viewer):
        browser.reads.set()
        subscription = Subscription(viewer, 0, LogQuery())
        subscription.wait_again(Cursor())
        subscription.tell_gap("2026-11-24T06:38:10", "2026-11-24T06:38:50")  # it reads the past, and finds its own gaps
        subscription.go_live(past)
        subscription.tell_gap("2026-11-24T06:38:10", "2026-11-24T06:38:20")
        subscription.tell_gap("2026-11-24T06:38:20", "2026-11-24T06:38:40")
        await sent(viewer)
    assert [(gap["from"], gap["to"]) for gap in browser.messages] == [
        ("2026-11-24T06:38:30.000000001Z", "2026-11-24T06:38:40")
    ]
