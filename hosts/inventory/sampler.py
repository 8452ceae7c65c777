"""Samples the running containers of a host by one-shot calls, for the history and for what lists show.

A sample costs the engine's machine about 3 ms whatever the way, so what counts is how seldom: every
STATS_EVERY_SECONDS, and less often where a host has so many containers that STATS_SAMPLES_PER_MINUTE would not do.
A quick engine is asked over a few connections, one container after the other. Before Docker 25 each call waits about a
second for the engine's next round: the longer a round takes, the more are asked at once.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from django.conf import settings

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.kept import KeptConnection
from hosts.engine.stats import Rates, read_rates
from hosts.inventory import history
from hosts.inventory.turns import spread
from hosts.models import Container, Host

FIRST_AGAIN = 5.0  # a rate needs two samples: the second one comes soon
AT_ONCE = 50
AT_FIRST, MORE_AFTER = 5, 0.05  # so many are asked at once, and as many more each time so many seconds have passed
DEADLINE = 15.0
ONE_SHOT = {"stream": "0", "one-shot": "1"}

Answer = tuple[float, Any]  # when it came (monotonic seconds), and the engine's JSON


class Sampler:
    """Samples one host for as long as its connection lives."""

    def __init__(self, host: Host, endpoint: Endpoint, version: str, db: Any) -> None:
        self.host = host
        self.endpoint = endpoint
        self.version = version
        self.db = db
        self._before: dict[str, Answer] = {}

    async def run(self) -> None:
        """Until cancelled."""
        await self._round_and_wait(lambda every: FIRST_AGAIN)
        await self._round_and_wait(lambda every: every - spread(every))
        while True:
            await self._round_and_wait(lambda every: every)

    async def _round_and_wait(self, wait: Callable[[float], float]) -> None:
        began = time.monotonic()
        every = await self._round()
        await asyncio.sleep(max(1.0, wait(every) - (time.monotonic() - began)))

    async def _round(self) -> float:
        """Asks for all; gives the seconds until the next round."""
        containers: list[Container] = await self.db(_running, self.host.pk)
        every = max(settings.STATS_EVERY_SECONDS, len(containers) * 60 / settings.STATS_SAMPLES_PER_MINUTE)
        began = int(time.time())
        came = await self._ask_all([container.engine_id for container in containers])
        taken = [
            history.Taken(container, rates)
            for container in containers
            if container.engine_id in came and (rates := self._rates(container.engine_id, came[container.engine_id]))
        ]
        self._before = came
        if taken or not containers:
            await self.db(history.record, self.host, began, taken, every)
        return every

    def _rates(self, engine_id: str, answer: Answer) -> Rates | None:
        before = self._before.get(engine_id)
        return read_rates(answer[1], before[1], answer[0] - before[0]) if before else None

    async def _ask_all(self, engine_ids: list[str]) -> dict[str, Answer]:
        """The answers by id. Who does not answer is gone since, or late: the next round asks again."""
        waiting, came = deque(engine_ids), dict[str, Answer]()

        async def ask() -> None:
            connection = KeptConnection(self.endpoint, self.version)
            try:
                while waiting:
                    engine_id = waiting.popleft()
                    with contextlib.suppress(EngineError):
                        answer = await connection.fetch(f"/containers/{engine_id}/stats", ONE_SHOT, timeout=DEADLINE)
                        came[engine_id] = time.monotonic(), answer
            finally:
                connection.close()

        async with asyncio.TaskGroup() as group:
            for number in range(AT_ONCE):
                if number and not number % AT_FIRST:
                    await asyncio.sleep(MORE_AFTER)
                if not waiting:
                    break
                group.create_task(ask())
        return came


def _running(host_id: int) -> list[Container]:
    fields = ("engine_id", "name", "labels", "created", "series", "owner")
    return list(Container.objects.filter(host=host_id, state="running").only(*fields))
