"""What jobs about backups are made of: reading, comparing, counting."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from common.errors import Failure
from common.events import changed
from common.templatetags.ui import filesize_iec
from hosts.actions.volumes import holds
from hosts.actions.volumes.volume_removals import VolumeAsker
from hosts.engine import volume_archives, volume_helpers
from hosts.engine.archives import Recast
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.models import Backup, Destination, Host, Volume
from jobs.run import JobContext


class Work:
    """A job with its backups."""

    def __init__(self, context: JobContext) -> None:
        self.context = context

    @contextmanager
    def cancellable(self) -> Iterator[None]:
        """What was cut off by us did not fail."""
        try:
            yield
        except EngineError:
            self.context.check_cancelled()
            raise

    def told(self, blocks: Iterator[bytes], share: tuple[float, float], size: int, words: str) -> Iterator[bytes]:
        """The same blocks, whose number moves the progress from one share to another one."""
        done, (first, last) = 0, share
        for block in blocks:
            yield block
            done += len(block)
            part = min(1.0, done / size) if size else 0.5
            self.context.progress(first + (last - first) * part, words % {"size": filesize_iec(done)})

    def backup(self) -> Backup:
        """The one that the parameters name. Raises Failure when it is gone."""
        found: Backup | None = (
            Backup.kept().select_related("destination").filter(pk=self.context.params["backup"]).first()
        )
        if found is None:
            raise Failure("no_backup", 404, gettext_noop("The backup is gone."))
        return found

    def destination(self) -> Destination:
        """The one that the parameters name. Raises Failure when it is gone."""
        found = Destination.objects.filter(pk=self.context.params["destination"]).first()
        if found is None:
            raise Failure("no_destination", 404, gettext_noop("The destination is gone. Choose another one."))
        return found

    def stored(self, backup: Backup) -> Iterator[bytes]:
        """The file's blocks. Raises StoreError."""
        store = backup.destination.store()
        self.context.on_cancel(store.end)
        yield from store.read(backup.key)

    def was_whole(self, backup: Backup) -> None:
        """Its hash was right just now."""
        Backup.objects.filter(pk=backup.pk).update(checked=timezone.now())
        changed("backup", backup.host, str(backup.pk))


class VolumeWork(Work):
    """A job with a volume of a host."""

    def __init__(self, context: JobContext, host: Host, volume: str) -> None:
        super().__init__(context)
        self.host, self.volume = host, volume
        self.podman = host.engine == "Podman"  # its files are read by a helper's own tar
        self.asker = VolumeAsker(host, context)

    def open_call(self) -> Call:
        """One that ends when the job is cancelled."""
        call = Call(self.host.endpoint())
        self.context.on_cancel(call.end)
        return call

    @property
    def size(self) -> int:
        """Bytes, as last measured; 0 where nobody knows."""
        rows = Volume.objects.filter(host=self.host, name=self.volume)
        return rows.values_list("size", flat=True).first() or 0

    @contextmanager
    def reading(self, recast: Recast) -> Iterator[Iterator[bytes]]:
        """The volume as a tar, inside the block; `recast` hears of all of it."""
        with (
            self.cancellable(),
            holds.helper(self.context, self.host, self.volume, read_only=True) as helper,
        ):
            yield volume_archives.read(self.open_call, helper.target, recast, by_program=self.podman)

    def look(self, share: tuple[float, float]) -> Recast:
        """What is in it now, read through."""
        recast = Recast()
        with self.reading(recast) as blocks:
            for _block in self.told(blocks, share, self.size, _("%(size)s read again")):
                pass
        return recast

    def running_users(self) -> list[str]:
        """Names of the containers that run and use it."""
        users = [user for user in self.asker.users(self.volume) if not volume_helpers.is_helper(user)]
        return [str((user.get("Names") or ["?"])[0]).strip("/") for user in users if user.get("State") == "running"]
