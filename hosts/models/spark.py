"""The last hour of CPU and memory in 30 points, as sparklines draw it: small enough to travel with each row of a list."""

from array import array
from dataclasses import dataclass, field
from math import isnan, nan

from hosts.models.grid import Buffer, loaded, stored

POINTS = 30
STEP = 120  # seconds; a point is the highest of its two minutes, so that a spike shows
_NONE = [nan] * POINTS


@dataclass
class Spark:
    """`cpu` and `memory` end with the point of `slot` (Unix time / STEP); nan where there was no sample."""

    slot: int = 0
    cpu: list[float] = field(default_factory=lambda: list(_NONE))
    memory: list[float] = field(default_factory=lambda: list(_NONE))

    def add(self, time: int, cpu: float, memory: float) -> None:
        """Takes a sample; one that is older than the last point is let go."""
        self.move(time)
        if time // STEP == self.slot:
            for line, value in ((self.cpu, cpu), (self.memory, memory)):
                line[-1] = value if isnan(line[-1]) else max(line[-1], value)

    def move(self, time: int) -> None:
        """Lets time pass up to `time`."""
        steps = time // STEP - self.slot
        if steps > 0:
            self.slot += steps
            for line in (self.cpu, self.memory):
                line[:] = [*line, *_NONE[:steps]][-POINTS:]

    def pack(self) -> bytes:
        """As bytes."""
        return stored(array("q", [self.slot])) + stored(array("f", [*self.cpu, *self.memory]))

    @classmethod
    def unpack(cls, data: Buffer) -> "Spark":
        """What `pack` made bytes of; blank for none."""
        if not data:
            return cls()
        view = memoryview(data)
        values = loaded("f", view[8:]).tolist()
        return cls(loaded("q", view[:8])[0], values[:POINTS], values[POINTS:])
