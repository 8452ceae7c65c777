"""Runs a job that was claimed: keeps a heartbeat, writes progress, hears of cancelling, closes the row."""

import os
import socket
import threading
import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.models import User
from accounts.origin import came_from
from accounts.rights import allows_at
from common.errors import DermagaError, Failure
from common.events import changed
from common.hiding import forms, hide, hiding, without_secrets
from jobs import waiting
from jobs.claims import claim, tell_waiting
from jobs.kinds import get_kind
from jobs.models import HEARTBEAT_SECONDS, Job, JobLine, JobState
from jobs.problems import problem_of

# in containers every worker may be process 1 of a host of the same name
WORKER = f"{socket.gethostname()[:60]}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
LISTEN_SECONDS = 0.4  # how soon a wish to cancel is heard
LET_GO_SECONDS = 0.8  # after which a short act that was cancelled is not waited for any more
WRITE_SECONDS = 0.25  # progress is written at most this often
LOG_LINES_AT_MOST = 5000
NOT_ALLOWED = gettext_noop("The account that started this job may not do that any more.")
BROKEN = gettext_noop("Dermaga failed at this job. Its log has the reason, under job %(id)s.")
TOO_LONG = gettext_noop("It was ended: it took longer than %(minutes)s minutes, the longest that this may take.")
WORKER_DIED = gettext_noop("The worker that ran this job died. Start it again.")

log = structlog.get_logger("dermaga.jobs")


class Cancelled(Exception):
    """The job was asked to stop, and stopped."""


class JobContext:
    """What a job's function holds: its row's parameters, and how it reports and hears of cancelling."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.params: dict[str, Any] = job.params
        self.sealed: dict[str, Any] = job.sealed or {}
        self._hidden: list[str] = []
        self._left: list[str] = []
        self.out_of_time = False
        self._cancel = threading.Event()
        self._on_cancel: list[Callable[[], None]] = []
        self._written = 0.0
        self._lines = 0
        self.why = ""  # it was cancelled, when nobody asked for that

    # ---------------------------------------------------------------- reporting
    def progress(
        self, share: float, message: str = "", parts: list[dict[str, Any]] | None = None, *, now: bool = False
    ) -> None:
        """Reports progress (0 to 1), which never goes back; written at most four times a second unless `now`.
        Raises Cancelled."""
        self.check_cancelled()
        self.job.progress = max(self.job.progress, min(1.0, share))
        self.job.message = self.clean(message)[:500]
        if parts is not None:
            self.job.parts = parts
        if now or time.monotonic() - self._written >= WRITE_SECONDS:
            self._written = time.monotonic()
            Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING).update(
                progress=self.job.progress, message=self.job.message, parts=self.job.parts
            )
            changed("job", self.job.host, str(self.job.pk))

    def log(self, text: str) -> None:
        """Adds a line to the job's log; after LOG_LINES_AT_MOST one says that there were more."""
        self._lines += 1
        if self._lines == LOG_LINES_AT_MOST:
            text = _("… and more: a job keeps %(n)s lines.") % {"n": LOG_LINES_AT_MOST}
        if self._lines <= LOG_LINES_AT_MOST:
            JobLine.objects.create(job=self.job, text=self.clean(text.replace("\0", ""))[:2000])
            changed("job", self.job.host, str(self.job.pk))

    def leaves(self, words: str) -> None:
        """Notes what is left behind, half done, by a job that fails or is cancelled; shown on its page."""
        self._left.append(self.clean(words)[:500])

    def note(self, result: dict[str, Any]) -> None:
        """Writes what its page is to say if the worker dies now: the result so far, and in `left` what is half done."""
        left = {"left": [self.clean(words)[:500] for words in result["left"]]} if "left" in result else {}
        Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING).update(result=result | left)

    @property
    def left(self) -> dict[str, Any]:
        """The note as a part of the result."""
        return {"left": self._left} if self._left else {}

    # ---------------------------------------------------------------- secrets
    def hide(self, *secrets: str) -> None:
        """From now on these words show nowhere: not in the log, the progress, the error, or what is left."""
        hide(*secrets)  # in what is cut to its length before it comes here
        self._hidden = sorted({*self._hidden, *forms(secrets)}, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """`text` without what is hidden."""
        return without_secrets(text, self._hidden)

    # ---------------------------------------------------------------- cancelling
    @property
    def cancelled(self) -> bool:
        """Whether somebody asked to stop."""
        return self._cancel.is_set()

    def check_cancelled(self) -> None:
        """Raises Cancelled when somebody asked to stop."""
        if self.cancelled:
            raise Cancelled

    def pause(self, seconds: float) -> None:
        """Waits. Raises Cancelled as soon as somebody asks to stop."""
        self._cancel.wait(seconds)
        self.check_cancelled()

    def on_cancel(self, call: Callable[[], None]) -> None:
        """`call` runs, in another thread, as soon as cancelling is asked for: it closes what the job waits on."""
        self._on_cancel.append(call)
        if self.cancelled:
            call()

    def cancel(self, why: str = "") -> None:
        """Called by the heartbeat."""
        self.why = why
        self._cancel.set()
        for call in self._on_cancel:
            try:
                call()
            except Exception as error:  # closing something that is closed already
                log.debug("cancel hook failed", error=str(error))


class Heart(threading.Thread):
    """Shows that the worker lives, and hears of cancelling."""

    def __init__(self, context: JobContext) -> None:
        super().__init__(name=f"job-{context.job.pk}-heart", daemon=True)
        self.context = context
        self.stopped = threading.Event()
        deadline = context.job.deadline
        self.until = time.monotonic() + (deadline - timezone.now()).total_seconds() if deadline else None
        self._cancelled_at = 0.0

    def run(self) -> None:
        last_beat = time.monotonic()
        try:
            while not self.stopped.wait(LISTEN_SECONDS):
                try:
                    last_beat = self._beat(last_beat)
                except Exception as error:  # the database is away for a moment: go on trying
                    log.warning("heartbeat failed", job=self.context.job.pk, error=str(error)[:200])
                    close_old_connections()
        finally:
            connection.close()

    def _beat(self, last_beat: float) -> float:
        row = Job.objects.filter(pk=self.context.job.pk)
        if not self.context.cancelled and self.until and time.monotonic() > self.until:
            self.context.out_of_time = True
            self.context.cancel()
        if not self.context.cancelled and row.filter(cancel_asked=True).exists():
            self.context.cancel()
        self._let_go()
        if time.monotonic() - last_beat < HEARTBEAT_SECONDS:
            return last_beat
        ours = row.filter(state=JobState.RUNNING, worker=WORKER).update(heartbeat=timezone.now())
        if not self.context.cancelled and not self.stopped.is_set():
            if not ours:
                self.context.cancel()  # taken for dead meanwhile: what it still does would show nowhere
            elif not may_run(self.context.job):
                self.context.cancel(NOT_ALLOWED)
        return time.monotonic()

    def _let_go(self) -> None:
        """Not every question of a short act can be cut off: its job ends all the same, and what comes is for the audit."""
        if not self.context.cancelled or not self.context.job.short:
            return
        self._cancelled_at = self._cancelled_at or time.monotonic()
        if time.monotonic() - self._cancelled_at > LET_GO_SECONDS:
            self.stopped.set()
            words = _("No answer came for %(names)s: the engine may do it all the same.")
            self.context.leaves(words % {"names": self.context.job.target})
            close_cancelled(self.context, {})


def may_run(job: Job) -> bool:
    """Whether who started the job has, now, the right that its kind demands."""
    actor = User.objects.filter(pk=job.by_id).first() if job.by_id else None
    return allows_at(actor, get_kind(job.kind).right, job.host, job.to, team=job.team_id)


def run_job(job_id: int) -> None:
    """Runs this job if it is queued and nothing keeps it; harmless when called twice."""
    if job := claim(WORKER, only=job_id):
        run_claimed(job)


def run_next() -> bool:
    """Runs the job whose turn it is; False when there is none."""
    job = claim(WORKER)
    if job:
        run_claimed(job)
    return job is not None


def run_claimed(job: Job) -> None:
    """Runs a job that is marked as running by this worker, to its end."""
    context = JobContext(job)
    heart = Heart(context)
    heart.start()
    cancelled, result = False, {}
    problem: DermagaError | None = None
    try:
        if job.cancel_asked:
            raise Cancelled
        if not may_run(job):
            raise Failure("denied", 403, NOT_ALLOWED)
        with hiding(), came_from(job.origin.get("via") or _via(job), job.origin.get("address", "")):
            result = get_kind(job.kind).run(context)
    except Cancelled:
        cancelled = True
    except DermagaError as error:
        # what a job was doing when it was cut off by cancelling fails with whatever error: that is no failure
        problem, cancelled = error, context.cancelled
    except Exception:
        cancelled = context.cancelled
        problem = Failure("broken", 500, BROKEN, {"id": job.pk})  # the exception's words may hold secrets
        if not cancelled:
            log.exception("job failed", job=job.pk, kind=job.kind)
    except BaseException:
        problem = Failure("broken", 500, BROKEN, {"id": job.pk})
        raise
    finally:
        heart.stopped.set()
        if cancelled:
            close_cancelled(context, result)
        elif problem:
            close_failed(context, problem, result)
        else:
            close_job(job, JobState.DONE, "", result | context.left)


def _via(job: Job) -> str:
    """A short act that somebody asked for with a click is not the job's, but theirs."""
    return "" if job.origin else f"job {job.pk}"


def close_failed(context: JobContext, error: DermagaError, result: dict[str, Any]) -> None:
    """Writes the end of a job that did not do it."""
    sentence, detail = str(error), error.detail
    words = sentence if detail.rstrip(".") in sentence else f"{sentence}\n{detail}"
    problem = problem_of(error, context.clean)
    close_job(context.job, JobState.FAILED, context.clean(words), result | context.left, problem)


def close_cancelled(context: JobContext, result: dict[str, Any]) -> None:
    """Writes the end of a job that was told to stop; one that ran out of time has failed."""
    if not context.out_of_time:
        close_job(context.job, JobState.CANCELLED, context.clean(context.why), result | context.left)
        return
    minutes = round(get_kind(context.job.kind).seconds / 60)
    close_failed(context, Failure("too_long", 504, TOO_LONG, {"minutes": minutes}), result)


def close_job(job: Job, state: str, error: str, result: dict[str, Any], problem: dict[str, Any] | None = None) -> None:
    """Writes the end of a running job, unless somebody else did."""
    with transaction.atomic():
        Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
            state=state,
            error=error,
            problem=problem or {},
            result=result,
            ended=timezone.now(),
            progress=1 if state == JobState.DONE else job.progress,
            message=job.message,
            parts=job.parts,
        )
        Job.objects.filter(pk=job.pk).drop_sealed()
        changed("job", job.host, str(job.pk))
        tell_waiting(job.host)
    waiting.ended(job.pk)


def add_left(job: Job, words: str) -> None:
    """Says on the page and in the log of a job that has ended what was put back, or is left, since then."""
    with transaction.atomic():
        row = Job.objects.select_for_update().get(pk=job.pk)
        left = [*row.result.get("left", []), words[:500]]
        Job.objects.filter(pk=job.pk).update(result=row.result | {"left": left})
        JobLine.objects.create(job=row, text=words[:2000])
        changed("job", row.host, str(row.pk))


def interrupt_dead(before: Any, workers: list[str] | None = None) -> int:
    """Marks running jobs as interrupted whose heartbeat is older than `before`, or whose worker is in `workers`."""
    rows = Job.objects.filter(state=JobState.RUNNING)
    rows = rows.filter(worker__in=workers) if workers is not None else rows.filter(heartbeat__lt=before)
    ids = list(rows.values_list("pk", "host"))
    # the condition holds in the update too: a heartbeat that came meanwhile keeps its job alive
    done = rows.filter(pk__in=[pk for pk, _host in ids]).update(
        state=JobState.INTERRUPTED, error=WORKER_DIED, ended=timezone.now()
    )
    for pk, host in ids:
        changed("job", host, str(pk))
    if done:
        Job.objects.filter(pk__in=[pk for pk, _host in ids], state=JobState.INTERRUPTED).drop_sealed()
        _audit_cut_short([pk for pk, _host in ids])
    return done


def _audit_cut_short(ids: list[int]) -> None:
    """A short act writes its entry when it ends; what a dead worker did of it nobody knows."""
    for job in Job.objects.filter(pk__in=ids, short=True, state=JobState.INTERRUPTED).select_related("by"):
        with came_from(job.origin.get("via") or _via(job), job.origin.get("address", "")):
            detail = {"reason": "interrupted", "job": job.pk}
            record(job.by, job.kind, job.target, host=job.host, outcome="failed", detail=detail)
