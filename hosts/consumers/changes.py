"""/ws/changes: which rows changed, for every open page; no data, so a page fetches what it may see."""

from typing import Any

import orjson

from accounts.rights import Right, allows
from accounts.sockets import GuardedConsumer
from common.events import GROUP
from hosts.consumers.counts import counts

RIGHT_OF = {
    "container": Right.CONTAINERS_VIEW,
    "image": Right.IMAGES_VIEW,
    "network": Right.NETWORKS_VIEW,
    "volume": Right.VOLUMES_VIEW,
    "host": Right.HOSTS_VIEW,
    "job": Right.JOBS_VIEW,
    "event": Right.EVENTS_VIEW,
    "stats": Right.STATS_VIEW,
}


class ChangesConsumer(GuardedConsumer):
    """Sends {"t": "changes", "items": [{"kind", "host", "ids"}]}; an empty `ids` means any row of that kind."""

    rule = Right.LOGIN
    hosts = ()  # for counts: it is about all of them
    stuck_for = 0.0

    async def opened(self) -> None:
        self.spawn(counts.during(self, "changes"))
        await self.channel_layer.group_add(GROUP, self.channel_name)
        await self.send(text_data='{"t":"ready"}')

    async def changes(self, message: dict[str, Any]) -> None:
        """A message of common.events."""
        items = [i for i in message["items"] if i["kind"] in RIGHT_OF and allows(self.user, RIGHT_OF[i["kind"]])]
        if items:
            await self.send(text_data=orjson.dumps({"t": "changes", "items": items}).decode())

    async def disconnect(self, code: int) -> None:
        await super().disconnect(code)
        await self.channel_layer.group_discard(GROUP, self.channel_name)
