"""The Celery app: `celery -A dashboard worker|beat`, or the threads that `manage.py up` starts."""

import os

from celery import Celery
from celery.signals import setup_logging

from dashboard.lane import ShortLane, WakeUps
from dashboard.pulse import WorkerPulse

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

app = Celery("dermaga")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(WorkerPulse)
app.steps["worker"].add(ShortLane)
app.steps["consumer"].add(WakeUps)
app.autodiscover_tasks(["accounts", "jobs"])
app.autodiscover_tasks(["hosts"], related_name="jobs")


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Celery sets up logging of its own unless somebody answers this signal."""
