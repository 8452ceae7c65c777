"""Random operations by the docker command line, and what the command line says there is after them."""

import random
from collections.abc import Callable
from typing import Self

from tests.engines.commands import CommandFailed
from tests.engines.docker_engine import DockerEngine

PREFIX = "cut-"
Truth = dict[str, set[tuple[str, ...]]]


class Operations:
    """`with Operations(engine, seed=1) as operations`: each `step` does one; what they made goes at the end."""

    def __init__(self, engine: DockerEngine, seed: int) -> None:
        self.engine = engine
        self.done = 0
        self._random = random.Random(seed)
        self._made: dict[str, list[str]] = {"container": [], "image": [], "network": [], "volume": []}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        remove = {
            "container": ["rm", "-f"],
            "image": ["rmi", "-f"],
            "network": ["network", "rm"],
            "volume": ["volume", "rm"],
        }
        for noun, command in remove.items():
            if self._made[noun]:
                self.engine.docker(*command, *self._made[noun])

    def step(self) -> None:
        """One operation. One that the thing's state forbids (pause what is paused) changes nothing, and that is fine."""
        acts: list[Callable[[], None]] = [self._new_container, self._act, self._act, self._new_container, self._rename]
        acts += [self._tag, self._commit, self._new_network, self._new_volume]
        acts += [lambda noun=noun: self._remove(noun) for noun in (*self._made, "container")]  # type: ignore[misc]
        self._random.choice(acts)()
        self.done += 1

    def _name(self) -> str:
        return f"{PREFIX}{self.done}"

    def _some(self, noun: str) -> str:
        return self._random.choice(self._made[noun]) if self._made[noun] else ""

    def _new_container(self) -> None:
        verb = self._random.choice([["run", "-d"], ["create"]])
        self.engine.docker(*verb, "--name", self._name(), "busybox", "sleep", "1000")
        self._made["container"].append(self._name())

    def _act(self) -> None:
        verb = self._random.choice(["start", "kill", "pause", "unpause", "restart -t 0", "stop -t 0"])
        self._try(*verb.split(), self._some("container"))

    def _rename(self) -> None:
        if old := self._some("container"):
            self.engine.docker("rename", old, self._name())
            self._made["container"][self._made["container"].index(old)] = self._name()

    def _tag(self) -> None:
        self.engine.docker("tag", "busybox", f"{self._name()}:1")
        self._made["image"].append(f"{self._name()}:1")

    def _commit(self) -> None:
        if container := self._some("container"):
            self.engine.docker("commit", container, f"{self._name()}:1")
            self._made["image"].append(f"{self._name()}:1")

    def _new_network(self) -> None:
        self.engine.docker("network", "create", self._name())
        self._made["network"].append(self._name())

    def _new_volume(self) -> None:
        self.engine.docker("volume", "create", self._name())
        self._made["volume"].append(self._name())

    def _remove(self, noun: str) -> None:
        command = {
            "container": ["rm", "-f"],
            "image": ["rmi"],
            "network": ["network", "rm"],
            "volume": ["volume", "rm"],
        }
        if (name := self._some(noun)) and self._try(*command[noun], name):
            self._made[noun].remove(name)

    def _try(self, *command: str) -> bool:
        try:
            self.engine.docker(*command)
        except CommandFailed:
            return False
        return True


def truth(engine: DockerEngine) -> Truth:
    """What the command line lists: containers with name and state, images with tags, networks, volumes."""

    def lines(*command: str) -> set[tuple[str, ...]]:
        return {tuple(line.split("\t")) for line in engine.docker(*command).splitlines() if line}

    images = lines("images", "--no-trunc", "--format", "{{.ID}}\t{{.Repository}}:{{.Tag}}")
    named = {(key, tag) for key, tag in images if "<none>" not in tag}
    # a digest that is left of a name shows as a line without a tag, beside the image's other names
    nameless = {(key, "") for key, _ in images} - {(key, "") for key, _ in named}
    return {
        "container": lines("ps", "-a", "--no-trunc", "--format", "{{.ID}}\t{{.Names}}\t{{.State}}"),
        "image": named | nameless,
        "network": lines("network", "ls", "--no-trunc", "--format", "{{.ID}}\t{{.Name}}"),
        "volume": lines("volume", "ls", "--format", "{{.Name}}"),
    }
