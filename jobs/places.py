"""So many long jobs at once in a worker, whose further threads are for the product's own work: the clock, the audit's
forwarding, what a dead worker left. However long jobs take, that goes on."""

import threading

from django.conf import settings

from jobs.run import run_next


class Places:
    """Where long jobs run: a thread that is woken takes a place and runs what is next until nothing may run."""

    def __init__(self, many: int) -> None:
        self._free = threading.BoundedSemaphore(many)
        self._asked = threading.Event()  # somebody was woken whom no place was free for, since the last look

    def work(self) -> None:
        """Runs jobs until nothing may run, or returns at once when all places are taken: those who have them look once
        more before they leave."""
        found = True
        while found or self._asked.is_set():
            self._asked.set()
            if not self._free.acquire(blocking=False):
                return
            try:
                self._asked.clear()
                found = run_next()
            finally:
                self._free.release()


places = Places(settings.JOBS_AT_ONCE)
