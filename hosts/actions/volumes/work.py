"""What jobs about a volume's content are made of: reading, comparing, counting."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from django.utils.translation import gettext as _

from common.templatetags.ui import filesize_iec
from hosts.actions.volumes import holds
from hosts.actions.volumes.volume_removals import VolumeAsker
from hosts.belonging import name_for, place_of
from hosts.engine import volume_archives, volume_helpers
from hosts.engine.archives import Recast
from hosts.engine.calls import Call
from hosts.engine.errors import EngineError
from hosts.engine.volume_helpers import Helper
from hosts.models import Host, Volume
from jobs.run import JobContext


class Work:
    """A job that moves bytes."""

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
        """The same blocks, whose number moves the progress from one share to another one: `words` % {"size": them}.
        `size` is how many bytes will come, more or less; 0 where nobody knows."""
        done, (first, last) = 0, share
        for block in blocks:
            yield block
            done += len(block)
            part = min(1.0, done / size) if size else 0.5
            told = {"done": filesize_iec(done), "size": filesize_iec(size)}
            so_far = _("%(done)s of about %(size)s") % told if size else told["done"]
            self.context.progress(first + (last - first) * part, words % {"size": so_far})


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
    def place(self) -> Host | Volume:
        """What rights about it are asked of (hosts.belonging). Raises Conflict."""
        return place_of(self.context.job, self.host, self.volume)

    @property
    def size(self) -> int:
        """Bytes, as last measured; 0 where nobody knows."""
        rows = Volume.objects.filter(host=self.host, name=self.volume)
        return rows.values_list("size", flat=True).first() or 0

    @contextmanager
    def reading(self, recast: Recast, helper: Helper | None = None) -> Iterator[Iterator[bytes]]:
        """The volume as a tar, inside the block, through a helper of its own unless there is one; `recast` hears of all
        of it."""
        if helper is None:
            with holds.helper(self.context, self.host, self.volume, read_only=True) as made:
                with self.reading(recast, made) as blocks:
                    yield blocks
            return
        blocks = volume_archives.read(self.open_call, helper.target, recast, by_program=self.podman)
        with self.cancellable(), closing(blocks):
            yield blocks

    def write(self, helper: Helper, blocks: Iterator[bytes]) -> None:
        """Puts a tar into the volume whose names begin with `top`."""
        with self.cancellable():
            volume_archives.write(self.open_call, helper.target, blocks, podman=self.podman)

    @property
    def top(self) -> str:
        """What is before each name of a tar that is written."""
        return volume_archives.write_place(podman=self.podman)[1]

    def is_filled(
        self, whole: Recast, share: tuple[float, float], helper: Helper | None = None, *, devices: bool = False
    ) -> bool:
        """Whether what is in it now, read once more, is what `whole` saw."""
        found = Recast(devices="kept" if devices else "skipped", before=whole.sum)
        with self.reading(found, helper) as blocks:
            for _block in self.told(blocks, share, whole.size, _("%(size)s read again")):
                pass
        # Podman does not tell of capabilities
        return found.sum.is_same(whole.sum, capabilities=not self.podman)

    def running_users(self) -> list[str]:
        """Names of the containers that run and use it, as the job may say them."""
        users = [user for user in self.asker.users(self.volume) if not volume_helpers.is_helper(user)]
        names = [
            name_for(self.context.job, self.host, str(user["Id"]), str((user.get("Names") or ["?"])[0]).strip("/"))
            for user in users
            if user.get("State") == "running"
        ]
        return list(dict.fromkeys(names))
