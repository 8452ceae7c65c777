"""docs/sockets.md shows what the sockets send: each kind of message, whole, and no other."""

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from hosts.consumers.viewers import Viewer
from tests.architecture.sources import PROJECT
from tests.engines.docker_engine import DockerEngine
from tests.engines.runner import Runner
from tests.servers.product import Product
from tests.waiting import until

Message = dict[str, Any]
QUESTIONS = {None, "resize", "show"}  # what a client sends
LONG_AGO = "2020-01-01T00:00:00.000000000Z"


# ---------------------------------------------------------------- what the document says
def documented() -> dict[str, list[Message]]:
    """Path -> the examples of its section; raises for one that is no JSON."""
    sections = (PROJECT / "docs" / "sockets.md").read_text().split("\n## ")[1:]
    found = {}
    for section in sections:
        path, _, text = section.partition("\n")
        examples = [json.loads(" ".join(span.split())) for span in re.findall(r"`(\{[^`]*\})`", text)]
        found[path] = [example for example in examples if example.get("t") not in QUESTIONS]
    return found


def alike(real: Any, example: Any, *, row: bool = False) -> bool:
    """Whether both have the same keys with values of the same kinds; null fits everything, and so does an empty list. The
    items of a list are alike, those of a `row` are told apart by their places."""
    if real is None or example is None:
        return True
    if isinstance(real, dict) and isinstance(example, dict):
        return real.keys() == example.keys() and all(alike(real[key], example[key]) for key in real)
    if isinstance(real, list) and isinstance(example, list):
        if row:
            return len(real) == len(example) and all(map(alike, real, example))
        return not example or all(alike(item, example[0], row=True) for item in real)
    numbers = isinstance(real, int | float) and isinstance(example, int | float)
    return type(real) is type(example) or (numbers and bool not in (type(real), type(example)))


def same(message: Message, example: Message) -> bool:
    """Whether an example shows a message of this kind."""
    return message["t"] == example["t"] and alike(message, example)


# ---------------------------------------------------------------- what the sockets send
class Real:
    """Messages of real sockets, by the path of the document."""

    def __init__(self, product: Product) -> None:
        self.product = product
        self.messages: dict[str, list[Message]] = {}

    def read(self, path: str, query: str, *last: str, send: Message | None = None, during: Any = None) -> None:
        """Takes messages of a socket until each of `last`, a kind or the name of a state, has come."""
        with self.product.socket(path + query) as socket:
            if send:
                socket.send(json.dumps(send))
            for wanted in last:
                for message in received(socket):
                    self.messages.setdefault(path if "/jobs/" not in path else "/ws/jobs/{id}", []).append(message)
                    if wanted in (message["t"], message.get("state")):
                        break
                else:
                    raise AssertionError(f"{path}{query}: closed before {wanted}: {self.messages.get(path)}")
                if during:
                    during, act = None, during
                    act()


def received(socket: ClientConnection) -> Iterator[Message]:
    """JSON messages until the socket is closed."""
    try:
        while True:
            message = socket.recv(30)
            if isinstance(message, str):
                yield json.loads(message)
    except ConnectionClosed:
        return


def skipped() -> Message:
    """What a viewer is told who does not read."""
    sent: list[str] = []

    async def send(text: str) -> None:
        sent.append(text)

    async def overflow() -> None:
        viewer = Viewer(send, 10)
        for text in ("x" * 20, "y" * 20):
            viewer.offer(text, [(0, 1, LONG_AGO, text)])
            viewer.flush()
        task = asyncio.create_task(viewer.run())
        await viewer.drained()
        task.cancel()

    asyncio.run(overflow())
    return next(json.loads(text) for text in sent if text.startswith("{"))


def test_each_message_of_a_socket_is_in_the_document(
    product: Product, docker_engine: DockerEngine, run: Runner
) -> None:
    ends, mute = run("echo out; echo err >&2; exit 1"), run("sleep 1000", "--log-driver", "none")
    runs = run("echo began; sleep 1000")

    def restart() -> None:
        docker_engine.docker("restart", "-t", "0", runs)

    def shown() -> bool:
        rows = {row["name"]: row["state"] for row in product.api("containers?limit=200")["items"]}
        return (rows.get(ends), rows.get(mute), rows.get(runs)) == ("exited", "running", "running")

    until(shown, "the containers show")
    whole = docker_engine.docker("inspect", "-f", "{{.Id}}", ends).strip()
    real = Real(product)
    real.read("/ws/changes", "", "ready", "changes", during=lambda: docker_engine.docker("pause", runs))
    docker_engine.docker("unpause", runs)
    real.read("/ws/changes", "", "part", send={"t": "show", "id": 1, "url": "/account/login/", "target": ""})
    real.read("/ws/logs", f"?target=local/{runs}", "live")
    real.read("/ws/logs", f"?target=local/{mute}", "unreadable")
    real.read("/ws/logs", f"?target=local/{ends}&follow=0", "end")
    real.read("/ws/logs", f"?target=local/{ends}", "ended")
    behind = {"target": [f"local/{ends}", "local/gone"], "behind": {f"local/{whole}": [LONG_AGO, 1]}}
    real.read("/ws/logs", "?by=message", "gap", send=behind)
    real.read("/ws/logs", f"?target=local/{runs}", "live", "restarted", during=restart)
    question = {"id": 1, "target": f"local/{ends}", "after": [LONG_AGO, 0], "count": 10}
    real.read("/ws/logs/pages", "", "page", send=question)
    real.read("/ws/logs/pages", "", "failed", send=question | {"target": f"local/{mute}"})
    real.read("/ws/logs/search", f"?target=local/{ends}&target=local/{mute}&q=o", "end")
    real.read("/ws/stats", f"?target=local/{runs}", "stats")
    real.read("/ws/stats", f"?target=local/{ends}", "ended")
    real.read("/ws/terminal", f"?target=local/{runs}&cmd=true", "ready", "exit")
    real.read("/ws/terminal", f"?target=local/{ends}", "error")
    answer = product.post("/images/prune/", host="local")
    real.read("/ws/jobs/" + answer.url.rstrip("/").rpartition("/")[2], "", "done")
    real.messages["/ws/logs"].append(skipped())

    said = documented()
    assert said.keys() == real.messages.keys()
    for path, messages in real.messages.items():
        unsaid = [m for m in messages if not any(same(m, example) for example in said[path])]
        unseen = [example for example in said[path] if not any(same(m, example) for m in messages)]
        assert (unsaid, unseen) == ([], []), path
