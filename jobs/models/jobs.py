"""A job: slow work that outlives the tab, the request and a killed worker."""

from datetime import timedelta
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.rights import Right, standing_of
from common.secrets import EncryptedJSONField

HEARTBEAT_SECONDS = 2
LOST_AFTER = timedelta(seconds=5)
DEAD_AFTER = timedelta(seconds=12)  # without a heartbeat the worker is taken for dead


class JobState(models.TextChoices):
    """Where a job is."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    DONE = "done", _("done")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    INTERRUPTED = "interrupted", _("interrupted")


OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)


def lock(host: str, noun: str, name: str) -> str:
    """The name of an object that a job works on, for `queue.start(..., locks=[...])`."""
    return f"{host}/{noun}/{name}"


def within(user: Any) -> Q:
    """What jobs, or schedules, `user` may see; an empty condition means all of them."""
    reach = standing_of(user).reach(Right.JOBS_VIEW)
    if reach.everywhere:
        return Q()
    if not reach.anywhere:
        return Q(pk__in=[])
    here, there = (Q(**{f"{end}__in": reach.hosts}) | reach.of_teams(end, "team") for end in ("host", "to"))
    return Q(by=user) | here & (Q(to="") | there)


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, user: Any) -> Self:
        """The jobs that `user` may see: of the hosts where that is granted, and their own."""
        return self.filter(within(user))

    def open(self) -> Self:
        """Queued and running ones."""
        return self.filter(state__in=OPEN_STATES)

    def drop_sealed(self) -> None:
        """Of these, which have ended, those that nobody can start again lose their secret arguments."""
        from jobs.kinds import is_kept

        kinds = [kind for kind in set(self.order_by().values_list("kind", flat=True)) if not is_kept(kind)]
        if kinds:
            self.filter(kind__in=kinds).update(sealed={})

    def listed(self) -> Self:
        """Without short acts whose end went out with an answer: nobody was sent to them, and the audit has them. One
        that is open for long has lost its request."""
        lost = Q(state__in=OPEN_STATES, created__lt=timezone.now() - LOST_AFTER)
        return self.filter(Q(shown=True) | lost)


class Job(models.Model):
    """One job. `kind` names the function that runs it (jobs.kinds), `params` are its arguments."""

    view_right = Right.JOBS_VIEW

    kind = models.CharField(max_length=60)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    by_name = models.CharField(max_length=150)
    host = models.CharField(max_length=100, blank=True, db_index=True)  # "" for several, and for swarms
    to = models.CharField(max_length=100, blank=True)  # the other host of a copy
    # whose what it works on is; None: nobody's, or several teams'
    team = models.ForeignKey("accounts.Team", null=True, on_delete=models.SET_NULL, related_name="+")
    target = models.CharField(max_length=500, blank=True)
    params = models.JSONField(default=dict)
    sealed = EncryptedJSONField(default=dict)  # arguments that are secret: never shown, logged or sent to a page
    locks = models.JSONField(default=list)  # the objects it works on (`lock`): one job at a time on each
    # of kind, host and arguments while it is open: the same job asked for twice is one job
    fingerprint = models.CharField(max_length=64, blank=True)
    state = models.CharField(max_length=20, choices=JobState.choices, default=JobState.QUEUED, db_index=True)
    progress = models.FloatField(default=0)  # 0 to 1
    message = models.CharField(max_length=500, blank=True)
    parts = models.JSONField(default=list)  # layers or targets: [{"id", "state", "current", "total"}]
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    created = models.DateTimeField(auto_now_add=True)
    started = models.DateTimeField(null=True)
    deadline = models.DateTimeField(null=True)
    ended = models.DateTimeField(null=True)
    heartbeat = models.DateTimeField(null=True)
    worker = models.CharField(max_length=100, blank=True)
    handed_over = models.DateTimeField(null=True)  # when a message about it last went to the broker
    cancel_asked = models.BooleanField(default=False)
    again_of = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="repeats")
    schedule = models.ForeignKey("jobs.Schedule", null=True, on_delete=models.SET_NULL, related_name="jobs")
    short = models.BooleanField(default=False)  # runs in the lane of short acts (jobs.lane)
    # False: a short act whose end is the answer of the request that asked for it; lists leave it out
    shown = models.BooleanField(default=True)
    problem = models.JSONField(default=dict)  # its error for programs (jobs.problems)
    origin = models.JSONField(default=dict)  # of a short act: who asked, from where (accounts.origin)

    objects = JobQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["fingerprint"],
                condition=Q(state__in=OPEN_STATES) & ~Q(fingerprint=""),
                name="one_open_job_of_a_kind",
            )
        ]

    def __str__(self) -> str:
        return f"job {self.pk} {self.kind} {self.host} {self.target}"

    @property
    def is_open(self) -> bool:
        """Whether it may still change."""
        return self.state in OPEN_STATES

    @property
    def title(self) -> str:
        """What it does, in words."""
        from jobs.kinds import title_of

        return title_of(self.kind)

    @property
    def left(self) -> list[str]:
        """What it left behind, half done."""
        return [str(words) for words in self.result.get("left", [])]

    @property
    def outcome(self) -> dict[str, Any]:
        """Its result without what it left."""
        return {name: value for name, value in self.result.items() if name != "left"}

    @property
    def facts(self) -> dict[str, Any]:
        """Its outcome in words: what is more than a word is for programs, and for other pages to look up."""
        return {name: value for name, value in self.outcome.items() if not isinstance(value, dict)}

    @property
    def percent(self) -> int:
        """Progress as a whole percentage; 100 only when it is done."""
        return 100 if self.state == JobState.DONE else min(99, int(self.progress * 100))

    @property
    def seconds(self) -> float | None:
        """How long it has run, or ran."""
        if self.started is None:
            return None
        return ((self.ended or timezone.now()) - self.started).total_seconds()


class JobLine(models.Model):
    """A line of a job's log."""

    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="lines")
    time = models.DateTimeField(auto_now_add=True)
    text = models.TextField()

    class Meta:
        ordering = ["id"]
