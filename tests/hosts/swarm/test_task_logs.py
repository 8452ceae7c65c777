"""Logs of a service whose tasks are on all nodes of a real swarm, two of which are hosts here: what the third one's tasks
write comes through a manager, whole and once."""

import html
import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import requests
from websockets.sync.client import ClientConnection

from tests.engines.swarm import RealSwarm
from tests.fake_engine import FakeEngine
from tests.fake_engine.managers import RECORDED, Says, manage
from tests.hosts.swarm.services import Fleet
from tests.servers.product import Product
from tests.waiting import until

HERE, ELSEWHERE = ("buoy-a", "buoy-b"), "buoy-c"


@pytest.fixture(scope="module")
def two_of_three(product: Product, swarm: RealSwarm) -> Iterator[str]:
    """The swarm's name; two of its three engines are hosts."""
    yield swarm.add_to(product, HERE)
    for name in HERE:
        product.api(f"hosts/{name}", "DELETE")


@pytest.fixture
def fleet(product: Product, swarm: RealSwarm, two_of_three: str) -> Iterator[Fleet]:
    found = Fleet(product, swarm, two_of_three)
    yield found
    swarm.heal()
    found.clear()


class View:
    """What a socket of logs has shown: for each target the texts of its lines."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.targets: list[dict[str, str]] = []
        self.lines: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.states: list[dict[str, Any]] = []

    def until(self, fits: Callable[["View"], Any], what: str, seconds: float = 30) -> Any:
        """Takes messages until it fits."""
        end = time.monotonic() + seconds
        while not (found := fits(self)):
            assert time.monotonic() < end, f"{what}: {self.states[-5:]} {self.targets}"
            try:
                self._take(json.loads(self.socket.recv(timeout=max(0.1, end - time.monotonic()))))
            except TimeoutError:
                continue
        return found

    def _take(self, message: dict[str, Any]) -> None:
        if message["t"] == "targets":
            self.targets = message["targets"]
        elif message["t"] == "lines":
            for place, stream, _, text in message["lines"]:
                self.lines[place].append((stream, text))
        elif message["t"] in {"state", "gap", "skipped", "end"}:
            self.states.append(message)

    def place(self, node: str) -> int:
        """The number of the target on a node."""
        return next(place for place, target in enumerate(self.targets) if target["host"] == node)

    def told(self, place: int, stream: int = 1) -> list[str]:
        """The lines of one stream of a target."""
        return [text for of, text in self.lines[place] if of == stream]

    def said(self, state: str, place: int) -> Any:
        """The message that says so of a target."""
        return next((s for s in self.states if s.get("state") == state and s["target"] == place), None)


def script(count: int, pause: float, then: str) -> str:
    """Writes `line 1` and `bad 1` and so on, each to its stream."""
    return f"i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo line $i; echo bad $i >&2; sleep {pause}; done; {then}"


def counted(count: int, word: str = "line") -> list[str]:
    return [f"{word} {number}" for number in range(1, count + 1)]


def download(product: Product, path: str) -> list[str]:
    answer = requests.get(f"{product.url}/{path}", headers={"Authorization": f"Bearer {product.token}"}, timeout=60)
    assert answer.ok, answer.text
    return answer.text.splitlines()


def test_each_task_is_followed_without_a_line_lost_or_repeated_also_when_the_manager_is_lost(fleet: Fleet) -> None:
    command = ["sh", "-c", script(200, 0.05, "exit 3")]
    name = fleet.create(mode={"kind": "global"}, command=command, restart={"condition": "none"})
    with fleet.product.socket(f"/ws/logs?service={quote(f'{fleet.name}/{name}')}&tail=all") as socket:
        view = View(socket)
        view.until(lambda v: {t["host"] for t in v.targets} == {*HERE, ELSEWHERE}, "all three are in the view")
        away = view.place(ELSEWHERE)
        assert view.targets[away]["name"].startswith(f"{name}.{ELSEWHERE}.")
        view.until(lambda v: len(v.told(away)) > 20, "the task elsewhere is followed")
        read_through = fleet.product.api(f"swarms/{fleet.name}")["read_through"]
        fleet.swarm.engines[read_through].cut("refuse")
        view.until(lambda v: v.said("resumed", away), "another manager is asked")
        view.until(lambda v: v.said("ended", away), "the task has ended", 60)
        assert view.said("ended", away)["exit_code"] == 3
        assert view.told(away) == counted(200) and view.told(away, 2) == counted(200, "bad")
        assert [s for s in view.states if s["t"] != "state"] == []


def test_pages_lead_to_it_and_parts_hits_and_files_of_it_are_whole(fleet: Fleet) -> None:
    product = fleet.product
    command = ["sh", "-c", script(300, 0, "sleep 1000")]
    name = fleet.create(mode={"kind": "global"}, command=command, tty=True)
    task = next(task for task in fleet.service(name)["tasks"] if task["node"] == ELSEWHERE)
    at, target = f"tasks/{fleet.name}/{task['id']}", f"{ELSEWHERE}/{task['id']}"
    assert product.api(at)["node"] == ELSEWHERE and product.api(at)["container"] == task["container"]
    page = product.http.get(f"{product.url}/{at}/").text
    assert f"/logs/?target={quote(target, safe='')}" in page and "its log comes through buoy-" in page
    assert f"/{at}/" in product.http.get(f"{product.url}/services/{fleet.name}/{name}/").text
    view = html.unescape(product.http.get(f"{product.url}/logs/?target={target}").text)
    assert f'<log-view choice="{{"target": ["{target}"]' in view

    both = {f"{word} {number}" for number in range(1, 301) for word in ("line", "bad")}  # a terminal has one stream
    until(lambda: set(download(product, f"api/v1/{at}/logs")) == both, "all is written")
    stamped = download(product, f"api/v1/{at}/logs?timestamps=1")
    middle = stamped[300].split(" ")[0]
    first = download(product, f"api/v1/{at}/logs?timestamps=1&until={middle}")
    rest = download(product, f"api/v1/{at}/logs?timestamps=1&since={middle}&tail=all")
    assert first + [line for line in rest if not line.startswith(middle)] == stamped
    assert len(download(product, f"api/v1/{at}/logs?tail=7&format=ndjson")) == 7
    together = f"api/v1/services/{fleet.name}/{name}/logs"
    # a host that was cut off a moment ago tells of its new containers when it is reached again
    until(lambda: len(download(product, together)) == 1800, "all tasks are in the service's log")
    everybody = download(product, together)
    assert sum(line.startswith("buoy-") for line in everybody) == 1800
    assert sum(line.startswith(f"{ELSEWHERE}/{name}.{ELSEWHERE}.{task['id']} ") for line in everybody) == 600
    merged = f"{product.url}/logs/download/?service={quote(f'{fleet.name}/{name}')}"
    assert len(product.http.get(merged, timeout=60).text.splitlines()) == 1800

    with product.socket("/ws/logs/pages") as socket:
        question = {"id": 1, "target": target, "before": [middle, 0], "count": 5, "behind": 300}
        socket.send(json.dumps(question))
        answer = json.loads(socket.recv(timeout=20))
    behind = [line for line in stamped if line.split(" ")[0] < middle][-5:]
    assert [f"{stamp} {text}" for _, stamp, text in answer["lines"]] == behind and answer["more"]
    with product.socket(f"/ws/logs/search?target={target}&q=line%20299") as socket:
        messages = [json.loads(message) for message in socket]
    assert [hit[3] for m in messages if m["t"] == "hits" for hit in m["hits"]] == ["line 299"]


def test_a_task_whose_node_is_away_says_so_instead_of_waiting(product: Product) -> None:
    task = next(task for task in RECORDED["tasks"] if task["Status"]["State"] == "running")
    node = next(node for node in RECORDED["nodes"] if node["ID"] == task["NodeID"])
    with FakeEngine(tcp=True) as engine:
        manage(engine, "reef-9")
        engine.misbehave(f"/tasks/{task['ID']}", Says(task))
        engine.misbehave(f"/nodes/{node['ID']}", Says(node | {"Status": {"State": "down"}}))
        product.api("hosts", "POST", name="reef-9", url=engine.url)
        try:
            name = node["Description"]["Hostname"]
            until(lambda: product.api(f"tasks?search=web&state=running&node={name}")["count"], "it is known")
            target = f"{name}/{task['ID']}"
            with product.socket(f"/ws/logs?target={target}") as socket:
                view = View(socket)
                lost = view.until(lambda v: v.said("lost", 0), "it is said")
            assert lost["code"] == "node_away" and "is away (down)" in lost["reason"]
            answer = product.http.get(f"{product.url}/logs/download/?target={target}")
            assert "is away (down)" in answer.text
        finally:
            product.api("hosts/reef-9", "DELETE")
