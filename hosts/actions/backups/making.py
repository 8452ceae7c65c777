"""Backups are made: a volume, packed and hashed as it is read, into a file at a destination."""

from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import structlog
from django.core.cache import cache
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.audit import record
from accounts.rights import Right
from common.errors import DermagaError, Invalid
from common.events import changed
from common.templatetags.ui import filesize_iec
from hosts.access import EVERYWHERE
from hosts.actions.act import demand, demand_enabled, host_of, recorded, recorded_at
from hosts.actions.backups import keeping
from hosts.actions.backups.work import NamedBackups
from hosts.actions.volumes import holds
from hosts.actions.volumes.work import VolumeWork
from hosts.engine import parse
from hosts.engine.archives import Recast
from hosts.models import Backup, Destination, Volume
from hosts.models.backups import BackupState
from hosts.stores.packing import Sealed, packed
from jobs import queue, schedules
from jobs.models import Job, Schedule, lock
from jobs.run import JobContext

READ_SHARE = 0.97  # of the progress
WHOLE = ["bytes", "sha256", "content_bytes", "entries", "content", "upload", "state", "created", "owner"]
SWEPT_AT_ONCE = 20
SWEPT_EVERY = 50.0  # seconds between two tries, and longer the older it is

log = structlog.get_logger("dermaga.backups")


def start_backup(actor: Any, volume: Volume, destination: Destination, *, stop: bool = False) -> Job:
    """Starts a job that stores what is in the volume. `stop`: running containers that use it are stopped meanwhile."""
    demand(actor, Right.BACKUPS_MANAGE, volume)
    host = volume.host
    demand_enabled(host)
    return queue.start(actor, "volume.backup", **_asked(volume, destination, stop))


def _asked(volume: Volume, destination: Destination, stop: bool, **more: int) -> dict[str, Any]:
    host = volume.host.name
    return {
        "host": host,
        "team": volume.owner_id,
        "target": f"{volume.name} -> {destination.name}",
        "params": {"host": host, "volume": volume.name, "destination": destination.pk, "stop": stop, **more},
        "locks": [lock(host, "volume", volume.name)],
    }


def schedule(
    actor: Any,
    volume: Volume,
    destination: Destination,
    *,
    stop: bool = False,
    keep_last: int = 0,
    keep_days: int = 0,
    **times: Any,
) -> Schedule:
    """Makes a schedule of such jobs; `times` are those of jobs.schedules.add. Of the backups that it makes the last
    `keep_last` are kept, and those of the last `keep_days` days; all with neither."""
    demand(actor, Right.BACKUPS_MANAGE, volume)
    for field, value, most in (
        ("keep_last", keep_last, keeping.LAST_AT_MOST),
        ("keep_days", keep_days, keeping.DAYS_AT_MOST),
    ):
        if not 0 <= value <= most:
            raise Invalid(field, gettext_noop("Give a number from 0 to %(most)s; 0 keeps all."), {"most": most})
    asked = _asked(volume, destination, stop, keep_last=keep_last, keep_days=keep_days)
    with transaction.atomic():
        asked["team_id"] = asked.pop("team")
        made = schedules.add(actor, Job(kind="volume.backup", **asked), **times)
        detail = {"schedule": made.pk, "keep_last": keep_last, "keep_days": keep_days}
        record(actor, "volume.backup_schedule", volume.name, host=volume.host.name, detail=detail)
    return made


def run_backup(context: JobContext) -> dict[str, Any]:
    """Runs in a worker. A file that is not whole is no backup, and goes."""
    work = VolumeWork(context, host_of(context), str(context.params["volume"]))
    destination = NamedBackups(context).destination()
    detail = {"destination": destination.name}
    with recorded(context.job.by, Right.BACKUPS_MANAGE, work.place, "volume.backup", work.volume, detail=detail):
        about = work.asker.look(work.volume)
        if context.params["stop"]:
            with holds.stopped_users(context, work.host, work.volume):
                backup = _make(work, destination, about)
        else:
            words = _("%(name)s runs and uses it: what it writes meanwhile may be half there.")
            for name in work.running_users():
                context.log(words % {"name": name})
            backup = _make(work, destination, about)
    keeping.keep(context, backup)
    return {"backup": backup.pk, "size": backup.bytes, "files": backup.entries, "sha256": backup.sha256}


def _make(work: VolumeWork, destination: Destination, about: dict[str, Any]) -> Backup:
    job, row = work.context.job, work.place
    backup = Backup.objects.create(
        host=work.host.name,
        volume=work.volume,
        of_volume=row if isinstance(row, Volume) else None,
        owner_id=row.owner_id if isinstance(row, Volume) else None,
        destination=destination,
        key=_key(work.host.name, work.volume, timezone.now(), job.pk),
        labels=parse.labels_of(about.get("Labels")),
        by_name=job.by_name,
        job=job,
        schedule=job.schedule,
    )
    try:
        recast, sealed = _write(work, backup)
        backup.bytes, backup.sha256 = sealed.bytes, sealed.sha256
        backup.content_bytes, backup.entries, backup.content = recast.size, recast.entries, recast.sum.digest()
        _keep(work, backup)
    except BaseException:
        _give_up(backup)
        raise
    changed("backup", backup.host, str(backup.pk))
    words = _("Stored %(name)s: %(size)s, packed from %(content)s in %(n)s entries. SHA-256 %(hash)s")
    told = {"name": backup.key, "size": filesize_iec(backup.bytes), "content": filesize_iec(backup.content_bytes)}
    work.context.log(words % {**told, "n": backup.entries, "hash": backup.sha256})
    return backup


def _keep(work: VolumeWork, backup: Backup) -> None:
    """It is whole: shown from now on, to whom the volume belongs now. Raises Conflict when that is another team than the
    job is for."""
    with transaction.atomic():
        list(Volume.objects.select_for_update().filter(pk=backup.of_volume_id))  # whoever gives it away waits
        row = work.place
        if isinstance(row, Volume) and row.pk == backup.of_volume_id:
            backup.owner_id = row.owner_id
        backup.state, backup.created = BackupState.KEPT, timezone.now()
        backup.save(update_fields=WHOLE)


def _write(work: VolumeWork, backup: Backup) -> tuple[Recast, Sealed]:
    """What went into the file."""
    recast, sealed = Recast(), Sealed()
    with work.reading(recast) as blocks:
        store = backup.destination.store()
        work.context.on_cancel(store.end)
        counted = work.told(blocks, (0, READ_SHARE), work.size, _("%(size)s read"))
        store.write(backup.key, sealed.watch(packed(counted)), work.size, partial(_note_upload, backup))
    work.context.check_cancelled()
    for name in recast.skipped:
        work.context.log(_("Left out, since it is a device: %(path)s") % {"path": name})
    return recast, sealed


def _note_upload(backup: Backup, upload: str) -> None:
    Backup.objects.filter(pk=backup.pk).update(upload=upload[:1000])


def _key(host: str, volume: str, now: datetime, job: int) -> str:
    """The same for nobody else: a job writes one file."""
    name = quote(volume, safe="").replace(".", "%2E") if volume.startswith(".") else quote(volume, safe="")
    return f"{host}/{name[:180]}/{name[:150]}-{now:%Y%m%dT%H%M%SZ}-{job}.tar.zst"


# ---------------------------------------------------------------- what was not finished
def _give_up(backup: Backup) -> None:
    try:
        _sweep(backup)
    except Exception as error:  # its place is away: `sweep` tries again
        log.warning("half a backup is left for now", backup=backup.pk, error=type(error).__name__)


def _sweep(backup: Backup) -> None:
    store = backup.destination.store()
    backup.refresh_from_db(fields=["upload"])
    store.sweep(backup.key, backup.upload)
    store.remove(backup.key)  # whole, but killed before that was noted
    backup.delete()


def sweep(actor: Any) -> None:
    """Deletes what is left of backups whose worker was killed, or whose place was away when they failed."""
    demand(actor, Right.BACKUPS_MANAGE, EVERYWHERE)
    rows = Backup.objects.filter(state=BackupState.WRITING).select_related("destination", "job")
    for backup in rows[:SWEPT_AT_ONCE]:
        if backup.job is not None and backup.job.is_open:
            continue
        wait = max(SWEPT_EVERY, (timezone.now() - backup.created).total_seconds() / 4)
        if not cache.add(f"dermaga.sweep.{backup.pk}", 1, wait):
            continue  # its place was away just now
        try:
            with recorded_at(actor, Right.BACKUPS_MANAGE, backup, "backup.sweep", backup.key):
                _sweep(backup)
        except DermagaError as error:
            log.warning("half a backup is left for now", backup=backup.pk, reason=error.code)
