"""The lane of short acts: threads of each worker beside Celery's, so that a click does not wait for builds.

A wake-up comes straight where the worker is in this process, else through the broker; with no broker the lane looks by
itself every second.
"""

import threading
from typing import Any

import structlog
from celery import current_app
from django.db import connection
from kombu.entity import Queue

from jobs import waiting
from jobs.claims import claim
from jobs.models import Job, JobState
from jobs.run import WORKER, run_claimed

AT_ONCE = 32  # acts of one worker: they wait for engines, hardly any work
LOOK_SECONDS = 1.0
STOP_SECONDS = 5.0
NAMES_AT_MOST = 50  # long jobs that are looked through for who waited for an act
WAKE_UPS = Queue("dermaga.short", routing_key="dermaga.short", durable=True)

log = structlog.get_logger("dermaga.jobs")


class Lane:
    """Takes short acts from the queue and runs each in a thread."""

    def __init__(self) -> None:
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._free = threading.BoundedSemaphore(AT_ONCE)
        self._thread: threading.Thread | None = None

    @property
    def is_here(self) -> bool:
        """Whether this process runs them."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """From now on."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._work, name="short-acts", daemon=True)
        self._thread.start()
        waiting.listen(self.wake)

    def stop(self) -> None:
        """Takes no more, and lets those that run end for a few seconds."""
        self._stop.set()
        self.wake()
        waiting.unlisten(self.wake)
        for _n in range(AT_ONCE):
            if not self._free.acquire(timeout=STOP_SECONDS):
                return

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()
            try:
                while not self._stop.is_set() and self._take_one():
                    pass
            except Exception as error:  # the database is away for a moment: go on trying
                log.warning("short acts wait", error=str(error)[:200])
                connection.close()

    def _take_one(self) -> bool:
        # a look first: to claim locks the queue, on SQLite the whole database
        if not Job.objects.filter(state=JobState.QUEUED, short=True).exists():
            return False
        if not self._free.acquire(blocking=False):
            return False
        job = claim(WORKER, short=True)
        if job is None:
            self._free.release()
            return False
        threading.Thread(target=self._run, args=[job], name=f"job-{job.pk}", daemon=True).start()
        return True

    def _run(self, job: Job) -> None:
        try:
            run_claimed(job)
            let_on(job)
        finally:
            connection.close()
            self._free.release()
            self.wake()


lane = Lane()


def let_on(job: Job) -> None:
    """Tells a worker of the long jobs that waited for what this one worked on."""
    from jobs.queue import enqueue

    if not job.locks:
        return
    queued = Job.objects.filter(state=JobState.QUEUED, short=False).order_by("pk")
    for pk, locks in queued.values_list("pk", "locks")[:NAMES_AT_MOST]:
        if set(locks) & set(job.locks):
            enqueue(pk)


class Caller:
    """Tells workers in other processes, from a thread of its own: a request must not wait for a broker."""

    def __init__(self) -> None:
        self._due = threading.Event()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def call(self) -> None:
        """One message for all that is asked for until it has left."""
        self._due.set()
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="short-acts-caller", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while True:
            self._due.wait()
            self._due.clear()
            try:
                self._send()
            except Exception as error:  # the broker is away: the lanes look by themselves
                log.warning("short acts not called", error=str(error)[:200])

    @staticmethod
    def _send() -> None:
        app: Any = current_app
        with app.producer_or_acquire() as producer:
            producer.publish({}, exchange="", routing_key=WAKE_UPS.name, declare=[WAKE_UPS], retry=False)


_caller = Caller()


def call() -> None:
    """Called after the commit that has put a short act into the queue."""
    if lane.is_here:
        lane.wake()
    else:
        _caller.call()
