"""Volumes over REST."""

from typing import Any

from django.http import HttpRequest
from ninja import File, Form, Router, Schema, UploadedFile
from pydantic import Field

from accounts.rights import Right
from api.auth import needs
from api.lists import Limit, Many, Offset, Started, many
from hosts import filters
from hosts.access import get_host, get_volume
from hosts.actions.backups import restoring
from hosts.actions.removals import AT_ONCE
from hosts.actions.short import soon
from hosts.actions.volumes import volume_copies, volume_files, volume_removals, volumes
from hosts.models import Container, Volume
from hosts.volume_plan import VolumePlan

MEMBERS_AT_MOST = 1000

router = Router(tags=["volumes"])


class Create(Schema):
    """A volume to make. Values of options go to the engine; those that are secrets never come out."""

    name: str
    driver: str = "local"
    options: dict[str, str] = {}
    labels: dict[str, str] = {}


class Remove(Schema):
    """`force`: also when its driver is gone."""

    force: bool = False


class Prune(Schema):
    """Which volumes that no container uses: anonymous ones, or `all`; with a `label` (name or name=value), or of these
    only `volumes` (names, as a dry run listed them)."""

    all: bool = False
    label: str = ""
    dry_run: bool = False
    volumes: list[str] | None = Field(default=None, max_length=AT_ONCE)


class Copy(Schema):
    """The new volume's `name`, on the host `to` (the same one when left out). `stop`: containers that use the original are
    stopped while it is read, and started again."""

    name: str
    to: str = ""
    stop: bool = False


class RemoveMany(Schema):
    """Names of volumes of one host."""

    volumes: list[str] = Field(max_length=AT_ONCE)


def show(volume: Volume) -> dict[str, Any]:
    """A volume as JSON."""
    return {
        "host": volume.host.name,
        "name": volume.name,
        "driver": volume.driver,
        "scope": volume.scope,
        "mountpoint": volume.mountpoint,
        "size": volume.size,
        "measured": (volume.host.disk or {}).get("at"),
        "options": volume.data.get("options", {}),
        "labels": volume.labels,
        "created": volume.created,
        "host_state": volume.host.state,
        "seen": volume.seen,
    }


@router.get("", response=Many)
@needs(Right.VOLUMES_VIEW)
def volume_list(request: HttpRequest, sort: str = "", limit: int = Limit, offset: int = Offset) -> Any:
    """All volumes; the same filters as the page: search, host, driver, use (in use, unused)."""
    rows = filters.with_use("volume", Volume.objects.visible_to(request.user).select_related("host"))
    rows, _ = filters.VOLUMES.ordered(filters.VOLUMES.narrow(rows, request.GET), sort)
    return many(rows, limit, offset, show)


@router.post("/{host}", response={201: dict, 202: Started})
@needs(Right.VOLUMES_MANAGE)
def volume_create(request: HttpRequest, host: str, body: Create) -> Any:
    """Makes a volume."""
    soon(volumes.create, request.user, get_host(request.user, host), VolumePlan(**body.dict()))
    return 201, {"name": body.name}


@router.post("/{host}/prune", response={200: dict, 202: dict})
@needs(Right.VOLUMES_MANAGE)
def volume_prune_run(request: HttpRequest, host: str, body: Prune | None = None) -> Any:
    """Starts a job that removes volumes that no container uses; with `dry_run` only lists them."""
    body, on = body or Prune(), get_host(request.user, host)
    everything = body.all or body.volumes is not None
    rows = filters.prunable_volumes(request.user, on, everything=everything, label=body.label, only=body.volumes)
    found = list(rows[:AT_ONCE])
    if body.dry_run:
        size = sum(volume.size or 0 for volume in found)
        return 200, {"items": [show(volume) for volume in found], "count": rows.count(), "size": size}
    rule = {"everything": everything, "label": body.label} if body.volumes is None else None
    return 202, {"job": volume_removals.start_removals(request.user, found, rule=rule).pk}


@router.post("/{host}/remove", response={202: dict})
@needs(Right.VOLUMES_MANAGE)
def volumes_remove(request: HttpRequest, host: str, body: RemoveMany) -> Any:
    """Starts a job that removes several volumes with what is in them; one that a container uses is kept."""
    found = [get_volume(request.user, host, name, Right.VOLUMES_MANAGE) for name in body.volumes]
    return 202, {"job": volume_removals.start_removals(request.user, found).pk}


@router.post("/{host}/restore", response={202: dict})
@needs(Right.VOLUMES_MANAGE)
def volume_restore(
    request: HttpRequest,
    host: str,
    file: File[UploadedFile],
    volume: Form[str],
    replace: Form[bool] = False,
    stop: Form[bool] = False,
) -> Any:
    """Starts a job that puts a tar that is sent (packed by zstd, by gzip or not at all) into a new volume, or with
    `replace` into the one of that name, whose files are deleted first."""
    on = get_host(request.user, host)
    job = restoring.start_unpack(request.user, on, volume, file, replace=replace, stop=stop)
    return 202, {"job": job.pk}


@router.get("/{host}/prune", response=dict, include_in_schema=False)
@router.get("/{host}/remove", response=dict, include_in_schema=False)
@router.get("/{host}/restore", response=dict, include_in_schema=False)
@needs(Right.VOLUMES_VIEW)
def volume_called_so(request: HttpRequest, host: str) -> Any:
    """A volume may have that name."""
    return volume_get(request, host, request.path.rstrip("/").rpartition("/")[2])


@router.get("/{host}/{volume}", response=dict)
@needs(Right.VOLUMES_VIEW)
def volume_get(request: HttpRequest, host: str, volume: str) -> Any:
    """One volume, with the names of the `containers` that use it."""
    found = get_volume(request.user, host, volume)
    rows = filters.users_of("volume", found, Container.objects.visible_to(request.user))
    return {**show(found), "containers": list(rows.order_by("name").values_list("name", flat=True)[:MEMBERS_AT_MOST])}


@router.post("/{host}/{volume}/copy", response={202: dict})
@needs(Right.VOLUMES_MANAGE)
def volume_copy(request: HttpRequest, host: str, volume: str, body: Copy) -> Any:
    """Starts a job that makes a volume with the same content, here or on another host, and compares what arrived."""
    found = get_volume(request.user, host, volume, Right.VOLUMES_MANAGE)
    to = get_host(request.user, body.to or host)
    return 202, {"job": volume_copies.start_copy(request.user, found, to, body.name, stop=body.stop).pk}


@router.post("/{host}/{volume}/files", response={201: dict, 202: Started})
@needs(Right.CONTAINERS_FILES)
def volume_files_open(request: HttpRequest, host: str, volume: str) -> Any:
    """Opens its files: they are those at `path` of `container`, a helper that goes at `until`."""
    return 201, soon(volume_files.open_files, request.user, get_volume(request.user, host, volume))


@router.post("/{host}/{volume}/remove", response={200: dict, 202: Started})
@needs(Right.VOLUMES_MANAGE)
def volume_remove(request: HttpRequest, host: str, volume: str, body: Remove | None = None) -> Any:
    """Removes it with what is in it; 409 with the names of the containers that use it."""
    found = get_volume(request.user, host, volume, Right.VOLUMES_MANAGE)
    soon(volumes.remove, request.user, found, force=body.force if body else False)
    return {"done": "remove"}
