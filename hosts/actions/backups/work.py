"""The backups that a job's parameters name, and their files."""

from collections.abc import Iterator

from django.utils import timezone
from django.utils.translation import gettext_noop

from common.errors import Conflict, Failure
from common.events import changed
from hosts.belonging import MOVED
from hosts.models import Backup, Destination
from jobs.run import JobContext


class NamedBackups:
    """What the parameters of a job name."""

    def __init__(self, context: JobContext) -> None:
        self._context = context

    def backup(self) -> Backup:
        """Raises Failure when it is gone, or another team's than the job is for, whose page would tell of it."""
        found: Backup | None = (
            Backup.kept().select_related("destination").filter(pk=self._context.params["backup"]).first()
        )
        if found is None:
            raise Failure("no_backup", 404, gettext_noop("The backup is gone."))
        if self._context.job.team_id not in {None, found.owner_id}:
            raise Conflict(MOVED, {"name": found.volume, "host": found.host})
        return found

    def destination(self) -> Destination:
        """Raises Failure when it is gone."""
        found = Destination.objects.filter(pk=self._context.params["destination"]).first()
        if found is None:
            raise Failure("no_destination", 404, gettext_noop("The destination is gone. Choose another one."))
        return found

    def blocks(self, backup: Backup) -> Iterator[bytes]:
        """Those of its file. Raises StoreError."""
        store = backup.destination.store()
        self._context.on_cancel(store.end)
        yield from store.read(backup.key)

    def was_whole(self, backup: Backup) -> None:
        """Its hash was right just now."""
        Backup.objects.filter(pk=backup.pk).update(checked=timezone.now())
        changed("backup", backup.host, str(backup.pk))
