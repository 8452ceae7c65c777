"""A host's CPU and memory, as the sum of its running containers, by one-shot calls twice a minute.

A sample costs the engine's machine about 3 ms a container whatever the way, so what counts is how seldom.
"""

import asyncio
from typing import Any

from hosts.engine.endpoint import Endpoint
from hosts.engine.errors import EngineError
from hosts.engine.stats import Sample, read_sample
from hosts.engine.streams import fetch
from hosts.inventory import apply
from hosts.models import Container, Host

EVERY_SECONDS = 30.0
FIRST_AGAIN = 5.0  # a rate needs two samples: the second one comes soon
AT_ONCE = 50
DEADLINE = 15.0


class Sampler:
    """Samples one host for as long as its connection lives."""

    def __init__(self, host: Host, endpoint: Endpoint, version: str, db: Any) -> None:
        self.host = host
        self.endpoint = endpoint
        self.version = version
        self.db = db
        self._before: dict[str, Any] = {}

    async def run(self) -> None:
        """Until cancelled."""
        wait = FIRST_AGAIN
        while True:
            await self._round()
            await asyncio.sleep(wait)
            wait = EVERY_SECONDS

    async def _round(self) -> None:
        ids = await self.db(_running, self.host.pk)
        gate = asyncio.Semaphore(AT_ONCE)
        answers = await asyncio.gather(*(self._one(engine_id, gate) for engine_id in ids))
        raw = {engine_id: answer for engine_id, answer in zip(ids, answers, strict=True) if answer}
        samples = [
            sample
            for engine_id, answer in raw.items()
            if (sample := read_sample(answer, self._before.get(engine_id))) is not None
        ]
        complete = not ids or self._before.keys() & raw.keys()
        self._before = raw
        if complete:
            await self.db(apply.apply_sample, self.host, self._share(samples), sum(s.memory_used for s in samples))

    def _share(self, samples: list[Sample]) -> float:
        total = sum(sample.cpu_percent for sample in samples)
        return min(100.0, total / (self.host.cpus or 1))

    async def _one(self, engine_id: str, gate: asyncio.Semaphore) -> Any:
        async with gate:
            try:
                return await fetch(
                    self.endpoint,
                    f"/containers/{engine_id}/stats",
                    {"stream": "0", "one-shot": "1"},
                    api_version=self.version,
                    timeout=DEADLINE,
                )
            except EngineError:
                return None  # gone since, or late: the next round asks again


def _running(host_id: int) -> list[str]:
    return list(Container.objects.filter(host=host_id, state="running").values_list("engine_id", flat=True))
