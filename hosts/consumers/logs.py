"""/ws/logs: the logs of one or more containers, the last lines first and then what follows."""

import asyncio
from typing import Any

import orjson
from channels.db import database_sync_to_async

from accounts.rights import Right
from accounts.sockets import UNKNOWN
from hosts.consumers.base import BAD_QUERY, ContainerConsumer, Refusal, target_of
from hosts.consumers.hub import current_hub
from hosts.engine.frames import normal_stamp, stamp_of
from hosts.engine.logs import LogQuery
from hosts.engine.targets import Target
from hosts.log_choice import Chosen, LogChoice, chosen

TAIL = "500"
READS_AT_ONCE = 4
MESSAGE_AT_MOST = 256 * 1024  # characters of the message that names the choice
NEW_ONES_EVERY = 3.0  # seconds between two looks for containers that joined a host or project


class LogsConsumer(ContainerConsumer):
    """`target` (repeatable), `host`, `project`, `tail`, `since`, `until`, `stdout`, `stderr`, `follow`, or all of that in
    the first message: see docs/sockets.md."""

    rule = Right.LOGS_VIEW

    async def start(self, query: dict[str, list[str]]) -> None:
        """Follows each target; with follow=0 or an `until` reads each once, says so and closes."""
        self._begun = False
        if query.get("by") != ["message"]:
            self._begun = True
            await self._begin(query, named_all=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The first message of a socket opened with by=message names the choice: an address has no room for it."""
        if self._begun:
            return
        self._begun = True
        await self.answer(self._begin(query_of(text_data or ""), named_all=False))

    async def _begin(self, query: dict[str, list[str]], *, named_all: bool) -> None:
        self._wanted = log_query(query)
        choice = LogChoice.of(lambda name: query.get(name, []))
        if named_all and not choice.grows:
            found = Chosen(await self.containers(query.get("target", [])))
        else:
            found = await database_sync_to_async(chosen)(self.user, choice)
        if not found.containers and not choice.grows:
            raise Refusal(UNKNOWN)
        self._containers = found.containers
        self._tell(found)
        if _flag(query, "follow") and not self._wanted.until:
            self._follow(0)
            if choice.grows:
                self.spawn(self._watch_new(choice))
        else:
            self.spawn(self._finish())

    def _tell(self, found: Chosen) -> None:
        self.tell_targets(self._containers, unknown=found.unknown, left_out=found.left_out)

    def _follow(self, first: int) -> None:
        for place, container in enumerate(self._containers[first:], first):
            if container.host.enabled:
                self.spawn(current_hub().watch(self.viewer, place, target_of(container), self._wanted))
            else:
                self.tell_disabled(place)

    async def _watch_new(self, choice: LogChoice) -> None:
        """Containers that come to a host or project join; those that are removed say so themselves."""
        left_out = -1
        while True:
            await asyncio.sleep(NEW_ONES_EVERY)
            found = await database_sync_to_async(chosen)(self.user, choice)
            known = {container.pk for container in self._containers}
            new = [container for container in found.containers if container.pk not in known]
            if new or found.left_out != left_out >= 0:
                first = len(self._containers)
                self._containers = [*self._containers, *new]
                self._tell(found)
                self._follow(first)
            left_out = found.left_out

    async def _finish(self) -> None:
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def read(place: int, target: Target) -> None:
            async with gate:
                await current_hub().read(self.viewer, place, target, self._wanted)

        reads = []
        for place, container in enumerate(self._containers):
            if container.host.enabled:
                reads.append(self.spawn(read(place, target_of(container))))
            else:
                self.tell_disabled(place)
        await asyncio.gather(*reads)
        self.viewer.tell({"t": "end"})
        await self.viewer.drained()
        await self.leave()


def query_of(text: str) -> dict[str, list[str]]:
    """A message {"target": ["fra-1/web"], "host": [], "tail": 500} as a query. Raises Refusal."""
    try:
        message: Any = orjson.loads(text[:MESSAGE_AT_MOST])
    except orjson.JSONDecodeError:
        message = None
    if not isinstance(message, dict):
        raise Refusal(BAD_QUERY, "The first message must be a JSON object that names the choice.")
    found = {}
    for name, value in message.items():
        values = value if isinstance(value, list) else [value]
        found[name] = [_word(each) for each in values if isinstance(each, str | int | float)]
    return found


def _word(value: str | float) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _flag(query: dict[str, list[str]], name: str) -> bool:
    return query.get(name, ["1"])[-1].lower() not in {"0", "false", "no"}


def log_query(query: dict[str, list[str]]) -> LogQuery:
    """The part of a log that a query names. Raises Refusal."""
    tail = query.get("tail", [TAIL if not query.get("since") else "all"])[-1]
    if tail != "all" and not (tail.isascii() and tail.isdecimal() and len(tail) < 10):
        raise Refusal(BAD_QUERY, 'tail must be a number or "all".')
    stdout, stderr = _flag(query, "stdout"), _flag(query, "stderr")
    if not stdout and not stderr:
        raise Refusal(BAD_QUERY, "Ask for stdout, stderr or both.")
    return LogQuery(tail, _moment(query, "since"), _moment(query, "until"), stdout, stderr)


def _moment(query: dict[str, list[str]], name: str) -> str:
    """RFC 3339, or seconds since 1970 with up to nine decimals."""
    text = query.get(name, [""])[-1].strip()
    if not text:
        return ""
    stamp = normal_stamp(text)
    seconds, _, fraction = text.partition(".")
    if not stamp and (seconds + fraction).isascii() and seconds.isdecimal() and len(seconds) < 12:
        stamp = stamp_of(int(seconds) * 1_000_000_000 + int((fraction or "0")[:9].ljust(9, "0")))
    if not stamp:
        raise Refusal(BAD_QUERY, f"{name} must be a time like 2026-11-24T06:38:36Z or seconds since 1970.")
    return stamp
