"""What engines reported, kept for EVENTS_KEPT_DAYS."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import OnHost, VisibleQuerySet


class Event(OnHost, models.Model):
    """One event of an engine."""

    view_right = Right.EVENTS_VIEW
    owner_column = "owner"

    host = models.ForeignKey("hosts.Host", on_delete=models.CASCADE)
    time = models.DateTimeField(db_index=True)
    time_nano = models.BigIntegerField(default=0)
    kind = models.CharField(max_length=40)
    action = models.CharField(max_length=255)
    actor_id = models.CharField(max_length=255, blank=True)
    actor_name = models.CharField(max_length=255, blank=True)
    data = models.JSONField(default=dict)
    # of what it is about, as it was then
    owner = models.ForeignKey("accounts.Team", null=True, on_delete=models.SET_NULL, related_name="+")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["host", "time_nano", "kind", "action", "actor_id"], name="event_once")
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.action} {self.actor_name}"
