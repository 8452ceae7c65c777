"""Containers that print what a process of this machine writes, so that each line carries the moment of its writing.

A container runs `cat` on a named pipe; one Python process writes to all pipes at a given rate. That costs a hundredth
of a shell that prints and sleeps in each container, and the time in the line is the writer's own.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self

from tests.engines.docker_engine import DockerEngine

WRITE = """
import os, sys, time
rate, pad, pipes = float(sys.argv[1]), sys.argv[2], [os.open(path, os.O_WRONLY) for path in sys.argv[3:]]
due, number = time.monotonic(), 0
while True:
    for pipe in pipes:
        os.write(pipe, b"t=%d n=%d %s\\n" % (time.time_ns(), number, pad.encode()))
    number += 1
    due += 1 / rate
    wait = due - time.monotonic()
    if wait > 0:
        time.sleep(wait)
"""


class Writers:
    """`with Writers(engine, 50, 200) as writers`: so many containers, each with so many lines of `size` bytes a second.

    The first container is called writer-0.
    """

    def __init__(self, engine: DockerEngine, containers: int, rate: float, size: int = 120) -> None:
        self.engine = engine
        self.names = [f"writer-{number}" for number in range(containers)]
        self._rate = rate
        self._pad = "x" * max(1, size - 34)
        self._folder = Path(tempfile.mkdtemp(prefix="pipes-", dir=engine.run.folder))
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        for name in self.names:
            os.mkfifo(self._folder / name)
            mount = f"{self._folder}/{name}:/pipe"
            self.engine.docker("run", "-d", "--name", name, "-v", mount, "busybox", "cat", "/pipe")
        pipes = [str(self._folder / name) for name in self.names]
        self._process = subprocess.Popen([sys.executable, "-c", WRITE, str(self._rate), self._pad, *pipes])
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self.engine.docker("rm", "-f", *self.names)


def delays(blocks: list[tuple[int, bytes]]) -> list[float]:
    """Milliseconds between writing and arrival of each line, from (time in ns, bytes that arrived then)."""
    found = []
    for arrived, block in blocks:
        for part in block.split(b"t=")[1:]:
            stamp = part[:19]
            if stamp.isdigit():
                found.append((arrived - int(stamp)) / 1e6)
    return found
