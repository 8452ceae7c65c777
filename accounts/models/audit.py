"""The audit: who did what, when, to what, with what outcome."""

from django.db import models
from django.utils import timezone

from accounts.models.users import User


class AuditEntry(models.Model):
    """One act. Rows are only ever added, by accounts.audit; the names stay when a user or host is deleted."""

    number = models.BigIntegerField(unique=True, null=True, editable=False)  # place in the chain, from 1
    time = models.DateTimeField(default=timezone.now, db_index=True)
    actor = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)
    action = models.CharField(max_length=60)
    host = models.CharField(max_length=100, blank=True)
    target = models.CharField(max_length=255, blank=True)
    outcome = models.CharField(max_length=20, default="done")
    detail = models.JSONField(default=dict)
    address = models.CharField(max_length=64, blank=True)  # where the request came from
    via = models.CharField(max_length=150, blank=True)  # what acted for the actor: a job, a schedule, a token
    digest = models.CharField(max_length=64, blank=True, editable=False)  # accounts.chain

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "audit entries"

    def __str__(self) -> str:
        return f"{self.time:%F %T} {self.actor_name} {self.action} {self.host}/{self.target}: {self.outcome}"


class AuditChain(models.Model):
    """Both ends of the audit: one row. What is older than `kept_after` was forgotten when its time was over."""

    number = models.BigIntegerField(default=0)  # of the newest entry
    digest = models.CharField(max_length=64, blank=True)
    kept_after = models.BigIntegerField(default=0)  # the number of the newest entry that was forgotten
    kept_after_digest = models.CharField(max_length=64, blank=True)

    def __str__(self) -> str:
        return f"{self.number}:{self.digest}"

    @classmethod
    def now(cls) -> "AuditChain":
        """As it is; an empty one before the first entry."""
        return cls.objects.first() or cls()
