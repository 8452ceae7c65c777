"""When hosts take their turns."""

import random


def spread(seconds: float) -> float:
    """A moment within so many seconds. Hosts that were connected together, as all are at a start, would otherwise be
    listed, asked and sampled together for ever: nothing for most of a minute, and then all at once while pages wait."""
    return random.uniform(0, seconds)  # noqa: S311, no secret
