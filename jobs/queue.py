"""Starting, cancelling and repeating jobs."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_noop

from accounts import origin
from accounts.audit import record
from accounts.rights import Right, allows_at
from common import uploads
from common.errors import Conflict, Denied, NotFound
from common.events import changed
from jobs import lane
from jobs.kinds import NOT_REPEATABLE, get_kind, may_repeat, uploads_of
from jobs.models import DEAD_AFTER, Job, JobState, Schedule
from jobs.run import interrupt_dead

HAND_OVER_AGAIN = timedelta(seconds=20)
QUEUED_AT_MOST = 200  # of one account
MANY = gettext_noop("You have %(n)s jobs in the queue. Wait until some of them have run, or cancel some.")
ANSWERED_KEPT = timedelta(hours=1)  # short acts whose end went out with an answer

log = structlog.get_logger("dermaga.jobs")


def start(
    actor: Any,
    kind: str,
    *,
    host: str = "",
    to: str = "",
    team: int | None = None,
    target: str = "",
    params: dict[str, Any],
    sealed: dict[str, Any] | None = None,
    locks: Iterable[str] = (),
    again_of: Job | None = None,
    schedule: Schedule | None = None,
    shown: bool = True,
) -> Job:
    """Makes a row and puts the job into the queue after the commit. The same job that is still open is given back
    instead. `to` is the other host of a copy; `team` the key of the one that owns what it works on; `sealed` are
    arguments that are secret; `locks` (jobs.models.lock) the objects that no other job may work on meanwhile. `shown`:
    whether lists have it from the start. Raises Denied without the kind's right there."""
    if not allows_at(actor, get_kind(kind).right, host, to, team=team):
        raise Denied
    short = get_kind(kind).short
    if Job.objects.filter(by=actor, state=JobState.QUEUED, short=short).count() >= QUEUED_AT_MOST:
        raise Conflict(MANY, {"n": QUEUED_AT_MOST})
    fingerprint = fingerprint_of(kind, host, target, params, sealed or {}, team)
    with transaction.atomic():
        try:
            with transaction.atomic():  # a savepoint: PostgreSQL goes on after the refusal
                job = Job.objects.create(
                    kind=kind,
                    by=actor,
                    by_name=actor.username,
                    host=host,
                    to=to,
                    team_id=team,
                    target=target[:500],
                    params=params,
                    sealed=sealed or {},
                    locks=sorted(set(locks)),
                    fingerprint=fingerprint,
                    again_of=again_of,
                    schedule=schedule,
                    short=short,
                    shown=shown,
                    origin=_origin() if short and not (schedule or again_of) else {},
                )
        except IntegrityError:
            same = Job.objects.open().filter(fingerprint=fingerprint).first()
            if same is None:  # it ended in this very moment
                return start(
                    actor,
                    kind,
                    host=host,
                    to=to,
                    team=team,
                    target=target,
                    params=params,
                    sealed=sealed,
                    locks=locks,
                    again_of=again_of,
                    schedule=schedule,
                    shown=shown,
                )
            record(actor, f"job.{kind}", target, host=host, detail={"job": same.pk, "joined": True})
            return same
        if not short:  # one entry an act: a short one's is written when it ends
            record(actor, f"job.{kind}", target, host=host, detail={"job": job.pk})
        transaction.on_commit(lane.call if short else lambda: enqueue(job.pk))
        changed("job", host, str(job.pk))
    return job


def _origin() -> dict[str, str]:
    came = origin.current()
    return {"address": came.address, "via": came.via}


def fingerprint_of(
    kind: str, host: str, target: str, params: dict[str, Any], sealed: dict[str, Any], team: int | None
) -> str:
    """What two jobs that are the same have in common; keyed, since a secret could be guessed from a plain hash."""
    words = json.dumps([kind, host, target, params, sealed, team], sort_keys=True, default=str)
    return salted_hmac("dermaga.jobs", words, algorithm="sha256").hexdigest()


def enqueue(job_id: int) -> bool:
    """Hands the job to a worker. When the broker is away the row stays queued, and `recover` hands it over later."""
    from jobs.tasks import run

    try:
        run.apply_async(args=[job_id], retry=False)
    except Exception as error:
        log.warning("not enqueued yet", job=job_id, error=str(error)[:200])
        return False
    Job.objects.filter(pk=job_id).update(handed_over=timezone.now())
    return True


def get_job(actor: Any, job_id: int) -> Job:
    """The job, if the actor may see it."""
    job = Job.objects.visible_to(actor).filter(pk=job_id).first()
    if job is None:
        raise NotFound
    return job


def cancel(actor: Any, job: Job) -> Job:
    """Asks a job to stop: a queued one is cancelled at once, a running one within two seconds."""
    if not allows_at(actor, Right.JOBS_MANAGE, job.host, job.to, team=job.team_id):
        raise Denied
    with transaction.atomic():
        stopped = Job.objects.filter(pk=job.pk, state=JobState.QUEUED).update(
            state=JobState.CANCELLED, cancel_asked=True, ended=timezone.now()
        )
        # without a fingerprint, so that the same can be asked for while this one ends
        asked = stopped or Job.objects.filter(pk=job.pk, state=JobState.RUNNING).update(
            cancel_asked=True, fingerprint=""
        )
        if not asked:
            raise Conflict(gettext_noop("The job has ended already."))
        record(actor, "job.cancel", job.target, host=job.host, detail={"job": job.pk})
        changed("job", job.host, str(job.pk))
        if stopped:  # nobody comes for the files that were sent for it
            Job.objects.filter(pk=job.pk).drop_sealed()
            keys = uploads_of(job.kind, job.params)
            transaction.on_commit(lambda: uploads.drop(*keys))
    job.refresh_from_db()
    return job


def again(actor: Any, job: Job) -> Job:
    """Starts a job that has ended once more, as a new job."""
    if job.is_open:
        raise Conflict(gettext_noop("The job has not ended yet."))
    right = get_kind(job.kind).right
    if not may_repeat(job):
        raise Conflict(NOT_REPEATABLE)
    if not allows_at(actor, right, job.host, job.to, team=job.team_id):
        raise Denied
    return start(
        actor,
        job.kind,
        host=job.host,
        to=job.to,
        team=job.team_id,
        target=job.target,
        params=_with_its_files(job),
        sealed=job.sealed,
        locks=job.locks,
        again_of=job,
    )


def _with_its_files(job: Job) -> dict[str, Any]:
    """Its parameters, with other keys for the files that were sent: what is left of the old one cannot drop them."""
    words = json.dumps(job.params)
    for key in uploads_of(job.kind, job.params):
        words = words.replace(key, uploads.hand_over(key))
    params: dict[str, Any] = json.loads(words)
    return params


def recover(*, all_workers_gone: bool = False) -> None:
    """Marks jobs of dead workers as interrupted, and hands queued rows over again whose message may be lost.

    `all_workers_gone`: the only worker is just starting, so nothing that says "running" runs, and no message is left.
    """
    now = timezone.now()
    freed = interrupt_dead(now + timedelta(days=1) if all_workers_gone else now - DEAD_AFTER)
    lane.call()
    queued = (
        Job.objects.filter(state=JobState.QUEUED, short=False)
        .order_by("pk")
        .values_list("pk", "created", "handed_over")
    )
    for job_id, created, handed_over in list(queued if all_workers_gone else queued[:500]):
        if not all_workers_gone and not freed and not _may_be_lost(now, created, handed_over):
            continue  # a place that became free is for whoever waited for it
        if not enqueue(job_id):
            return  # the broker is away: each further try would only wait for it


def forget_old() -> None:
    """Deletes jobs, with their logs, that ended more than JOBS_KEPT_DAYS ago, and soon those that no list shows. The
    audit keeps that they were."""
    now = timezone.now()
    Job.objects.filter(ended__lt=now - timedelta(days=settings.JOBS_KEPT_DAYS)).delete()
    Job.objects.filter(ended__lt=now - ANSWERED_KEPT, shown=False).delete()


def _may_be_lost(now: datetime, created: datetime, handed_over: datetime | None) -> bool:
    """Whether a queued job's message went out so long ago that it may be lost. The waits double: a job that queues for
    an hour behind others is handed over eight times, not every few seconds."""
    if handed_over is None:
        return now - created > HAND_OVER_AGAIN
    return now - handed_over > max(HAND_OVER_AGAIN, handed_over - created)
