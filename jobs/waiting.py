"""Waiting for the end of a job: at once where it runs in this process, else by short looks at its row."""

import threading
from collections.abc import Callable
from time import monotonic

from jobs.models import OPEN_STATES, Job

FIRST_LOOK, LAST_LOOK = 0.005, 0.05  # seconds between two looks: they grow, most acts end within a few
_events: dict[int, threading.Event] = {}
_listeners: list[Callable[[], None]] = []


def listen(call: Callable[[], None]) -> None:
    """`call` runs whenever a job ends in this process: what waited for its locks may run."""
    _listeners.append(call)


def unlisten(call: Callable[[], None]) -> None:
    """No more."""
    _listeners.remove(call)


def ended(job_id: int) -> None:
    """Called when a job has ended in this process."""
    if event := _events.get(job_id):
        event.set()
    for call in list(_listeners):
        call()


def wait(job_id: int, seconds: float) -> Job | None:
    """The job, once it has ended within `seconds`; otherwise None."""
    event = _events.setdefault(job_id, threading.Event())
    until, step = monotonic() + seconds, FIRST_LOOK
    try:
        while True:
            job = Job.objects.filter(pk=job_id).exclude(state__in=OPEN_STATES).first()
            if job is not None or (left := until - monotonic()) <= 0:
                return job
            event.wait(min(step, left))
            step = min(step * 1.3, LAST_LOOK)
    finally:
        _events.pop(job_id, None)
