"""Steps of the Celery worker for the lane of short acts. Models are imported late, as in dashboard/pulse.py."""

from typing import Any

from celery import bootsteps


class ShortLane(bootsteps.StartStopStep):
    """The lane lives as long as the worker."""

    def start(self, worker: Any) -> None:
        from jobs.lane import lane

        lane.start()

    def stop(self, worker: Any) -> None:
        from jobs.lane import lane

        lane.stop()


class WakeUps(bootsteps.ConsumerStep):
    """Hears through the broker that there is something to do, also while all of Celery's own threads are busy."""

    def get_consumers(self, channel: Any) -> list[Any]:
        from kombu.messaging import Consumer

        from jobs.lane import WAKE_UPS

        return [Consumer(channel, queues=[WAKE_UPS], callbacks=[self.woken], accept=["json"])]

    def woken(self, _body: Any, message: Any) -> None:
        from jobs.lane import lane

        message.ack()
        lane.wake()
