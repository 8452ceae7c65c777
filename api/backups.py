"""Backups of volumes and the places where they lie, over REST. A secret goes in and never comes out."""

from functools import partial
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.rights import Right
from api.auth import needs
from api.bodies import changes_in, valid
from api.lists import Limit, Many, Offset, many
from api.schedules import show as show_schedule
from hosts import filters
from hosts.access import get_backup, get_destination, get_host, get_volume, may_see_place
from hosts.actions.backups import destinations, downloads, kept, making, restoring
from hosts.actions.removals import AT_ONCE
from hosts.forms.backups import FIELDS, DestinationForm
from hosts.models import Backup, Destination

NAMES = ("name", "kind")
router = Router(tags=["backups"])
places = Router(tags=["backups"])
of_volumes = Router(tags=["backups"])


class DestinationIn(Schema):
    """`kind` folder with its `folder`, or s3 with `url`, `bucket`, `access_key`, `secret_key`; `ca` is PEM text."""

    name: str
    kind: str
    folder: str = ""
    url: str = ""
    region: str = ""
    bucket: str = ""
    prefix: str = ""
    access_key: str = ""
    secret_key: str = ""
    ca: str = ""


class DestinationChange(Schema):
    """What is to change; what is left out stays."""

    name: str | None = None
    kind: str | None = None
    folder: str | None = None
    url: str | None = None
    region: str | None = None
    bucket: str | None = None
    prefix: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    ca: str | None = None


class Make(Schema):
    """The name of a `destination`. `stop`: running containers that use the volume are stopped meanwhile and started
    again."""

    destination: str
    stop: bool = False


class Plan(Make):
    """A schedule of such backups: `cron` is minute, hour, day, month and weekday. Of those that it makes the last
    `keep_last` are kept, and those of the last `keep_days` days; all with neither."""

    name: str
    cron: str
    timezone: str = "UTC"
    catch_up: bool = False
    keep_last: int = 0
    keep_days: int = 0


class Restore(Schema):
    """Into a new volume called `volume` on `host` (the one of the backup when left out), or with `replace` into the one
    of that name, whose files are deleted first. `stop`: running containers that use that one are stopped meanwhile."""

    volume: str
    host: str = ""
    replace: bool = False
    stop: bool = False


class RemoveMany(Schema):
    """Ids of backups."""

    backups: list[int] = Field(min_length=1, max_length=AT_ONCE)


def show(backup: Backup) -> dict[str, Any]:
    """A backup as JSON."""
    return {
        "id": backup.pk,
        "host": backup.host,
        "volume": backup.volume,
        "team": backup.owner.name if backup.owner else "",
        "destination": backup.destination.name,
        "key": backup.key,
        "bytes": backup.bytes,
        "content_bytes": backup.content_bytes,
        "entries": backup.entries,
        "sha256": backup.sha256,
        "created": backup.created,
        "by": backup.by_name,
        "job": backup.job_id,
        "schedule": backup.schedule_id,
        "checked": backup.checked,
    }


def show_destination(destination: Destination, *, place: bool = True) -> dict[str, Any]:
    """A destination as JSON: never its secret, and where it is only with `place`."""
    return {name: getattr(destination, name) if place or name in NAMES else "" for name in FIELDS}


# ---------------------------------------------------------------- backups
@router.get("", response=Many)
@needs(Right.BACKUPS_VIEW)
def backup_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All backups, the newest first; the same filters as the page: search, host, volume, destination."""
    rows = Backup.kept().visible_to(request.user).select_related("destination", "owner")
    rows, _ = filters.BACKUPS.ordered(filters.BACKUPS.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("/remove", response={202: dict})
@needs(Right.BACKUPS_MANAGE)
def backups_remove(request: HttpRequest, body: RemoveMany) -> Any:
    """Starts a job that deletes these files at their destinations."""
    found = [get_backup(request.user, pk, Right.BACKUPS_MANAGE) for pk in body.backups]
    return 202, {"job": kept.start_removal(request.user, found).pk}


@router.get("/{int:backup}", response=dict)
@needs(Right.BACKUPS_VIEW)
def backup_get(request: HttpRequest, backup: int) -> Any:
    """One backup."""
    return show(get_backup(request.user, backup))


@router.get("/{int:backup}/download", response={200: None})
@needs(Right.BACKUPS_MANAGE)
def backup_download(request: HttpRequest, backup: int) -> Any:
    """The file: a tar packed by zstd, whose names begin at the top of the volume."""
    return kept.download(request.user, get_backup(request.user, backup, Right.BACKUPS_MANAGE))


@router.post("/{int:backup}/check", response={202: dict})
@needs(Right.BACKUPS_MANAGE)
def backup_check(request: HttpRequest, backup: int) -> Any:
    """Starts a job that reads the file and compares its hash."""
    return 202, {"job": kept.start_check(request.user, get_backup(request.user, backup, Right.BACKUPS_MANAGE)).pk}


@router.post("/{int:backup}/restore", response={202: dict})
@needs(Right.VOLUMES_MANAGE)
def backup_restore(request: HttpRequest, backup: int, body: Restore) -> Any:
    """Starts a job that looks through the whole file, puts it back, and compares what arrived."""
    found = get_backup(request.user, backup, Right.BACKUPS_MANAGE)
    host = get_host(request.user, body.host or found.host)
    job = restoring.start_restore(request.user, found, host, body.volume, replace=body.replace, stop=body.stop)
    return 202, {"job": job.pk}


# ---------------------------------------------------------------- of a volume
@of_volumes.get("/{host}/{volume}/backup", response={200: None})
@needs(Right.BACKUPS_MANAGE)
def volume_download(request: HttpRequest, host: str, volume: str) -> Any:
    """All that is in the volume now as a tar packed by zstd. A file that is cut off has no end, and zstd says so."""
    return downloads.download(request.user, get_volume(request.user, host, volume, Right.BACKUPS_MANAGE))


@of_volumes.post("/{host}/{volume}/backup", response={202: dict})
@needs(Right.BACKUPS_MANAGE)
def volume_backup(request: HttpRequest, host: str, volume: str, body: Make) -> Any:
    """Starts a job that stores it at a destination."""
    found = get_volume(request.user, host, volume, Right.BACKUPS_MANAGE)
    destination = get_destination(request.user, body.destination)
    return 202, {"job": making.start_backup(request.user, found, destination, stop=body.stop).pk}


@of_volumes.post("/{host}/{volume}/backup/schedule", response={201: dict})
@needs(Right.BACKUPS_MANAGE)
def volume_backup_schedule(request: HttpRequest, host: str, volume: str, body: Plan) -> Any:
    """Makes a schedule of its backups."""
    found = get_volume(request.user, host, volume, Right.BACKUPS_MANAGE)
    asked = body.dict(exclude={"destination"})
    destination = get_destination(request.user, body.destination)
    return 201, show_schedule(making.schedule(request.user, found, destination, **asked))


# ---------------------------------------------------------------- destinations
@places.get("", response=Many)
@needs(Right.BACKUPS_VIEW)
def destination_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All destinations; `search` as on the page. Who sees backups of their team alone sees no more than name and kind."""
    place = may_see_place(request.user)
    table = filters.DESTINATIONS if place else filters.DESTINATION_NAMES
    rows, _ = table.ordered(table.narrow(Destination.objects.visible_to(request.user), request.GET), sort)
    return many(rows, limit, offset, partial(show_destination, place=place))


@places.post("", response={201: dict})
@needs(Right.BACKUPS_PLACES)
def destination_create(request: HttpRequest, body: DestinationIn) -> Any:
    """Adds a destination."""
    filled = valid(DestinationForm(body.dict())).fill(Destination())
    return 201, show_destination(destinations.add(request.user, filled))


@places.get("/{destination}", response=dict)
@needs(Right.BACKUPS_VIEW)
def destination_get(request: HttpRequest, destination: str) -> Any:
    """One destination."""
    return show_destination(get_destination(request.user, destination), place=may_see_place(request.user))


@places.patch("/{destination}", response=dict)
@needs(Right.BACKUPS_PLACES)
def destination_change(request: HttpRequest, destination: str, body: DestinationChange) -> Any:
    """Changes it. Where it is stays as long as there are backups in it."""
    found = get_destination(request.user, destination, Right.BACKUPS_PLACES)
    changes = changes_in(body)
    form = valid(DestinationForm({name: getattr(found, name) for name in FIELDS} | changes, destination=found))
    return show_destination(destinations.change(request.user, form.fill(found)))


@places.delete("/{destination}", response={204: None})
@needs(Right.BACKUPS_PLACES)
def destination_remove(request: HttpRequest, destination: str) -> Any:
    """Forgets it; 409 while there are backups in it."""
    destinations.remove(request.user, get_destination(request.user, destination, Right.BACKUPS_PLACES))
    return 204, None


@places.post("/{destination}/check", response=dict)
@needs(Right.BACKUPS_PLACES)
def destination_check(request: HttpRequest, destination: str) -> Any:
    """Writes, reads and removes a small file there."""
    destinations.test(request.user, get_destination(request.user, destination, Right.BACKUPS_PLACES))
    return {"works": True}
