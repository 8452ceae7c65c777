"""What a job has changed for as long as it runs, so that it is put back also when its worker is killed."""

from django.db import models

from accounts.rights import Right
from hosts.models.base import OnHost, VisibleQuerySet
from hosts.models.hosts import Host
from jobs.models import Job


class HoldKind(models.TextChoices):
    """What it is, and how it is put back."""

    CONTAINER = "container"  # was stopped: is started again
    VOLUME = "volume"  # is half filled: is removed
    HELPER = "helper"  # a container of ours: is removed
    IMAGE = "image"  # a name that we gave: is removed


class Hold(OnHost, models.Model):
    """One such thing of an engine (hosts.actions.volumes.holds). `ref` is how the engine calls it, `name` how people do.

    The row is there before the engine is asked; `sure` says that the engine has answered.
    """

    view_right = Right.JOBS_VIEW

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="holds")
    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=20)  # a HoldKind
    ref = models.CharField(max_length=300)
    name = models.CharField(max_length=300)
    sure = models.BooleanField(default=False)
    made = models.DateTimeField(auto_now_add=True)
    tried = models.DateTimeField(null=True)  # when it was last tried to put it back after its job's end

    objects = VisibleQuerySet.as_manager()
