"""Containers that go when the test ends."""

from uuid import uuid4

from tests.engines.ways import AnyEngine


class Runner:
    """Runs containers that go when the test ends."""

    def __init__(self, engine: AnyEngine) -> None:
        self.engine = engine
        self.names: list[str] = []

    def __call__(self, script: str, *options: str) -> str:
        name = f"quay-{uuid4().hex[:8]}"
        self.names.append(name)
        self.engine.docker("run", "-d", "--name", name, *options, "busybox", "sh", "-c", script)
        return name

    def remove(self) -> None:
        """Removes them all."""
        if self.names:
            self.engine.docker("rm", "-f", *self.names)
