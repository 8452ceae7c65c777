"""Backups, and files that were sent, are put back into volumes: looked through first, compared afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.rights import Right
from common import uploads
from common.errors import Conflict, Denied, Failure, Invalid
from hosts.access import VOLUME_NAME, may
from hosts.actions.act import demand, demand_enabled, host_of, recorded
from hosts.actions.backups.work import NamedBackups
from hosts.actions.volumes import holds
from hosts.actions.volumes.new_volumes import check_new
from hosts.actions.volumes.work import VolumeWork
from hosts.belonging import corner_for
from hosts.engine import volume_archives
from hosts.engine.archives import GIB, Foreign, Recast
from hosts.engine.errors import PathRefused
from hosts.engine.volume_helpers import Helper
from hosts.models import Backup, Host, Volume
from hosts.models.base import OnHost
from hosts.owning import Corner, is_limited, teams_there
from hosts.stores.errors import Broken
from hosts.stores.packing import BLOCK, Sealed, opened, unpacked
from jobs import queue
from jobs.models import Job, lock
from jobs.run import JobContext

LOOKED, FILLED = 0.3, 0.7  # shares of the progress
NOT_OF_TEAM = gettext_noop(
    "%(name)s is of another team than the backup. Choose a volume of the same team, or a new one."
)
NEW: dict[str, str] = {
    "field": "volume",
    "action": "volume.restore",
    "taken": gettext_noop("There is a volume called %(name)s on %(host)s already. Choose another name, or replace it."),
}
STOP_THEM = gettext_noop(
    "%(names)s run and use %(volume)s. Stop them first, or have them stopped meanwhile: tick that in the form."
)


def start_restore(
    actor: Any, backup: Backup, host: Host, name: str, *, replace: bool = False, stop: bool = False
) -> Job:
    """Starts a job that puts the backup into a new volume called `name`; with `replace` into the one of that name, whose
    files are deleted first. `stop`: running containers that use that one are stopped meanwhile."""
    demand(actor, Right.BACKUPS_MANAGE, backup)
    if replace:
        row = _replaced(actor, host, name)
        if row.owner_id != backup.owner_id and is_limited(actor, Right.VOLUMES_MANAGE, host):
            raise Invalid("volume", NOT_OF_TEAM, {"name": name})
        team = backup.owner_id if row.owner_id == backup.owner_id else None
    else:
        check_new(actor, Corner(host, backup.owner_id), name, **NEW)
        team = backup.owner_id
    return queue.start(
        actor,
        "volume.restore",
        host=host.name,
        team=team,
        target=f"{backup.file_name} -> {name}",
        params={"backup": backup.pk, "host": host.name, "volume": name, "replace": replace, "stop": stop},
        locks=[lock(host.name, "volume", name), backup.lock],
    )


def _replaced(actor: Any, host: Host, name: str) -> Volume:
    """The volume whose files are to go. Raises Denied, Conflict, and Invalid when there is none that `actor` sees."""
    if not may(actor, Right.VOLUMES_MANAGE, host) and not teams_there(actor, Right.VOLUMES_MANAGE, host):
        raise Denied
    demand_enabled(host)
    rows = Volume.objects.select_related("host").filter(host=host, name=name)
    row = rows.first() if VOLUME_NAME.fullmatch(name) else None  # no database takes every text
    if row is None or not any(may(actor, right, row) for right in (Right.VOLUMES_VIEW, Right.VOLUMES_MANAGE)):
        words = gettext_noop("There is no volume called %(name)s on %(host)s to be replaced.")
        raise Invalid("volume", words, {"name": name, "host": host.name})
    demand(actor, Right.VOLUMES_MANAGE, row)
    return row


@dataclass(frozen=True)
class Source:
    """What is put back: `blocks` begins to read it anew; `check` raises when what went by is not what was stored, and
    `when_whole` hears that it is."""

    blocks: Callable[[], Iterator[bytes]]
    size: int
    check: Callable[[Sealed], None]
    when_whole: Callable[[], None]
    content: str = ""  # the digest that it must have; "": any
    labels: dict[str, str] | None = None

    at_most: int = 0  # bytes that it may fill; 0: it is a backup of ours

    def recast(self, top: str = "./") -> Recast:
        """Takes it apart and makes it anew."""
        return Foreign(top=top, at_most=self.at_most) if self.at_most else Recast(top=top)

    def opened(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        """The tar in it."""
        return opened(blocks) if self.at_most else unpacked(blocks)


def run_restore(context: JobContext) -> dict[str, Any]:
    """Runs in a worker."""
    work = _work(context)
    named = NamedBackups(context)
    backup = named.backup()
    source = Source(
        blocks=lambda: named.blocks(backup),
        size=backup.bytes,
        check=backup.compare,
        when_whole=lambda: named.was_whole(backup),
        content=backup.content,
        labels=backup.labels,
    )
    demand(context.job.by, Right.BACKUPS_MANAGE, backup)
    with recorded(context.job.by, Right.BACKUPS_MANAGE, _place(work), "backup.restore", backup.key):
        return _restore(work, source)


def start_unpack(
    actor: Any,
    host: Host,
    name: str,
    upload: "UploadedFile[Any] | None",
    *,
    replace: bool = False,
    stop: bool = False,
) -> Job:
    """The same with a file that was sent: a tar, packed by zstd, gzip or not at all."""
    if replace:
        team = _replaced(actor, host, name).owner_id
    else:
        corner = corner_for(actor, host, field="volume")
        check_new(actor, corner, name, **NEW)
        team = corner.owner_id
    if upload is None or not upload.size:
        raise Invalid("file", gettext_noop("Choose a file that is not empty."))
    file = "".join(letter if letter.isprintable() else "_" for letter in str(upload.name or "file"))[:200]
    params = {"upload": uploads.keep(upload), "host": host.name, "volume": name, "replace": replace, "stop": stop}
    return queue.start(
        actor,
        "volume.unpack",
        host=host.name,
        team=team,
        target=f"{file} -> {name}",
        params=params,
        locks=[lock(host.name, "volume", name)],
    )


def run_unpack(context: JobContext) -> dict[str, Any]:
    """Runs in a worker; the file is dropped whatever becomes of it."""
    key = context.params["upload"]
    try:
        place = uploads.place_of(key)
        source = Source(
            blocks=lambda: _blocks(place),
            size=place.stat().st_size,
            check=lambda sealed: None,
            when_whole=lambda: None,
            at_most=settings.RESTORE_AT_MOST_GIB * GIB,
        )
        return _restore(_work(context), source)
    finally:
        uploads.drop(key)


def _blocks(place: Path) -> Iterator[bytes]:
    with place.open("rb") as file:
        while block := file.read(BLOCK):
            yield block


def _work(context: JobContext) -> VolumeWork:
    return VolumeWork(context, host_of(context), str(context.params["volume"]))


def _place(work: VolumeWork) -> Host | OnHost:
    """What the right to fill it is asked of: the volume that is there, or what will be there."""
    return work.place if work.context.params["replace"] else Corner(work.host, work.context.job.team_id)


def _restore(work: VolumeWork, source: Source) -> dict[str, Any]:
    """Looks through the whole file before anything is touched, puts it back, and compares what arrived."""
    context, replace = work.context, bool(work.context.params["replace"])
    detail = {"replace": replace}
    with recorded(context.job.by, Right.VOLUMES_MANAGE, _place(work), "volume.restore", work.volume, detail=detail):
        with work.cancellable():
            look = _look_through(work, source)
            source.when_whole()
            if replace:
                _replace(work, source, look)
            else:
                with holds.filling(context, work.host, work.volume, labels=source.labels or {}):
                    with holds.helper(context, work.host, work.volume) as helper:
                        _put(work, helper, source)
                    _compare(work, look)
    return {"volume": work.volume, "files": look.entries, "size": look.size}


def _look_through(work: VolumeWork, source: Source) -> Recast:
    recast = source.recast()
    try:
        for _block in _cast(work, source, recast, (0, LOOKED), _("%(size)s looked through")):
            pass
        if source.content and recast.sum.digest() != source.content:
            raise Broken("its content is not what was stored", where=work.context.job.target)
    except BaseException:
        work.context.log(_("Nothing was changed."))
        raise
    for name in recast.skipped:
        work.context.log(_("Left out, since it is a device: %(path)s") % {"path": name})
    work.context.log(_("The file is whole: %(n)s entries.") % {"n": recast.entries})
    return recast


def _cast(work: VolumeWork, source: Source, recast: Recast, share: tuple[float, float], words: str) -> Iterator[bytes]:
    """The tar in its plain form, read to the last byte of the file. Raises StoreError and PathRefused."""
    sealed = Sealed()
    try:
        tar = source.opened(work.told(sealed.watch(source.blocks()), share, source.size, words))
        yield from recast.cast(tar)
        for _rest in tar:  # what comes after the tar's end belongs to the file's hash
            pass
    except ValueError as error:
        raise Broken(error, where=work.context.job.target) from error
    source.check(sealed)


def _replace(work: VolumeWork, source: Source, look: Recast) -> None:
    context, told = work.context, {"name": work.volume, "host": work.host.name}
    if work.asker.volume(work.volume) is None:
        raise Conflict(gettext_noop("There is no volume called %(name)s any more."), told)
    left = _("%(name)s on %(host)s is not whole now. Restore it once more.") % told
    with _without_users(work):
        with holds.running_helper(context, work.host, work.volume) as helper:
            context.log(_("Deleting what is in %(name)s.") % told)
            try:
                volume_archives.empty(work.open_call, helper.target)
            except PathRefused:
                raise  # nothing was deleted
            except BaseException:
                context.leaves(left)
                raise
            try:
                _put(work, helper, source)
            except BaseException:
                context.leaves(left)
                raise
        _compare(work, look)


@contextmanager
def _without_users(work: VolumeWork) -> Iterator[None]:
    if work.context.params["stop"]:
        with holds.stopped_users(work.context, work.host, work.volume):
            yield
        return
    if running := work.running_users():
        raise Conflict(STOP_THEM, {"names": ", ".join(running[:5]), "volume": work.volume})
    yield


def _put(work: VolumeWork, helper: Helper, source: Source) -> None:
    work.write(helper, _cast(work, source, source.recast(work.top), (LOOKED, FILLED), _("%(size)s put back")))


def _compare(work: VolumeWork, look: Recast) -> None:
    if not work.is_filled(look, (FILLED, 1)):
        words = gettext_noop(
            "What arrived in %(name)s is not what is in the backup. Something wrote to it, or a disk is broken."
        )
        raise Failure("not_the_same", 502, words, {"name": work.volume})
    work.context.log(_("What arrived was read again and is the same."))
