"""/ws/logs/pages: parts of logs around a place or a time, asked for one by one by an open log view."""

import asyncio
from typing import Any

from channels.db import database_sync_to_async

from accounts.rights import Right
from common.errors import DermagaError
from hosts.consumers.base import BAD_QUERY, ContainerConsumer, Refusal, why_off
from hosts.consumers.choices import message_of, place_of
from hosts.engine.errors import EngineError
from hosts.engine.places import Page, Source, after, before, open_source
from hosts.log_sources import get_log

AT_ONCE = 4  # parts that are read at the same time for one view
WAITING_AT_MOST = 500
LINES_AT_MOST = 20_000


class LogPagesConsumer(ContainerConsumer):
    """{"id", "target", "before" or "after": [timestamp, have], "count", "behind"}: see docs/sockets.md."""

    rule = Right.LOGS_VIEW

    async def start(self, query: dict[str, list[str]]) -> None:
        """Waits for what is asked."""
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._sources: dict[str, Source] = {}  # whether a container has a terminal never changes
        self._waiting = 0

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """One question; answers come as they are ready."""
        await self.answer(self._take(text_data))

    async def _take(self, text: str | None) -> None:
        message = message_of(text)
        if self._waiting >= WAITING_AT_MOST:
            raise Refusal(BAD_QUERY, f"At most {WAITING_AT_MOST} questions at once.")
        self._waiting += 1
        self.spawn(self._reply(message))

    async def _reply(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        try:
            async with self._gate:
                page = await self._page(message)
                lines = [line[1:] for line in page.lines]
                self.viewer.tell({"t": "page", "id": number, "lines": lines, "more": page.more, "found": page.found})
                await self.viewer.drained()  # a page may be megabytes: the next is read when this one has left
        except (EngineError, DermagaError, Refusal) as error:
            self._sources.pop(str(message.get("target", "")), None)  # another manager may know a task's log
            reason = error.reason if isinstance(error, Refusal) else str(error)
            code = getattr(error, "code", "")
            self.viewer.tell({"t": "failed", "id": number, "code": str(code), "reason": reason})
        finally:
            self._waiting -= 1

    async def _page(self, message: dict[str, Any]) -> Page:
        count, behind = message.get("count", 500), message.get("behind", 0)
        if not isinstance(count, int) or not isinstance(behind, int) or not 0 < count <= LINES_AT_MOST or behind < 0:
            raise Refusal(BAD_QUERY, f"count is a number up to {LINES_AT_MOST}.")
        place = place_of(message.get("before") or message.get("after"))
        source = await self._source(str(message.get("target", "")))
        if "before" in message:
            return await before(source, place, count, behind)
        return await after(source, place, count)

    async def _source(self, name: str) -> Source:
        log = await database_sync_to_async(get_log)(self.user, name, self.rule)
        if not log.is_on:
            raise Refusal(BAD_QUERY, why_off(log))
        target = log.target
        known = self._sources.get(name)
        if known is None or known.target.endpoint not in {way.endpoint for way in target.ways}:
            known = self._sources[name] = await open_source(target)
        return known
