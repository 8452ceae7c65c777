"""What can be done to backups that are there: download, check, remove."""

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common.errors import DermagaError, Failure
from common.events import changed
from common.streaming import from_thread
from hosts.actions import removals
from hosts.actions.act import demand, demand_each, file_response, recorded_at
from hosts.actions.backups.work import NamedBackups
from hosts.actions.volumes.work import Work
from hosts.engine.errors import EngineError
from hosts.models import Backup
from hosts.stores.packing import Sealed
from jobs import queue
from jobs.models import Job
from jobs.run import Cancelled, JobContext


def download(actor: Any, backup: Backup) -> StreamingHttpResponse:
    """The file, as it lies there. All of the volume is in it: who took it is audited."""
    with recorded_at(actor, Right.BACKUPS_MANAGE, backup, "backup.download", backup.key):
        store = backup.destination.store()
        blocks = store.read(backup.key)
        first = next(blocks, b"")  # before the headers go out an error is still an answer
        response = file_response(from_thread(first, blocks, store.end), backup.file_name)
        response["Content-Length"] = str(backup.bytes)
        response["Content-Type"] = "application/zstd"
        return response


# ---------------------------------------------------------------- check
def start_check(actor: Any, backup: Backup) -> Job:
    """Starts a job that reads the file and compares its hash."""
    demand(actor, Right.BACKUPS_MANAGE, backup)
    of_it: dict[str, Any] = {"host": backup.host, "team": backup.owner_id, "locks": [backup.lock]}
    return queue.start(actor, "backup.check", target=backup.key, params={"backup": backup.pk}, **of_it)


def run_check(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    work, named = Work(context), NamedBackups(context)
    backup = named.backup()
    with recorded_at(context.job.by, Right.BACKUPS_MANAGE, backup, "backup.check", backup.key):
        sealed = Sealed()
        with work.cancellable():
            blocks = sealed.watch(named.blocks(backup))
            for _block in work.told(blocks, (0, 1), backup.bytes, _("%(size)s read")):
                pass
            backup.compare(sealed)
        named.was_whole(backup)
        context.log(_("The file is whole: its SHA-256 is %(hash)s.") % {"hash": sealed.sha256})
    return {"size": sealed.bytes, "sha256": sealed.sha256}


# ---------------------------------------------------------------- remove
def start_removal(actor: Any, backups: Iterable[Backup]) -> Job:
    """Starts a job that deletes these files."""
    found = sorted(backups, key=lambda backup: backup.pk)
    demand_each(actor, Right.BACKUPS_MANAGE, found)
    removals.check_number(
        found,
        none=gettext_noop("There is no backup to remove."),
        too_many=gettext_noop("At most %(most)s backups at once."),
    )
    places = {(backup.host, backup.owner_id) for backup in found}
    (host, team) = places.pop() if len(places) == 1 else ("", None)  # of several its page is for who asked
    return queue.start(
        actor,
        "backup.remove",
        host=host,
        team=team,
        target=", ".join(backup.file_name for backup in found),
        params={"backups": [backup.pk for backup in found]},
        locks=[backup.lock for backup in found],
    )


def run_removal(context: JobContext) -> dict[str, Any]:
    """Runs in a worker: one after the other."""
    rows = Backup.kept().select_related("destination").in_bulk(context.params["backups"])
    found = [rows[pk] for pk in sorted(rows)]
    parts = [{"id": backup.key, "state": "queued", "error": ""} for backup in found]
    size = 0
    for n, (backup, part) in enumerate(zip(found, parts, strict=True)):
        context.progress(n / len(parts), backup.key, parts)
        try:
            remove(context, backup)
        except Cancelled:
            raise
        except DermagaError as error:
            part["state"], part["error"] = "failed", str(error)
            context.log(f"{backup.key}: {error}")
        else:
            part["state"] = "done"
            size += backup.bytes
    failed = sum(part["state"] == "failed" for part in parts)
    context.progress(1, "", parts, now=True)
    if failed and failed == len(parts):
        raise Failure(
            "nothing_removed", 502, gettext_noop("None of them was removed: %(why)s"), {"why": parts[0]["error"]}
        )
    return {"backups": len(parts) - failed, "kept": failed, "size": size}


def remove(context: JobContext, backup: Backup) -> None:
    """Deletes the file, and then the row. Raises DermagaError, and the row stays."""
    with recorded_at(context.job.by, Right.BACKUPS_MANAGE, backup, "backup.remove", backup.key):
        store = backup.destination.store()
        context.on_cancel(store.end)
        try:
            store.remove(backup.key)
        except EngineError:
            context.check_cancelled()
            raise
        pk = str(backup.pk)
        backup.delete()
    changed("backup", backup.host, pk)
    context.log(_("Removed %(name)s.") % {"name": backup.key})
