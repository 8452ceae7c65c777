"""How long the backups of a schedule are kept: its own alone, and exactly by what it says."""

from datetime import timedelta

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.rights import Right
from common.errors import DermagaError
from hosts.actions.act import demand
from hosts.actions.backups import kept
from hosts.models import Backup
from jobs.models import Job
from jobs.run import JobContext

LAST_AT_MOST, DAYS_AT_MOST = 1000, 36500


def keep(context: JobContext, newest: Backup) -> int:
    """After a schedule has made `newest`: removes those that it made of the same volume before, unless they are among the
    last `keep_last` or younger than `keep_days` days; nothing when neither was asked for. Gives how many went. One that
    cannot be removed stays, and the log says why."""
    demand(context.job.by, Right.BACKUPS_MANAGE, newest)
    last, days = context.params.get("keep_last") or 0, context.params.get("keep_days") or 0
    if newest.schedule_id is None or not (last or days):
        return 0
    removed = 0
    for backup in _too_old(newest, last, days):
        if _is_used(context.job, backup):
            context.log(_("%(name)s is kept for now: another job reads it.") % {"name": backup.key})
            continue
        try:
            kept.remove(context, backup)
            removed += 1
        except DermagaError as error:
            context.log(_("%(name)s is not removed: %(why)s") % {"name": backup.key, "why": error})
    words = _("Kept by the schedule: %(n)s. Removed, since they are older: %(removed)s.")
    context.log(words % {"n": len(_of_schedule(newest)), "removed": removed})
    return removed


def _of_schedule(newest: Backup) -> list[Backup]:
    rows = Backup.kept().select_related("destination")
    of_it = {"schedule": newest.schedule_id, "destination": newest.destination_id, "owner": newest.owner_id}
    return list(rows.filter(host=newest.host, volume=newest.volume, **of_it).order_by("-created", "-pk"))


def _too_old(newest: Backup, last: int, days: int) -> list[Backup]:
    """Oldest first: when it is cut off, the newest ones are still there."""
    since = timezone.now() - timedelta(days=days)
    rows = list(_of_schedule(newest))
    return [row for n, row in enumerate(rows) if n >= last and not (days and row.created >= since)][::-1]


def _is_used(job: Job, backup: Backup) -> bool:
    others = Job.objects.open().exclude(pk=job.pk).values_list("locks", flat=True)
    return any(backup.lock in locks for locks in others)
