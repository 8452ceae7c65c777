"""Many fake engines in a process of their own, so that they do not take the time of who is measured or tested.

with FakeFleet(hosts=100, containers=100) as fleet:
    fleet.urls
    fleet.ask("sicken", host=3, how="hang")
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Literal, Self

from tests.engines.run import PROJECT
from tests.fake_engine.behaviours import Drip, Hang
from tests.fake_engine.engine import FakeEngine
from tests.fake_engine.things import FakeContainer

How = Literal["hang", "drip", "refuse", "drop"]
WAYS: tuple[How, ...] = ("hang", "drip", "refuse", "drop")
IMAGES = ("nginx:1.27", "redis:7", "postgres:16", "registry.example.com/team/app:2.4.1", "busybox:latest")
STATES = ("running",) * 8 + ("exited", "paused")


class FakeFleet:
    """`containers` on each of `hosts` engines, in compose projects of five, one in ten exited, one in ten paused."""

    def __init__(self, hosts: int, containers: int) -> None:
        self._command = [sys.executable, "-m", "tests.fake_engine.fleet", str(hosts), str(containers)]
        self.urls: list[str] = []

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.urls = self._answer()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def ask(self, act: str, **values: Any) -> Any:
        """Has an act of `Acts` done there; gives its answer, raises RuntimeError with what went wrong."""
        assert self._process.stdin
        self._process.stdin.write(json.dumps({"act": act, **values}) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process of the fake engines has ended")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["value"]


class Acts:
    """What can be asked of the process."""

    def __init__(self, engines: list[FakeEngine]) -> None:
        self.engines = engines

    def sicken(self, host: int, how: How) -> None:
        """Makes a host hang (accepts and never answers), drip a byte a second, refuse, or drop packets."""
        engine = self.engines[host]
        if how == "refuse":
            engine.refuse()
        elif how == "drop":
            engine.drop()
        else:
            engine.misbehave("*", Hang() if how == "hang" else Drip(1))

    def heal(self, host: int) -> None:
        """Makes it well again."""
        self.engines[host].listen_again()

    def cut_events(self) -> None:
        """Resets every connection of all."""
        for engine in self.engines:
            engine.cut_streams()

    def change(self, host: int, container: int, state: str) -> None:
        """A container changes its state, and the engine says so."""
        engine = self.engines[host]
        found = engine.containers[container]
        found.state = state
        engine.emit("container", "start" if state == "running" else "die", found.id, name=found.name)

    def storm(self, seconds: float, rate: float) -> dict[str, str]:
        """So many changes of state a second, host after host; gives the states at the end by HOST/CONTAINER."""
        began, number, touched = time.monotonic(), 0, {}
        while time.monotonic() - began < seconds:
            host = number % len(self.engines)
            container = (number // len(self.engines)) % len(self.engines[host].containers)
            state = "exited" if self.engines[host].containers[container].state == "running" else "running"
            self.change(host, container, state)
            touched[f"{host}/{self.engines[host].containers[container].name}"] = state
            number += 1
            time.sleep(max(0.0, began + number / rate - time.monotonic()))
        return touched

    def lists(self, host: int) -> list[float]:
        """When (seconds since 1970) the whole list of containers was asked for."""
        return [at for at, path, whole in self.engines[host].asked if path == "/containers/json" and whole]

    def listeners(self) -> list[int]:
        """How many clients follow the events of each."""
        return [engine.listeners for engine in self.engines]

    def forget(self) -> None:
        """Forgets the requests so far."""
        for engine in self.engines:
            engine.requests.clear()
            engine.asked.clear()


def make(host: int, containers: int) -> FakeEngine:
    """One engine."""
    things = [
        FakeContainer(
            f"app-{host:03}-{number:03}",
            image=IMAGES[number % len(IMAGES)],
            state=STATES[number % len(STATES)],
            exit_code=1 if number % 40 == 8 else 0,
            health="healthy" if number % 3 == 0 else "",
            labels={
                "com.docker.compose.project": f"project-{number // 5}",
                "com.docker.compose.service": f"service-{number % 5}",
                "com.docker.compose.config-hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
                "org.opencontainers.image.version": "2.4.1",
            },
        )
        for number in range(containers)
    ]
    return FakeEngine(things, tcp=True, name=f"host-{host:03}")


def main(hosts: int, containers: int) -> None:
    """Serves until its standard input ends."""
    with ExitStack() as stack:
        engines = [stack.enter_context(make(host, containers)) for host in range(hosts)]
        acts = Acts(engines)
        print(json.dumps({"value": [engine.url for engine in engines]}), flush=True)
        for line in sys.stdin:
            asked = json.loads(line)
            act: Callable[..., Any] = getattr(acts, asked.pop("act"))
            try:
                print(json.dumps({"value": act(**asked)}), flush=True)
            except Exception as error:
                print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
