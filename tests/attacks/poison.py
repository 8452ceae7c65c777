"""An engine that wants to run scripts in the browsers of who looks at it: planted in every text that it tells."""

import json
import re
from dataclasses import dataclass
from typing import Any

from tests.fake_engine import FakeContainer, FakeEngine
from tests.fake_engine.behaviours import Answer, Behaviour
from tests.fake_engine.managers import OBJECTS, RECORDED
from tests.fake_engine.wire import Connection, Request

MARK = "data-planted"
# ends whatever it may stand in, without a comma: labels of hosts have none
PLANTED = f"\"'></textarea></title></script></style><img src=x {MARK} onerror=window.ran=1><script {MARK}>window.ran=2</script>"
URL = "javascript:window.ran=3"
LABELS = {
    "note": PLANTED,
    f"n{PLANTED}": "x",
    "com.docker.compose.project": f"shop{PLANTED}",
    "com.docker.compose.service": f"front{PLANTED}",
    "com.docker.stack.namespace": "shop",
    "org.opencontainers.image.url": URL,
    "org.opencontainers.image.source": URL,
    "org.opencontainers.image.documentation": URL,
    "org.opencontainers.image.title": PLANTED,
}
# what says how the rest is to be read
KEPT = {
    "Id", "ID", "ImageID", "Image", "State", "Status", "Type", "Action", "Scope", "LocalNodeState", "NodeID", "ServiceID",
    "Role", "Availability", "Mode", "Protocol", "PublishMode", "Version", "ApiVersion", "MinAPIVersion", "OSType", "Os",
    "DesiredState", "ParentId", "ContainerID", "NetworkID", "SecretID", "ConfigID", "Cluster", "scope", "JoinTokens", "Data",
    "IPAddress", "Gateway", "MacAddress", "Subnet", "HostIp", "HostPort", "NetworkMode", "RepoTags", "RepoDigests",
}  # fmt: skip
KEPT_VALUE = re.compile(r"[0-9a-f]{12,}|sha256:.*|\d{4}-\d\d-\d\dT.*|[\d.:/]*")


def planted(value: Any, key: str = "") -> Any:
    """The same with what is planted behind each text that is free."""
    if isinstance(value, dict):
        labels = LABELS if key == "Labels" else {}
        return {name: planted(part, name) for name, part in value.items()} | labels
    if isinstance(value, list):
        return [planted(part, key) for part in value]
    if key == "Labels" and value is None:
        return LABELS
    if key in {"Options", "DriverOpts", "Warnings"} and value is None:
        return [PLANTED] if key == "Warnings" else {"device": PLANTED}
    if not isinstance(value, str) or key in KEPT or KEPT_VALUE.fullmatch(value):
        return value
    return value + PLANTED


@dataclass
class Poisoned(Behaviour):
    """The normal answer, or `body`, with what is planted in it."""

    body: Any = None

    async def __call__(self, request: Request | None, connection: Connection, normal: Answer) -> None:
        answer, send = connection.answer, connection.send

        async def answered(status: int, body: Any = None, headers: dict[str, str] | None = None) -> None:
            await answer(status, body if isinstance(body, bytes) else planted(body), headers)

        async def sent(data: bytes) -> None:
            try:
                told = json.loads(data)
            except ValueError:
                await send(data)  # a log
            else:
                await send(json.dumps(planted(told)).encode() + b"\n")

        if self.body is not None:
            await answer(200, planted(self.body))
            return
        connection.answer, connection.send = answered, sent  # type: ignore[method-assign]
        await normal(connection)


def poison(engine: FakeEngine) -> None:
    """From now on it plants: as a manager of a swarm, with a container whose log, environment and labels do as well."""
    box = engine.add(FakeContainer("planted", health="healthy", command=f"run {PLANTED}"))
    box.labels = dict(LABELS)
    box.made = {"Env": [f"NOTE={PLANTED}", f"HOME={URL}"], "HostConfig": {"Binds": [f"/srv/{PLANTED}:/srv"]}}
    for stream in (1, 2):
        engine.say(box, f"level=error {PLANTED} {URL} https://example.com/{PLANTED}", stream)
        engine.say(box, json.dumps({"level": "warn", "msg": PLANTED, PLANTED: PLANTED}), stream)
        engine.say(box, f"\x1b]8;;{URL}\x1b\\a link\x1b]8;;\x1b\\ \x1b]0;{PLANTED}\x07\x1b[31m{PLANTED}\x1b[0m", stream)
    swarm = RECORDED["info"] | {"NodeID": "pilot", "Cluster": RECORDED["info"]["Cluster"] | {"ID": "planted-swarm"}}
    info = {"Containers": 3, "Name": "pilot", "Swarm": swarm, "ServerVersion": "27.5.1", "OSType": "linux"}
    info |= {"OperatingSystem": "Debian", "KernelVersion": "6.1", "Driver": "overlay2", "Warnings": ["careful"]}
    bodies = {"/info": info, "/swarm": RECORDED["swarm"] | {"ID": "planted-swarm"}}
    bodies |= {f"/{noun}": RECORDED[noun] for noun in OBJECTS}
    plugin = {"Id": "a" * 64, "Name": "quay/on:1", "Enabled": True, "PluginReference": "registry.example/quay/on:1"}
    plugin |= {
        "Config": {"Description": "a plugin", "Documentation": URL, "Interface": {"Types": ["docker.volumedriver/1.0"]}}
    }
    bodies["/plugins"] = [plugin]
    for path, body in bodies.items():
        engine.misbehave(path, Poisoned(body))
    history = [
        {"Id": "a" * 64, "Created": 1_700_000_000, "CreatedBy": "RUN x", "Comment": "made", "Size": 5, "Tags": ["a"]}
    ]
    engine.misbehave("/images/*/history", Poisoned(history))
    engine.misbehave("*", Poisoned())
