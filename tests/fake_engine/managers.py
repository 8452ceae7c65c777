"""Fake engines as managers of the swarm that was recorded."""

import json
from dataclasses import dataclass
from typing import Any

from tests.fake_engine.behaviours import Answer, Behaviour
from tests.fake_engine.engine import FakeEngine
from tests.fake_engine.wire import Connection, Request
from tests.rows import RECORDED_SWARM

RECORDED = json.loads(RECORDED_SWARM.read_text())
NODE = RECORDED["nodes"][1]
OBJECTS = ("nodes", "services", "tasks", "secrets", "configs")


@dataclass
class Says(Behaviour):
    """Answers with this JSON."""

    body: Any

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        await connection.answer(200, self.body)


def manage(engine: FakeEngine, node: str, swarm_id: str = "fake-swarm") -> None:
    """Makes the engine a manager of the swarm that was recorded."""
    swarm = RECORDED["info"] | {"NodeID": node, "Cluster": RECORDED["info"]["Cluster"] | {"ID": swarm_id}}
    info = {"Containers": 0, "Name": node, "Swarm": swarm, "ServerVersion": "27.5.1", "OSType": "linux"}
    engine.misbehave("/info", Says(info))
    engine.misbehave("/swarm", Says(RECORDED["swarm"] | {"ID": swarm_id}))
    for noun in OBJECTS:
        engine.misbehave(f"/{noun}", Says(RECORDED[noun]))
    engine.misbehave(f"/nodes/{NODE['ID']}", Says(NODE))
    engine.misbehave(f"/nodes/{NODE['ID']}/update", Says({}))
