"""/ws/logs: the logs of one or more containers, the last lines first and then what follows."""

import asyncio

from accounts.rights import Right
from hosts.consumers.base import BAD_QUERY, ContainerConsumer, Refusal, target_of
from hosts.consumers.hub import current_hub
from hosts.engine.frames import normal_stamp, stamp_of
from hosts.engine.logs import LogQuery, Target

TAIL = "500"
READS_AT_ONCE = 4


class LogsConsumer(ContainerConsumer):
    """`target` (repeatable), `tail`, `since`, `until`, `stdout`, `stderr`, `follow`: see docs/sockets.md."""

    rule = Right.LOGS_VIEW

    async def start(self, query: dict[str, list[str]]) -> None:
        """Follows each target; with follow=0 or an `until` reads each once, says so and closes."""
        wanted = log_query(query)
        containers = await self.containers(query.get("target", []))
        self.tell_targets(containers)
        hub, gate = current_hub(), asyncio.Semaphore(READS_AT_ONCE)
        follow = _flag(query, "follow") and not wanted.until

        async def read(place: int, target: Target) -> None:
            async with gate:
                await hub.read(self.viewer, place, target, wanted)

        reads = []
        for place, container in enumerate(containers):
            if not container.host.enabled:
                self.tell_disabled(place)
            elif follow:
                self.spawn(hub.watch(self.viewer, place, target_of(container), wanted))
            else:
                reads.append(self.spawn(read(place, target_of(container))))
        if not follow:
            self.spawn(self._finish(reads))

    async def _finish(self, reads: list["asyncio.Task[None]"]) -> None:
        await asyncio.gather(*reads)
        self.viewer.tell({"t": "end"})
        await self.viewer.drained()
        await self.leave()


def _flag(query: dict[str, list[str]], name: str) -> bool:
    return query.get(name, ["1"])[-1].lower() not in {"0", "false", "no"}


def log_query(query: dict[str, list[str]]) -> LogQuery:
    """The part of a log that a query string names. Raises Refusal."""
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
