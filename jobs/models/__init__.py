"""Jobs and the schedules that start them: a file a noun."""

from jobs.models.jobs import DEAD_AFTER, HEARTBEAT_SECONDS, OPEN_STATES, Job, JobLine, JobState, lock
from jobs.models.schedules import RunOutcome, Schedule, ScheduleRun

__all__ = [
    "DEAD_AFTER",
    "HEARTBEAT_SECONDS",
    "OPEN_STATES",
    "Job",
    "JobLine",
    "JobState",
    "RunOutcome",
    "Schedule",
    "ScheduleRun",
    "lock",
]
