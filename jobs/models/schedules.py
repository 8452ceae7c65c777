"""A schedule: a job that is started again and again, at the times of a cron expression."""

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right
from common.secrets import EncryptedJSONField
from jobs.models.jobs import Job, within


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, user: Any) -> Self:
        """The schedules that `user` may see: of the hosts where that is granted, and their own."""
        return self.filter(within(user))


class Schedule(models.Model):
    """Starts a job of `kind` with the same arguments each time (see Job), as the account `by`."""

    view_right = Right.JOBS_VIEW

    name = models.CharField(max_length=100, unique=True)
    kind = models.CharField(max_length=60)
    host = models.CharField(max_length=100, blank=True)
    to = models.CharField(max_length=100, blank=True)
    team = models.ForeignKey("accounts.Team", null=True, on_delete=models.SET_NULL, related_name="+")  # as of a job
    target = models.CharField(max_length=500, blank=True)
    params = models.JSONField(default=dict)
    sealed = EncryptedJSONField(default=dict)
    locks = models.JSONField(default=list)
    cron = models.CharField(max_length=100)  # five fields: minute hour day month weekday
    timezone = models.CharField(max_length=100)
    catch_up = models.BooleanField(default=False)  # start once, late, when a time was missed
    enabled = models.BooleanField(default=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150)
    created = models.DateTimeField(auto_now_add=True)
    next_run = models.DateTimeField(null=True, db_index=True)  # None: disabled, or the expression has no further time

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """What it starts, in words."""
        from jobs.kinds import title_of

        return title_of(self.kind)


class RunOutcome(models.TextChoices):
    """What became of one time of a schedule."""

    STARTED = "started", _("started")
    LATE = "late", _("started late")
    JOINED = "joined", _("left out: the last one still ran")
    MISSED = "missed", _("missed")
    REFUSED = "refused", _("refused")


class ScheduleRun(models.Model):
    """One time of a schedule, and what became of it. `more` times before it were missed as well."""

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, related_name="runs")
    planned = models.DateTimeField()
    time = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=20, choices=RunOutcome.choices)
    reason = models.CharField(max_length=500, blank=True)
    more = models.PositiveIntegerField(default=0)
    job = models.ForeignKey(Job, null=True, on_delete=models.SET_NULL, related_name="runs")

    class Meta:
        ordering = ["-id"]
