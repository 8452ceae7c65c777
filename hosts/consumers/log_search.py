"""/ws/logs/search: looks for lines in whole logs of many containers, newest first, and sends them as they are found."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async

from accounts.rights import Right
from accounts.sockets import TOO_MANY, UNKNOWN
from hosts.consumers.base import BAD_QUERY, ContainerConsumer, Refusal, why_off
from hosts.consumers.choices import Query, flag, message_of, moment, query_of
from hosts.engine.errors import EngineError
from hosts.engine.levels import LEVELS
from hosts.engine.places import open_source
from hosts.engine.search import BadPattern, Found, Matcher, Search, Wanted
from hosts.log_choice import LogChoice, chosen
from hosts.log_sources import Log

SEARCHES_AT_ONCE, OF_ONE_USER = 4, 2  # in this process
LOGS_AT_ONCE = 3  # that one search reads at the same time
HITS_AT_MOST = 5000  # that are sent; all are counted
SECONDS_AT_MOST = 600.0
BYTES_AT_MOST = 16 * 1024**3
PROGRESS_EVERY = 0.5  # seconds
STREAMS = {"stdout": 1, "stderr": 2}


class Gate:
    """How many searches run at once: more wait, and one person has no more than a few, waiting or running."""

    def __init__(self) -> None:
        self._all = asyncio.Semaphore(SEARCHES_AT_ONCE)
        self._users: Counter[int] = Counter()

    @asynccontextmanager
    async def turn(self, user: int) -> AsyncIterator[None]:
        """Raises Refusal when this user has too many."""
        if self._users[user] >= OF_ONE_USER:
            raise Refusal(TOO_MANY, "Searches of yours are still under way. Stop one first.")
        self._users[user] += 1
        try:
            async with self._all:
                yield
        finally:
            self._users[user] -= 1
            self._users += Counter()  # forgets those with none


_gates: WeakKeyDictionary[asyncio.AbstractEventLoop, Gate] = WeakKeyDictionary()


class _Log:
    """One log in a search. `failed` is the message that says why it could not be read to its beginning."""

    def __init__(self, place: int, source: Log) -> None:
        self.place = place
        self.source = source
        self.search: Search | None = None
        self.failed = self.ended = False
        self.lines = self.hits = 0
        self.back_to = ""
        self.told = 0.0

    def progress(self, kind: str) -> dict[str, object]:
        return {"t": kind, "target": self.place, "lines": self.lines, "hits": self.hits, "to": self.back_to}


class LogSearchConsumer(ContainerConsumer):
    """`target`, `host`, `project` as for /ws/logs; `q`, `regex`, `case`, `level`, `stream`, `since`, `until`, or all of
    that in the first message (by=message): see docs/sockets.md. Closing the socket ends the search."""

    rule = Right.LOGS_VIEW

    async def start(self, query: Query) -> None:
        """Searches and closes."""
        self._begun = query.get("by") != ["message"]
        if self._begun:
            await self._begin(query)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The first message, when it names the search."""
        if not self._begun:
            self._begun = True
            await self.answer(self._first_message(text_data))

    async def _first_message(self, text: str | None) -> None:
        await self._begin(query_of(message_of(text)))

    async def _begin(self, query: Query) -> None:
        self._matcher = matcher_of(query)
        found = await database_sync_to_async(chosen)(self.user, LogChoice.of(lambda name: query.get(name, [])))
        if not found.logs:
            raise Refusal(UNKNOWN)
        self.tell_targets(found.logs, unknown=found.unknown, left_out=found.left_out)
        self._logs = [_Log(place, log) for place, log in enumerate(found.logs)]
        self._sent, self._size, self._until = 0, 0, time.monotonic() + SECONDS_AT_MOST
        self.spawn(self._run())

    # ---------------------------------------------------------------- the search
    async def _run(self) -> None:
        gate = _gates.setdefault(asyncio.get_running_loop(), Gate())
        try:
            async with gate.turn(self.user.pk):
                stopped = await self._all()
        except Refusal as refusal:
            return await self.leave(refusal.code, refusal.reason)
        hits, lines = sum(log.hits for log in self._logs), sum(log.lines for log in self._logs)
        failed = [log.place for log in self._logs if log.failed]
        self.viewer.tell({"t": "end", "hits": hits, "lines": lines, "failed": failed, "stopped": stopped})
        await self.viewer.drained()
        await self.leave()

    async def _all(self) -> str:
        """Each pass through all logs before the next one: the newest hits of all come first. Returns what bound ended
        it, "" when it was done."""
        rest = self._logs
        while rest:
            turn = asyncio.Semaphore(LOGS_AT_ONCE)

            async def go(log: _Log, turn: asyncio.Semaphore = turn) -> None:
                async with turn:
                    await self._pass(log)

            tasks = [asyncio.create_task(go(log)) for log in rest]
            try:
                await asyncio.gather(*tasks)
            finally:
                for task in tasks:
                    task.cancel()
            rest = [log for log in rest if not log.ended]
            if rest and self._stopped:
                for log in rest:
                    self.viewer.tell(log.progress("progress"))
                return self._stopped
        return ""

    @property
    def _stopped(self) -> str:
        if time.monotonic() > self._until:
            return "time"
        return "bytes" if self._size > BYTES_AT_MOST else ""

    async def _pass(self, log: _Log) -> None:
        """One pass through one log; what is wrong with its host is said and ends it, and no other."""
        try:
            if not log.source.is_on:
                return self._fail(log, "disabled", why_off(log.source))
            if log.search is None:
                log.search = Search(await open_source(log.source.target), self._matcher)
            async for found in log.search.go():
                await self._take(log, found)
                if self._stopped:
                    return
        except EngineError as error:
            return self._fail(log, error.code, str(error))
        if log.search.whole:
            log.ended = True
            self.viewer.tell(log.progress("done"))

    def _fail(self, log: _Log, code: str, reason: str) -> None:
        log.ended = log.failed = True
        self.viewer.tell(log.progress("failed") | {"code": code, "reason": reason})

    async def _take(self, log: _Log, found: Found) -> None:
        log.lines += found.lines
        log.hits += len(found.hits)
        log.back_to = found.back_to or log.back_to
        self._size += found.size
        sent = found.hits[-max(0, HITS_AT_MOST - self._sent) :] if self._sent < HITS_AT_MOST else []
        self._sent += len(sent)
        if sent:
            self.viewer.tell({"t": "hits", "target": log.place, "hits": [tuple(hit) for hit in sent]})
            await self.viewer.drained()
        if time.monotonic() - log.told > PROGRESS_EVERY:
            log.told = time.monotonic()
            self.viewer.tell(log.progress("progress"))


def matcher_of(query: Query) -> Matcher:
    """What a query looks for. Raises Refusal."""
    levels = frozenset(query.get("level", []))
    streams = frozenset(query.get("stream", []))
    if levels - set(LEVELS) or streams - set(STREAMS):
        raise Refusal(BAD_QUERY, f"level is one of {', '.join(LEVELS)}; stream is stdout or stderr.")
    wanted = Wanted(
        query.get("q", [""])[-1],
        flag(query, "regex", "0"),
        flag(query, "case", "0"),
        levels,
        frozenset(STREAMS[stream] for stream in streams),
        moment(query, "since"),
        moment(query, "until"),
    )
    try:
        return Matcher(wanted)
    except BadPattern as error:
        raise Refusal(BAD_QUERY, f"Not a regular expression: {error}") from error
