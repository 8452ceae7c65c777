"""How worker and scheduler show that they live, in both forms. Celery calls these from the loops that do the work, so
that one that hangs falls silent. Models are imported late: Celery reads this before Django is set up."""

from typing import Any

from celery import bootsteps
from celery.beat import Scheduler


def beat(role: str) -> None:
    """Writes the heartbeat when it is due."""
    from hosts.inventory import processes

    processes.beat(role)


class WorkerPulse(bootsteps.StartStopStep):
    """A step of the worker: its timer, which belongs to the loop that takes messages, calls every few seconds."""

    requires = {"celery.worker.components:Timer"}

    def start(self, worker: Any) -> None:
        from hosts.inventory import processes

        beat("worker")
        self.entry = worker.timer.call_repeatedly(processes.EVERY_SECONDS, beat, ("worker",))

    def stop(self, worker: Any) -> None:
        from hosts.inventory import processes

        self.entry.cancel()
        processes.leave("worker")


class BeatScheduler(Scheduler):
    """In memory: every entry is an interval."""

    def tick(self, *args: Any, **options: Any) -> Any:
        beat("beat")
        return super().tick(*args, **options)

    def close(self) -> None:
        from hosts.inventory import processes

        super().close()
        processes.leave("beat")
