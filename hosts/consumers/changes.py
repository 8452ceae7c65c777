"""/ws/changes: which rows changed, for every open page; no data, so a page asks for what it may see: here, by `show`."""

import asyncio
from typing import Any

import orjson

from accounts.rights import Right, standing_of
from accounts.sockets import TOO_SLOW, GuardedConsumer
from common.events import GROUP
from hosts.consumers.base import BAD_QUERY, Refusal
from hosts.consumers.choices import message_of
from hosts.consumers.counts import counts
from hosts.consumers.parts import NO_PART, Ask, PartView, is_live, parts

RIGHT_OF = {
    "container": Right.CONTAINERS_VIEW,
    "image": Right.IMAGES_VIEW,
    "network": Right.NETWORKS_VIEW,
    "volume": Right.VOLUMES_VIEW,
    "backup": Right.BACKUPS_VIEW,
    "plugin": Right.PLUGINS_VIEW,
    "swarm": Right.SWARM_VIEW,
    "node": Right.SWARM_VIEW,
    "service": Right.SERVICES_VIEW,
    "task": Right.SERVICES_VIEW,
    "secret": Right.SECRETS_VIEW,
    "config": Right.CONFIGS_VIEW,
    "host": Right.HOSTS_VIEW,
    "job": Right.JOBS_VIEW,
    "schedule": Right.JOBS_VIEW,
    "event": Right.EVENTS_VIEW,
    "stats": Right.STATS_VIEW,
}
OF_SWARMS = {"swarm", "node", "service", "task", "secret", "config"}  # their `host` is a swarm's name
ASKED_AT_MOST = 20  # at once by one page, which has two or three live parts
TOO_MANY_AT_ONCE = 429
TARGET_AT_MOST = 100
STUCK_SECONDS = 60.0  # a browser that takes nothing for so long is let go
NUMBERS = range(2**32)


class ChangesConsumer(GuardedConsumer):
    """Sends {"t": "changes", "items": [{"kind", "host", "ids"}]}; an empty `ids` means any row of that kind."""

    rule = Right.LOGIN
    hosts = ()  # for counts: it is about all of them
    stuck_for = 0.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked: set[int] = set()

    async def opened(self) -> None:
        self.spawn(counts.during(self, "changes"))
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.send(text_data='{"t":"ready"}')

    async def changes(self, message: dict[str, Any]) -> None:
        """A message of common.events."""
        items = [shown for item in message["items"] if (shown := self._shown(item))]
        if items:
            await self.send(text_data=orjson.dumps({"t": "changes", "items": items}).decode())

    def _shown(self, item: Any) -> Any:
        """The item as this user may see it, or None. Of what lies on no host that is granted to them, or on several, they
        hear no more than that something changed: the page asks for what it may see."""
        kind = item["kind"]
        if kind not in RIGHT_OF:
            return None
        reach, host = standing_of(self.user).reach(RIGHT_OF[kind]), item["host"]
        if kind in OF_SWARMS:  # a host may have its name
            return item if reach.everywhere else {"kind": kind, "host": "", "ids": []} if reach.anywhere else None
        if reach.covers(host):
            return item
        if host and reach.touches(host):  # whose it is, the message does not say
            return {"kind": kind, "host": host, "ids": []}
        return {"kind": kind, "host": "", "ids": []} if reach.anywhere and not host else None

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """{"t": "show", "id": 1, "url": "/containers/?state=running", "target": "containers"}: the part as it is now."""
        try:
            message = message_of(text_data)
        except Refusal as refusal:
            return await self.leave(refusal.code, refusal.reason)
        match message:
            case {"t": "show", "id": int(number), "url": str(url), "target": str(target)} if number in NUMBERS:
                if len(self.asked) >= ASKED_AT_MOST or number in self.asked:
                    await self._say(number, TOO_MANY_AT_ONCE)
                elif self.user.looker or not is_live(url) or len(target) > TARGET_AT_MOST:
                    await self._say(number, NO_PART)
                else:
                    self.asked.add(number)
                    parts().ask(PartView.of(self.scope, self.user, url, target), Ask(self, number))
            case _:
                await self.leave(BAD_QUERY, "Ask for a part by id, url and target.")

    def take_part(self, number: int, part: bytes | int) -> None:
        """Sends four bytes with the number, then the packed part; or why there is none here."""
        self.spawn(self._send_part(number, part))

    async def _send_part(self, number: int, part: bytes | int) -> None:
        try:
            async with asyncio.timeout(STUCK_SECONDS):
                if isinstance(part, bytes):
                    await self.send(bytes_data=number.to_bytes(4) + part)
                else:
                    await self._say(number, part)
        except TimeoutError:
            await self.leave(TOO_SLOW)
        finally:
            self.asked.discard(number)

    async def _say(self, number: int, status: int) -> None:
        await self.send(text_data=f'{{"t":"part","id":{number},"status":{status}}}')

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        parts().forget(self)
        await self.channel_layer.group_discard(GROUP, self.channel_name)
