"""/ws/logs: the logs of one or more containers or tasks, the last lines first and then what follows."""

import asyncio

from channels.db import database_sync_to_async

from accounts.rights import Right
from accounts.sockets import UNKNOWN
from hosts.consumers.base import ContainerConsumer, Refusal, why_off
from hosts.consumers.choices import Query, flag, log_query, message_of, place_of, query_of
from hosts.consumers.hub import current_hub
from hosts.engine.places import Place
from hosts.engine.targets import Target
from hosts.log_choice import Chosen, LogChoice, chosen

READS_AT_ONCE = 4
NEW_ONES_EVERY = 3.0  # seconds between two looks for containers that joined a host or project


class LogsConsumer(ContainerConsumer):
    """`target` (repeatable), `host`, `project`, `tail`, `since`, `until`, `stdout`, `stderr`, `follow`, or all of that in
    the first message: see docs/sockets.md."""

    rule = Right.LOGS_VIEW

    async def start(self, query: Query) -> None:
        """Follows each target; with follow=0 or an `until` reads each once, says so and closes."""
        self._begun = False
        self._behind: dict[str, Place] = {}  # HOST/ID -> up to where the browser has the log already
        if query.get("by") != ["message"]:
            self._begun = True
            await self._begin(query, named_all=True)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """The first message of a socket opened with by=message names the choice: an address has no room for it."""
        if self._begun:
            return
        self._begun = True
        await self.answer(self._first_message(text_data))

    async def _first_message(self, text: str | None) -> None:
        message = message_of(text)
        behind = message.pop("behind", None)
        if isinstance(behind, dict):
            self._behind = {str(name): place_of(value) for name, value in behind.items()}
        await self._begin(query_of(message), named_all=False)

    async def _begin(self, query: Query, *, named_all: bool) -> None:
        self._wanted = log_query(query)
        choice = LogChoice.of(lambda name: query.get(name, []))
        if named_all and not choice.grows:
            found = Chosen(await self.logs(query.get("target", [])))
        else:
            found = await database_sync_to_async(chosen)(self.user, choice)
        if not found.logs and not choice.grows:
            raise Refusal(UNKNOWN)
        self._logs = found.logs
        self._tell(found)
        if flag(query, "follow") and not self._wanted.until:
            self._follow(0)
            if choice.grows:
                self.spawn(self._watch_new(choice))
        else:
            self.spawn(self._finish())

    def _tell(self, found: Chosen) -> None:
        self.tell_targets(self._logs, unknown=found.unknown, left_out=found.left_out)

    def _follow(self, first: int) -> None:
        for place, log in enumerate(self._logs[first:], first):
            if log.is_on:
                behind = self._behind.get(log.ref)
                self.spawn(current_hub().watch(self.viewer, place, log.target, self._wanted, behind))
            else:
                self.tell_disabled(place, why_off(log))

    async def _watch_new(self, choice: LogChoice) -> None:
        """Containers that come to a host or project join; those that are removed say so themselves."""
        left_out = -1
        while True:
            await asyncio.sleep(NEW_ONES_EVERY)
            found = await database_sync_to_async(chosen)(self.user, choice)
            known = {log.key for log in self._logs}
            new = [log for log in found.logs if log.key not in known]
            if new or found.left_out != left_out >= 0:
                first = len(self._logs)
                self._logs = [*self._logs, *new]
                self._tell(found)
                self._follow(first)
            left_out = found.left_out

    async def _finish(self) -> None:
        gate = asyncio.Semaphore(READS_AT_ONCE)

        async def read(place: int, target: Target) -> None:
            async with gate:
                await current_hub().read(self.viewer, place, target, self._wanted)

        reads = []
        for place, log in enumerate(self._logs):
            if log.is_on:
                reads.append(self.spawn(read(place, log.target)))
            else:
                self.tell_disabled(place, why_off(log))
        await asyncio.gather(*reads)
        self.viewer.tell({"t": "end"})
        await self.viewer.drained()
        await self.leave()
