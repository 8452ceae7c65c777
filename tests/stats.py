"""Samples for tests of the stats history."""

from typing import Any

from hosts.engine.stats import Rates
from hosts.models.grid import METRICS


def rates(cpu: float = 1.0, **more: Any) -> Rates:
    """A sample; what is not named is 0."""
    return Rates(**dict.fromkeys(METRICS, 0) | {"cpu": cpu, "memory_limit": 2**30} | more)
