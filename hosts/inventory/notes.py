"""What a watcher notes of its own work on a host, for the diagnostics page: gathered in memory, written now and then."""

import time
from collections import deque
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db.models import F

from hosts.models import Watch

LAGS_OVER = 300.0  # seconds
LAGS_AT_MOST = 2000


class Notes:
    """Of one host, while one watcher has it. `take` gives what is new since it was called last."""

    def __init__(self) -> None:
        self.clock_ahead: float | None = None  # seconds; None where the engine does not tell its time
        self._lags: deque[tuple[float, float]] = deque(maxlen=LAGS_AT_MOST)  # (when it was written, lag)
        self._values: dict[str, Any] = {}
        self._events = 0
        self._connections = 0

    def connected(self) -> None:
        """Events are heard and everything was listed once."""
        self._connections += 1
        self._values |= {"connected": datetime.now(UTC), "clock_ahead": self.clock_ahead}

    def listed(self, seconds: float) -> None:
        """Everything was listed, and it took so long."""
        self._values |= {"listed": datetime.now(UTC), "list_seconds": round(seconds, 3)}

    def applied(self, events: Iterable[Any]) -> None:
        """What `events` (hosts.engine.parse.EventRow) are about is in the tables now."""
        now, ahead = time.time(), self.clock_ahead or 0.0
        for event in events:
            self._events += 1
            happened = event["time_nano"] / 1e9 - ahead
            self._lags.append((now, max(0.0, now - happened)))
            self._values["last_event"] = datetime.fromtimestamp(min(happened, now), UTC)

    def take(self) -> dict[str, Any]:
        """Columns of Watch with their new values; `events` and `connections` are to be added."""
        if not self._values:
            return {}
        values, self._values = self._values, {}
        if self._events:
            values |= self._percentiles()
        values |= {"events": self._events, "connections": self._connections}
        self._events = self._connections = 0
        return values

    def _percentiles(self) -> dict[str, float]:
        since = time.time() - LAGS_OVER
        while self._lags[0][0] < since:
            self._lags.popleft()
        ordered = sorted(lag for _, lag in self._lags)
        return {
            name: round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 4)
            for name, share in (("lag_p50", 0.5), ("lag_p95", 0.95))
        }


def write(host_id: int, values: dict[str, Any]) -> None:
    """Stores what `Notes.take` gave. The first connection of a host is none that was made again."""
    new, events = dict(values), values["events"]
    connections = new.pop("connections")
    watch, _ = Watch.objects.get_or_create(host_id=host_id)
    again = connections if watch.connected else max(0, connections - 1)
    Watch.objects.filter(host=host_id).update(
        **new | {"events": F("events") + events, "reconnects": F("reconnects") + again}
    )
